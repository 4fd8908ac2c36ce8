#include "grammar/schema_writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t schema_enter(struct schema_writer *writer, const char *format, ...) {
    const size_t before = writer->path_len;
    char step[ERR_FIELD_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(step, sizeof(step), format, arguments);
    va_end(arguments);
    if (before < sizeof(writer->path)) {
        (void)str_copy(writer->path + before, sizeof(writer->path) - before, str_from(step));
    }
    writer->path_len += length > 0 ? (size_t)length : 0;
    return before;
}

void schema_leave(struct schema_writer *writer, size_t before) {
    writer->path_len = before;
    if (before < sizeof(writer->path)) {
        writer->path[before] = '\0';
    }
}

bool schema_invalid(struct schema_writer *writer, const char *keyword, const char *format, ...) {
    char words[ERR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    const size_t before = keyword != NULL ? schema_enter(writer, ".%s", keyword) : writer->path_len;
    (void)err_set_field(writer->err, ERR_INVALID, writer->path, "%s %s", writer->path, words);
    schema_leave(writer, before);
    return false;
}

bool schema_wrong_type(struct schema_writer *writer, const char *keyword, const char *wanted, struct json_value value) {
    return schema_invalid(writer, keyword, "must be %s, not %s.", wanted, json_type_name(json_type_of(value)));
}

bool schema_leave_out(struct schema_writer *writer, const char *keyword, const char *what) {
    if (!writer->source->strict) {
        return true;
    }
    const size_t before = keyword != NULL ? schema_enter(writer, ".%s", keyword) : writer->path_len;
    (void)err_set_field(writer->err, ERR_UNSUPPORTED, writer->path,
                        "%s: %s cannot be guaranteed. Leave it out, or send \"strict\": false.", writer->path, what);
    schema_leave(writer, before);
    return false;
}

bool schema_has(struct json_value schema, const char *keyword) {
    struct json_value value;
    return json_get(schema, keyword, &value);
}

bool schema_count(struct schema_writer *writer, struct json_value schema, const char *keyword, bool *given,
                  uint32_t *out) {
    struct json_value value;
    int64_t number;
    *given = json_get(schema, keyword, &value);
    if (!*given) {
        return true;
    }
    if (!json_as_int64(value, &number) || number < 0) {
        return schema_invalid(writer, keyword, "must be a whole number of at least 0.");
    }
    *out = number < UINT32_MAX - 1 ? (uint32_t)number : UINT32_MAX - 1;
    return true;
}

/* --- References --- */

static int hex_value(char c) {
    const char lower = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* A step of a JSON pointer in a URI (RFC 6901, 6): "%25", "~0" and "~1" stand for '%', '~' and '/'. False: too long. */
static bool step_decode(struct str step, char *out, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < step.len; i++) {
        char c = step.data[i];
        if (c == '%' && i + 2 < step.len && hex_value(step.data[i + 1]) >= 0 && hex_value(step.data[i + 2]) >= 0) {
            c = (char)(hex_value(step.data[i + 1]) * 16 + hex_value(step.data[i + 2]));
            i += 2;
        }
        if (c == '~' && i + 1 < step.len && (step.data[i + 1] == '0' || step.data[i + 1] == '1')) {
            c = step.data[++i] == '0' ? '~' : '/';
        }
        if (length + 1 >= size || c == '\0') {
            return false;
        }
        out[length++] = c;
    }
    out[length] = '\0';
    return true;
}

static bool step_into(struct json_value *value, const char *step) {
    struct json_iterator iterator;
    struct json_value item;
    uint64_t wanted, index = 0;
    if (json_type_of(*value) == JSON_OBJECT) {
        return json_get(*value, step, value);
    }
    if (json_type_of(*value) != JSON_ARRAY || !str_parse_u64(str_from(step), UINT32_MAX, &wanted)) {
        return false;
    }
    for (json_iterate(*value, &iterator); json_next(&iterator, NULL, &item); index++) {
        if (index == wanted) {
            *value = item;
            return true;
        }
    }
    return false;
}

bool schema_resolve(struct schema_writer *writer, struct json_value ref, struct json_value *out) {
    enum { STEP_BYTES = 256 };
    struct str rest, step;
    char name[STEP_BYTES];
    if (!json_as_str(ref, &rest)) {
        return schema_wrong_type(writer, "$ref", "a string", ref);
    }
    *out = writer->source->schema;
    if (str_equal(rest, STR("#"))) {
        return true;
    }
    if (!str_starts_with(rest, STR("#/"))) {
        return schema_invalid(writer, "$ref", "must name a place within the schema, such as \"#/$defs/item\".");
    }
    for (rest = (struct str){.data = rest.data + 2, .len = rest.len - 2};;) {
        struct str tail = STR("");
        const bool more = str_split(rest, '/', &step, &tail);
        if (!step_decode(step, name, sizeof(name)) || !step_into(out, name)) {
            return schema_invalid(writer, "$ref", "names a place that the schema does not have.");
        }
        if (!more) {
            return true;
        }
        rest = tail;
    }
}
