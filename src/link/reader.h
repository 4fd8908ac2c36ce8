/* Reads the members of a JSON message. A member that is not known is never looked at; one that is must have its type
 * and range. Null counts as absent, and an absent member leaves its default. */
#ifndef NATARIS_LINK_READER_H
#define NATARIS_LINK_READER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One object of a message, and where it lies in it. Failures fill `err` (ERR_INVALID) with the member's path. */
struct link_reader {
    struct json_value object;
    struct arena *arena; /* where strings are copied to */
    struct err *err;
    char path[32]; /* "device." or "models[3]." or empty */
};

/* False always: "<path><key> must be <demand>". */
bool link_reader_fail(const struct link_reader *reader, const char *key, const char *demand);
/* False always, ERR_TOO_LARGE: the arena's limit is reached. */
bool link_reader_full(const struct link_reader *reader);
bool link_reader_has(const struct link_reader *reader, const char *key, struct json_value *value);
MUST_CHECK bool link_reader_require(const struct link_reader *reader, const char *key);
/* A whole number from 0 to `max`. */
bool link_reader_to_count(struct json_value value, uint64_t max, uint64_t *out);
MUST_CHECK bool link_reader_count(const struct link_reader *reader, const char *key, uint64_t max, uint64_t *out);
MUST_CHECK bool link_reader_u32(const struct link_reader *reader, const char *key, uint32_t max, uint32_t *out);
/* At most `max` bytes, copied; absent: empty. */
MUST_CHECK bool link_reader_text(const struct link_reader *reader, const char *key, size_t max, struct str *out);
MUST_CHECK bool link_reader_bool(const struct link_reader *reader, const char *key, bool *out);
/* Exactly `size` bytes in base64; may not be absent. */
MUST_CHECK bool link_reader_bytes(const struct link_reader *reader, const char *key, uint8_t *out, size_t size);
/* A string that may not be absent, borrowed from the document; false without a word when there is none. */
bool link_reader_word(const struct link_reader *reader, const char *key, struct str *out);
/* The object inside; may not be absent. */
MUST_CHECK bool link_reader_object(const struct link_reader *reader, const char *key, struct link_reader *inner);

#endif
