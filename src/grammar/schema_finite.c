#include "grammar/schema_finite.h"

#include "grammar/schema_types.h"

enum { FINITE_DEPTH = 64, FINITE_STEPS = 20000 };

/* References that are being looked at: one of them again has no end by this way. */
struct finite_search {
    struct schema_writer *writer;
    struct json_value open[FINITE_DEPTH];
    size_t depth;
    uint32_t steps;
};

static bool ends(struct finite_search *search, struct json_value schema);

static bool any_ends(struct finite_search *search, struct json_value choices) {
    struct json_iterator iterator;
    struct json_value item;
    for (json_iterate(choices, &iterator); json_next(&iterator, NULL, &item);) {
        if (ends(search, item)) {
            return true;
        }
    }
    return false;
}

static bool all_end(struct finite_search *search, struct json_value schemas) {
    struct json_iterator iterator;
    struct json_value item;
    for (json_iterate(schemas, &iterator); json_next(&iterator, NULL, &item);) {
        if (!ends(search, item)) {
            return false;
        }
    }
    return true;
}

static bool ref_ends(struct finite_search *search, struct json_value ref) {
    struct json_value target;
    if (!schema_resolve(search->writer, ref, &target)) {
        return true; /* complained of elsewhere */
    }
    for (size_t i = 0; i < search->depth; i++) {
        if (search->open[i].document == target.document && search->open[i].index == target.index) {
            return false;
        }
    }
    if (search->depth == FINITE_DEPTH) {
        return true;
    }
    search->open[search->depth++] = target;
    const bool good = ends(search, target);
    search->depth--;
    return good;
}

static bool object_ends(struct finite_search *search, struct json_value schema) {
    struct json_iterator iterator;
    struct json_value required, properties, item;
    struct str name, wanted;
    if (!json_get(schema, "required", &required) || !json_get(schema, "properties", &properties)) {
        return true;
    }
    for (json_iterate(properties, &iterator); json_next(&iterator, &name, &item);) {
        struct json_iterator names;
        struct json_value value;
        for (json_iterate(required, &names); json_next(&names, NULL, &value);) {
            if (json_as_str(value, &wanted) && str_equal(wanted, name) && !ends(search, item)) {
                return false;
            }
        }
    }
    return true;
}

static bool array_ends(struct finite_search *search, struct json_value schema) {
    struct json_value value;
    int64_t least = 0;
    if (json_get(schema, "prefixItems", &value) && !all_end(search, value)) {
        return false;
    }
    const bool needs = json_get(schema, "minItems", &value) && json_as_int64(value, &least) && least > 0;
    return !needs || !json_get(schema, "items", &value) || ends(search, value);
}

/* By its type alone. */
static bool type_ends(struct finite_search *search, struct json_value schema) {
    unsigned set = 0;
    if (!schema_types(search->writer, schema, &set) || set == 0) {
        set = schema_types_guess(schema);
    }
    if ((set & ~(unsigned)(SCHEMA_ARRAY | SCHEMA_OBJECT)) != 0 || set == 0) {
        return true;
    }
    return ((set & SCHEMA_OBJECT) != 0 && object_ends(search, schema)) ||
           ((set & SCHEMA_ARRAY) != 0 && array_ends(search, schema));
}

static bool ends(struct finite_search *search, struct json_value schema) {
    struct json_value value;
    if (json_type_of(schema) != JSON_OBJECT || schema_has(schema, "const") || schema_has(schema, "enum") ||
        ++search->steps > FINITE_STEPS) {
        return true;
    }
    if (json_get(schema, "$ref", &value)) {
        return ref_ends(search, value);
    }
    if (json_get(schema, "allOf", &value) && !all_end(search, value)) {
        return false;
    }
    if (json_get(schema, "anyOf", &value) || json_get(schema, "oneOf", &value)) {
        return any_ends(search, value);
    }
    return type_ends(search, schema);
}

bool schema_is_finite(struct schema_writer *writer, struct json_value schema) {
    struct finite_search search = {.writer = writer, .open = {schema}, .depth = 1};
    return ends(&search, schema);
}
