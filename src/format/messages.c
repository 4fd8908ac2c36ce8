#include "format/messages.h"

#include "format/fields.h"
#include "format/refused.h"
#include "wire/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where messages are read to, and which one is being read. */
struct message_reader {
    struct arena *arena;
    struct err *err;
    struct ignored *ignored;
    size_t index;
};

struct message_field {
    char path[ERR_FIELD_MAX];
};

/* "messages[2].<member>". */
static struct message_field field_of(const struct message_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);

static struct message_field field_of(const struct message_reader *reader, const char *format, ...) {
    struct message_field field;
    int start = snprintf(field.path, sizeof(field.path), "messages[%zu].", reader->index);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(field.path + start, sizeof(field.path) - (size_t)start, format, arguments);
    va_end(arguments);
    return field;
}

static bool too_large(const struct message_reader *reader) {
    return err_set(reader->err, ERR_TOO_LARGE, "The request is too large.");
}

/* The roles as they are written; "function" is the older word for a tool. */
static bool role_read(const struct message_reader *reader, struct json_value message, enum gen_role *role) {
    static const struct {
        struct str name;
        enum gen_role role;
    } roles[] = {
        {STR("user"), GEN_ROLE_USER},        {STR("assistant"), GEN_ROLE_ASSISTANT}, {STR("system"), GEN_ROLE_SYSTEM},
        {STR("developer"), GEN_ROLE_SYSTEM}, {STR("tool"), GEN_ROLE_TOOL},           {STR("function"), GEN_ROLE_TOOL},
    };
    struct json_value value;
    struct str name;
    if (!json_get_given(message, "role", &value)) {
        return field_invalid(reader->err, field_of(reader, "role").path, "is required.");
    }
    if (!json_as_str(value, &name)) {
        return field_wrong_type(reader->err, field_of(reader, "role").path, "a string", value);
    }
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (str_equal(roles[i].name, name)) {
            *role = roles[i].role;
            return true;
        }
    }
    return field_invalid(reader->err, field_of(reader, "role").path,
                         "must be one of system, developer, user, assistant, tool, function.");
}

/* The name of a kind of content that exists elsewhere is worth repeating; anything else might be part of a prompt. */
static bool part_refuse(const struct message_reader *reader, size_t index, struct str type) {
    static const char *const known[] = {"image_url", "input_audio", "file",     "refusal",    "video_url",
                                        "image",     "thinking",    "tool_use", "tool_result"};
    struct message_field field = field_of(reader, "content[%zu].type", index);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_equal_cstr(type, known[i])) {
            return err_set_field(reader->err, ERR_UNSUPPORTED, field.path,
                                 "%s: content of type %s is not supported yet. Send text parts only.", field.path,
                                 known[i]);
        }
    }
    return field_invalid(reader->err, field.path, "must be \"text\".");
}

/* Members of a part beside its type and its text change nothing. */
static void part_look(const struct message_reader *reader, struct json_value part, const char *text_member) {
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    for (json_iterate(part, &iterator); json_next(&iterator, &name, &value);) {
        if (!str_equal(name, STR("type")) && !str_equal_cstr(name, text_member) && !refused_is_empty(value)) {
            ignored_add(reader->ignored, "messages[].content[].", name);
        }
    }
}

/* A part's text; an assistant may also have refused in it. */
static bool part_read(const struct message_reader *reader, enum gen_role role, size_t index, struct json_value part,
                      struct str *text) {
    struct json_value value;
    struct str type;
    const char *member = "text";
    if (json_type_of(part) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field_of(reader, "content[%zu]", index).path, "an object", part);
    }
    if (!json_get_given(part, "type", &value)) {
        return field_invalid(reader->err, field_of(reader, "content[%zu].type", index).path, "is required.");
    }
    if (!json_as_str(value, &type)) {
        return field_wrong_type(reader->err, field_of(reader, "content[%zu].type", index).path, "a string", value);
    }
    if (role == GEN_ROLE_ASSISTANT && str_equal(type, STR("refusal"))) {
        member = "refusal";
    } else if (!str_equal(type, STR("text"))) {
        return part_refuse(reader, index, type);
    }
    if (!json_get_given(part, member, &value)) {
        return field_invalid(reader->err, field_of(reader, "content[%zu].%s", index, member).path, "is required.");
    }
    part_look(reader, part, member);
    return json_as_str(value, text) ||
           field_wrong_type(reader->err, field_of(reader, "content[%zu].%s", index, member).path, "a string", value);
}

/* Joins the text parts; none are an empty text. */
static bool parts_read(const struct message_reader *reader, enum gen_role role, struct json_value parts,
                       struct str *out) {
    size_t total = 0, index = 0;
    if (json_count(parts) > LIMIT_CONTENT_PARTS) {
        return field_invalid(reader->err, field_of(reader, "content").path, "must hold at most %d parts.",
                             LIMIT_CONTENT_PARTS);
    }
    struct json_iterator iterator;
    struct json_value part;
    struct str text = {0};
    for (json_iterate(parts, &iterator); json_next(&iterator, NULL, &part); index++) {
        if (!part_read(reader, role, index, part, &text)) {
            return false;
        }
        total += text.len;
    }
    char *joined = arena_alloc(reader->arena, total + 1);
    if (joined == NULL) {
        return too_large(reader);
    }
    size_t at = 0;
    for (json_iterate(parts, &iterator); json_next(&iterator, NULL, &part);) {
        if (part_read(reader, role, 0, part, &text) && text.len > 0) {
            memcpy(joined + at, text.data, text.len);
            at += text.len;
        }
    }
    *out = (struct str){.data = joined, .len = total};
    return true;
}

static bool content_read(const struct message_reader *reader, struct json_value message, struct gen_message *out) {
    struct json_value value;
    struct str text, refusal = STR("");
    if (out->role == GEN_ROLE_ASSISTANT && json_get_given(message, "refusal", &value) &&
        !json_as_str(value, &refusal)) {
        return field_wrong_type(reader->err, field_of(reader, "refusal").path, "a string", value);
    }
    if (!json_get_given(message, "content", &value)) {
        if (refusal.len > 0) { /* what it said in place of an answer */
            return fields_copy(reader->arena, refusal, &out->content, reader->err);
        }
        out->content = STR("");
        return out->tool_call_count > 0 || field_invalid(reader->err, field_of(reader, "content").path, "is required.");
    }
    if (json_as_str(value, &text)) {
        return fields_copy(reader->arena, text, &out->content, reader->err);
    }
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(reader->err, field_of(reader, "content").path, "a string or an array of parts", value);
    }
    return parts_read(reader, out->role, value, &out->content);
}

/* A string that must be there, and must say something when max_bytes is a name's. */
static bool text_read(const struct message_reader *reader, struct json_value object, const char *key,
                      struct message_field field, size_t max_bytes, struct str *out) {
    struct json_value value;
    struct str text;
    if (!json_get_given(object, key, &value)) {
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

static bool tool_call_read(const struct message_reader *reader, size_t index, struct json_value call,
                           struct gen_tool_call *out) {
    struct json_value value, function;
    struct str type;
    if (json_type_of(call) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field_of(reader, "tool_calls[%zu]", index).path, "an object", call);
    }
    if (json_get_given(call, "type", &value) && (!json_as_str(value, &type) || !str_equal(type, STR("function")))) {
        return field_invalid(reader->err, field_of(reader, "tool_calls[%zu].type", index).path,
                             "must be \"function\".");
    }
    if (!json_get_given(call, "function", &function)) {
        return field_invalid(reader->err, field_of(reader, "tool_calls[%zu].function", index).path, "is required.");
    }
    if (json_type_of(function) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field_of(reader, "tool_calls[%zu].function", index).path, "an object",
                                function);
    }
    return text_read(reader, call, "id", field_of(reader, "tool_calls[%zu].id", index), LIMIT_NAME_BYTES, &out->id) &&
           text_read(reader, function, "name", field_of(reader, "tool_calls[%zu].function.name", index),
                     LIMIT_NAME_BYTES, &out->name) &&
           text_read(reader, function, "arguments", field_of(reader, "tool_calls[%zu].function.arguments", index),
                     SIZE_MAX, &out->arguments);
}

static bool tool_calls_read(const struct message_reader *reader, struct json_value message, struct gen_message *out) {
    struct json_value array, item;
    if (!json_get_given(message, "tool_calls", &array)) {
        return true;
    }
    if (json_type_of(array) != JSON_ARRAY) {
        return field_wrong_type(reader->err, field_of(reader, "tool_calls").path, "an array", array);
    }
    size_t count = json_count(array), index = 0;
    if (count > LIMIT_TOOL_CALLS) {
        return field_invalid(reader->err, field_of(reader, "tool_calls").path, "must hold at most %d calls.",
                             LIMIT_TOOL_CALLS);
    }
    struct gen_tool_call *calls = count > 0 ? ARENA_ARRAY(reader->arena, struct gen_tool_call, count) : NULL;
    if (calls == NULL) {
        return count == 0 || too_large(reader);
    }
    struct json_iterator iterator;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); index++) {
        if (!tool_call_read(reader, index, item, &calls[index])) {
            return false;
        }
    }
    out->tool_calls = calls;
    out->tool_call_count = count;
    return true;
}

/* The older form of a call: {"name", "arguments"}. Its result names the function, so that is its id. */
static bool function_call_read(const struct message_reader *reader, struct json_value message,
                               struct gen_message *out) {
    struct json_value call;
    if (!json_get_given(message, "function_call", &call)) {
        return true;
    }
    if (json_type_of(call) != JSON_OBJECT) {
        return field_wrong_type(reader->err, field_of(reader, "function_call").path, "an object", call);
    }
    if (out->tool_call_count > 0) {
        return true;
    }
    struct gen_tool_call *made = ARENA_NEW(reader->arena, struct gen_tool_call);
    if (made == NULL) {
        return too_large(reader);
    }
    out->tool_calls = made;
    out->tool_call_count = 1;
    if (!text_read(reader, call, "name", field_of(reader, "function_call.name"), LIMIT_NAME_BYTES, &made->name) ||
        !text_read(reader, call, "arguments", field_of(reader, "function_call.arguments"), SIZE_MAX,
                   &made->arguments)) {
        return false;
    }
    made->id = made->name;
    return true;
}

/* What names the call that a tool's message answers: its id, in the older form the name of the function. */
static bool tool_answered_read(const struct message_reader *reader, struct json_value message,
                               struct gen_message *out) {
    struct json_value value;
    struct str role;
    const char *member =
        json_get(message, "role", &value) && json_as_str(value, &role) && str_equal(role, STR("function"))
            ? "name"
            : "tool_call_id";
    return text_read(reader, message, member, field_of(reader, "%s", member), LIMIT_NAME_BYTES, &out->tool_call_id);
}

/* Whether a member is one that this message is made of. */
static bool member_is_read(struct str name, enum gen_role role) {
    static const struct {
        struct str name;
        bool of_assistant, of_tool; /* neither: of every message */
    } read[] = {
        {STR("role"), false, false},         {STR("content"), false, false},     {STR("tool_calls"), true, false},
        {STR("function_call"), true, false}, {STR("tool_call_id"), false, true}, {STR("refusal"), true, false},
    };
    for (size_t i = 0; i < COUNT_OF(read); i++) {
        if (str_equal(read[i].name, name)) {
            return (!read[i].of_assistant || role == GEN_ROLE_ASSISTANT) && (!read[i].of_tool || role == GEN_ROLE_TOOL);
        }
    }
    return str_equal(name, STR("name")) && role == GEN_ROLE_TOOL;
}

/* Members that would change the answer, as other servers take them: refused unless they ask for nothing. */
static bool member_is_refused(struct str name) {
    static const struct str refused[] = {STR("audio"), STR("images"), STR("prefix"), STR("partial"), STR("files")};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        if (str_equal(refused[i], name)) {
            return true;
        }
    }
    return false;
}

/* All other members change nothing, and the answer says which there were. */
static bool members_look(const struct message_reader *reader, struct json_value message, enum gen_role role) {
    struct json_iterator iterator;
    struct json_value value;
    struct str name;
    for (json_iterate(message, &iterator); json_next(&iterator, &name, &value);) {
        if (member_is_read(name, role) || refused_is_empty(value)) {
            continue;
        }
        if (member_is_refused(name)) {
            return field_unsupported(reader->err, field_of(reader, "%.*s", STR_ARG(name)).path);
        }
        ignored_add(reader->ignored, "messages[].", name);
    }
    return true;
}

static bool message_read(const struct message_reader *reader, struct json_value message, struct gen_message *out) {
    struct json_value name;
    struct str ignored;
    *out = (struct gen_message){.content = STR(""), .tool_call_id = STR("")};
    if (json_type_of(message) != JSON_OBJECT) {
        char field[ERR_FIELD_MAX];
        snprintf(field, sizeof(field), "messages[%zu]", reader->index);
        return field_wrong_type(reader->err, field, "an object", message);
    }
    if (!role_read(reader, message, &out->role)) {
        return false;
    }
    if (json_get_given(message, "name", &name) &&
        !field_string(reader->err, field_of(reader, "name").path, name, LIMIT_NAME_BYTES, &ignored)) {
        return false;
    }
    if (out->role == GEN_ROLE_ASSISTANT &&
        (!tool_calls_read(reader, message, out) || !function_call_read(reader, message, out))) {
        return false;
    }
    if (out->role == GEN_ROLE_TOOL && !tool_answered_read(reader, message, out)) {
        return false;
    }
    return content_read(reader, message, out) && members_look(reader, message, out->role);
}

bool messages_read(struct json_value array, struct arena *arena, struct gen_request *request, struct ignored *ignored,
                   struct err *err) {
    if (json_type_of(array) == JSON_NULL) {
        return field_invalid(err, "messages", "is required.");
    }
    if (json_type_of(array) != JSON_ARRAY) {
        return field_wrong_type(err, "messages", "an array", array);
    }
    size_t count = json_count(array);
    if (count == 0 || count > LIMIT_MESSAGES) {
        return field_invalid(err, "messages", "must hold 1 to %d messages.", LIMIT_MESSAGES);
    }
    struct message_reader reader = {.arena = arena, .err = err, .ignored = ignored};
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, count);
    if (messages == NULL) {
        return too_large(&reader);
    }
    struct json_iterator iterator;
    struct json_value item;
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item); reader.index++) {
        if (!message_read(&reader, item, &messages[reader.index])) {
            return false;
        }
    }
    request->messages = messages;
    request->message_count = count;
    return true;
}
