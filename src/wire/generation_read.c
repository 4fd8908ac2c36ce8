#include "wire/generation.h"

#include <stdarg.h>
#include <stdio.h>

enum { GEN_TOP_K_MAX = 1 << 20, GEN_REPEAT_PENALTY_MAX = 10 };

/* Where strings go, where errors go, and the path to the object at hand ("" or "messages[2]."). */
struct gen_reader {
    struct arena *arena;
    struct err *err;
    char path[ERR_FIELD_MAX];
};

static bool gen_fail(const struct gen_reader *reader, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

static bool gen_fail(const struct gen_reader *reader, const char *name, const char *format, ...) {
    char field[2 * ERR_FIELD_MAX], problem[ERR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof(problem), format, arguments);
    va_end(arguments);
    snprintf(field, sizeof(field), "%s%s", reader->path, name);
    return err_set_field(reader->err, ERR_INVALID, field, "%s %s", field, problem);
}

static bool gen_copy_str(const struct gen_reader *reader, const char *name, struct json_value value, size_t max,
                         struct str *out) {
    struct str text;
    if (!json_as_str(value, &text)) {
        return gen_fail(reader, name, "must be a string, not %s", json_type_name(json_type_of(value)));
    }
    if (text.len > max) {
        return gen_fail(reader, name, "is longer than %zu bytes", max);
    }
    *out = arena_copy(reader->arena, text);
    return out->data != NULL || err_set(reader->err, ERR_TOO_LARGE, "the request is too large");
}

/* An absent member leaves the default in *out; `required` ones may not be absent. */
static bool gen_read_str(const struct gen_reader *reader, struct json_value object, const char *name, bool required,
                         size_t max, struct str *out) {
    struct json_value value;
    if (!json_get(object, name, &value)) {
        return !required || gen_fail(reader, name, "is missing");
    }
    return gen_copy_str(reader, name, value, max, out);
}

static bool gen_read_double(const struct gen_reader *reader, struct json_value object, const char *name, double min,
                            double max, double *out) {
    struct json_value value;
    double number;
    if (!json_get(object, name, &value)) {
        return true;
    }
    if (!json_as_double(value, &number)) {
        return gen_fail(reader, name, "must be a number, not %s", json_type_name(json_type_of(value)));
    }
    if (!(number >= min && number <= max)) {
        return gen_fail(reader, name, "must be from %g to %g", min, max);
    }
    *out = number;
    return true;
}

static bool gen_read_int(const struct gen_reader *reader, struct json_value object, const char *name, int64_t min,
                         int64_t max, int64_t *out) {
    struct json_value value;
    int64_t number;
    if (!json_get(object, name, &value)) {
        return true;
    }
    if (!json_as_int64(value, &number) || number < min || number > max) {
        return gen_fail(reader, name, "must be a whole number from %lld to %lld", (long long)min, (long long)max);
    }
    *out = number;
    return true;
}

static bool gen_read_bool(const struct gen_reader *reader, struct json_value object, const char *name, bool *out) {
    struct json_value value;
    if (!json_get(object, name, &value)) {
        return true;
    }
    return json_as_bool(value, out) ||
           gen_fail(reader, name, "must be true or false, not %s", json_type_name(json_type_of(value)));
}

/* The array member `name` with 1 to `max` elements, or *count 0 when it is absent. */
static bool gen_read_array(const struct gen_reader *reader, struct json_value object, const char *name, size_t max,
                           struct json_value *out, size_t *count) {
    *count = 0;
    if (!json_get(object, name, out)) {
        return true;
    }
    if (json_type_of(*out) != JSON_ARRAY) {
        return gen_fail(reader, name, "must be an array, not %s", json_type_name(json_type_of(*out)));
    }
    *count = json_count(*out);
    if (*count == 0 || *count > max) {
        return gen_fail(reader, name, "must have 1 to %zu elements", max);
    }
    return true;
}

static bool gen_read_tool_calls(const struct gen_reader *reader, struct json_value object,
                                struct gen_message *message) {
    struct json_value array, item;
    if (!gen_read_array(reader, object, "tool_calls", LIMIT_TOOL_CALLS, &array, &message->tool_call_count)) {
        return false;
    }
    if (message->tool_call_count == 0) {
        return true;
    }
    struct gen_tool_call *calls = ARENA_ARRAY(reader->arena, struct gen_tool_call, message->tool_call_count);
    if (calls == NULL) {
        return err_set(reader->err, ERR_TOO_LARGE, "the request is too large");
    }
    message->tool_calls = calls;
    struct json_iterator iterator;
    size_t index = 0;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); index++) {
        struct gen_reader inner = {.arena = reader->arena, .err = reader->err};
        snprintf(inner.path, sizeof(inner.path), "%.30stool_calls[%zu].", reader->path, index);
        if (!gen_read_str(&inner, item, "id", true, LIMIT_NAME_BYTES, &calls[index].id) ||
            !gen_read_str(&inner, item, "name", true, LIMIT_NAME_BYTES, &calls[index].name) ||
            !gen_read_str(&inner, item, "arguments", true, SIZE_MAX, &calls[index].arguments)) {
            return false;
        }
    }
    return true;
}

static bool gen_read_message(const struct gen_reader *reader, struct json_value object, struct gen_message *message) {
    struct json_value role;
    struct str name;
    *message = (struct gen_message){.content = STR(""), .tool_call_id = STR("")};
    if (!json_get(object, "role", &role)) {
        return gen_fail(reader, "role", "is missing");
    }
    if (!json_as_str(role, &name) || !gen_role_from_name(name, &message->role)) {
        return gen_fail(reader, "role", "must be system, user, assistant or tool");
    }
    return gen_read_str(reader, object, "content", true, SIZE_MAX, &message->content) &&
           gen_read_str(reader, object, "tool_call_id", false, LIMIT_NAME_BYTES, &message->tool_call_id) &&
           gen_read_tool_calls(reader, object, message);
}

static bool gen_read_messages(const struct gen_reader *reader, struct json_value object, struct gen_request *request) {
    struct json_value array, item;
    if (!gen_read_array(reader, object, "messages", LIMIT_MESSAGES, &array, &request->message_count)) {
        return false;
    }
    if (request->message_count == 0) {
        return gen_read_str(reader, object, "prompt", true, SIZE_MAX, &request->prompt);
    }
    if (json_get(object, "prompt", &item)) {
        return gen_fail(reader, "prompt", "must not stand beside messages");
    }
    struct gen_message *messages = ARENA_ARRAY(reader->arena, struct gen_message, request->message_count);
    if (messages == NULL) {
        return err_set(reader->err, ERR_TOO_LARGE, "the request is too large");
    }
    request->messages = messages;
    struct json_iterator iterator;
    size_t index = 0;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); index++) {
        struct gen_reader inner = {.arena = reader->arena, .err = reader->err};
        snprintf(inner.path, sizeof(inner.path), "messages[%zu].", index);
        if (!gen_read_message(&inner, item, &messages[index])) {
            return false;
        }
    }
    return true;
}

static bool gen_read_stop(const struct gen_reader *reader, struct json_value object, struct gen_request *request) {
    struct json_value array, item;
    if (!gen_read_array(reader, object, "stop", LIMIT_STOP_STRINGS, &array, &request->stop_count)) {
        return false;
    }
    if (request->stop_count == 0) {
        return true;
    }
    struct json_iterator iterator;
    size_t index = 0;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); index++) {
        char name[ERR_FIELD_MAX];
        snprintf(name, sizeof(name), "stop[%zu]", index);
        if (!gen_copy_str(reader, name, item, LIMIT_STOP_BYTES, &request->stop[index])) {
            return false;
        }
        if (request->stop[index].len == 0) {
            return gen_fail(reader, name, "must not be empty");
        }
    }
    return true;
}

static bool gen_read_bias(const struct gen_reader *reader, const char *name, struct json_value pair,
                          struct gen_bias *out) {
    struct json_iterator iterator;
    struct json_value token, bias;
    int64_t number = -1;
    if (json_type_of(pair) != JSON_ARRAY || json_count(pair) != 2) {
        return gen_fail(reader, name, "must be a token and its bias");
    }
    json_iterate(pair, &iterator);
    if (!json_next(&iterator, NULL, &token) || !json_as_int64(token, &number) || number < 0 || number > INT32_MAX ||
        !json_next(&iterator, NULL, &bias) || !json_as_double(bias, &out->bias) ||
        !(out->bias >= -GEN_BIAS_MAX && out->bias <= GEN_BIAS_MAX)) {
        return gen_fail(reader, name, "must be a token and a bias from %g to %g", -GEN_BIAS_MAX, GEN_BIAS_MAX);
    }
    out->token = (uint32_t)number;
    return true;
}

static bool gen_read_biases(const struct gen_reader *reader, struct json_value object, struct gen_request *request) {
    struct json_value array, item;
    if (!gen_read_array(reader, object, "logit_bias", LIMIT_LOGIT_BIASES, &array, &request->bias_count)) {
        return false;
    }
    if (request->bias_count == 0) {
        return true;
    }
    struct gen_bias *biases = ARENA_ARRAY(reader->arena, struct gen_bias, request->bias_count);
    if (biases == NULL) {
        return err_set(reader->err, ERR_TOO_LARGE, "the request is too large");
    }
    request->biases = biases;
    struct json_iterator iterator;
    size_t index = 0;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); index++) {
        char name[ERR_FIELD_MAX];
        snprintf(name, sizeof(name), "logit_bias[%zu]", index);
        if (!gen_read_bias(reader, name, item, &biases[index])) {
            return false;
        }
    }
    return true;
}

static bool gen_read_sampling(const struct gen_reader *reader, struct json_value object, struct gen_request *request) {
    int64_t top_k = request->top_k, seed = -1, logprobs = -1;
    if (!gen_read_double(reader, object, "temperature", 0, 2, &request->temperature) ||
        !gen_read_double(reader, object, "top_p", 0, 1, &request->top_p) ||
        !gen_read_double(reader, object, "min_p", 0, 1, &request->min_p) ||
        !gen_read_double(reader, object, "frequency_penalty", -2, 2, &request->frequency_penalty) ||
        !gen_read_double(reader, object, "presence_penalty", -2, 2, &request->presence_penalty) ||
        !gen_read_double(reader, object, "repeat_penalty", 0, GEN_REPEAT_PENALTY_MAX, &request->repeat_penalty) ||
        !gen_read_int(reader, object, "top_k", 0, GEN_TOP_K_MAX, &top_k) ||
        !gen_read_int(reader, object, "seed", 0, INT64_MAX, &seed) ||
        !gen_read_int(reader, object, "logprobs", 0, LIMIT_LOGPROB_OTHERS, &logprobs)) {
        return false;
    }
    request->top_k = (uint32_t)top_k;
    request->logprobs = logprobs >= 0;
    request->top_logprobs = logprobs >= 0 ? (uint32_t)logprobs : 0;
    request->seed_given = seed >= 0;
    request->seed = seed >= 0 ? (uint64_t)seed : 0;
    return true;
}

bool gen_request_read(struct json_value object, struct arena *arena, struct gen_request *request, struct err *err) {
    struct gen_reader reader = {.arena = arena, .err = err};
    gen_request_init(request);
    if (json_type_of(object) != JSON_OBJECT) {
        return err_set(err, ERR_INVALID, "a request must be an object, not %s", json_type_name(json_type_of(object)));
    }
    int64_t max_tokens = request->max_tokens;
    if (!gen_read_str(&reader, object, "model", true, LIMIT_MODEL_ID_BYTES, &request->model) ||
        !gen_read_messages(&reader, object, request) ||
        !gen_read_str(&reader, object, "continue_text", false, LIMIT_ANSWER_BYTES, &request->continue_text) ||
        !gen_read_str(&reader, object, "grammar", false, LIMIT_GRAMMAR_BYTES, &request->grammar) ||
        !gen_read_int(&reader, object, "max_tokens", 1, LIMIT_MAX_TOKENS, &max_tokens) ||
        !gen_read_bool(&reader, object, "max_tokens_given", &request->max_tokens_given) ||
        !gen_read_sampling(&reader, object, request) || !gen_read_biases(&reader, object, request) ||
        !gen_read_stop(&reader, object, request) || !gen_read_bool(&reader, object, "stream", &request->stream)) {
        return false;
    }
    request->max_tokens = (uint32_t)max_tokens;
    return request->model.len > 0 || gen_fail(&reader, "model", "must not be empty");
}
