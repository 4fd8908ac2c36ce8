#include "call/failure.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHORT_RETRY_MS = 1000 };

static void set(struct fault *out, enum fault_code code, uint64_t retry_after_ms, const char *message) {
    *out = (struct fault){.code = code, .retry_after_ms = retry_after_ms};
    (void)str_copy(out->message, sizeof(out->message), str_from(message));
}

/* Of an engine of our own process; its words are cut to the envelope's bounds. */
static void set_client_fault(struct fault *out, enum fault_code code, struct str message, struct str param) {
    *out = (struct fault){.code = code};
    (void)str_copy(out->message, sizeof(out->message), message.len > 0 ? message : STR("The request was refused."));
    (void)str_copy(out->param, sizeof(out->param), param);
}

/* A device may name the member at fault, but only one that there is: what it says is a stranger's word. Of a path, such
 * as messages[3].content, the first step. */
static struct str known_param(struct str param) {
    static const char *const members[] = {
        "messages",
        "prompt",
        "tools",
        "tool_choice",
        "response_format",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "stop",
        "frequency_penalty",
        "presence_penalty",
        "repeat_penalty",
        "logit_bias",
        "model",
    };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct str member = str_from(members[i]);
        const bool begins = str_starts_with(param, member);
        if (begins && (param.len == member.len || param.data[member.len] == '.' || param.data[member.len] == '[')) {
            return member;
        }
    }
    return STR("");
}

static void set_bad_request(const struct core_effect *effect, struct fault *out) {
    const struct str param = known_param(effect->fail.param);
    const char *words =
        "The devices that serve this model cannot make a prompt of this request. You were not charged. Check the "
        "order and the roles of its messages, or use another model.";
    if (effect->fail.by_gateway) {
        words = "The request is too large to be sent to a provider. Send less text.";
    } else if (str_equal(param, STR("logit_bias"))) {
        words = "logit_bias names a token that this model does not have, or asks for one that spells nothing. You were "
                "not charged. Use the numbers of this model's own tokens.";
    }
    set(out, FAULT_INVALID_REQUEST, 0, words);
    (void)str_copy(out->param, sizeof(out->param), param);
}

static void set_context_length(const struct core_effect *effect, const struct gen_request *request, struct fault *out) {
    const char *what = request->message_count > 0 ? "messages" : "prompt";
    const uint32_t context = effect->fail.context_length, asked = effect->fail.max_tokens;
    set(out, FAULT_CONTEXT_LENGTH, 0, "");
    (void)str_copy(out->param, sizeof(out->param), str_from(what));
    if (context == 0) {
        snprintf(out->message, sizeof(out->message),
                 "This request does not fit the model's context. Shorten the %s, or lower max_tokens.", what);
    } else if (asked > 0) {
        snprintf(out->message, sizeof(out->message),
                 "This model's maximum context length is %u tokens. The %s and %u tokens for the answer do not fit it. "
                 "Shorten the %s, or lower max_tokens.",
                 context, what, asked, what);
    } else {
        snprintf(out->message, sizeof(out->message),
                 "This model's maximum context length is %u tokens. The %s do not fit it. Shorten the %s.", context,
                 what, what);
    }
}

void failure_suspended(struct fault *out) {
    set(out, FAULT_FORBIDDEN, 0, "This account is suspended. Ask the operator of the network.");
}

void failure_rate(uint64_t wait_ms, struct fault *out) {
    set(out, FAULT_RATE_LIMIT_EXCEEDED, wait_ms, "");
    snprintf(out->message, sizeof(out->message), "Rate limit exceeded. Retry after %" PRIu64 " seconds.",
             (wait_ms + 999) / 1000);
}

static bool set_refusal(const struct core_effect *effect, struct fault *out) {
    const uint64_t retry_after_ms = effect->fail.retry_after_ms;
    switch (effect->fail.failure) {
    case CORE_FAILURE_CREDITS:
        set(out, FAULT_INSUFFICIENT_CREDITS, 0,
            "The balance does not cover what this request may cost at most. Add credits or lower max_tokens, or bring "
            "a "
            "device of your own online that has the model: what it does for you is free.");
        return true;
    case CORE_FAILURE_KEY_CAP:
        set(out, FAULT_INSUFFICIENT_CREDITS, 0,
            "This key's spending cap does not cover what this request may cost at most. Raise the cap or lower "
            "max_tokens, or bring a device of your own online that has the model: what it does for you is free.");
        return true;
    case CORE_FAILURE_RATE:
        failure_rate(retry_after_ms, out);
        return true;
    case CORE_FAILURE_CONCURRENCY:
        set(out, FAULT_RATE_LIMIT_EXCEEDED, retry_after_ms > 0 ? retry_after_ms : SHORT_RETRY_MS,
            "As many requests are under way as this account's tier allows. Retry when one has finished.");
        return true;
    case CORE_FAILURE_SUSPENDED:
        failure_suspended(out);
        return true;
    case CORE_FAILURE_QUEUE_FULL:
        set(out, FAULT_RATE_LIMIT_EXCEEDED, retry_after_ms > 0 ? retry_after_ms : SHORT_RETRY_MS,
            "Every provider of this model is busy and the queue is full. Retry shortly.");
        return true;
    case CORE_FAILURE_WARMING:
    case CORE_FAILURE_TIMEOUT:
    case CORE_FAILURE_BAD_REQUEST:
    case CORE_FAILURE_CONTEXT_LENGTH:
    case CORE_FAILURE_LOST:
    case CORE_FAILURE_STORE:
    case CORE_FAILURE_ATTEMPTS:
    case CORE_FAILURE_TOO_LONG:
    case CORE_FAILURE_STOPPED:
    case CORE_FAILURE_UNPLACEABLE:
    case CORE_FAILURE_UNSERVED:
    case CORE_FAILURE_RESTING:
        return false;
    }
    return false;
}

static void set_warming(const struct core_effect *effect, struct str model, struct fault *out) {
    const uint64_t retry_after_ms = effect->fail.retry_after_ms > 0 ? effect->fail.retry_after_ms : SHORT_RETRY_MS;
    set(out, FAULT_MODEL_WARMING, retry_after_ms, "");
    snprintf(out->message, sizeof(out->message),
             "The model '%.*s' is not ready yet: a device fetches or loads it, or may do so now. "
             "Retry in about %" PRIu64 " %s.",
             STR_ARG(model),
             retry_after_ms >= 120000 ? (retry_after_ms + 59999) / 60000 : (retry_after_ms + 999) / 1000,
             retry_after_ms >= 120000 ? "minutes" : "seconds");
}

/* What would help is at the end, so a very long id is cut. */
static struct str shown(struct str model) {
    enum { LONGEST_SHOWN = 64 };
    return (struct str){.data = model.data, .len = model.len < LONGEST_SHOWN ? model.len : LONGEST_SHOWN};
}

static void set_unserved(const struct core_effect *effect, struct str model, struct fault *out) {
    const struct str id = shown(model);
    const uint64_t retry_after_ms = effect->fail.retry_after_ms;
    set(out, FAULT_MODEL_UNAVAILABLE, retry_after_ms, "");
    if (retry_after_ms > 0) {
        snprintf(out->message, sizeof(out->message),
                 "The devices that served the model '%.*s' have just left, and may come back. You were not charged. "
                 "Retry in about %" PRIu64 " seconds, or use another model.",
                 STR_ARG(id), (retry_after_ms + 999) / 1000);
        return;
    }
    snprintf(out->message, sizeof(out->message),
             "No device serves the model '%.*s', and none may fetch it. You were not charged. Use a model whose status "
             "in GET /v1/models is \"available\", or connect a device that has this one.",
             STR_ARG(id));
}

static void set_resting(struct str model, struct fault *out) {
    const struct str id = shown(model);
    set(out, FAULT_MODEL_UNAVAILABLE, 0, "");
    snprintf(
        out->message, sizeof(out->message),
        "Each device that has the model '%.*s' is paused, too hot, or short of memory. You were not charged. Use a "
        "model whose status in GET /v1/models is \"available\", or try again later.",
        STR_ARG(id));
}

/* Not a 5xx: the request asks for what is not here, and a retry a second later would find the same. */
static void set_unplaceable(struct fault *out) {
    set(out, FAULT_NO_MATCHING_PROVIDER, 0,
        "No provider that has the model is in the region or of the privacy level asked for. You were not charged. "
        "Leave region or privacyLevel out, or try again when such a provider is there.");
}

void failure_too_long(struct fault *out) {
    set(out, FAULT_UNAVAILABLE, 0, "");
    snprintf(out->message, sizeof(out->message),
             "The provider's answer is longer than %d bytes. You were not charged. Retry the request.",
             LIMIT_ANSWER_BYTES);
}

void failure_in_doubt(struct fault *out) {
    set(out, FAULT_UNAVAILABLE, SHORT_RETRY_MS,
        "Whether this request was settled cannot be told now. Retry with the same Idempotency-Key: then it is charged "
        "once.");
}

void failure_stopped(struct fault *out) {
    set(out, FAULT_UNAVAILABLE, SHORT_RETRY_MS, "The gateway is restarting. You were not charged. Retry the request.");
}

/* What is free is for the account's own devices, and these could not do it. True: that is the failure. */
static bool set_own_only(const struct core_effect *effect, struct fault *out) {
    const char *what = NULL;
    bool timeout = effect->fail.failure == CORE_FAILURE_TIMEOUT;
    if (!effect->fail.own_only) {
        return false;
    }
    if (timeout) {
        what = "Your own devices did not answer in time";
    } else if (effect->fail.failure == CORE_FAILURE_LOST) {
        what = "Your own device was lost while it answered, and no other one of yours could go on";
    } else if (effect->fail.failure == CORE_FAILURE_ATTEMPTS) {
        what = "Your own devices could not answer";
    } else {
        return false;
    }
    set(out, timeout ? FAULT_REQUEST_TIMEOUT : FAULT_UNAVAILABLE, SHORT_RETRY_MS, "");
    snprintf(out->message, sizeof(out->message),
             "%s. Your credit does not cover this request on devices of others. You were not charged. Retry the "
             "request, or add credits.",
             what);
    return true;
}

void failure_from_core(const struct core_effect *effect, const struct gen_request *request, struct fault *out) {
    const struct str model = request->model;
    if (set_refusal(effect, out) || set_own_only(effect, out)) {
        return;
    }
    switch (effect->fail.failure) {
    case CORE_FAILURE_WARMING:
        set_warming(effect, model, out);
        return;
    case CORE_FAILURE_TIMEOUT:
        set(out, FAULT_REQUEST_TIMEOUT, SHORT_RETRY_MS,
            "The provider did not respond in time. You were not charged. Retry the request.");
        return;
    case CORE_FAILURE_UNPLACEABLE:
        set_unplaceable(out);
        return;
    case CORE_FAILURE_UNSERVED:
        set_unserved(effect, model, out);
        return;
    case CORE_FAILURE_RESTING:
        set_resting(model, out);
        return;
    case CORE_FAILURE_BAD_REQUEST:
        set_bad_request(effect, out);
        return;
    case CORE_FAILURE_CONTEXT_LENGTH:
        set_context_length(effect, request, out);
        return;
    case CORE_FAILURE_LOST:
        set(out, FAULT_UNAVAILABLE, SHORT_RETRY_MS,
            "The provider was lost while it answered. You were not charged. Retry the request.");
        return;
    case CORE_FAILURE_STORE:
        set(out, FAULT_UNAVAILABLE, SHORT_RETRY_MS,
            "The answer could not be settled. You were not charged. Retry the request.");
        return;
    case CORE_FAILURE_TOO_LONG:
        failure_too_long(out);
        return;
    case CORE_FAILURE_STOPPED:
        failure_stopped(out);
        return;
    case CORE_FAILURE_ATTEMPTS:
    case CORE_FAILURE_CREDITS:
    case CORE_FAILURE_KEY_CAP:
    case CORE_FAILURE_RATE:
    case CORE_FAILURE_CONCURRENCY:
    case CORE_FAILURE_SUSPENDED:
    case CORE_FAILURE_QUEUE_FULL:
        set(out, FAULT_UNAVAILABLE, SHORT_RETRY_MS,
            "The providers that were asked could not answer. You were not charged. Retry shortly.");
        return;
    }
}

void failure_from_engine(enum gen_failure failure, const char *message, const char *param, struct fault *out) {
    switch (failure) {
    case GEN_FAILURE_BAD_REQUEST:
        set_client_fault(out, FAULT_INVALID_REQUEST, str_from(message), str_from(param));
        return;
    case GEN_FAILURE_CONTEXT_LENGTH:
        set_client_fault(out, FAULT_CONTEXT_LENGTH, str_from(message), str_from(param));
        return;
    case GEN_FAILURE_OVERLOADED:
        set(out, FAULT_RATE_LIMIT_EXCEEDED, SHORT_RETRY_MS, "The sandbox is busy. Retry shortly.");
        return;
    case GEN_FAILURE_MODEL_MISSING:
    case GEN_FAILURE_ENGINE:
    case GEN_FAILURE_DRAINING:
        set(out, FAULT_UNAVAILABLE, SHORT_RETRY_MS, "The sandbox could not answer. Retry shortly.");
        return;
    }
}
