#include "gateway/sandbox/trigger.h"

#include <stdio.h>
#include <string.h>

enum { SLOW_RATE = 2, RATE_MAX = 100 * 1000, AFTER_MAX = LIMIT_MAX_TOKENS, RETRY_AFTER_MAX_S = 24 * 60 * 60 };

#define DIRECTIVE "[[sandbox"

static const struct {
    const char *name;
    enum fault_code code;
    const char *param, *message;
    uint32_t after; /* when the directive does not say it */
} triggers[] = {
    {"INVALID_REQUEST", FAULT_INVALID_REQUEST, "messages", "The request is invalid: the sandbox was asked to say so.",
     0},
    {"context_length_exceeded", FAULT_CONTEXT_LENGTH, "messages",
     "Prompt and max_tokens do not fit the context: the sandbox was asked to say so.", 0},
    {"INVALID_API_KEY", FAULT_INVALID_API_KEY, "", "The API key is invalid: the sandbox was asked to say so.", 0},
    {"INSUFFICIENT_CREDITS", FAULT_INSUFFICIENT_CREDITS, "",
     "The balance is not sufficient: the sandbox was asked to say so.", 0},
    {"FORBIDDEN", FAULT_FORBIDDEN, "", "The account is suspended: the sandbox was asked to say so.", 0},
    {"MODEL_NOT_FOUND", FAULT_MODEL_NOT_FOUND, "model", "There is no such model: the sandbox was asked to say so.", 0},
    {"REQUEST_TIMEOUT", FAULT_REQUEST_TIMEOUT, "",
     "The provider did not respond in time: the sandbox was asked to say so. You were not charged.", 0},
    {"IDEMPOTENCY_CONFLICT", FAULT_CONFLICT, "",
     "The Idempotency-Key was used for another request: the sandbox was asked to say so.", 0},
    {"CONVERSATION_BUSY", FAULT_CONVERSATION_BUSY, "conversation_id",
     "Another call on this conversation is running: the sandbox was asked to say so.", 0},
    {"RATE_LIMIT_EXCEEDED", FAULT_RATE_LIMIT_EXCEEDED, "", "Rate limit exceeded: the sandbox was asked to say so.", 0},
    {"INTERNAL_ERROR", FAULT_INTERNAL, "", "Something went wrong: the sandbox was asked to say so.", 0},
    {"model_warming", FAULT_MODEL_WARMING, "",
     "No provider has this model available yet: the sandbox was asked to say so. Retry in 5-10 min.", 0},
    {"model_unavailable", FAULT_MODEL_UNAVAILABLE, "",
     "No device serves this model, and none may fetch it: the sandbox was asked to say so.", 0},
    {"SERVICE_UNAVAILABLE", FAULT_UNAVAILABLE, "", "No provider could answer: the sandbox was asked to say so.", 0},
    {"device_lost", FAULT_UNAVAILABLE, "",
     "The provider was lost while it answered. You were not charged. Retry the request.", 3},
};

static bool set_error(struct sandbox_trigger *trigger, struct str name) {
    for (size_t i = 0; i < COUNT_OF(triggers); i++) {
        if (!str_equal_cstr(name, triggers[i].name)) {
            continue;
        }
        trigger->fails = true;
        trigger->error.code = triggers[i].code;
        (void)str_copy(trigger->error.param, sizeof(trigger->error.param), str_from(triggers[i].param));
        (void)str_copy(trigger->error.message, sizeof(trigger->error.message), str_from(triggers[i].message));
        trigger->after = trigger->after > 0 ? trigger->after : triggers[i].after;
        return true;
    }
    return false;
}

static bool set_number(struct str text, uint64_t max, uint32_t *out) {
    uint64_t number;
    if (!str_parse_u64(text, max, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool set_option(struct sandbox_trigger *trigger, struct str option) {
    struct str key, value;
    uint32_t seconds;
    if (!str_split(option, '=', &key, &value)) {
        trigger->rate = SLOW_RATE;
        return str_equal(key, STR("slow"));
    }
    if (str_equal(key, STR("error"))) {
        return set_error(trigger, value);
    }
    if (str_equal(key, STR("after"))) {
        return set_number(value, AFTER_MAX, &trigger->after);
    }
    if (str_equal(key, STR("rate"))) {
        return set_number(value, RATE_MAX, &trigger->rate);
    }
    if (str_equal(key, STR("retry_after")) && set_number(value, RETRY_AFTER_MAX_S, &seconds)) {
        trigger->error.retry_after_ms = (uint64_t)seconds * 1000;
        return true;
    }
    return false;
}

static bool find_directive(const struct gen_request *request, struct sandbox_trigger *out, struct str *options) {
    size_t i = request->message_count;
    while (i > 0 && request->messages[i - 1].role != GEN_ROLE_USER) {
        i--;
    }
    if (i == 0 && request->message_count > 0) {
        return false;
    }
    struct str text = i > 0 ? request->messages[i - 1].content : request->prompt;
    const char *start = text.len > 0 ? memmem(text.data, text.len, DIRECTIVE, sizeof(DIRECTIVE) - 1) : NULL;
    if (start == NULL) {
        return false;
    }
    const char *end = text.data + text.len, *inside = start + sizeof(DIRECTIVE) - 1;
    const char *close = memmem(inside, (size_t)(end - inside), "]]", 2);
    *options = (struct str){.data = inside, .len = (size_t)((close != NULL ? close : end) - inside)};
    out->text = (struct str){.data = start, .len = (size_t)((close != NULL ? close + 2 : end) - start)};
    out->message = i > 0 ? i - 1 : 0;
    return true;
}

/* Also refuses "[[sandboxes]]", and one without an end: then the last option runs on. */
bool sandbox_trigger_read(const struct gen_request *request, struct sandbox_trigger *out) {
    struct str rest, option;
    *out = (struct sandbox_trigger){.text = STR("")};
    if (!find_directive(request, out, &rest)) {
        return true;
    }
    bool understood = rest.len > 0 && rest.data[0] == ' ' && rest.data + rest.len < out->text.data + out->text.len;
    while (understood && (rest = str_trim(rest)).len > 0) {
        (void)str_split(rest, ' ', &option, &rest);
        understood = set_option(out, option);
    }
    if (!understood || (!out->fails && (out->after > 0 || out->error.retry_after_ms > 0))) {
        out->error = (struct fault){.code = FAULT_INVALID_REQUEST};
        (void)snprintf(out->error.message, sizeof(out->error.message), "The sandbox directive is not understood.");
        if (request->message_count > 0) {
            (void)snprintf(out->error.param, sizeof(out->error.param), "messages[%zu].content", out->message);
        } else {
            (void)snprintf(out->error.param, sizeof(out->error.param), "prompt");
        }
        return false;
    }
    return true;
}

bool sandbox_trigger_translate(const struct sandbox_trigger *trigger, const struct gen_request *request,
                               struct arena *arena, struct gen_request *out) {
    *out = *request;
    if (trigger->rate == 0) {
        return true;
    }
    enum { WORDS_MAX = 64 };
    const bool chat = request->message_count > 0;
    const struct str old = chat ? request->messages[trigger->message].content : request->prompt;
    size_t before = (size_t)(trigger->text.data - old.data), behind = before + trigger->text.len;
    char *content = arena_alloc(arena, old.len + WORDS_MAX);
    if (content == NULL) {
        return false;
    }
    memcpy(content, old.data, before);
    size_t len = before + (size_t)snprintf(content + before, WORDS_MAX, "[[script rate=%u]]", trigger->rate);
    memcpy(content + len, old.data + behind, old.len - behind);
    const struct str text = {.data = content, .len = len + old.len - behind};
    if (!chat) {
        out->prompt = text;
        return true;
    }
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, request->message_count);
    if (messages == NULL) {
        return false;
    }
    memcpy(messages, request->messages, request->message_count * sizeof(messages[0]));
    messages[trigger->message].content = text;
    out->messages = messages;
    return true;
}
