#include "gateway/gateway_internal.h"

#include <stdio.h>

static void set(struct api_error *out, enum api_error_code code, uint32_t retry_after_s, const char *message) {
    *out = (struct api_error){.code = code, .retry_after_s = retry_after_s};
    (void)str_copy(out->message, sizeof out->message, str_from(message));
}

/* The device's own words reach the client only for faults of the request; they are cut to the envelope's bounds. */
static void set_client_fault(struct api_error *out, enum api_error_code code, struct str message, struct str param) {
    *out = (struct api_error){.code = code};
    (void)str_copy(out->message, sizeof out->message, message.len > 0 ? message : STR("The request was refused."));
    (void)str_copy(out->param, sizeof out->param, param);
}

void gateway_error_from_core(const struct core_effect *effect, struct str model, struct api_error *out) {
    const uint32_t retry_after_s = effect->fail.retry_after_s;
    switch (effect->fail.failure) {
    case CORE_FAILURE_QUEUE_FULL:
        set(out, API_RATE_LIMIT_EXCEEDED, retry_after_s > 0 ? retry_after_s : 1,
            "Every provider of this model is busy and the queue is full. Retry shortly.");
        return;
    case CORE_FAILURE_WARMING:
        set(out, API_MODEL_WARMING, retry_after_s > 0 ? retry_after_s : 1, "");
        snprintf(out->message, sizeof out->message,
                 "No provider has the model '%.*s' available yet (it may be downloading). Retry in %s.", STR_ARG(model),
                 retry_after_s >= 60 ? "5-10 min" : "a moment");
        return;
    case CORE_FAILURE_TIMEOUT:
        set(out, API_REQUEST_TIMEOUT, 1,
            "The provider did not respond in time. You were not charged. Retry the request.");
        return;
    case CORE_FAILURE_BAD_REQUEST:
        set_client_fault(out, API_INVALID_REQUEST, effect->fail.message, effect->fail.param);
        return;
    case CORE_FAILURE_CONTEXT_LENGTH:
        set_client_fault(out, API_CONTEXT_LENGTH, effect->fail.message, effect->fail.param);
        return;
    case CORE_FAILURE_LOST:
        set(out, API_UNAVAILABLE, 1,
            "The provider was lost while it answered. You were not charged. Retry the request.");
        return;
    case CORE_FAILURE_ATTEMPTS:
        set(out, API_UNAVAILABLE, 1,
            "The providers that were asked could not answer. You were not charged. Retry shortly.");
        return;
    }
}

void gateway_error_from_engine(enum gen_failure failure, const char *message, const char *param,
                               struct api_error *out) {
    switch (failure) {
    case GEN_FAILURE_BAD_REQUEST:
        set_client_fault(out, API_INVALID_REQUEST, str_from(message), str_from(param));
        return;
    case GEN_FAILURE_CONTEXT_LENGTH:
        set_client_fault(out, API_CONTEXT_LENGTH, str_from(message), str_from(param));
        return;
    case GEN_FAILURE_OVERLOADED:
        set(out, API_RATE_LIMIT_EXCEEDED, 1, "The sandbox is busy. Retry shortly.");
        return;
    case GEN_FAILURE_MODEL_MISSING:
    case GEN_FAILURE_ENGINE:
    case GEN_FAILURE_DRAINING:
        set(out, API_UNAVAILABLE, 1, "The sandbox could not answer. Retry shortly.");
        return;
    }
}
