#include "api/call.h"

#include "api/access_log.h"
#include "api/answer.h"
#include "api/generation_fields.h"
#include "api/models.h"
#include "api/respond.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CALL_ID_RANDOM = 24,
    CALL_HEADERS_MS = 1000, /* a stream's headers leave at the latest so long after the request */
};

static bool body_parse(struct api_request *request, struct json_value *body, struct api_error *error) {
    const struct http_request *http = http_exchange_request(request->exchange);
    struct str encoding = str_trim(http_request_header(http, "content-encoding"));
    if (encoding.len > 0 && !str_equal_nocase(encoding, STR("identity"))) {
        respond_error_set(error, API_INVALID_REQUEST, "Content-Encoding is not supported. Send the body as it is.");
        error->status = 415;
        return false;
    }
    if (http->body.len == 0) {
        respond_error_set(error, API_INVALID_REQUEST, "The request body is empty. Send a JSON object.");
        return false;
    }
    struct err err;
    if (!json_parse(request->api->parser, http->body, body, &err)) {
        respond_error_from_err(error, &err);
        snprintf(error->message, sizeof(error->message), "The request body cannot be read: %.200s.", err.message);
        return false;
    }
    return true;
}

static bool input_read(struct api_request *request, enum api_call_kind kind, struct generation_input *input,
                       struct api_error *error) {
    struct json_value body;
    struct err err;
    if (!body_parse(request, &body, error)) {
        return false;
    }
    struct arena *arena = http_exchange_arena(request->exchange);
    bool read = kind == API_CALL_CHAT ? chat_request_read(body, arena, input, &err)
                                      : inference_request_read(body, arena, input, &err);
    if (!read) {
        respond_error_from_err(error, &err);
        return false;
    }
    struct str asked = input->request.model;
    if (!models_resolve(request->api, asked, &input->request.model)) {
        models_set_unknown(error, asked);
        return false;
    }
    return true;
}

static void call_link(struct api_call *call) {
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

static void call_unlink(struct api_call *call) {
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

static void call_free(struct api_call *call) {
    buf_clear(&call->answer);
    free(call);
}

static struct api_call *call_new(struct api_request *request, enum api_call_kind kind,
                                 const struct generation_input *input) {
    struct api_call *call = MEM_NEW(struct api_call);
    call->api = request->api;
    call->exchange = request->exchange;
    call->request = request;
    call->kind = kind;
    call->identity = request->identity;
    call->generation = input->request;
    call->label = input->label;
    call->stream = input->stream;
    call->include_usage = input->include_usage;
    call->created_ms = clock_wall_ms();
    call->started_ms = request->started_ms;
    call->last_write_ms = request->started_ms;
    snprintf(call->request_id, sizeof(call->request_id), "%s", request->id);
    int prefix = snprintf(call->id, sizeof(call->id), "%s", kind == API_CALL_CHAT ? "chatcmpl-" : "inf_");
    random_base62(call->id + prefix, CALL_ID_RANDOM);
    buf_init(&call->answer, LIMIT_ANSWER_BYTES);
    return call;
}

/* The backend forgets the call; what is left is to end the exchange and free. */
static void call_abandon(struct api_call *call, int status, const char *outcome) {
    const struct api_backend *backend = &call->api->backend;
    backend->abandon(backend->context, call);
    access_log_call(call, status, outcome, NULL);
    call_unlink(call);
}

static void on_gone(void *user) {
    enum { CLIENT_CLOSED = 499 }; /* nginx's word for it; for the log only */
    struct api_call *call = user;
    call_abandon(call, CLIENT_CLOSED, "abandoned");
    call_free(call);
}

static void call_handle(struct api_request *request, enum api_call_kind kind) {
    struct generation_input input;
    struct api_error error;
    if (!input_read(request, kind, &input, &error)) {
        respond_error(request, &error);
        return;
    }
    struct api_call *call = call_new(request, kind, &input);
    if (call->stream && !stream_prepare(call)) {
        call_free(call);
        respond_error_set(&error, API_TOO_LARGE, "The request is too large.");
        respond_error(request, &error);
        return;
    }
    request->call = call;
    call_link(call);
    http_exchange_on_gone(call->exchange, on_gone, call);
    const struct api_backend *backend = &request->api->backend;
    backend->submit(backend->context, call); /* the call may be gone when this returns */
}

void chat_handle(struct api_request *request) {
    call_handle(request, API_CALL_CHAT);
}

void inference_handle(struct api_request *request) {
    call_handle(request, API_CALL_INFERENCE);
}

void api_call_accepted(struct api_call *call) {
    if (call->stream) {
        stream_begin(call);
    }
}

static bool stream_deliver(struct api_call *call, struct str text) {
    stream_begin(call);
    stream_write_text(call, text);
    if (http_exchange_unsent(call->exchange) <= LIMIT_STREAM_BACKLOG_BYTES) {
        return true;
    }
    call_abandon(call, 200, "slow_reader");
    http_stream_abort(call->exchange);
    call_free(call);
    return false;
}

bool api_call_deliver(struct api_call *call, struct str text) {
    if (call->stream) {
        return stream_deliver(call, text);
    }
    if (buf_append_str(&call->answer, text)) {
        return true;
    }
    struct api_error error;
    /* No honest device says so much in the tokens a request may ask for. */
    respond_error_set(&error, API_UNAVAILABLE, "The provider's answer is longer than %d bytes. Retry the request.",
                      LIMIT_ANSWER_BYTES);
    call_abandon(call, respond_error_status(&error), "answer_too_long");
    respond_error(call->request, &error);
    call_free(call);
    return false;
}

void api_call_finish(struct api_call *call, const struct api_result *result) {
    access_log_call(call, 200, "completed", &result->usage);
    call_unlink(call);
    if (call->stream) {
        stream_finish(call, result);
    } else {
        struct buf *body = respond_buffer(call->api);
        answer_write(call, result, body);
        respond_json(call->request, 200, buf_str(body));
    }
    call_free(call);
}

void api_call_fail(struct api_call *call, const struct api_error *error) {
    access_log_call(call, call->headers_sent ? 200 : respond_error_status(error), respond_error_name(error->code),
                    NULL);
    call_unlink(call);
    if (call->headers_sent) {
        stream_fail(call, error);
    } else {
        respond_error(call->request, error);
    }
    call_free(call);
}

void call_tick(struct api *api, uint64_t now_ms) {
    if (api->calls == NULL) {
        api->ticking = false;
        loop_timer_stop(api->tick);
        return;
    }
    for (struct api_call *call = api->calls; call != NULL; call = call->next) {
        if (!call->stream) {
            continue;
        }
        if (!call->headers_sent && now_ms + CALL_TICK_MS > call->started_ms + CALL_HEADERS_MS) {
            stream_begin(call);
        } else if (call->headers_sent && now_ms >= call->last_write_ms + LIMIT_STREAM_KEEPALIVE_MS) {
            stream_keep_alive(call);
        }
    }
}
