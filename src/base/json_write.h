/* The one place that writes JSON: append-only, so nesting cannot go wrong by a forgotten comma. Errors stick in the
 * buffer's overflow flag; check it once at the end. */
#ifndef NATARIS_BASE_JSON_WRITE_H
#define NATARIS_BASE_JSON_WRITE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_writer {
    struct buf *out;
    bool need_comma;
};

void json_writer_init(struct json_writer *writer, struct buf *out);
void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_write_key(struct json_writer *writer, const char *key);    /* key is a trusted constant */
void json_write_key_str(struct json_writer *writer, struct str key); /* any text: escaped */
void json_write_str(struct json_writer *writer, struct str value);   /* invalid UTF-8 becomes U+FFFD */
void json_write_cstr(struct json_writer *writer, const char *value); /* NULL writes null */
void json_write_int(struct json_writer *writer, int64_t value);
void json_write_double(struct json_writer *writer, double value); /* shortest form that reads back; non-finite: null */
void json_write_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);
/* `json` is already a valid JSON text. */
void json_write_raw(struct json_writer *writer, struct str json);
/* Key and value in one call, for flat objects. */
void json_member_str(struct json_writer *writer, const char *key, struct str value);
void json_member_cstr(struct json_writer *writer, const char *key, const char *value);
void json_member_int(struct json_writer *writer, const char *key, int64_t value);
void json_member_double(struct json_writer *writer, const char *key, double value);
void json_member_bool(struct json_writer *writer, const char *key, bool value);
/* Only the escaping, without quotes: for the hot path of streamed deltas. */
bool json_escape(struct buf *out, struct str text);

#ifdef __cplusplus
}
#endif
#endif
