#include "call/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/claim.h"
#include "call/counting.h"
#include "call/price.h"
#include "store/quota.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    RUN_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES, /* its request, and once more what the sandbox makes of it */
    RUN_HEAD_BYTES = 4 * 1024,                   /* what stands before the text of a stored answer */
    RUN_RETRY_MS = 1000,
    RUN_QUOTA_RETRY_MS = 60 * 1000, /* of an account with as many stored answers as it may have */
};

enum run_state {
    RUN_LOOKING,  /* the store is asked whether it was settled */
    RUN_DROPPED,  /* cancelled meanwhile: ends with the store's answer */
    RUN_STARTING, /* in calls->starting */
    RUN_RUNNING,  /* its executor's */
};

struct run {
    struct call call; /* first: a sink's call is its run */
    struct arena arena;
    struct buf stored; /* what `keep` keeps, once its end is known; empty before */
    const struct run_events *events;
    void *context;
    enum run_state state;
    bool keep, begun;
    struct run_kept kept;
    bool delivering, cut; /* its owner is being told a text; and has cancelled it in there */
    struct fault fault;   /* what it fails with instead of being started; code meaningless without a message */
    int64_t cost_max_nano;
    struct run *prev, *next; /* in calls->starting */
};

/* --- Names --- */

/* The store's purposes have numbers of their own, on disk. */
static enum store_purpose stored_purpose(enum run_purpose purpose) {
    switch (purpose) {
    case RUN_REQUEST:
        return STORE_PURPOSE_REQUEST;
    case RUN_JOB:
        break;
    case RUN_STEP:
        return STORE_PURPOSE_STEP;
    case RUN_TITLE:
        return STORE_PURPOSE_TITLE;
    case RUN_SUMMARY:
        return STORE_PURPOSE_SUMMARY;
    }
    return STORE_PURPOSE_JOB;
}

const char *run_purpose_name(enum run_purpose purpose) {
    return store_purpose_name(stored_purpose(purpose));
}

void run_id_make(enum run_purpose purpose, char out[ID_SIZE]) {
    char prefix[ID_PREFIX_MAX + 1];
    snprintf(prefix, sizeof(prefix), "%s_", run_purpose_name(purpose));
    id_make(prefix, clock_wall_ms(), out);
}

void run_scope(const char *id, uint8_t out[DIGEST_SHA256_SIZE]) {
    struct {
        char what[8], id[ID_SIZE];
    } text = {.what = "run"};
    (void)str_copy(text.id, sizeof(text.id), str_from(id));
    digest_sha256(&text, sizeof(text), out);
}

static int64_t run_cost(const struct gen_request *generation, uint32_t prompt_tokens) {
    int64_t prompt_nano, completion_nano;
    price_of_model(generation->model, &prompt_nano, &completion_nano);
    return (int64_t)prompt_tokens * prompt_nano + (int64_t)generation->max_tokens * completion_nano;
}

int64_t run_cost_max(const struct gen_request *generation) {
    return run_cost(generation, price_prompt_tokens_max(generation));
}

int64_t run_cost_enough(const struct calls *calls, const struct gen_request *generation) {
    struct tokens_text text;
    counting_request_text(generation, &text);
    return run_cost(generation, counting_request_enough(calls, generation, &text));
}

/* So many tokens of its prompt count for the bill that it stays within what it may cost. False: none. */
static bool run_cap(struct run *run) {
    struct call *call = &run->call;
    const int64_t left = run->cost_max_nano - run_cost(&call->generation, 0);
    if (run->cost_max_nano < 0 || call->prompt_price_nano <= 0) {
        return true;
    }
    if (left / call->prompt_price_nano < call->prompt_tokens_max) {
        call->prompt_tokens_max = left > 0 ? (uint32_t)(left / call->prompt_price_nano) : 0;
    }
    return call->prompt_tokens_max > 0;
}

/* --- Its end --- */

static void run_free(struct run *run) {
    call_clear(&run->call);
    buf_clear(&run->stored);
    arena_clear(&run->arena);
    free(run);
}

static void run_log(const struct run *run, const char *outcome, const struct call_result *result) {
    const struct gen_usage usage = result != NULL ? result->usage : (struct gen_usage){0};
    LOG_INFO_EVENT("run.end", LOG_TEXT("run", run->call.id), LOG_TEXT("account", run->call.identity.account_id),
                   LOG_TEXT("outcome", outcome), LOG_INT("prompt_tokens", usage.prompt_tokens),
                   LOG_INT("completion_tokens", usage.completion_tokens));
}

static void run_end(struct run *run, const struct call_result *result) {
    const struct answer answer = call_answer(&run->call, result);
    run_log(run, result->repeated ? "repeated" : "completed", result);
    run->events->on_end(run->context, &answer);
    run_free(run);
}

static void run_fail(struct run *run, const struct fault *fault) {
    run_log(run, fault_name(fault->code), NULL);
    run->events->on_failed(run->context, fault);
    run_free(run);
}

/* --- The sink of its call --- */

static struct run *run_of(struct call *call) {
    return (struct run *)call;
}

static void sink_accepted(struct call *call) {
    struct run *run = run_of(call);
    if (!run->begun && run->events->on_begun != NULL) {
        run->begun = true;
        run->events->on_begun(run->context);
    }
}

static void sink_note(struct call *call, const struct call_note *note) {
    (void)call;
    (void)note;
}

static enum call_delivery sink_deliver(struct call *call, struct str text) {
    struct run *run = run_of(call);
    if (!buf_append_str(&call->text, text)) {
        return CALL_DELIVER_TOO_LONG;
    }
    if (run->events->on_text == NULL) {
        return CALL_DELIVERED;
    }
    run->delivering = true;
    run->events->on_text(run->context, text);
    run->delivering = false;
    if (run->cut) {
        run_free(run);
        return CALL_DELIVER_CUT;
    }
    return CALL_DELIVERED;
}

/* What is kept: one line of JSON, then the text as it is. */
static bool sink_answer(struct call *call, const struct call_result *result, struct store_answer *answer) {
    struct run *run = run_of(call);
    struct json_writer writer;
    if (!run->keep) {
        return false;
    }
    json_writer_init(&writer, &run->stored);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", call->id);
    json_member_int(&writer, "created_ms", call->created_ms);
    json_member_str(&writer, "model", call->generation.model);
    json_member_cstr(&writer, "finish", gen_finish_name(result->finish));
    json_member_int(&writer, "prompt_tokens", result->usage.prompt_tokens);
    json_member_int(&writer, "completion_tokens", result->usage.completion_tokens);
    json_member_int(&writer, "cached_tokens", result->usage.cached_tokens);
    json_member_int(&writer, "cost_nano", result->cost_nano);
    json_member_cstr(&writer, "provider_id", result->provider_id);
    json_member_cstr(&writer, "provider_region", result->provider_region);
    json_member_cstr(&writer, "inference_type", result->inference_type);
    json_member_int(&writer, "attempts", result->attempts);
    json_member_int(&writer, "continued", result->continued);
    json_member_int(&writer, "ttft_ms", result->ttft_ms);
    json_member_int(&writer, "latency_ms", result->latency_ms);
    json_end_object(&writer);
    buf_append_cstr(&run->stored, "\n");
    buf_append_str(&run->stored, buf_str(&call->text));
    *answer = (struct store_answer){.expires_ms = clock_wall_ms() + run->kept.kept_ms,
                                    .replaces = run->kept.replaces,
                                    .spare = run->kept.replaces,
                                    .content = buf_str(&run->stored)};
    memcpy(answer->scope_sha256, run->kept.scope_sha256, sizeof(answer->scope_sha256));
    memcpy(answer->body_sha256, run->kept.body_sha256, sizeof(answer->body_sha256));
    return !run->stored.overflow;
}

static bool sink_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    const struct run *run = run_of(call);
    return run->events->on_turn != NULL && run->events->on_turn(run->context, buf_str(&call->text), result, turn);
}

static void sink_finished(struct call *call, const struct call_result *result) {
    call_unlink(call);
    run_end(run_of(call), result);
}

static void sink_failed(struct call *call, const struct fault *fault) {
    call_unlink(call);
    run_fail(run_of(call), fault);
}

static const struct call_sink run_sink = {.accepted = sink_accepted,
                                          .note = sink_note,
                                          .deliver = sink_deliver,
                                          .answer = sink_answer,
                                          .turn = sink_turn,
                                          .finished = sink_finished,
                                          .failed = sink_failed};

/* --- Its start --- */

static void starting_append(struct run *run) {
    struct calls *calls = run->call.calls;
    run->state = RUN_STARTING;
    if (calls->starting == NULL) {
        loop_timer_start(calls->starter, 0, 0);
    }
    DL_APPEND(calls->starting, run);
}

static bool may_start(struct run *run) {
    struct fault *fault = &run->fault;
    if (run->call.calls->draining) {
        fault_set(fault, FAULT_UNAVAILABLE, "The gateway is restarting. You were not charged.");
        fault->retry_after_ms = RUN_RETRY_MS;
    } else if (fault->message[0] == '\0' && !run_cap(run)) {
        fault_set(fault, FAULT_INSUFFICIENT_CREDITS,
                  "What this may cost at most is more than what is left of its budget.");
    }
    return fault->message[0] == '\0';
}

static void start_due(void *context) {
    struct calls *calls = context;
    size_t count;
    struct run *run;
    DL_COUNT(calls->starting, run, count);
    /* Those that callbacks add meanwhile wait for the next iteration of the loop. */
    for (; count > 0 && (run = calls->starting) != NULL; count--) {
        DL_DELETE(calls->starting, run);
        if (!may_start(run)) {
            const struct fault fault = run->fault;
            run_fail(run, &fault);
            continue;
        }
        run->state = RUN_RUNNING;
        run->call.started_ms = loop_now_ms(calls->loop);
        call_link(&run->call);
        call_submit(&run->call); /* the run may be gone when this returns */
    }
    if (calls->starting != NULL) { /* with 0 it would fire in this iteration again */
        loop_timer_start(calls->starter, 1, 0);
    }
}

void runs_open(struct calls *calls) {
    calls->starter = loop_timer_new(calls->loop, start_due, calls);
}

void runs_close(struct calls *calls) {
    struct run *run;
    if (calls == NULL) {
        return;
    }
    while ((run = calls->starting) != NULL) {
        DL_DELETE(calls->starting, run);
        run_free(run);
    }
    loop_timer_free(calls->starter);
    calls->starter = NULL;
}

static uint32_t member_u32(struct json_value object, const char *key) {
    struct json_value value;
    int64_t number = 0;
    return json_get(object, key, &value) && json_as_int64(value, &number) && number >= 0 && number <= UINT32_MAX
               ? (uint32_t)number
               : 0;
}

static const char *member_text(struct run *run, struct json_value object, const char *key) {
    struct json_value value;
    struct str text;
    return json_get(object, key, &value) && json_as_str(value, &text) ? arena_copy(&run->arena, text).data : NULL;
}

static bool stored_head_read(struct run *run, struct json_value head, struct call_result *out) {
    struct json_value value;
    struct str finish;
    if (!json_get(head, "finish", &value) || !json_as_str(value, &finish) || !json_get(head, "created_ms", &value) ||
        !json_as_int64(value, &run->call.created_ms) || !json_get(head, "cost_nano", &value)) {
        return false;
    }
    const char *model = member_text(run, head, "model");
    const char *id = member_text(run, head, "id");
    if (id != NULL) { /* of the one that was settled, where it is not found by its id */
        (void)str_copy(run->call.id, sizeof(run->call.id), str_from(id));
    }
    *out = (struct call_result){.usage = {.prompt_tokens = member_u32(head, "prompt_tokens"),
                                          .completion_tokens = member_u32(head, "completion_tokens"),
                                          .cached_tokens = member_u32(head, "cached_tokens")},
                                .provider_id = member_text(run, head, "provider_id"),
                                .provider_region = member_text(run, head, "provider_region"),
                                .inference_type = member_text(run, head, "inference_type"),
                                .attempts = member_u32(head, "attempts"),
                                .continued = member_u32(head, "continued"),
                                .ttft_ms = member_u32(head, "ttft_ms"),
                                .latency_ms = member_u32(head, "latency_ms")};
    run->call.generation.model = str_from(model);
    return json_as_int64(value, &out->cost_nano) && model != NULL && gen_finish_from_name(finish, &out->finish);
}

static bool stored_read(struct run *run, struct str content, struct call_result *out) {
    struct str head, text;
    struct json_value root;
    struct err err;
    return str_split(content, '\n', &head, &text) && json_parse(run->call.calls->parser, head, &root, &err) &&
           stored_head_read(run, root, out) && buf_append_str(&run->call.text, text);
}

static void on_looked(void *context, const struct store_answer *answer, const struct err *err) {
    struct run *run = context;
    struct call_result result;
    if (run->state == RUN_DROPPED) {
        run_free(run);
    } else if (err != NULL && store_quota_is_past(err)) {
        struct fault fault;
        fault_set(&fault, FAULT_RATE_LIMIT_EXCEEDED, "%s.", err->message);
        fault.retry_after_ms = RUN_QUOTA_RETRY_MS;
        run_fail(run, &fault);
    } else if (err != NULL) {
        struct fault fault;
        fault_set(&fault, FAULT_UNAVAILABLE, "Whether this ran before cannot be told now.");
        fault.retry_after_ms = RUN_RETRY_MS;
        run_fail(run, &fault);
    } else if (answer == NULL) {
        starting_append(run);
    } else if (memcmp(answer->body_sha256, run->kept.body_sha256, sizeof(run->kept.body_sha256)) != 0) {
        struct fault fault;
        idempotency_set_other_body(&fault);
        run_fail(run, &fault);
    } else if (stored_read(run, answer->content, &result)) {
        result.repeated = true;
        run_end(run, &result);
    } else { /* it was paid for, so it must not run again */
        struct fault fault;
        LOG_ERROR_EVENT("run.unreadable", LOG_TEXT("run", run->call.id));
        fault_set(&fault, FAULT_INTERNAL, "The stored answer cannot be read.");
        run_fail(run, &fault);
    }
}

static bool label_copy(struct arena *arena, struct str *label) {
    *label = label->len > 0 ? arena_copy(arena, *label) : STR("");
    return label->data != NULL;
}

struct run *run_start(struct calls *calls, const struct run_request *asked, const struct run_events *events,
                      void *context) {
    struct run *run = MEM_NEW(struct run);
    struct call *call = &run->call;
    arena_init(&run->arena, RUN_ARENA_BYTES);
    run->events = events;
    run->context = context;
    run->keep = asked->keep && asked->identity->kind == STORE_KEY_LIVE;
    run->cost_max_nano = asked->cost_max_nano;
    call->purpose = stored_purpose(asked->purpose);
    call->kind = asked->kind;
    call->identity = *asked->identity;
    call->generation = *asked->generation;
    call->generation.stream = events->on_text != NULL;
    call->label = asked->label;
    call->verified = asked->verified;
    call->repeatable = true;
    (void)str_copy(call->id, sizeof(call->id), str_from(asked->id));
    (void)str_copy(call->region, sizeof(call->region), str_from(asked->region));
    if (!gen_request_copy(&run->arena, &call->generation) || !label_copy(&run->arena, &call->label) ||
        !tools_copy_names(&run->arena, asked->tools, &call->tools)) {
        fault_set_too_large(&run->fault);
        call->generation = (struct gen_request){.model = STR(""), .prompt = STR("")};
    }
    call_init(call, calls, &run_sink, &run->arena);
    buf_init(&run->stored, LIMIT_ANSWER_BYTES + RUN_HEAD_BYTES);
    if (asked->kept != NULL) {
        run->kept = *asked->kept;
    } else {
        run->kept.kept_ms = RUN_KEPT_MS;
        run_scope(call->id, run->kept.scope_sha256);
    }
    if (run->keep && asked->again) {
        run->state = RUN_LOOKING;
        store_answer_find(calls->store, run->kept.scope_sha256,
                          asked->kept != NULL && !run->kept.replaces ? call->identity.account_id : NULL,
                          clock_wall_ms(), on_looked, run);
    } else {
        starting_append(run);
    }
    return run;
}

void run_cancel(struct run *run) {
    struct call *call = &run->call;
    switch (run->state) {
    case RUN_LOOKING:
        run->state = RUN_DROPPED;
        return;
    case RUN_DROPPED:
        assert(false);
        return;
    case RUN_STARTING:
        DL_DELETE(call->calls->starting, run);
        break;
    case RUN_RUNNING:
        call_unlink(call);
        call_abandon(call);
        run_log(run, "cancelled", NULL);
        if (run->delivering) {
            run->cut = true; /* freed where it is delivered to */
            return;
        }
        break;
    }
    run_free(run);
}
