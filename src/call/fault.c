#include "call/fault.h"

#include "base/log.h"
#include "store/quota.h"

#include <stdarg.h>
#include <stdio.h>

enum fault_retry { RETRY_NEVER, RETRY_ALWAYS, RETRY_WITH_WAIT /* when the fault names a wait */ };

struct fault_kind {
    int status;
    const char *name, *type;
    enum fault_retry retry;
    uint32_t retry_after_ms; /* when the fault names none itself; 0: none */
};

static const struct fault_kind kinds[FAULT_CODES] = {
    [FAULT_INVALID_REQUEST] = {400, "INVALID_REQUEST", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_CONTEXT_LENGTH] = {400, "context_length_exceeded", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_INVALID_API_KEY] = {401, "INVALID_API_KEY", "authentication_error", RETRY_NEVER, 0},
    [FAULT_INSUFFICIENT_CREDITS] = {402, "INSUFFICIENT_CREDITS", "billing_error", RETRY_NEVER, 0},
    [FAULT_FORBIDDEN] = {403, "FORBIDDEN", "authentication_error", RETRY_NEVER, 0},
    [FAULT_NOT_FOUND] = {404, "NOT_FOUND", "not_found_error", RETRY_NEVER, 0},
    [FAULT_MODEL_NOT_FOUND] = {404, "MODEL_NOT_FOUND", "not_found_error", RETRY_NEVER, 0},
    [FAULT_NO_MATCHING_PROVIDER] = {404, "no_matching_provider", "not_found_error", RETRY_NEVER, 0},
    [FAULT_METHOD_NOT_ALLOWED] = {405, "METHOD_NOT_ALLOWED", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_REQUEST_TIMEOUT] = {408, "REQUEST_TIMEOUT", "timeout_error", RETRY_ALWAYS, 1000},
    [FAULT_CONVERSATION_BUSY] = {409, "CONVERSATION_BUSY", "invalid_request_error", RETRY_WITH_WAIT, 0},
    [FAULT_CONFLICT] = {409, "IDEMPOTENCY_CONFLICT", "invalid_request_error", RETRY_WITH_WAIT, 0},
    [FAULT_TOO_LARGE] = {413, "REQUEST_TOO_LARGE", "invalid_request_error", RETRY_NEVER, 0},
    [FAULT_RATE_LIMIT_EXCEEDED] = {429, "RATE_LIMIT_EXCEEDED", "rate_limit_error", RETRY_ALWAYS, 1000},
    [FAULT_INTERNAL] = {500, "INTERNAL_ERROR", "server_error", RETRY_ALWAYS, 0},
    [FAULT_MODEL_WARMING] = {503, "model_warming", "service_unavailable_error", RETRY_ALWAYS, 300000},
    [FAULT_MODEL_UNAVAILABLE] = {503, "model_unavailable", "service_unavailable_error", RETRY_WITH_WAIT, 0},
    [FAULT_UNAVAILABLE] = {503, "SERVICE_UNAVAILABLE", "service_unavailable_error", RETRY_ALWAYS, 5000},
};

static void set(struct fault *fault, enum fault_code code, const char *format, va_list arguments) {
    *fault = (struct fault){.code = code};
    vsnprintf(fault->message, sizeof(fault->message), format, arguments);
}

void fault_set(struct fault *fault, enum fault_code code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set(fault, code, format, arguments);
    va_end(arguments);
}

void fault_set_param(struct fault *fault, enum fault_code code, const char *param, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set(fault, code, format, arguments);
    va_end(arguments);
    (void)str_copy(fault->param, sizeof(fault->param), str_from(param));
}

void fault_set_too_large(struct fault *fault) {
    fault_set(fault, FAULT_TOO_LARGE, "The request is too large.");
}

static enum fault_code code_of(enum err_code code) {
    switch (code) {
    case ERR_INVALID:
    case ERR_UNSUPPORTED:
        return FAULT_INVALID_REQUEST;
    case ERR_TOO_LARGE:
        return FAULT_TOO_LARGE;
    case ERR_NOT_FOUND:
        return FAULT_NOT_FOUND;
    case ERR_DENIED:
        return FAULT_INVALID_API_KEY;
    case ERR_TIMEOUT:
        return FAULT_REQUEST_TIMEOUT;
    case ERR_UNAVAILABLE:
    case ERR_IN_DOUBT:
        return FAULT_UNAVAILABLE;
    case ERR_NONE:
    case ERR_CONFLICT:
    case ERR_CLOSED:
    case ERR_IO:
    case ERR_INTERNAL:
        break;
    }
    return FAULT_INTERNAL;
}

void fault_from_err(struct fault *fault, const struct err *err) {
    const enum fault_code code = code_of(err->code);
    if (store_quota_is_past(err)) {
        fault_set(fault, FAULT_FORBIDDEN, "%s.", err->message);
        return;
    }
    if (code == FAULT_INTERNAL) {
        /* The details are the operator's. */
        LOG_ERROR_EVENT("api.internal_error", LOG_TEXT("kind", err_code_name(err->code)),
                        LOG_TEXT("message", err->message));
        fault_set(fault, code, "Something went wrong on our side.");
    } else if (err->code == ERR_IN_DOUBT) {
        fault_set(fault, code,
                  "Whether this was done cannot be told now. Look before you try again, or try again with the same "
                  "Idempotency-Key.");
    } else {
        fault_set(fault, code, "%s", err->message);
    }
    (void)str_copy(fault->param, sizeof(fault->param), str_from(err->field));
}

int fault_status(const struct fault *fault) {
    return fault->status != 0 ? fault->status : kinds[fault->code].status;
}

const char *fault_name(enum fault_code code) {
    return kinds[code].name;
}

const char *fault_type(enum fault_code code) {
    return kinds[code].type;
}

bool fault_code_of(struct str name, enum fault_code *out) {
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (str_equal_cstr(name, kinds[i].name)) {
            *out = (enum fault_code)i;
            return true;
        }
    }
    return false;
}

uint64_t fault_retry_after_ms(const struct fault *fault) {
    return fault->retry_after_ms != 0 ? fault->retry_after_ms : kinds[fault->code].retry_after_ms;
}

uint64_t fault_retry_after_s(const struct fault *fault) {
    return (fault_retry_after_ms(fault) + 999) / 1000;
}

bool fault_is_retryable(const struct fault *fault) {
    switch (kinds[fault->code].retry) {
    case RETRY_ALWAYS:
        return true;
    case RETRY_WITH_WAIT:
        return fault->retry_after_ms != 0;
    case RETRY_NEVER:
        break;
    }
    return false;
}
