/* The one place that reads JSON: simdjson's DOM behind C. Strict JSON, UTF-8 validated. A value is valid until its
 * parser parses again or is freed. Not thread-safe: one parser per thread. */
#ifndef NATARIS_BASE_JSON_READ_H
#define NATARIS_BASE_JSON_READ_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* A handle into the parser's document; copied by value. */
struct json_value {
    const void *document;
    size_t index;
};

struct json_parser;
/* Texts over max_bytes or nested deeper than max_depth are refused (ERR_TOO_LARGE / ERR_INVALID). An empty array or
 * object does not count as a level. */
struct json_parser *json_parser_new(size_t max_bytes, size_t max_depth);
void json_parser_free(struct json_parser *parser);
/* Errors are plain words, "invalid JSON: ..." (never quoting the input). */
MUST_CHECK bool json_parse(struct json_parser *parser, struct str text, struct json_value *root, struct err *err);

enum json_type json_type_of(struct json_value value);
const char *json_type_name(enum json_type type); /* "a string", "an array", ...: for error messages */
/* The member of an object; false when absent or not an object. The first of duplicate keys counts. */
bool json_get(struct json_value object, const char *key, struct json_value *out);
/* The same; null counts as absent. */
bool json_get_given(struct json_value object, const char *key, struct json_value *out);
/* Each returns false when the value is of another type (or does not fit). Strings are borrowed from the document. */
bool json_as_str(struct json_value value, struct str *out);
bool json_as_int64(struct json_value value, int64_t *out); /* 3 and 3.0 both fit; 3.5 does not */
bool json_as_double(struct json_value value, double *out);
bool json_as_bool(struct json_value value, bool *out);
size_t json_count(struct json_value value); /* elements of an array or members of an object (exact) */

struct json_iterator {
    struct json_value container;
    size_t cursor;
};
/* for (json_iterate(v, &it); json_next(&it, &key, &item);)  `key` is empty for arrays and may be NULL. */
void json_iterate(struct json_value container, struct json_iterator *iterator);
bool json_next(struct json_iterator *iterator, struct str *key, struct json_value *item);
/* The compact JSON text of a value, appended to out. */
struct buf;
void json_serialize(struct json_value value, struct buf *out);

#ifdef __cplusplus
}
#endif
#endif
