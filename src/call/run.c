#include "call/run.h"

#include "api/respond.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/call.h"
#include "call/price.h"
#include "call/stored.h"
#include "format/answer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    RUN_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES, /* its request, and once more what the sandbox makes of it */
    RUN_HEAD_BYTES = 4 * 1024,                   /* what stands before the text of a stored answer */
    RUN_RETRY_MS = 1000,
};

enum run_state {
    RUN_LOOKING,  /* the store is asked whether it was settled */
    RUN_DROPPED,  /* cancelled meanwhile: ends with the store's answer */
    RUN_STARTING, /* in api->starting */
    RUN_RUNNING,  /* the backend's */
};

struct run {
    struct call call; /* first: a sink's call is its run */
    struct arena arena;
    const struct run_events *events;
    void *context;
    enum run_state state;
    bool keep, begun, repeated;
    bool delivering, cut; /* its owner is being told a text; and has cancelled it in there */
    struct fault fault;   /* what it fails with instead of being started; code meaningless without a message */
    int64_t cost_max_nano;
    struct run *prev, *next; /* in api->starting */
};

/* --- Names --- */

const char *run_purpose_name(enum run_purpose purpose) {
    return store_purpose_name(call_stored_purpose(purpose));
}

void run_id_make(enum run_purpose purpose, char out[ID_SIZE]) {
    char tail[CALL_ID_TAIL + 1];
    call_id_tail(clock_wall_ms(), tail);
    tail[CALL_ID_TAIL] = '\0';
    snprintf(out, ID_SIZE, "%s_%s", run_purpose_name(purpose), tail);
}

void run_scope(const char *id, uint8_t out[DIGEST_SHA256_SIZE]) {
    struct {
        char what[8], id[ID_SIZE];
    } text = {.what = "run"};
    str_copy(text.id, sizeof(text.id), str_from(id));
    digest_sha256(&text, sizeof(text), out);
}

int64_t run_cost_max(const struct gen_request *generation) {
    int64_t prompt_nano, completion_nano;
    price_of_model(generation->model, &prompt_nano, &completion_nano);
    return (int64_t)price_prompt_tokens_max(generation) * prompt_nano +
           (int64_t)generation->max_tokens * completion_nano;
}

/* --- Its request, in memory of its own --- */

static bool copy_str(struct arena *arena, struct str *text) {
    *text = text->len > 0 ? arena_copy(arena, *text) : STR("");
    return text->data != NULL;
}

static bool copy_tool_calls(struct arena *arena, struct gen_message *message) {
    const size_t count = message->tool_call_count;
    if (count == 0) {
        return true;
    }
    struct gen_tool_call *calls = ARENA_ARRAY(arena, struct gen_tool_call, count);
    if (calls == NULL) {
        return false;
    }
    memcpy(calls, message->tool_calls, count * sizeof(calls[0]));
    message->tool_calls = calls;
    for (size_t i = 0; i < count; i++) {
        if (!copy_str(arena, &calls[i].id) || !copy_str(arena, &calls[i].name) ||
            !copy_str(arena, &calls[i].arguments)) {
            return false;
        }
    }
    return true;
}

static bool copy_messages(struct arena *arena, struct gen_request *request) {
    const size_t count = request->message_count;
    if (count == 0) {
        return true;
    }
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, count);
    if (messages == NULL) {
        return false;
    }
    memcpy(messages, request->messages, count * sizeof(messages[0]));
    request->messages = messages;
    for (size_t i = 0; i < count; i++) {
        if (!copy_str(arena, &messages[i].content) || !copy_str(arena, &messages[i].tool_call_id) ||
            !copy_tool_calls(arena, &messages[i])) {
            return false;
        }
    }
    return true;
}

static bool copy_generation(struct arena *arena, struct gen_request *request) {
    for (size_t i = 0; i < request->stop_count; i++) {
        if (!copy_str(arena, &request->stop[i])) {
            return false;
        }
    }
    return copy_str(arena, &request->model) && copy_str(arena, &request->prompt) &&
           copy_str(arena, &request->continue_text) && copy_messages(arena, request);
}

/* --- Its end --- */

static void run_free(struct run *run) {
    buf_clear(&run->call.answer);
    buf_clear(&run->call.stored);
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
    const struct run_answer answer = {.id = run->call.id,
                                      .kind = run->call.kind,
                                      .model = run->call.generation.model,
                                      .text = buf_str(&run->call.answer),
                                      .result = *result,
                                      .created_ms = run->call.created_ms,
                                      .repeated = run->repeated};
    run_log(run, run->repeated ? "repeated" : "completed", result);
    run->events->on_end(run->context, &answer);
    run_free(run);
}

static void run_fail(struct run *run, const struct fault *error) {
    run_log(run, fault_name(error->code), NULL);
    run->events->on_failed(run->context, error);
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

static enum call_delivery sink_deliver(struct call *call, struct str text) {
    struct run *run = run_of(call);
    if (!buf_append_str(&call->answer, text)) {
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
    struct json_writer writer;
    if (!run_of(call)->keep) {
        return false;
    }
    json_writer_init(&writer, &call->stored);
    json_begin_object(&writer);
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
    buf_append_cstr(&call->stored, "\n");
    buf_append_str(&call->stored, buf_str(&call->answer));
    *answer = (struct store_answer){.expires_ms = clock_wall_ms() + RUN_KEPT_MS, .content = buf_str(&call->stored)};
    run_scope(call->id, answer->scope_sha256);
    return !call->stored.overflow;
}

static bool sink_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    const struct run *run = run_of(call);
    return run->events->on_turn != NULL && run->events->on_turn(run->context, buf_str(&call->answer), result, turn);
}

static void sink_finish(struct call *call, const struct call_result *result) {
    call_unlink(call);
    run_end(run_of(call), result);
}

static void sink_fail(struct call *call, const struct fault *error) {
    call_unlink(call);
    run_fail(run_of(call), error);
}

static const struct call_sink run_sink = {.accepted = sink_accepted,
                                          .deliver = sink_deliver,
                                          .answer = sink_answer,
                                          .turn = sink_turn,
                                          .finish = sink_finish,
                                          .fail = sink_fail};

/* --- Its start --- */

static void starting_append(struct run *run) {
    struct api *api = run->call.api;
    run->state = RUN_STARTING;
    if (api->starting == NULL) {
        loop_timer_start(api->starter, 0, 0);
    }
    DL_APPEND(api->starting, run);
}

static bool may_start(struct run *run) {
    struct fault *fault = &run->fault;
    if (run->call.api->draining) {
        fault_set(fault, FAULT_UNAVAILABLE, "The gateway is restarting. You were not charged.");
        fault->retry_after_ms = RUN_RETRY_MS;
    } else if (fault->message[0] == '\0' && run->cost_max_nano >= 0 &&
               run_cost_max(&run->call.generation) > run->cost_max_nano) {
        fault_set(fault, FAULT_INSUFFICIENT_CREDITS,
                  "What this may cost at most is more than what is left of its budget.");
    }
    return fault->message[0] == '\0';
}

void runs_start_due(void *context) {
    struct api *api = context;
    size_t count;
    struct run *run;
    DL_COUNT(api->starting, run, count);
    for (; count > 0 && (run = api->starting) != NULL; count--) { /* those that callbacks add wait for the next turn */
        DL_DELETE(api->starting, run);
        if (!may_start(run)) {
            const struct fault fault = run->fault;
            run_fail(run, &fault);
            continue;
        }
        run->state = RUN_RUNNING;
        run->call.started_ms = loop_now_ms(api->loop);
        call_link(&run->call);
        api->backend.submit(api->backend.context, &run->call); /* the run may be gone when this returns */
    }
    if (api->starting != NULL) {
        loop_timer_start(api->starter, 0, 0);
    }
}

void runs_clear(struct api *api) {
    struct run *run;
    while ((run = api->starting) != NULL) {
        DL_DELETE(api->starting, run);
        run_free(run);
    }
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
    return str_split(content, '\n', &head, &text) && json_parse(run->call.api->parser, head, &root, &err) &&
           stored_head_read(run, root, out) && buf_append_str(&run->call.answer, text);
}

static void on_looked(void *context, const struct store_answer *answer, const struct err *err) {
    struct run *run = context;
    struct call_result result;
    if (run->state == RUN_DROPPED) {
        run_free(run);
    } else if (err != NULL) {
        struct fault error;
        fault_set(&error, FAULT_UNAVAILABLE, "Whether this ran before cannot be told now.");
        error.retry_after_ms = RUN_RETRY_MS;
        run_fail(run, &error);
    } else if (answer == NULL) {
        starting_append(run);
    } else if (stored_read(run, answer->content, &result)) {
        run->repeated = true;
        run_end(run, &result);
    } else { /* it was paid for, so it must not run again */
        struct fault error;
        LOG_ERROR_EVENT("run.unreadable", LOG_TEXT("run", run->call.id));
        fault_set(&error, FAULT_INTERNAL, "The stored answer cannot be read.");
        run_fail(run, &error);
    }
}

struct run *run_start(struct api *api, const struct run_request *asked, const struct run_events *events,
                      void *context) {
    struct run *run = MEM_NEW(struct run);
    struct call *call = &run->call;
    arena_init(&run->arena, RUN_ARENA_BYTES);
    run->events = events;
    run->context = context;
    run->keep = asked->keep && asked->identity->kind == STORE_KEY_LIVE;
    run->cost_max_nano = asked->cost_max_nano;
    call->kind = asked->kind;
    call->purpose = call_stored_purpose(asked->purpose);
    call->identity = *asked->identity;
    call->generation = *asked->generation;
    call->generation.stream = events->on_text != NULL;
    call->label = asked->label;
    call->verified = asked->verified;
    call->repeatable = true;
    str_copy(call->id, sizeof(call->id), str_from(asked->id));
    str_copy(call->region, sizeof(call->region), str_from(asked->region));
    if (!copy_generation(&run->arena, &call->generation) || !copy_str(&run->arena, &call->label)) {
        fault_set(&run->fault, FAULT_TOO_LARGE, "The request is too large.");
        call->generation = (struct gen_request){.model = STR(""), .prompt = STR("")};
    }
    call_init(call, api, &run_sink, &run->arena);
    buf_init(&call->stored, LIMIT_ANSWER_BYTES + RUN_HEAD_BYTES);
    if (run->keep && asked->again) {
        uint8_t scope[DIGEST_SHA256_SIZE];
        run->state = RUN_LOOKING;
        run_scope(call->id, scope);
        store_answer_find(api->store, scope, clock_wall_ms(), on_looked, run);
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
        DL_DELETE(call->api->starting, run);
        break;
    case RUN_RUNNING:
        call_unlink(call);
        call->api->backend.abandon(call->api->backend.context, call);
        run_log(run, "cancelled", NULL);
        if (run->delivering) {
            run->cut = true; /* freed where it is delivered to */
            return;
        }
        break;
    }
    run_free(run);
}

struct str run_text(const struct run *run) {
    return buf_str(&run->call.answer);
}

void run_answer_write(const struct run_answer *answer, struct buf *out) {
    const char *tail = strchr(answer->id, '_');
    struct call call = {.kind = answer->kind,
                        .generation = {.model = answer->model},
                        .created_ms = answer->created_ms,
                        .answer = {.data = (char *)(uintptr_t)answer->text.data, .len = answer->text.len}};
    snprintf(call.id, sizeof(call.id), "%s%s", answer->kind == API_CALL_CHAT ? "chatcmpl-" : "inf_",
             tail != NULL ? tail + 1 : answer->id);
    answer_write(&call, &answer->result, out);
}
