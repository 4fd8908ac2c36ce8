#include "wire/generation.h"

#include "base/compiler.h"

#include <string.h>

static const char *const role_names[] = {
    [GEN_ROLE_SYSTEM] = "system",
    [GEN_ROLE_USER] = "user",
    [GEN_ROLE_ASSISTANT] = "assistant",
    [GEN_ROLE_TOOL] = "tool",
};

static const char *const finish_names[] = {
    [GEN_FINISH_STOP] = "stop",
    [GEN_FINISH_LENGTH] = "length",
    [GEN_FINISH_CANCELLED] = "cancelled",
};

static const char *const failure_names[] = {
    [GEN_FAILURE_BAD_REQUEST] = "bad_request", [GEN_FAILURE_CONTEXT_LENGTH] = "context_length",
    [GEN_FAILURE_OVERLOADED] = "overloaded",   [GEN_FAILURE_MODEL_MISSING] = "model_missing",
    [GEN_FAILURE_ENGINE] = "engine",           [GEN_FAILURE_DRAINING] = "draining",
};

static bool gen_find_name(const char *const *names, size_t count, struct str name, size_t *out) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_cstr(name, names[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *gen_role_name(enum gen_role role) {
    return role_names[role];
}

bool gen_role_from_name(struct str name, enum gen_role *out) {
    size_t index;
    if (!gen_find_name(role_names, COUNT_OF(role_names), name, &index)) {
        return false;
    }
    *out = (enum gen_role)index;
    return true;
}

const char *gen_finish_name(enum gen_finish finish) {
    return finish_names[finish];
}

bool gen_finish_from_name(struct str name, enum gen_finish *out) {
    size_t index;
    if (!gen_find_name(finish_names, COUNT_OF(finish_names), name, &index)) {
        return false;
    }
    *out = (enum gen_finish)index;
    return true;
}

const char *gen_failure_name(enum gen_failure failure) {
    return failure_names[failure];
}

bool gen_failure_from_name(struct str name, enum gen_failure *out) {
    size_t index;
    if (!gen_find_name(failure_names, COUNT_OF(failure_names), name, &index)) {
        return false;
    }
    *out = (enum gen_failure)index;
    return true;
}

void gen_request_init(struct gen_request *request) {
    *request = (struct gen_request){
        .model = STR(""),
        .prompt = STR(""),
        .continue_text = STR(""),
        .grammar = STR(""),
        .scope = STR(""),
        .signing = {.salt = STR("")},
        .max_tokens = 256,
        .temperature = 0.7,
        .top_p = 0.9,
        .top_k = 40,
        .repeat_penalty = 1.0,
    };
}

static void gen_message_write(const struct gen_message *message, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "role", gen_role_name(message->role));
    json_member_str(writer, "content", message->content);
    if (message->tool_call_id.len > 0) {
        json_member_str(writer, "tool_call_id", message->tool_call_id);
    }
    if (message->tool_call_count > 0) {
        json_write_key(writer, "tool_calls");
        json_begin_array(writer);
        for (size_t i = 0; i < message->tool_call_count; i++) {
            const struct gen_tool_call *call = &message->tool_calls[i];
            json_begin_object(writer);
            json_member_str(writer, "id", call->id);
            json_member_str(writer, "name", call->name);
            json_member_str(writer, "arguments", call->arguments);
            json_end_object(writer);
        }
        json_end_array(writer);
    }
    json_end_object(writer);
}

static void gen_sampling_write(const struct gen_request *request, struct json_writer *writer) {
    json_member_double(writer, "temperature", request->temperature);
    json_member_double(writer, "top_p", request->top_p);
    json_member_int(writer, "top_k", request->top_k);
    if (request->min_p > 0) { /* left out when off, as devices know it that are older than it */
        json_member_double(writer, "min_p", request->min_p);
    }
    json_member_double(writer, "repeat_penalty", request->repeat_penalty);
    json_member_double(writer, "frequency_penalty", request->frequency_penalty);
    json_member_double(writer, "presence_penalty", request->presence_penalty);
    if (request->seed_given) {
        json_member_int(writer, "seed", (int64_t)(request->seed & INT64_MAX));
    }
}

/* Pairs of a token and its bias. */
static void gen_biases_write(const struct gen_request *request, struct json_writer *writer) {
    json_write_key(writer, "logit_bias");
    json_begin_array(writer);
    for (size_t i = 0; i < request->bias_count; i++) {
        json_begin_array(writer);
        json_write_int(writer, request->biases[i].token);
        json_write_double(writer, request->biases[i].bias);
        json_end_array(writer);
    }
    json_end_array(writer);
}

void gen_request_write(const struct gen_request *request, struct json_writer *writer) {
    json_member_str(writer, "model", request->model);
    if (request->message_count > 0) {
        json_write_key(writer, "messages");
        json_begin_array(writer);
        for (size_t i = 0; i < request->message_count; i++) {
            gen_message_write(&request->messages[i], writer);
        }
        json_end_array(writer);
    } else {
        json_member_str(writer, "prompt", request->prompt);
    }
    if (request->continue_text.len > 0) {
        json_member_str(writer, "continue_text", request->continue_text);
    }
    json_member_int(writer, "max_tokens", request->max_tokens);
    json_member_bool(writer, "max_tokens_given", request->max_tokens_given);
    gen_sampling_write(request, writer);
    if (request->stop_count > 0) {
        json_write_key(writer, "stop");
        json_begin_array(writer);
        for (size_t i = 0; i < request->stop_count; i++) {
            json_write_str(writer, request->stop[i]);
        }
        json_end_array(writer);
    }
    if (request->bias_count > 0) {
        gen_biases_write(request, writer);
    }
    if (request->logprobs) {
        json_member_int(writer, "logprobs", request->top_logprobs);
    }
    if (request->grammar.len > 0) {
        json_member_str(writer, "grammar", request->grammar);
    }
    json_member_bool(writer, "stream", request->stream);
}

/* --- Copies --- */

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

static bool copy_biases(struct arena *arena, struct gen_request *request) {
    const size_t count = request->bias_count;
    if (count == 0) {
        return true;
    }
    struct gen_bias *biases = ARENA_ARRAY(arena, struct gen_bias, count);
    if (biases != NULL) {
        memcpy(biases, request->biases, count * sizeof(biases[0]));
        request->biases = biases;
    }
    return biases != NULL;
}

bool gen_request_copy(struct arena *arena, struct gen_request *request) {
    for (size_t i = 0; i < request->stop_count; i++) {
        if (!copy_str(arena, &request->stop[i])) {
            return false;
        }
    }
    return copy_str(arena, &request->model) && copy_str(arena, &request->prompt) && copy_str(arena, &request->scope) &&
           copy_str(arena, &request->signing.salt) && copy_str(arena, &request->continue_text) &&
           copy_str(arena, &request->grammar) && copy_biases(arena, request) && copy_messages(arena, request);
}

static bool message_equal(const struct gen_message *a, const struct gen_message *b) {
    if (a->role != b->role || a->tool_call_count != b->tool_call_count || !str_equal(a->content, b->content) ||
        !str_equal(a->tool_call_id, b->tool_call_id)) {
        return false;
    }
    for (size_t i = 0; i < a->tool_call_count; i++) {
        const struct gen_tool_call *x = &a->tool_calls[i], *y = &b->tool_calls[i];
        if (!str_equal(x->id, y->id) || !str_equal(x->name, y->name) || !str_equal(x->arguments, y->arguments)) {
            return false;
        }
    }
    return true;
}

/* Numbers as they came: nothing was computed from them, so there is no near enough. */
static bool numbers_equal(const double *x, const double *y, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (x[i] < y[i] || x[i] > y[i]) {
            return false;
        }
    }
    return true;
}

static bool sampling_equal(const struct gen_request *a, const struct gen_request *b) {
    const double x[] = {a->temperature,      a->top_p,         a->min_p, a->frequency_penalty,
                        a->presence_penalty, a->repeat_penalty};
    const double y[] = {b->temperature,      b->top_p,         b->min_p, b->frequency_penalty,
                        b->presence_penalty, b->repeat_penalty};
    return numbers_equal(x, y, COUNT_OF(x)) && a->top_k == b->top_k && a->seed_given == b->seed_given &&
           (!a->seed_given || a->seed == b->seed) && a->max_tokens == b->max_tokens &&
           a->max_tokens_given == b->max_tokens_given && a->stream == b->stream && a->logprobs == b->logprobs &&
           a->top_logprobs == b->top_logprobs;
}

static bool biases_equal(const struct gen_request *a, const struct gen_request *b) {
    bool equal = a->bias_count == b->bias_count;
    for (size_t i = 0; equal && i < a->bias_count; i++) {
        equal = a->biases[i].token == b->biases[i].token && numbers_equal(&a->biases[i].bias, &b->biases[i].bias, 1);
    }
    return equal;
}

bool gen_request_equal(const struct gen_request *a, const struct gen_request *b) {
    bool equal = sampling_equal(a, b) && biases_equal(a, b) && a->message_count == b->message_count &&
                 a->stop_count == b->stop_count && str_equal(a->model, b->model) && str_equal(a->prompt, b->prompt) &&
                 str_equal(a->continue_text, b->continue_text) && str_equal(a->grammar, b->grammar) &&
                 str_equal(a->scope, b->scope) && str_equal(a->signing.salt, b->signing.salt) &&
                 a->signing.attempt == b->signing.attempt;
    for (size_t i = 0; equal && i < a->message_count; i++) {
        equal = message_equal(&a->messages[i], &b->messages[i]);
    }
    for (size_t i = 0; equal && i < a->stop_count; i++) {
        equal = str_equal(a->stop[i], b->stop[i]);
    }
    return equal;
}
