#include "format/ollama_body.h"

#include "base/json_write.h"
#include "format/chat.h"
#include "format/completions.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stdio.h>
#include <string.h>

/* A body is written as a chat, or with `raw` as a text to go on with, and read as such: what holds there holds here. */

enum {
    OLLAMA_DEFAULT_MAX_TOKENS = 2048, /* Ollama's is the whole context; more would be held than most accounts have */
    BODY_BYTES = 2 * LIMIT_HTTP_BODY_BYTES,
};

struct rewriting {
    struct json_writer writer;
    struct buf text;
    bool generate, raw;
    size_t calls; /* of the last assistant message that has any ... */
    size_t from;  /* ... which is this one, and ... */
    size_t told;  /* ... so many results behind it */
};

/* Their names in a chat; NULL: the same. Others of Ollama's options are about how a model is loaded. */
static const struct {
    struct str name;
    const char *chat;
} options[] = {
    {STR("num_predict"), "max_tokens"},
    {STR("temperature"), NULL},
    {STR("top_p"), NULL},
    {STR("top_k"), NULL},
    {STR("min_p"), NULL},
    {STR("seed"), NULL},
    {STR("stop"), NULL},
    {STR("repeat_penalty"), NULL},
    {STR("presence_penalty"), NULL},
    {STR("frequency_penalty"), NULL},
};

static void copy_value(struct rewriting *rewriting, const char *key, struct json_value value) {
    json_write_key(&rewriting->writer, key);
    json_serialize(value, &rewriting->text);
    rewriting->writer.need_comma = true;
}

static bool option_take(struct rewriting *rewriting, struct str name, struct json_value value, struct err *err) {
    char field[ERR_FIELD_MAX];
    bool known;
    double number;
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (str_equal(options[i].name, name)) {
            /* -1 and -2: as many as fit. */
            if (i > 0 || !json_as_double(value, &number) || number >= 0) {
                copy_value(rewriting, options[i].chat != NULL ? options[i].chat : options[i].name.data, value);
            }
            return true;
        }
    }
    if (!str_equal(name, STR("num_ctx")) && !refused_check(name, value, &known, err)) {
        (void)snprintf(field, sizeof(field), "options.%.*s", (int)(name.len < 64 ? name.len : 64), name.data);
        return refused_set(err, str_from(field), NULL);
    }
    return true;
}

static bool options_take(struct rewriting *rewriting, struct json_value value, struct err *err) {
    struct json_iterator iterator;
    struct json_value item;
    struct str name;
    if (json_type_of(value) != JSON_OBJECT) {
        return field_wrong_type(err, "options", "an object", value);
    }
    for (json_iterate(value, &iterator); json_next(&iterator, &name, &item);) {
        if (json_type_of(item) != JSON_NULL && !option_take(rewriting, name, item, err)) {
            return false;
        }
    }
    return true;
}

/* "json", or a schema. */
static bool format_take(struct rewriting *rewriting, struct json_value value, struct err *err) {
    struct json_writer *writer = &rewriting->writer;
    struct str word;
    if (refused_is_empty(value)) {
        return true;
    }
    json_write_key(writer, "response_format");
    json_begin_object(writer);
    if (json_as_str(value, &word) && str_equal(word, STR("json"))) {
        json_member_cstr(writer, "type", "json_object");
    } else if (json_type_of(value) == JSON_OBJECT) {
        json_member_cstr(writer, "type", "json_schema");
        json_write_key(writer, "json_schema");
        json_begin_object(writer);
        json_member_cstr(writer, "name", "format");
        copy_value(rewriting, "schema", value);
        json_end_object(writer);
    } else {
        return field_invalid(err, "format", "must be \"json\" or a JSON schema.");
    }
    json_end_object(writer);
    return true;
}

/* --- Messages --- */

static void write_arguments(struct rewriting *rewriting, struct json_value arguments) {
    struct str text;
    struct buf json;
    if (json_as_str(arguments, &text)) {
        json_member_str(&rewriting->writer, "arguments", text);
        return;
    }
    buf_init(&json, BODY_BYTES);
    json_serialize(arguments, &json);
    json_member_str(&rewriting->writer, "arguments", buf_str(&json));
    buf_clear(&json);
}

/* They have no ids there: results follow in the order of their calls. */
static void call_id(size_t message, size_t index, char out[32]) {
    (void)snprintf(out, 32, "call_%zu_%zu", message, index);
}

static bool calls_take(struct rewriting *rewriting, size_t message, struct json_value calls, struct err *err) {
    struct json_writer *writer = &rewriting->writer;
    struct json_iterator iterator;
    struct json_value item, function, part;
    char field[ERR_FIELD_MAX], id[32];
    (void)snprintf(field, sizeof(field), "messages[%zu].tool_calls", message);
    if (json_type_of(calls) != JSON_ARRAY) {
        return field_wrong_type(err, field, "an array", calls);
    }
    rewriting->calls = 0;
    rewriting->from = message;
    rewriting->told = 0;
    json_write_key(writer, "tool_calls");
    json_begin_array(writer);
    for (json_iterate(calls, &iterator); json_next(&iterator, NULL, &item); rewriting->calls++) {
        if (!json_get_given(item, "function", &function) || json_type_of(function) != JSON_OBJECT) {
            return field_invalid(err, field, "must hold objects with a function.");
        }
        call_id(message, rewriting->calls, id);
        json_begin_object(writer);
        json_member_cstr(writer, "id", id);
        json_member_cstr(writer, "type", "function");
        json_write_key(writer, "function");
        json_begin_object(writer);
        if (json_get_given(function, "name", &part)) {
            copy_value(rewriting, "name", part);
        }
        if (json_get_given(function, "arguments", &part)) {
            write_arguments(rewriting, part);
        } else {
            json_member_cstr(writer, "arguments", "{}");
        }
        json_end_object(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
    return true;
}

static bool message_take(struct rewriting *rewriting, size_t index, struct json_value message, struct err *err) {
    struct json_writer *writer = &rewriting->writer;
    struct json_value value;
    struct str role = STR("");
    char text[ERR_FIELD_MAX];
    if (json_type_of(message) != JSON_OBJECT) {
        (void)snprintf(text, sizeof(text), "messages[%zu]", index);
        return field_wrong_type(err, text, "an object", message);
    }
    if (json_get_given(message, "images", &value) && !refused_is_empty(value)) {
        (void)snprintf(text, sizeof(text), "messages[%zu].images", index);
        return refused_set(err, str_from(text), NULL);
    }
    json_begin_object(writer);
    if (json_get_given(message, "role", &value)) {
        (void)json_as_str(value, &role);
        copy_value(rewriting, "role", value);
    }
    if (json_get_given(message, "content", &value)) {
        copy_value(rewriting, "content", value);
    }
    if (json_get_given(message, "tool_calls", &value) && !refused_is_empty(value) &&
        !calls_take(rewriting, index, value, err)) {
        return false;
    }
    if (str_equal(role, STR("tool"))) {
        call_id(rewriting->from, rewriting->told++, text);
        json_member_cstr(writer, "tool_call_id", text);
    }
    json_end_object(writer);
    return true;
}

static bool messages_take(struct rewriting *rewriting, struct json_value messages, struct err *err) {
    struct json_iterator iterator;
    struct json_value item;
    size_t index = 0;
    if (json_type_of(messages) != JSON_ARRAY) {
        return field_wrong_type(err, "messages", "an array", messages);
    }
    json_write_key(&rewriting->writer, "messages");
    json_begin_array(&rewriting->writer);
    for (json_iterate(messages, &iterator); json_next(&iterator, NULL, &item); index++) {
        if (!message_take(rewriting, index, item, err)) {
            return false;
        }
    }
    json_end_array(&rewriting->writer);
    return true;
}

/* --- Prompts --- */

static void write_said(struct rewriting *rewriting, const char *role, struct json_value content) {
    json_begin_object(&rewriting->writer);
    json_member_cstr(&rewriting->writer, "role", role);
    copy_value(rewriting, "content", content);
    json_end_object(&rewriting->writer);
}

static bool prompt_take(struct rewriting *rewriting, struct json_value body, struct err *err) {
    struct json_value prompt, system;
    struct str text;
    if (!json_get_given(body, "prompt", &prompt)) {
        return field_invalid(err, "prompt", "is required.");
    }
    if (!field_string(err, "prompt", prompt, SIZE_MAX, &text)) {
        return false;
    }
    if (text.len == 0) {
        return field_invalid(err, "prompt", "must not be empty: models are loaded when they are asked something.");
    }
    const bool has_system = json_get_given(body, "system", &system) && !refused_is_empty(system);
    if (has_system && !field_string(err, "system", system, SIZE_MAX, &text)) {
        return false;
    }
    if (rewriting->raw) {
        copy_value(rewriting, "prompt", prompt);
        return !has_system || field_invalid(err, "system", "has no place in a prompt that is raw.");
    }
    json_write_key(&rewriting->writer, "messages");
    json_begin_array(&rewriting->writer);
    if (has_system) {
        write_said(rewriting, "system", system);
    }
    write_said(rewriting, "user", prompt);
    json_end_array(&rewriting->writer);
    return true;
}

/* --- The whole --- */

/* Models are "NAME:TAG" there, and clients add the tag that stands for none. */
static bool model_take(struct rewriting *rewriting, struct json_value value, struct err *err) {
    static const struct str latest = STR(":latest");
    struct str name;
    if (!field_string(err, "model", value, LIMIT_MODEL_ID_BYTES, &name)) {
        return false;
    }
    if (name.len > latest.len && str_equal((struct str){name.data + name.len - latest.len, latest.len}, latest)) {
        name.len -= latest.len;
    }
    json_member_str(&rewriting->writer, "model", name);
    return true;
}

static bool other_take(struct rewriting *rewriting, struct str name, struct json_value value, struct err *err) {
    if (rewriting->generate && (str_equal(name, STR("tools")) || str_equal(name, STR("messages")))) {
        return refused_is_empty(value) || refused_set(err, name, "POST /api/chat");
    }
    if (str_equal(name, STR("logprobs")) || str_equal(name, STR("top_logprobs")) || str_equal(name, STR("echo"))) {
        return refused_is_empty(value) || refused_set(err, name, NULL); /* its answers have no place for them */
    }
    json_write_key_str(&rewriting->writer, name);
    json_serialize(value, &rewriting->text);
    rewriting->writer.need_comma = true;
    return true;
}

static bool member_take(struct rewriting *rewriting, struct str name, struct json_value value, struct err *err) {
    static const struct str elsewhere[] = {STR("prompt"), STR("system"), STR("raw"), STR("keep_alive"), STR("stream")};
    for (size_t i = 0; i < COUNT_OF(elsewhere); i++) {
        if (str_equal(name, elsewhere[i]) && (rewriting->generate || i > 2)) {
            return true;
        }
    }
    if (str_equal(name, STR("model"))) {
        return model_take(rewriting, value, err);
    }
    if (str_equal(name, STR("options"))) {
        return options_take(rewriting, value, err);
    }
    if (str_equal(name, STR("format"))) {
        return format_take(rewriting, value, err);
    }
    if (str_equal(name, STR("messages")) && !rewriting->generate) {
        return messages_take(rewriting, value, err);
    }
    return other_take(rewriting, name, value, err);
}

static bool rewrite(struct rewriting *rewriting, struct json_value body, struct err *err) {
    struct json_writer *writer = &rewriting->writer;
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    bool stream = true;
    if (rewriting->generate && json_get_given(body, "raw", &value) && !json_as_bool(value, &rewriting->raw)) {
        return field_wrong_type(err, "raw", "true or false", value);
    }
    if (json_get_given(body, "stream", &value) && !json_as_bool(value, &stream)) {
        return field_wrong_type(err, "stream", "true or false", value);
    }
    json_writer_init(writer, &rewriting->text);
    json_begin_object(writer);
    for (json_iterate(body, &iterator); json_next(&iterator, &name, &value);) {
        if (json_type_of(value) != JSON_NULL && !member_take(rewriting, name, value, err)) {
            return false;
        }
    }
    if (rewriting->generate && !prompt_take(rewriting, body, err)) {
        return false;
    }
    json_member_bool(writer, "stream", stream);
    json_end_object(writer);
    return !rewriting->text.overflow || err_set(err, ERR_TOO_LARGE, "The request is too large.");
}

/* What a chat calls a field, as the body that came has it. */
static void name_field(struct err *err) {
    char chat[ERR_FIELD_MAX];
    (void)str_copy(chat, sizeof(chat), str_from(err->field));
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        const char *known = options[i].chat != NULL ? options[i].chat : options[i].name.data;
        if (strcmp(chat, known) == 0) {
            (void)snprintf(err->field, sizeof(err->field), "options.%s", options[i].name.data);
            return;
        }
    }
    static const struct str format = STR("response_format");
    if (str_starts_with(str_from(chat), format)) {
        (void)snprintf(err->field, sizeof(err->field), "format%.150s", chat + format.len);
    }
}

bool ollama_body_read(struct json_value body, bool generate, struct arena *arena, struct call_input *out,
                      struct err *err) {
    struct rewriting rewriting = {.generate = generate};
    struct json_value chat;
    if (json_type_of(body) != JSON_OBJECT) {
        return err_set(err, ERR_INVALID, "The request body must be a JSON object, not %s.",
                       json_type_name(json_type_of(body)));
    }
    buf_init(&rewriting.text, BODY_BYTES);
    bool read = rewrite(&rewriting, body, err);
    if (read) {
        struct json_parser *parser = json_parser_new(BODY_BYTES, LIMIT_JSON_DEPTH + 2);
        read = json_parse(parser, buf_str(&rewriting.text), &chat, err) &&
               (rewriting.raw ? FORMAT_COMPLETIONS.read(chat, arena, out, err) : chat_read(chat, arena, out, err));
        json_parser_free(parser);
        if (!read) {
            name_field(err);
        }
    }
    buf_clear(&rewriting.text);
    if (read && !out->request.max_tokens_given) {
        out->request.max_tokens = OLLAMA_DEFAULT_MAX_TOKENS;
    }
    return read;
}
