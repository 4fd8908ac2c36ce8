#include "api/access_log.h"

#include "base/log.h"

enum { METHOD_SIZE = 16, MODEL_SIZE = LIMIT_MODEL_ID_BYTES + 1 };

static int64_t request_ms(const struct api_request *request) {
    return (int64_t)(loop_now_ms(request->api->calls->loop) - request->started_ms);
}

void access_log(const struct api_request *request, int status) {
    if (!LOG_ENABLED(LOG_INFO)) {
        return;
    }
    char method[METHOD_SIZE];
    (void)str_copy(method, sizeof(method), http_exchange_request(request->exchange)->method);
    LOG_INFO_EVENT("http.request", LOG_TEXT("request_id", request->id), LOG_TEXT("method", method),
                   LOG_TEXT("path", request->route != NULL ? request->route->path : "-"), LOG_INT("status", status),
                   LOG_INT("ms", request_ms(request)));
}

void access_log_call(const struct api_request *request, const struct call *call, bool streamed, int status,
                     const char *outcome, const struct gen_usage *usage) {
    if (!LOG_ENABLED(LOG_INFO)) {
        return;
    }
    const struct gen_usage none = {0};
    if (usage == NULL) {
        usage = &none;
    }
    char model[MODEL_SIZE];
    (void)str_copy(model, sizeof(model), call->generation.model);
    LOG_INFO_EVENT("http.request", LOG_TEXT("request_id", request->id), LOG_TEXT("method", request->route->method),
                   LOG_TEXT("path", request->route->path), LOG_INT("status", status),
                   LOG_INT("ms", request_ms(request)), LOG_TEXT("call", call->id), LOG_TEXT("model", model),
                   LOG_TEXT("account", call->identity.account_id), LOG_INT("stream", streamed),
                   LOG_TEXT("outcome", outcome), LOG_INT("prompt_tokens", usage->prompt_tokens),
                   LOG_INT("completion_tokens", usage->completion_tokens));
}
