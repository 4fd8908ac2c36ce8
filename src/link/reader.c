#include "link/reader.h"

#include "base/digest.h"

#include <stdio.h>

enum { DEMAND_MAX = 64 };

bool link_reader_fail(const struct link_reader *reader, const char *key, const char *demand) {
    char field[ERR_FIELD_MAX];
    snprintf(field, sizeof(field), "%s%s", reader->path, key);
    return err_set_field(reader->err, ERR_INVALID, field, "%s must be %s", field, demand);
}

bool link_reader_full(const struct link_reader *reader) {
    return err_set(reader->err, ERR_TOO_LARGE, "message too large");
}

bool link_reader_has(const struct link_reader *reader, const char *key, struct json_value *value) {
    return json_get(reader->object, key, value) && json_type_of(*value) != JSON_NULL;
}

bool link_reader_require(const struct link_reader *reader, const char *key) {
    struct json_value value;
    return link_reader_has(reader, key, &value) || link_reader_fail(reader, key, "present");
}

bool link_reader_to_count(struct json_value value, uint64_t max, uint64_t *out) {
    int64_t number = 0;
    if (!json_as_int64(value, &number) || number < 0 || (uint64_t)number > max) {
        return false;
    }
    *out = (uint64_t)number;
    return true;
}

bool link_reader_count(const struct link_reader *reader, const char *key, uint64_t max, uint64_t *out) {
    struct json_value value;
    if (!link_reader_has(reader, key, &value) || link_reader_to_count(value, max, out)) {
        return true;
    }
    char demand[DEMAND_MAX];
    snprintf(demand, sizeof(demand), "a whole number from 0 to %llu", (unsigned long long)max);
    return link_reader_fail(reader, key, demand);
}

bool link_reader_u32(const struct link_reader *reader, const char *key, uint32_t max, uint32_t *out) {
    uint64_t number = *out;
    if (!link_reader_count(reader, key, max, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

bool link_reader_text(const struct link_reader *reader, const char *key, size_t max, struct str *out) {
    struct json_value value;
    *out = STR("");
    if (!link_reader_has(reader, key, &value)) {
        return true;
    }
    struct str text;
    if (!json_as_str(value, &text) || text.len > max) {
        char demand[DEMAND_MAX];
        snprintf(demand, sizeof(demand), "a string of at most %zu bytes", max);
        return link_reader_fail(reader, key, demand);
    }
    *out = arena_copy(reader->arena, text);
    return out->data != NULL || link_reader_full(reader);
}

bool link_reader_bool(const struct link_reader *reader, const char *key, bool *out) {
    struct json_value value;
    return !link_reader_has(reader, key, &value) || json_as_bool(value, out) ||
           link_reader_fail(reader, key, "true or false");
}

bool link_reader_bytes(const struct link_reader *reader, const char *key, uint8_t *out, size_t size) {
    struct str text;
    size_t len = 0;
    if (link_reader_word(reader, key, &text) && digest_base64_decode(text, out, size, &len) && len == size) {
        return true;
    }
    char demand[DEMAND_MAX];
    snprintf(demand, sizeof(demand), "%zu bytes in base64", size);
    return link_reader_fail(reader, key, demand);
}

bool link_reader_word(const struct link_reader *reader, const char *key, struct str *out) {
    struct json_value value;
    return json_get(reader->object, key, &value) && json_as_str(value, out);
}

bool link_reader_object(const struct link_reader *reader, const char *key, struct link_reader *inner) {
    *inner = *reader;
    snprintf(inner->path, sizeof(inner->path), "%s.", key);
    return (json_get(reader->object, key, &inner->object) && json_type_of(inner->object) == JSON_OBJECT) ||
           link_reader_fail(reader, key, "an object");
}
