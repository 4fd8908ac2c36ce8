/* Requests for a call, from their body to the call: what is asked, whether this key may, and whether it ran before. */
#include "api/pending.h"
#include "api/respond.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/log.h"
#include "call/call.h"
#include "call/models.h"
#include "conversation/conversations.h"

#include <stdio.h>
#include <string.h>

bool call_body_parse(struct api_request *request, struct json_value *body, struct fault *error) {
    const struct http_request *http = http_exchange_request(request->exchange);
    struct str encoding = str_trim(http_request_header(http, "content-encoding"));
    if (encoding.len > 0 && !str_equal_nocase(encoding, STR("identity"))) {
        fault_set(error, FAULT_INVALID_REQUEST, "Content-Encoding is not supported. Send the body as it is.");
        error->status = 415;
        return false;
    }
    if (http->body.len == 0) {
        fault_set(error, FAULT_INVALID_REQUEST, "The request body is empty. Send a JSON object.");
        return false;
    }
    struct err err;
    if (!json_parse(request->api->parser, http->body, body, &err)) {
        fault_from_err(error, &err);
        snprintf(error->message, sizeof(error->message), "The request body cannot be read: %.200s.", err.message);
        return false;
    }
    return true;
}

bool call_model_read(struct api_request *request, struct str asked, struct str *id, struct fault *error) {
    struct str found;
    if (!models_resolve(request->api, asked, &found)) {
        models_set_unknown(error, asked);
        return false;
    }
    if (!models_allowed(request->identity.models, found)) {
        fault_set(error, FAULT_FORBIDDEN, "This API key may not use the model '%.*s'.", STR_ARG(found));
        snprintf(error->param, sizeof(error->param), "model");
        return false;
    }
    *id = found;
    return true;
}

bool call_input_read(struct api_request *request, enum api_call_kind kind, struct json_value body,
                     struct generation_input *input, struct fault *error) {
    struct err err;
    struct arena *arena = http_exchange_arena(request->exchange);
    bool read = kind == API_CALL_CHAT ? chat_request_read(body, arena, input, &err)
                                      : inference_request_read(body, arena, input, &err);
    if (!read) {
        fault_from_err(error, &err);
        return false;
    }
    return call_model_read(request, input->request.model, &input->request.model, error);
}

void draft_drop(struct api_request *request) {
    claim_release(request->api, request->draft->claim);
    request->draft->claim = NULL;
}

void draft_refuse(struct api_request *request, const struct fault *error) {
    draft_drop(request);
    respond_error(request, error);
}

static void replay(struct api_request *request, const struct store_answer *answer) {
    draft_drop(request);
    if (answer->stream) {
        stream_replay(request, answer->content);
        return;
    }
    struct respond_headers headers;
    respond_headers_init(&headers, request, STR("application/json"));
    respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    respond_send(request, 200, &headers, answer->content);
}

static void on_stored(void *context, const struct store_answer *answer, const struct err *err) {
    struct api_request *request = pending_end(context);
    struct fault error;
    if (request == NULL) {
        return;
    }
    const struct call_draft *draft = request->draft;
    if (err != NULL) {
        /* Without an answer to "did it run before?" it must not run. */
        LOG_WARN_EVENT("api.answer_unknown", LOG_TEXT("request_id", request->id), LOG_TEXT("error", err->message));
        fault_set(&error, FAULT_UNAVAILABLE, "Whether this request ran before cannot be told now. Retry shortly.");
        draft_refuse(request, &error);
    } else if (answer == NULL && claim_lingers(request->api, draft->claim)) {
        idempotency_set_running(&error);
        draft_refuse(request, &error);
    } else if (answer == NULL) {
        conversation_enter(request);
    } else if (memcmp(answer->body_sha256, draft->idempotency.body_sha256, sizeof(answer->body_sha256)) != 0) {
        idempotency_set_other_body(&error);
        draft_refuse(request, &error);
    } else {
        replay(request, answer);
    }
}

/* The sandbox stores nothing, and a new call of an SDK does not care what ran before. */
static bool may_be_stored(const struct api_request *request) {
    enum idempotency_kind kind = request->draft->idempotency.kind;
    return request->identity.kind == STORE_KEY_LIVE && (kind == IDEMPOTENCY_KEY || kind == IDEMPOTENCY_SDK_RETRY);
}

static bool draft_read(struct api_request *request, enum api_call_kind kind, struct fault *error) {
    struct call_draft *draft = ARENA_NEW(http_exchange_arena(request->exchange), struct call_draft);
    if (draft == NULL) {
        fault_set(error, FAULT_TOO_LARGE, "The request is too large.");
        return false;
    }
    struct json_value body;
    request->draft = draft;
    draft->kind = kind;
    if (!call_body_parse(request, &body, error) || !call_input_read(request, kind, body, &draft->input, error) ||
        !idempotency_read(request, &draft->idempotency, error)) {
        return false;
    }
    return draft->idempotency.kind == IDEMPOTENCY_NONE ||
           claim_take(request->api, &draft->idempotency, &draft->claim, error);
}

static void call_handle(struct api_request *request, enum api_call_kind kind) {
    struct fault error;
    if (!draft_read(request, kind, &error)) {
        respond_error(request, &error);
    } else if (may_be_stored(request)) {
        struct pending *pending = pending_new(request, draft_drop);
        store_answer_find(request->api->store, request->draft->idempotency.scope_sha256, clock_wall_ms(), on_stored,
                          pending);
    } else {
        conversation_enter(request);
    }
}

void chat_handle(struct api_request *request) {
    call_handle(request, API_CALL_CHAT);
}

void inference_handle(struct api_request *request) {
    call_handle(request, API_CALL_INFERENCE);
}
