#include "call/call.h"

#include "api/access_log.h"
#include "api/respond.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/price.h"
#include "conversation/conversations.h"
#include "format/answer.h"
#include "workflow/workflows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_ID_TIME = 8, /* base62 digits of the milliseconds, enough for 6900 years */
    CALL_ID_RANDOM = CALL_ID_TAIL - CALL_ID_TIME,
    CALL_PROGRESS_MS = 2000, /* between two looks at a model that a stream waits for */
    CALL_HEADERS_MS = 1000,  /* a stream's headers leave at the latest so long after the request */
};

void call_link(struct call *call) {
    struct api *api = call->api;
    call->next = api->calls;
    if (api->calls != NULL) {
        api->calls->previous = call;
    }
    api->calls = call;
    api->call_count++;
    if (!api->ticking) {
        api->ticking = true;
        loop_timer_start(api->tick, CALL_TICK_MS, CALL_TICK_MS);
    }
}

void call_unlink(struct call *call) {
    if (call->next != NULL) {
        call->next->previous = call->previous;
    }
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        call->api->calls = call->next;
    }
    call->api->call_count--;
}

static void call_free(struct call *call) {
    claim_release(call->api, call->claim);
    conversation_call_free(call->conversation);
    buf_clear(&call->answer);
    buf_clear(&call->stored);
    free(call);
}

/* Ids begin with the time, in an order that sorts as text: rows that are made together lie together in the store's index.
 */
void call_id_tail(int64_t created_ms, char out[CALL_ID_TAIL + 1]) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { BASE = sizeof(digits) - 1 };
    uint64_t time = (uint64_t)created_ms;
    for (int i = CALL_ID_TIME - 1; i >= 0; i--) {
        out[i] = digits[time % BASE];
        time /= BASE;
    }
    random_base62(out + CALL_ID_TIME, CALL_ID_RANDOM);
}

static void call_id_make(struct call *call) {
    const char *prefix = call->kind == API_CALL_CHAT ? "chatcmpl-" : "inf_";
    call_id_tail(call->created_ms, call->id + snprintf(call->id, sizeof(call->id), "%s", prefix));
}

void call_init(struct call *call, struct api *api, const struct call_sink *sink, struct arena *arena) {
    call->api = api;
    call->sink = sink;
    call->arena = arena;
    call->prompt_tokens_max = price_prompt_tokens_max(&call->generation);
    price_of_model(call->generation.model, &call->prompt_price_nano, &call->completion_price_nano);
    call->names = prefix_names(&api->prefix_key, call->identity.account_number, &call->generation);
    call->created_ms = clock_wall_ms();
    buf_init(&call->answer, LIMIT_ANSWER_BYTES);
    buf_init(&call->stored, LIMIT_ANSWER_BYTES);
}

static const struct call_sink http_sink;

static struct call *call_new(struct api_request *request) {
    struct call_draft *draft = request->draft;
    const struct generation_input *input = &draft->input;
    struct call *call = MEM_NEW(struct call);
    call->exchange = request->exchange;
    call->request = request;
    call->kind = draft->kind;
    call->identity = request->identity;
    call->generation = input->request;
    call->label = input->label;
    memcpy(call->region, input->region, sizeof(call->region));
    call->verified = input->verified;
    call->stream = input->stream;
    call->include_usage = input->include_usage;
    call_init(call, request->api, &http_sink, http_exchange_arena(request->exchange));
    call->started_ms = request->started_ms;
    call->last_write_ms = request->started_ms;
    call->claim = draft->claim;
    draft->claim = NULL;
    call->conversation = draft->conversation;
    draft->conversation = NULL;
    call->orchestration = input->orchestration.enabled ? &input->orchestration : NULL;
    snprintf(call->request_id, sizeof(call->request_id), "%s", request->id);
    call_id_make(call);
    return call;
}

/* The backend forgets the call; what is left is to end the exchange and free. */
static void call_abandon(struct call *call, int status, const char *outcome) {
    const struct api_backend *backend = &call->api->backend;
    if (call->orchestration != NULL) {
        workflow_call_abandon(call);
    } else {
        backend->abandon(backend->context, call);
    }
    if (call->stored.len > 0) {
        claim_linger(call->api, call->claim); /* its settlement goes on, and the answer into the store with it */
    }
    conversation_call_gone(call->conversation);
    access_log_call(call, status, outcome, NULL);
    call_unlink(call);
}

static void on_gone(void *user) {
    enum { CLIENT_CLOSED = 499 }; /* nginx's word for it; for the log only */
    struct call *call = user;
    call_abandon(call, CLIENT_CLOSED, "abandoned");
    call_free(call);
}

void call_start(struct api_request *request) {
    struct call *call = call_new(request);
    if (call->stream && !stream_prepare(call)) {
        struct fault error;
        call_free(call);
        fault_set(&error, FAULT_TOO_LARGE, "The request is too large.");
        respond_error(request, &error);
        return;
    }
    request->call = call;
    call_link(call);
    http_exchange_on_gone(call->exchange, on_gone, call);
    const struct api_backend *backend = &request->api->backend;
    if (call->orchestration != NULL) { /* the call may be gone when this returns */
        workflow_call_submit(call);
    } else {
        backend->submit(backend->context, call);
    }
}

static void http_accepted(struct call *call) {
    if (call->stream) {
        stream_begin(call);
    }
}

static enum call_delivery stream_deliver(struct call *call, struct str text) {
    stream_begin(call);
    stream_write_text(call, text);
    buf_append_str(&call->answer, text); /* past its limit it can be neither stored nor continued */
    if (http_exchange_unsent(call->exchange) <= LIMIT_STREAM_BACKLOG_BYTES) {
        return CALL_DELIVERED;
    }
    call_abandon(call, 200, "slow_reader");
    http_stream_abort(call->exchange);
    call_free(call);
    return CALL_DELIVER_CUT;
}

static enum call_delivery http_deliver(struct call *call, struct str text) {
    if (call->stream) {
        return stream_deliver(call, text);
    }
    /* No honest device says so much in the tokens a request may ask for. */
    return buf_append_str(&call->answer, text) ? CALL_DELIVERED : CALL_DELIVER_TOO_LONG;
}

static bool http_answer(struct call *call, const struct call_result *result, struct store_answer *answer) {
    if (call->claim == NULL || call->answer.overflow) {
        return false;
    }
    if (call->stream) {
        stream_write_whole(call, result, &call->stored);
    } else {
        answer_write(call, result, &call->stored);
    }
    if (call->stored.overflow) {
        buf_clear(&call->stored);
        return false;
    }
    const struct idempotency *asked = claim_of(call->claim);
    *answer = (struct store_answer){
        .stream = call->stream, .replaces = asked->kind != IDEMPOTENCY_KEY, .content = buf_str(&call->stored)};
    memcpy(answer->scope_sha256, asked->scope_sha256, sizeof(answer->scope_sha256));
    memcpy(answer->body_sha256, asked->body_sha256, sizeof(answer->body_sha256));
    answer->expires_ms =
        clock_wall_ms() + (asked->kind == IDEMPOTENCY_KEY ? IDEMPOTENCY_KEY_KEPT_MS : IDEMPOTENCY_SDK_KEPT_MS);
    return true;
}

static bool http_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    return call->conversation != NULL && conversation_turn(call, result, turn);
}

static void http_finish(struct call *call, const struct call_result *result) {
    if (call->conversation != NULL) {
        conversation_call_done(call, result);
    }
    access_log_call(call, 200, "completed", &result->usage);
    call_unlink(call);
    if (call->stream) {
        stream_finish(call, result);
    } else if (call->stored.len > 0) {
        respond_json(call->request, 200, buf_str(&call->stored));
    } else {
        struct respond_headers headers;
        struct buf *body = respond_buffer(call->api);
        answer_write(call, result, body);
        respond_headers_init(&headers, call->request, STR("application/json"));
        if (call->repeated) {
            respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
        }
        respond_send(call->request, 200, &headers, buf_str(body));
    }
    call_free(call);
}

static void http_fail(struct call *call, const struct fault *error) {
    access_log_call(call, call->headers_sent ? 200 : fault_status(error), fault_name(error->code), NULL);
    call_unlink(call);
    if (call->headers_sent) {
        stream_fail(call, error);
    } else {
        respond_error(call->request, error);
    }
    call_free(call);
}

static const struct call_sink http_sink = {.accepted = http_accepted,
                                           .deliver = http_deliver,
                                           .answer = http_answer,
                                           .turn = http_turn,
                                           .finish = http_finish,
                                           .fail = http_fail};

void api_call_accepted(struct call *call) {
    call->sink->accepted(call);
}

enum call_delivery api_call_deliver(struct call *call, struct str text) {
    return call->sink->deliver(call, text);
}

bool api_call_text(const struct call *call, struct str *out) {
    *out = buf_str(&call->answer);
    return !call->answer.overflow;
}

bool api_call_answer(struct call *call, const struct call_result *result, struct store_answer *answer) {
    return call->sink->answer(call, result, answer);
}

bool api_call_turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    return call->sink->turn(call, result, turn);
}

void api_call_finish(struct call *call, const struct call_result *result) {
    call->sink->finish(call, result);
}

void api_call_fail(struct call *call, const struct fault *error) {
    call->sink->fail(call, error);
}

/* While no device has begun to answer: the first at once, then as long as there is something to tell. */
static bool tell_progress(struct call *call, uint64_t now_ms) {
    const struct api_backend *backend = &call->api->backend;
    uint32_t percent = 0;
    if (call->answer.len > 0 || backend->ready_in_ms == NULL || now_ms < call->progress_ms) {
        return false;
    }
    const uint64_t ready_ms = backend->ready_in_ms(backend->context, call->generation.model, &percent);
    call->progress_ms = now_ms + CALL_PROGRESS_MS;
    if (ready_ms == 0 || ready_ms == UINT64_MAX) {
        return false;
    }
    stream_progress(call, percent, ready_ms);
    return true;
}

static void tick_stream(struct call *call, uint64_t now_ms) {
    if (!call->headers_sent && now_ms + CALL_TICK_MS <= call->started_ms + CALL_HEADERS_MS) {
        return;
    }
    stream_begin(call);
    if (!tell_progress(call, now_ms) && now_ms >= call->last_write_ms + LIMIT_STREAM_KEEPALIVE_MS) {
        stream_keep_alive(call);
    }
}

void call_tick(struct api *api, uint64_t now_ms) {
    claims_sweep(api, now_ms);
    conversations_sweep(api, now_ms);
    if (api->calls == NULL && api->lingering_claims == NULL && api->conversations_lingering == 0) {
        api->ticking = false;
        loop_timer_stop(api->tick);
        return;
    }
    for (struct call *call = api->calls; call != NULL; call = call->next) {
        if (call->stream) {
            tick_stream(call, now_ms);
        }
    }
}
