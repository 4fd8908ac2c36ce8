#include "workflow/arguments.h"

#include "base/json_write.h"
#include "text/words.h"
#include "workflow/brackets.h"
#include "workflow/call_text.h"

#include <string.h>

enum { MEMBERS_MAX = 64, DEPTH_MAX = 8, NUMBER_BYTES_MAX = 40 };

/* --- Values --- */

/* RFC 8259 6. */
static bool is_number(struct str text) {
    size_t at = text.len > 0 && text.data[0] == '-', digits = 0;
    const size_t first = at;
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
        at++;
        digits++;
    }
    if (digits == 0 || text.len > NUMBER_BYTES_MAX || (digits > 1 && text.data[first] == '0')) {
        return false;
    }
    if (at < text.len && text.data[at] == '.') {
        const size_t point = at++;
        while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
            at++;
        }
        return at == text.len && at > point + 1;
    }
    return at == text.len;
}

static const char *constant_of(struct str text) {
    static const struct {
        struct str said;
        const char *json;
    } constants[] = {{STR("true"), "true"}, {STR("false"), "false"}, {STR("null"), "null"}, {STR("none"), "null"}};
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        if (str_equal_nocase(text, constants[i].said)) {
            return constants[i].json;
        }
    }
    return NULL;
}

/* A string without the escapes that JSON and Python share. */
static void string_write(struct json_writer *writer, struct str text) {
    struct buf plain;
    buf_init(&plain, text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        const bool escape = text.data[i] == '\\' && i + 1 < text.len && strchr("\\\"'/nt", text.data[i + 1]) != NULL;
        i += escape;
        const char c = !escape ? text.data[i] : text.data[i] == 'n' ? '\n' : text.data[i] == 't' ? '\t' : text.data[i];
        buf_append(&plain, &c, 1);
    }
    json_write_str(writer, buf_str(&plain));
    buf_clear(&plain);
}

static bool object_write(struct json_writer *writer, struct str inside, int depth);

static void value_write(struct json_writer *writer, struct str value, bool quoted, int depth) {
    size_t length;
    struct str inside = STR(""), item;
    const enum bracket bracket = quoted ? BRACKET_NONE : bracket_open(value, &length);
    const bool whole = bracket != BRACKET_NONE && bracket_end(value, &inside) == value.len && depth < DEPTH_MAX;
    if (!quoted && is_number(value)) {
        json_write_raw(writer, value);
    } else if (!quoted && constant_of(value) != NULL) {
        json_write_raw(writer, str_from(constant_of(value)));
    } else if (whole && bracket == BRACKET_BRACE) {
        (void)object_write(writer, inside, depth + 1);
    } else if (whole && bracket == BRACKET_SQUARE) {
        json_begin_array(writer);
        for (size_t at = 0; call_value_next(inside, &at, &item, &quoted);) {
            value_write(writer, item, quoted, depth + 1);
        }
        json_end_array(writer);
    } else {
        string_write(writer, value);
    }
}

/* False: not all of it was members; those before it are written. */
static bool object_write(struct json_writer *writer, struct str inside, int depth) {
    struct call_member member;
    size_t at = 0;
    json_begin_object(writer);
    while (call_member_next(inside, &at, &member)) {
        json_write_key_str(writer, member.key);
        value_write(writer, member.value, member.quoted, depth);
    }
    json_end_object(writer);
    return words_trim(words_rest(inside, at)).len == 0;
}

/* --- Parameters by name and by place --- */

static bool is_parameter(const struct orchestration_tool *tool, struct str name) {
    struct str one, rest = tool->parameters;
    while (rest.len > 0) {
        (void)str_split(rest, ',', &one, &rest);
        if (str_equal(words_trim(one), name)) {
            return true;
        }
    }
    return false;
}

static size_t parameter_count(const struct orchestration_tool *tool) {
    size_t count = tool->parameters.len > 0;
    for (size_t i = 0; i < tool->parameters.len; i++) {
        count += tool->parameters.data[i] == ',';
    }
    return count;
}

/* Every member is a parameter, and there is nothing else. */
static bool are_named(const struct orchestration_tool *tool, struct str text) {
    struct call_member member;
    size_t at = 0, count = 0;
    while (call_member_next(text, &at, &member)) {
        if (!is_parameter(tool, member.key)) {
            return false;
        }
        count++;
    }
    return count > 0 && words_trim(words_rest(text, at)).len == 0;
}

static bool placed_write(struct json_writer *writer, const struct orchestration_tool *tool, struct str text) {
    struct str values[MEMBERS_MAX], name, rest = tool->parameters;
    bool quoted[MEMBERS_MAX];
    const size_t wanted = parameter_count(tool);
    size_t count = 0, at = 0;
    while (count < MEMBERS_MAX && call_value_next(text, &at, &values[count], &quoted[count])) {
        count++;
    }
    if (wanted < 2 || count != wanted) {
        return false;
    }
    json_begin_object(writer);
    for (size_t i = 0; i < count; i++) {
        (void)str_split(rest, ',', &name, &rest);
        json_write_key_str(writer, words_trim(name));
        value_write(writer, values[i], quoted[i], 0);
    }
    json_end_object(writer);
    return true;
}

static void named_write(struct json_writer *writer, struct str text, const struct orchestration_tool *tool) {
    json_begin_object(writer);
    if (text.len > 0) {
        json_write_key_str(writer, tool != NULL && tool->only.len > 0 ? tool->only : STR("input"));
        json_write_str(writer, text);
    }
    json_end_object(writer);
}

void arguments_write(struct json_parser *parser, const struct orchestration_tool *tool, struct str text,
                     struct buf *out) {
    struct json_value root;
    struct json_writer writer;
    struct str inside;
    size_t length;
    text = words_trim(text);
    if (json_parse(parser, text, &root, NULL) && json_type_of(root) == JSON_OBJECT) {
        json_serialize(root, out);
        return;
    }
    const size_t start = out->len;
    json_writer_init(&writer, out);
    if (bracket_open(text, &length) == BRACKET_BRACE && bracket_end(text, &inside) == text.len) {
        if (object_write(&writer, inside, 0)) {
            return;
        }
        out->len = start;
        json_writer_init(&writer, out);
    }
    if (tool != NULL && are_named(tool, text)) {
        (void)object_write(&writer, text, 0);
    } else if (tool == NULL || !placed_write(&writer, tool, text)) {
        named_write(&writer, quotes_trim(text), tool);
    }
}
