#include "grammar/schema_choices.h"

#include "grammar/schema_object.h"
#include "grammar/schema_types.h"

static bool write_choices(struct schema_writer *writer, const char *keyword, struct json_value choices, unsigned set,
                          struct buf *body) {
    struct json_iterator iterator;
    struct json_value item;
    size_t index = 0;
    if (json_type_of(choices) != JSON_ARRAY || json_count(choices) == 0) {
        return schema_invalid(writer, keyword, "must be an array of schemas.");
    }
    if (json_count(choices) > SCHEMA_CHOICES_MAX) {
        return schema_invalid(writer, keyword, "must hold at most %d schemas.", SCHEMA_CHOICES_MAX);
    }
    buf_append_cstr(body, " (");
    for (json_iterate(choices, &iterator); json_next(&iterator, NULL, &item); index++) {
        const size_t before = schema_enter(writer, ".%s[%zu]", keyword, index);
        buf_append_cstr(body, index > 0 ? " |" : "");
        if (!writer->write(writer, item, set, body)) {
            return false;
        }
        schema_leave(writer, before);
    }
    buf_append_cstr(body, ")");
    return true;
}

/* anyOf, or oneOf: whether exactly one of them fits can be said where each has values of other types than the rest. */
static bool choices_differ(struct schema_writer *writer, struct json_value choices) {
    struct json_iterator iterator;
    struct json_value item, target;
    unsigned seen = 0;
    if (json_type_of(choices) != JSON_ARRAY) {
        return true;
    }
    for (json_iterate(choices, &iterator); json_next(&iterator, NULL, &item);) {
        unsigned set = 0;
        if (json_get(item, "$ref", &target) && schema_resolve(writer, target, &target)) {
            item = target;
        }
        if (json_get(item, "const", &target)) {
            set = schema_type_of_value(target);
        } else if (!schema_types(writer, item, &set) || set == 0) {
            set = schema_types_guess(item) != 0 ? schema_types_guess(item) : ~0U;
        }
        set |= (set & (SCHEMA_INTEGER | SCHEMA_NUMBER)) != 0 ? SCHEMA_INTEGER | SCHEMA_NUMBER : 0;
        if ((seen & set) != 0) {
            return false;
        }
        seen |= set;
    }
    return true;
}

/* A property that every choice requires, and of which each has a constant of its own. */
static bool choices_named(struct schema_writer *writer, struct json_value choices, const char *name) {
    struct json_iterator iterator;
    struct json_value item, value;
    struct str constants[32], constant;
    size_t count = 0;
    for (json_iterate(choices, &iterator); json_next(&iterator, NULL, &item); count++) {
        if (json_get(item, "$ref", &value) && schema_resolve(writer, value, &value)) {
            item = value;
        }
        if (count == COUNT_OF(constants) || !json_get(item, "properties", &value) || !json_get(value, name, &value) ||
            !json_get(value, "const", &value) || !json_as_str(value, &constant)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (str_equal(constants[i], constant)) {
                return false;
            }
        }
        constants[count] = constant;
    }
    return true;
}

static bool one_of_is_clear(struct schema_writer *writer, struct json_value choices) {
    struct json_iterator iterator;
    struct json_value first, properties, value;
    struct str name;
    if (choices_differ(writer, choices)) {
        return true;
    }
    json_iterate(choices, &iterator);
    if (!json_next(&iterator, NULL, &first)) {
        return true;
    }
    if (json_get(first, "$ref", &value) && schema_resolve(writer, value, &value)) {
        first = value;
    }
    if (!json_get(first, "properties", &properties)) {
        return false;
    }
    for (json_iterate(properties, &iterator); json_next(&iterator, &name, &value);) {
        char key[64];
        if (str_copy(key, sizeof(key), name) && choices_named(writer, choices, key)) {
            return true;
        }
    }
    return false;
}

bool schema_write_one_of(struct schema_writer *writer, struct json_value choices, unsigned set, struct buf *body) {
    const struct err before = *writer->err;
    const bool clear = one_of_is_clear(writer, choices);
    *writer->err = before;
    return (clear || schema_leave_out(writer, "oneOf", "that only one of the schemas fits (anyOf can be)")) &&
           write_choices(writer, "oneOf", choices, set, body);
}

enum { PARTS_MAX = 32, PARTS_DEPTH = 16 };

static bool gather(struct schema_writer *writer, struct json_value schema, struct json_value *parts, size_t *count,
                   int depth);

static bool gather_all(struct schema_writer *writer, struct json_value all, struct json_value *parts, size_t *count,
                       int depth) {
    struct json_iterator iterator;
    struct json_value item;
    for (json_iterate(all, &iterator); json_next(&iterator, NULL, &item);) {
        if (!gather(writer, item, parts, count, depth)) {
            return false;
        }
    }
    return true;
}

/* Of what it says besides, nothing can be put together with others. */
static bool is_mixed(struct json_value schema) {
    return schema_has(schema, "enum") || schema_has(schema, "const") || schema_has(schema, "anyOf") ||
           schema_has(schema, "oneOf");
}

/* The objects that an allOf puts together, those of a reference and of an allOf within it, too. */
static bool gather(struct schema_writer *writer, struct json_value schema, struct json_value *parts, size_t *count,
                   int depth) {
    struct json_value value;
    unsigned set;
    if (json_type_of(schema) != JSON_OBJECT || depth > PARTS_DEPTH || *count == PARTS_MAX) {
        return false;
    }
    if (json_get(schema, "$ref", &value)) {
        return schema_resolve(writer, value, &value) && gather(writer, value, parts, count, depth + 1);
    }
    if (is_mixed(schema) || !schema_types(writer, schema, &set)) {
        return false;
    }
    set = set == 0 ? schema_types_guess(schema) : set;
    if (set == SCHEMA_OBJECT) {
        parts[(*count)++] = schema;
    }
    return (set == SCHEMA_OBJECT || set == 0) &&
           (!json_get(schema, "allOf", &value) || json_type_of(value) != JSON_ARRAY ||
            gather_all(writer, value, parts, count, depth + 1));
}

bool schema_write_all_of(struct schema_writer *writer, struct json_value schema, struct json_value all, unsigned set,
                         struct buf *body) {
    struct json_iterator iterator;
    struct json_value parts[PARTS_MAX], first;
    size_t count = 0;
    if (json_type_of(all) != JSON_ARRAY || json_count(all) == 0) {
        return schema_invalid(writer, "allOf", "must be an array of schemas.");
    }
    json_iterate(all, &iterator);
    (void)json_next(&iterator, NULL, &first);
    const bool alone = json_count(all) == 1 && schema_types_guess(schema) == 0;
    if (!alone && gather(writer, schema, parts, &count, 0) && count > 0) {
        return schema_write_object(writer, parts, count, body);
    }
    if (!alone && !schema_leave_out(writer, "allOf", "that all of these schemas fit")) {
        return false;
    }
    const size_t before = schema_enter(writer, ".allOf[0]");
    const bool good = writer->write(writer, first, set, body);
    schema_leave(writer, before);
    return good;
}

bool schema_write_any_of(struct schema_writer *writer, struct json_value choices, unsigned set, struct buf *body) {
    return write_choices(writer, "anyOf", choices, set, body);
}
