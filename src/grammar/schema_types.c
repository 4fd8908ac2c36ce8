#include "grammar/schema_types.h"

static const struct {
    struct str name;
    unsigned type;
} names[] = {
    {STR("null"), SCHEMA_NULL},     {STR("boolean"), SCHEMA_BOOLEAN}, {STR("integer"), SCHEMA_INTEGER},
    {STR("number"), SCHEMA_NUMBER}, {STR("string"), SCHEMA_STRING},   {STR("array"), SCHEMA_ARRAY},
    {STR("object"), SCHEMA_OBJECT},
};

static bool type_find(struct json_value value, unsigned *out) {
    struct str name;
    for (size_t i = 0; json_as_str(value, &name) && i < COUNT_OF(names); i++) {
        if (str_equal(names[i].name, name)) {
            *out |= names[i].type;
            return true;
        }
    }
    return false;
}

/* The set of "type", 0 when there is none. */
bool schema_types(struct schema_writer *writer, struct json_value schema, unsigned *out) {
    static const char one_of[] = "must be of null, boolean, integer, number, string, array, object.";
    struct json_iterator iterator;
    struct json_value value, item;
    bool nullable;
    *out = 0;
    if (!json_get(schema, "type", &value)) {
        return true;
    }
    if (json_type_of(value) == JSON_STRING && !type_find(value, out)) {
        return schema_invalid(writer, "type", "%s", one_of);
    }
    if (json_type_of(value) != JSON_STRING && json_type_of(value) != JSON_ARRAY) {
        return schema_wrong_type(writer, "type", "a string or an array of strings", value);
    }
    for (json_iterate(value, &iterator); json_type_of(value) == JSON_ARRAY && json_next(&iterator, NULL, &item);) {
        if (!type_find(item, out)) {
            return schema_invalid(writer, "type", "%s", one_of);
        }
    }
    if (*out == 0) {
        return schema_invalid(writer, "type", "names no type.");
    }
    if (json_get(schema, "nullable", &value) && json_as_bool(value, &nullable) && nullable) { /* OpenAPI 3.0 */
        *out |= SCHEMA_NULL;
    }
    return true;
}

unsigned schema_types_guess(struct json_value schema) {
    static const struct {
        const char *keyword;
        unsigned type;
    } guesses[] = {
        {"properties", SCHEMA_OBJECT},
        {"required", SCHEMA_OBJECT},
        {"additionalProperties", SCHEMA_OBJECT},
        {"minProperties", SCHEMA_OBJECT},
        {"maxProperties", SCHEMA_OBJECT},
        {"items", SCHEMA_ARRAY},
        {"prefixItems", SCHEMA_ARRAY},
        {"minItems", SCHEMA_ARRAY},
        {"maxItems", SCHEMA_ARRAY},
        {"pattern", SCHEMA_STRING},
        {"format", SCHEMA_STRING},
        {"minLength", SCHEMA_STRING},
        {"maxLength", SCHEMA_STRING},
        {"minimum", SCHEMA_NUMBER},
        {"maximum", SCHEMA_NUMBER},
        {"exclusiveMinimum", SCHEMA_NUMBER},
        {"exclusiveMaximum", SCHEMA_NUMBER},
        {"multipleOf", SCHEMA_NUMBER},
    };
    for (size_t i = 0; i < COUNT_OF(guesses); i++) {
        if (schema_has(schema, guesses[i].keyword)) {
            return guesses[i].type;
        }
    }
    return 0;
}

unsigned schema_type_of_value(struct json_value value) {
    int64_t number;
    switch (json_type_of(value)) {
    case JSON_NULL:
        return SCHEMA_NULL;
    case JSON_BOOL:
        return SCHEMA_BOOLEAN;
    case JSON_NUMBER:
        return json_as_int64(value, &number) ? SCHEMA_INTEGER | SCHEMA_NUMBER : SCHEMA_NUMBER;
    case JSON_STRING:
        return SCHEMA_STRING;
    case JSON_ARRAY:
        return SCHEMA_ARRAY;
    case JSON_OBJECT:
        return SCHEMA_OBJECT;
    }
    return 0;
}
