#include "format/anthropic_turns.h"

#include "base/buf.h"
#include "format/fields.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stdarg.h>
#include <stdio.h>

/* Where turns are read to, and what of the message that is being read has come so far. */
struct turns_reader {
    struct arena *arena;
    struct err *err;
    struct ignored *ignored;
    struct gen_message *messages;
    size_t count, room;
    size_t index; /* of the message in the request */
    enum gen_role role;
    struct buf text;
    struct gen_tool_call *calls; /* of the assistant's */
    size_t call_count;
    bool answered; /* a result was among the user's blocks */
};

struct place {
    char path[ERR_FIELD_MAX];
};

static struct place place_of(const char *format, ...) PRINTF_LIKE(1, 2);

static struct place place_of(const char *format, ...) {
    struct place place;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place.path, sizeof(place.path), format, arguments);
    va_end(arguments);
    return place;
}

static struct place member_of(const struct place *block, const char *member) {
    return place_of("%s.%s", block->path, member);
}

static bool too_large(struct err *err) {
    return err_set(err, ERR_TOO_LARGE, "The request is too large.");
}

/* --- Blocks --- */

/* A string that must be there. */
static bool member_read(struct err *err, struct json_value block, const struct place *place, const char *member,
                        size_t max_bytes, struct str *out) {
    const struct place field = member_of(place, member);
    struct json_value value;
    if (!json_get_given(block, member, &value)) {
        return field_invalid(err, field.path, "is required.");
    }
    return field_string(err, field.path, value, max_bytes, out);
}

static bool name_read(struct turns_reader *reader, struct json_value block, const struct place *place,
                      const char *member, struct str *out) {
    struct str text = STR("");
    if (!member_read(reader->err, block, place, member, LIMIT_NAME_BYTES, &text)) {
        return false;
    }
    return (text.len > 0 || field_invalid(reader->err, member_of(place, member).path, "must not be empty.")) &&
           fields_copy(reader->arena, text, out, reader->err);
}

/* Members beside those that a block is made of change nothing. */
static void block_look(struct turns_reader *reader, struct json_value block) {
    static const char *const known[] = {"type",        "text",    "id",       "name",          "input",
                                        "tool_use_id", "content", "is_error", "cache_control", "citations",
                                        "thinking",    "data",    "signature"};
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    for (json_iterate(block, &iterator); json_next(&iterator, &name, &value);) {
        bool is_known = refused_is_empty(value);
        for (size_t i = 0; i < COUNT_OF(known) && !is_known; i++) {
            is_known = str_equal_cstr(name, known[i]);
        }
        if (!is_known) {
            ignored_add(reader->ignored, "messages[].content[].", name);
        }
    }
}

/* Texts of one message stand on lines of their own. */
static bool text_append(struct buf *text, struct str more, struct err *err) {
    if (more.len > 0 && text->len > 0 && text->data[text->len - 1] != '\n') {
        buf_append_cstr(text, "\n");
    }
    buf_append_str(text, more);
    return !text->overflow || too_large(err);
}

/* What kinds of blocks there are elsewhere: their names are worth repeating; all else might be part of a prompt. */
static bool type_refuse(struct err *err, const struct place *place, struct str type, const char *wanted) {
    static const char *const known[] = {"image",
                                        "document",
                                        "search_result",
                                        "container_upload",
                                        "server_tool_use",
                                        "web_search_tool_result",
                                        "web_fetch_tool_result",
                                        "code_execution_tool_result",
                                        "bash_code_execution_tool_result",
                                        "text_editor_code_execution_tool_result",
                                        "mcp_tool_use",
                                        "mcp_tool_result",
                                        "tool_reference",
                                        "image_url"};
    const struct place field = member_of(place, "type");
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_equal_cstr(type, known[i])) {
            return err_set_field(err, ERR_UNSUPPORTED, field.path,
                                 "%s: blocks of type %s are not supported yet. Send text.", field.path, known[i]);
        }
    }
    return field_invalid(err, field.path, "must be %s.", wanted);
}

static bool type_read(struct err *err, struct json_value block, const struct place *place, struct str *type) {
    if (json_type_of(block) != JSON_OBJECT) {
        return field_wrong_type(err, place->path, "an object", block);
    }
    return member_read(err, block, place, "type", SIZE_MAX, type);
}

/* Clients of the owner's begin with a block for its books, another one in each request: no word for a model, and caches
 * would be of no use behind it. */
static bool is_billing(struct str text) {
    return str_starts_with(text, STR("x-anthropic-billing-header:"));
}

/* Blocks of which all are texts, into `text`. */
static bool texts_read(struct json_value list, const struct place *place, struct buf *text, struct err *err) {
    struct json_iterator iterator;
    struct json_value block;
    struct str type = STR(""), part = STR("");
    size_t index = 0;
    if (json_count(list) > LIMIT_CONTENT_PARTS) {
        return field_invalid(err, place->path, "must hold at most %d blocks.", LIMIT_CONTENT_PARTS);
    }
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &block); index++) {
        const struct place at = place_of("%.*s[%zu]", ERR_FIELD_MAX / 2, place->path, index);
        if (!type_read(err, block, &at, &type)) {
            return false;
        }
        if (!str_equal(type, STR("text"))) {
            return type_refuse(err, &at, type, "\"text\"");
        }
        if (!member_read(err, block, &at, "text", SIZE_MAX, &part) ||
            (!is_billing(part) && !text_append(text, part, err))) {
            return false;
        }
    }
    return true;
}

/* --- Turns --- */

static bool turn_add(struct turns_reader *reader, const struct gen_message *message) {
    if (reader->count >= reader->room) {
        return field_invalid(reader->err, "messages", "must hold at most %d messages and results of tools.",
                             LIMIT_MESSAGES - 2);
    }
    reader->messages[reader->count++] = *message;
    return true;
}

/* What has come of the message becomes a turn. */
static bool turn_flush(struct turns_reader *reader) {
    struct gen_message message = {.role = reader->role,
                                  .tool_call_id = STR(""),
                                  .tool_calls = reader->calls,
                                  .tool_call_count = reader->call_count};
    const bool good =
        fields_copy(reader->arena, buf_str(&reader->text), &message.content, reader->err) && turn_add(reader, &message);
    buf_reset(&reader->text);
    return good;
}

static bool call_read(struct turns_reader *reader, struct json_value block, const struct place *place) {
    struct gen_tool_call *call = &reader->calls[reader->call_count];
    struct json_value input;
    struct buf text;
    if (!name_read(reader, block, place, "id", &call->id) || !name_read(reader, block, place, "name", &call->name)) {
        return false;
    }
    if (!json_get_given(block, "input", &input)) {
        return field_invalid(reader->err, member_of(place, "input").path, "is required.");
    }
    if (json_type_of(input) != JSON_OBJECT) {
        return field_wrong_type(reader->err, member_of(place, "input").path, "an object", input);
    }
    buf_init(&text, LIMIT_HTTP_BODY_BYTES);
    json_serialize(input, &text);
    const bool good = text.overflow ? too_large(reader->err)
                                    : fields_copy(reader->arena, buf_str(&text), &call->arguments, reader->err);
    buf_clear(&text);
    reader->call_count++;
    return good;
}

/* A result is a turn of its own; the user's texts before it come before it. */
static bool result_read(struct turns_reader *reader, struct json_value block, const struct place *place) {
    struct gen_message message = {.role = GEN_ROLE_TOOL, .content = STR(""), .tool_call_id = STR("")};
    const struct place field = member_of(place, "content");
    struct json_value value;
    struct str text = STR("");
    bool failed = false;
    if ((reader->text.len > 0 && !turn_flush(reader)) ||
        !name_read(reader, block, place, "tool_use_id", &message.tool_call_id)) {
        return false;
    }
    if (json_get_given(block, "is_error", &value) && !json_as_bool(value, &failed)) {
        return field_wrong_type(reader->err, member_of(place, "is_error").path, "true or false", value);
    }
    buf_append_cstr(&reader->text, failed ? "Error: " : ""); /* models are told of it in words */
    if (!json_get_given(block, "content", &value) || json_as_str(value, &text)) {
        buf_append_str(&reader->text, text);
    } else if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(reader->err, field.path, "a string or an array of blocks", value);
    } else if (!texts_read(value, &field, &reader->text, reader->err)) {
        return false;
    }
    reader->answered = true;
    const bool good =
        fields_copy(reader->arena, buf_str(&reader->text), &message.content, reader->err) && turn_add(reader, &message);
    buf_reset(&reader->text);
    return good;
}

static bool block_read(struct turns_reader *reader, struct json_value block, const struct place *place) {
    const bool of_assistant = reader->role == GEN_ROLE_ASSISTANT;
    struct str type = STR(""), text = STR("");
    if (!type_read(reader->err, block, place, &type)) {
        return false;
    }
    block_look(reader, block);
    if (str_equal(type, STR("text"))) {
        return member_read(reader->err, block, place, "text", SIZE_MAX, &text) &&
               text_append(&reader->text, text, reader->err);
    }
    if (of_assistant && str_equal(type, STR("tool_use"))) {
        return call_read(reader, block, place);
    }
    if (of_assistant && (str_equal(type, STR("thinking")) || str_equal(type, STR("redacted_thinking")))) {
        return true; /* of an earlier answer: only its maker could read on in it */
    }
    if (reader->role == GEN_ROLE_USER && str_equal(type, STR("tool_result"))) {
        return result_read(reader, block, place);
    }
    return type_refuse(reader->err, place, type,
                       of_assistant ? "\"text\", \"tool_use\" or \"thinking\"" : "\"text\" or \"tool_result\"");
}

static bool blocks_read(struct turns_reader *reader, struct json_value list) {
    struct json_iterator iterator;
    struct json_value block;
    const size_t count = json_count(list);
    size_t index = 0;
    if (count > LIMIT_CONTENT_PARTS) {
        return field_invalid(reader->err, place_of("messages[%zu].content", reader->index).path,
                             "must hold at most %d blocks.", LIMIT_CONTENT_PARTS);
    }
    reader->calls = reader->role == GEN_ROLE_ASSISTANT && count > 0
                        ? ARENA_ARRAY(reader->arena, struct gen_tool_call, count)
                        : NULL;
    if (reader->role == GEN_ROLE_ASSISTANT && count > 0 && reader->calls == NULL) {
        return too_large(reader->err);
    }
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &block); index++) {
        const struct place place = place_of("messages[%zu].content[%zu]", reader->index, index);
        if (!block_read(reader, block, &place)) {
            return false;
        }
    }
    if (reader->call_count > LIMIT_TOOL_CALLS) {
        return field_invalid(reader->err, place_of("messages[%zu].content", reader->index).path,
                             "must hold at most %d blocks of type tool_use.", LIMIT_TOOL_CALLS);
    }
    return true;
}

static bool role_read(struct turns_reader *reader, struct json_value message) {
    const struct place place = place_of("messages[%zu]", reader->index);
    struct str role = STR("");
    if (json_type_of(message) != JSON_OBJECT) {
        return field_wrong_type(reader->err, place.path, "an object", message);
    }
    if (!member_read(reader->err, message, &place, "role", SIZE_MAX, &role)) {
        return false;
    }
    if (str_equal(role, STR("user"))) {
        reader->role = GEN_ROLE_USER;
    } else if (str_equal(role, STR("assistant"))) {
        reader->role = GEN_ROLE_ASSISTANT;
    } else if (str_equal(role, STR("system"))) {
        reader->role = GEN_ROLE_SYSTEM;
    } else {
        return field_invalid(reader->err, member_of(&place, "role").path, "must be user or assistant.");
    }
    return true;
}

static bool message_read(struct turns_reader *reader, struct json_value message) {
    const struct place place = place_of("messages[%zu].content", reader->index);
    struct json_value content;
    struct str text;
    buf_reset(&reader->text);
    reader->calls = NULL;
    reader->call_count = 0;
    reader->answered = false;
    if (!role_read(reader, message)) {
        return false;
    }
    if (!json_get_given(message, "content", &content)) {
        return field_invalid(reader->err, place.path, "is required.");
    }
    if (json_as_str(content, &text)) {
        return text_append(&reader->text, text, reader->err) && turn_flush(reader);
    }
    if (json_type_of(content) != JSON_ARRAY) {
        return field_wrong_type(reader->err, place.path, "a string or an array of blocks", content);
    }
    return blocks_read(reader, content) && ((reader->answered && reader->text.len == 0) || turn_flush(reader));
}

static bool system_read(struct turns_reader *reader, struct json_value system) {
    const struct place place = place_of("system");
    struct str text;
    reader->role = GEN_ROLE_SYSTEM;
    if (json_type_of(system) == JSON_NULL) {
        return true;
    }
    if (json_as_str(system, &text)) {
        buf_append_str(&reader->text, text);
    } else if (json_type_of(system) != JSON_ARRAY) {
        return field_wrong_type(reader->err, "system", "a string or an array of blocks", system);
    } else if (!texts_read(system, &place, &reader->text, reader->err)) {
        return false;
    }
    return reader->text.len == 0 || turn_flush(reader);
}

/* One for each message, and one for each block that may be a result. */
static size_t room_for(struct json_value messages) {
    struct json_iterator iterator;
    struct json_value message, content;
    size_t room = 1;
    for (json_iterate(messages, &iterator); json_next(&iterator, NULL, &message);) {
        room += 1;
        if (json_type_of(message) == JSON_OBJECT && json_get(message, "content", &content) &&
            json_type_of(content) == JSON_ARRAY) {
            room += 2 * json_count(content);
        }
    }
    return room < LIMIT_MESSAGES - 1 ? room : LIMIT_MESSAGES - 1; /* one more may tell of the tools */
}

static bool messages_read(struct turns_reader *reader, struct json_value messages) {
    struct json_iterator iterator;
    struct json_value message;
    for (json_iterate(messages, &iterator); json_next(&iterator, NULL, &message); reader->index++) {
        if (!message_read(reader, message)) {
            return false;
        }
    }
    /* As its owner words it for models that do not go on with a text of the client's. */
    return reader->role != GEN_ROLE_ASSISTANT ||
           err_set_field(reader->err, ERR_UNSUPPORTED, "messages",
                         "messages: This model does not support assistant message prefill. The conversation must end "
                         "with a user message.");
}

bool anthropic_turns_read(struct anthropic_content *content, struct arena *arena, struct gen_request *request,
                          struct err *err) {
    struct turns_reader reader = {.arena = arena, .err = err, .ignored = &content->ignored};
    if (json_type_of(content->messages) == JSON_NULL) {
        return field_invalid(err, "messages", "is required.");
    }
    if (json_type_of(content->messages) != JSON_ARRAY) {
        return field_wrong_type(err, "messages", "an array", content->messages);
    }
    const size_t count = json_count(content->messages);
    if (count == 0 || count > LIMIT_MESSAGES - 2) {
        return field_invalid(err, "messages", "must hold 1 to %d messages.", LIMIT_MESSAGES - 2);
    }
    reader.room = room_for(content->messages);
    reader.messages = ARENA_ARRAY(arena, struct gen_message, reader.room);
    if (reader.messages == NULL) {
        return too_large(err);
    }
    buf_init(&reader.text, 2 * LIMIT_HTTP_BODY_BYTES);
    const bool good = system_read(&reader, content->system) && messages_read(&reader, content->messages);
    buf_clear(&reader.text);
    request->messages = reader.messages;
    request->message_count = reader.count;
    return good;
}
