#include "format/responses_items.h"

#include "format/fields.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- Reading --- */

struct items_reader {
    struct arena *arena;
    struct err *err;
    struct ignored *ignored;
    size_t index; /* of the item that is read */
};

struct item_field {
    char path[ERR_FIELD_MAX];
};

/* "input[2]<member>". */
static struct item_field field_of(const struct items_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);

static struct item_field field_of(const struct items_reader *reader, const char *format, ...) {
    struct item_field field;
    const int start = snprintf(field.path, sizeof(field.path), "input[%zu]", reader->index);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(field.path + start, sizeof(field.path) - (size_t)start, format, arguments);
    va_end(arguments);
    return field;
}

static bool too_large(const struct items_reader *reader) {
    return err_set(reader->err, ERR_TOO_LARGE, "The request is too large.");
}

/* What an item or a part says it is. */
static bool type_read(const struct items_reader *reader, struct json_value object, struct item_field field,
                      struct str *type) {
    struct json_value value;
    if (!json_get_given(object, "type", &value)) {
        return field_invalid(reader->err, field.path, "is required.");
    }
    return json_as_str(value, type) || field_wrong_type(reader->err, field.path, "a string", value);
}

/* The name of a kind that exists elsewhere is worth repeating; anything else might be part of a prompt. */
static bool type_refuse(const struct items_reader *reader, struct item_field field, struct str type,
                        const char *wanted) {
    static const char *const known[] = {
        "input_image",
        "input_file",
        "input_audio",
        "output_audio",
        "file_search_call",
        "web_search_call",
        "computer_call",
        "local_shell_call",
        "computer_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "mcp_call",
        "mcp_list_tools",
        "shell_call",
        "image_generation_call",
        "compaction",
        "code_interpreter_call",
        "apply_patch_call",
        "local_shell_call_output",
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_equal_cstr(type, known[i])) {
            return err_set_field(reader->err, ERR_UNSUPPORTED, field.path,
                                 "%s: %s is not supported yet. Send %s instead.", field.path, known[i], wanted);
        }
    }
    return field_invalid(reader->err, field.path, "must be one of %s.", wanted);
}

static bool part_read(const struct items_reader *reader, size_t index, const char *list, struct json_value part,
                      struct str *text) {
    const char *member = "text";
    struct json_value value;
    struct str type = STR("");
    if (json_type_of(part) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field_of(reader, ".%s[%zu]", list, index).path, "an object", part);
    }
    const struct item_field field = field_of(reader, ".%s[%zu].type", list, index);
    if (!type_read(reader, part, field, &type)) {
        return false;
    }
    if (str_equal(type, STR("refusal"))) {
        member = "refusal";
    } else if (!str_equal(type, STR("input_text")) && !str_equal(type, STR("output_text")) &&
               !str_equal(type, STR("text"))) {
        return type_refuse(reader, field, type, "input_text, output_text, refusal");
    }
    const struct item_field said = field_of(reader, ".%s[%zu].%s", list, index, member);
    if (!json_get_given(part, member, &value)) {
        return field_invalid(reader->err, said.path, "is required.");
    }
    return json_as_str(value, text) || field_wrong_type(reader->err, said.path, "a string", value);
}

/* The texts of parts, one behind another. */
static bool parts_read(const struct items_reader *reader, const char *list, struct json_value parts, struct str *out) {
    struct json_iterator iterator;
    struct json_value part;
    struct str text = {0};
    size_t total = 0, index = 0, at = 0;
    if (json_count(parts) > LIMIT_CONTENT_PARTS) {
        return field_invalid(reader->err, field_of(reader, ".%s", list).path, "must hold at most %d parts.",
                             LIMIT_CONTENT_PARTS);
    }
    for (json_iterate(parts, &iterator); json_next(&iterator, NULL, &part); index++) {
        if (!part_read(reader, index, list, part, &text)) {
            return false;
        }
        total += text.len;
    }
    char *joined = arena_alloc(reader->arena, total + 1);
    if (joined == NULL) {
        return too_large(reader);
    }
    for (json_iterate(parts, &iterator); json_next(&iterator, NULL, &part);) {
        if (part_read(reader, 0, list, part, &text) && text.len > 0) {
            memcpy(joined + at, text.data, text.len);
            at += text.len;
        }
    }
    *out = (struct str){joined, total};
    return true;
}

/* A text, or parts that are texts. */
static bool texts_read(const struct items_reader *reader, struct json_value item, const char *member, struct str *out) {
    struct json_value value;
    struct str text;
    if (!json_get_given(item, member, &value)) {
        return field_invalid(reader->err, field_of(reader, ".%s", member).path, "is required.");
    }
    if (json_as_str(value, &text)) {
        return fields_copy(reader->arena, text, out, reader->err);
    }
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(reader->err, field_of(reader, ".%s", member).path, "a string or an array of parts",
                                value);
    }
    return parts_read(reader, member, value, out);
}

/* A string that must be there; a name must say something. */
static bool text_read(const struct items_reader *reader, struct json_value item, const char *member, size_t max_bytes,
                      struct str *out) {
    const struct item_field field = field_of(reader, ".%s", member);
    struct json_value value;
    struct str text;
    if (!json_get_given(item, member, &value)) {
        return field_invalid(reader->err, field.path, "is required.");
    }
    if (!field_string(reader->err, field.path, value, max_bytes, &text)) {
        return false;
    }
    if (text.len == 0 && max_bytes == LIMIT_NAME_BYTES) {
        return field_invalid(reader->err, field.path, "must not be empty.");
    }
    return fields_copy(reader->arena, text, out, reader->err);
}

static bool message_read(const struct items_reader *reader, struct json_value item, struct gen_message *out) {
    static const struct {
        struct str name;
        enum gen_role role;
    } roles[] = {{STR("user"), GEN_ROLE_USER},
                 {STR("assistant"), GEN_ROLE_ASSISTANT},
                 {STR("system"), GEN_ROLE_SYSTEM},
                 {STR("developer"), GEN_ROLE_SYSTEM}};
    const struct item_field field = field_of(reader, ".role");
    struct json_value value;
    struct str name;
    if (!json_get_given(item, "role", &value)) {
        return field_invalid(reader->err, field.path, "is required.");
    }
    if (!json_as_str(value, &name)) {
        return field_wrong_type(reader->err, field.path, "a string", value);
    }
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (str_equal(roles[i].name, name)) {
            out->role = roles[i].role;
            return texts_read(reader, item, "content", &out->content);
        }
    }
    return field_invalid(reader->err, field.path, "must be one of system, developer, user, assistant.");
}

static bool call_read(const struct items_reader *reader, struct json_value item, struct gen_message *out) {
    struct gen_tool_call *call = ARENA_NEW(reader->arena, struct gen_tool_call);
    if (call == NULL) {
        return too_large(reader);
    }
    out->role = GEN_ROLE_ASSISTANT;
    out->tool_calls = call;
    out->tool_call_count = 1;
    return text_read(reader, item, "call_id", LIMIT_NAME_BYTES, &call->id) &&
           text_read(reader, item, "name", LIMIT_NAME_BYTES, &call->name) &&
           text_read(reader, item, "arguments", SIZE_MAX, &call->arguments);
}

static bool output_read(const struct items_reader *reader, struct json_value item, struct gen_message *out) {
    out->role = GEN_ROLE_TOOL;
    return text_read(reader, item, "call_id", LIMIT_NAME_BYTES, &out->tool_call_id) &&
           texts_read(reader, item, "output", &out->content);
}

/* Members that none of the items has, and that ask for something. */
static void members_look(const struct items_reader *reader, struct json_value item) {
    static const struct str read[] = {STR("type"), STR("role"),      STR("content"), STR("id"),    STR("status"),
                                      STR("name"), STR("arguments"), STR("call_id"), STR("output")};
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    for (json_iterate(item, &iterator); json_next(&iterator, &name, &value);) {
        bool known = refused_is_empty(value);
        for (size_t i = 0; i < COUNT_OF(read) && !known; i++) {
            known = str_equal(read[i], name);
        }
        if (!known) {
            ignored_add(reader->ignored, "input[].", name);
        }
    }
}

static bool id_read(const struct items_reader *reader, struct json_value item, struct str *out) {
    struct json_value value;
    struct str id;
    *out = STR("");
    return !json_get_given(item, "id", &value) ||
           (field_string(reader->err, field_of(reader, ".id").path, value, LIMIT_NAME_BYTES, &id) &&
            fields_copy(reader->arena, id, out, reader->err));
}

/* *made becomes false of one that is left out. */
static bool item_read(const struct items_reader *reader, struct json_value item, struct history_item *out, bool *made) {
    struct json_value value;
    struct str type = STR("message"); /* the short form of one says nothing of it */
    struct gen_message *message = &out->message;
    *message = (struct gen_message){.content = STR(""), .tool_call_id = STR("")};
    *made = true;
    if (json_type_of(item) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field_of(reader, "%s", "").path, "an object", item);
    }
    const struct item_field field = field_of(reader, ".type");
    /* The short form of a reference is an id alone. */
    if (!json_get_given(item, "type", &value) && !json_get_given(item, "role", &value) &&
        json_get_given(item, "id", &value)) {
        type = STR("item_reference");
    } else if ((json_get_given(item, "type", &value) || !json_get_given(item, "role", &value)) &&
               !type_read(reader, item, field, &type)) {
        return false;
    }
    if (str_equal(type, STR("reasoning"))) {
        *made = false; /* what a model thought is not said to it again */
        return true;
    }
    members_look(reader, item);
    if (!id_read(reader, item, &out->id)) {
        return false;
    }
    if (str_equal(type, STR("message"))) {
        return message_read(reader, item, message);
    }
    if (str_equal(type, STR("function_call"))) {
        return call_read(reader, item, message);
    }
    if (str_equal(type, STR("function_call_output"))) {
        return output_read(reader, item, message);
    }
    if (str_equal(type, STR("item_reference"))) {
        out->reference = true;
        return out->id.len > 0 || field_invalid(reader->err, field_of(reader, ".id").path, "is required.");
    }
    return type_refuse(reader, field, type, "message, function_call, function_call_output, item_reference");
}

static bool array_read(struct items_reader *reader, struct json_value array, const struct history_item **items,
                       size_t *count) {
    const size_t given = json_count(array);
    struct json_iterator iterator;
    struct json_value item;
    if (given == 0 || given > LIMIT_MESSAGES) {
        return field_invalid(reader->err, "input", "must hold 1 to %d items.", LIMIT_MESSAGES);
    }
    struct history_item *made = ARENA_ARRAY(reader->arena, struct history_item, given);
    if (made == NULL) {
        return too_large(reader);
    }
    *items = made;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); reader->index++) {
        bool is_made;
        if (!item_read(reader, item, &made[*count], &is_made)) {
            return false;
        }
        *count += is_made;
    }
    return *count > 0 || field_invalid(reader->err, "input", "holds nothing but reasoning.");
}

bool responses_items_read(struct json_value input, struct arena *arena, struct ignored *ignored,
                          const struct history_item **items, size_t *count, struct err *err) {
    struct items_reader reader = {.arena = arena, .err = err, .ignored = ignored};
    struct str text;
    *count = 0;
    if (json_type_of(input) == JSON_NULL) {
        return field_invalid(err, "input", "is required.");
    }
    if (json_type_of(input) == JSON_ARRAY) {
        return array_read(&reader, input, items, count);
    }
    if (!json_as_str(input, &text)) {
        return field_wrong_type(err, "input", "a string or an array of items", input);
    }
    if (text.len == 0) {
        return field_invalid(err, "input", "must not be empty.");
    }
    struct history_item *item = ARENA_NEW(arena, struct history_item);
    if (item == NULL) {
        return too_large(&reader);
    }
    item->id = STR("");
    item->message = (struct gen_message){.role = GEN_ROLE_USER, .content = STR(""), .tool_call_id = STR("")};
    *items = item;
    *count = 1;
    return fields_copy(arena, text, &item->message.content, err);
}

/* --- Writing --- */

static void write_content(struct json_writer *writer, const struct gen_message *message) {
    const bool said = message->role == GEN_ROLE_ASSISTANT;
    json_member_cstr(writer, "role", gen_role_name(message->role));
    json_member_cstr(writer, "status", "completed");
    json_write_key(writer, "content");
    json_begin_array(writer);
    json_begin_object(writer);
    json_member_cstr(writer, "type", said ? "output_text" : "input_text");
    json_member_str(writer, "text", message->content);
    if (said) {
        json_write_key(writer, "annotations");
        json_begin_array(writer);
        json_end_array(writer);
    }
    json_end_object(writer);
    json_end_array(writer);
}

void responses_write_input(struct json_writer *writer, const struct history_item *item, const char *id) {
    const struct gen_message *message = &item->message;
    json_begin_object(writer);
    json_member_str(writer, "id", item->id.len > 0 ? item->id : str_from(id));
    if (message->role == GEN_ROLE_TOOL) {
        json_member_cstr(writer, "type", "function_call_output");
        json_member_str(writer, "call_id", message->tool_call_id);
        json_member_str(writer, "output", message->content);
        json_member_cstr(writer, "status", "completed");
    } else if (message->tool_call_count > 0) {
        json_member_cstr(writer, "type", "function_call");
        json_member_str(writer, "call_id", message->tool_calls[0].id);
        json_member_str(writer, "name", message->tool_calls[0].name);
        json_member_str(writer, "arguments", message->tool_calls[0].arguments);
        json_member_cstr(writer, "status", "completed");
    } else {
        json_member_cstr(writer, "type", "message");
        write_content(writer, message);
    }
    json_end_object(writer);
}

void responses_item_id(const char *answer_id, bool call, size_t place, char out[ID_SIZE]) {
    char renamed[ID_SIZE];
    id_rename(call ? "fc_" : "msg_", answer_id, renamed);
    snprintf(out, ID_SIZE, "%.*s%03zu", ID_SIZE - 4, renamed, place % 1000);
}

void responses_write_part(struct json_writer *writer, struct str text) {
    json_begin_object(writer);
    json_member_cstr(writer, "type", "output_text");
    json_write_key(writer, "annotations");
    json_begin_array(writer);
    json_end_array(writer);
    json_write_key(writer, "logprobs");
    json_begin_array(writer);
    json_end_array(writer);
    json_member_str(writer, "text", text);
    json_end_object(writer);
}

void responses_write_message(struct json_writer *writer, const char *id, const char *status, struct str text) {
    json_begin_object(writer);
    json_member_cstr(writer, "id", id);
    json_member_cstr(writer, "type", "message");
    json_member_cstr(writer, "status", status);
    json_member_cstr(writer, "role", "assistant");
    json_write_key(writer, "content");
    json_begin_array(writer);
    if (strcmp(status, "in_progress") != 0) {
        responses_write_part(writer, text);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void responses_write_call(struct json_writer *writer, const char *id, const char *status,
                          const struct gen_tool_call *call) {
    json_begin_object(writer);
    json_member_cstr(writer, "id", id);
    json_member_cstr(writer, "type", "function_call");
    json_member_cstr(writer, "status", status);
    json_member_str(writer, "call_id", call->id);
    json_member_str(writer, "name", call->name);
    json_member_str(writer, "arguments", call->arguments);
    json_end_object(writer);
}
