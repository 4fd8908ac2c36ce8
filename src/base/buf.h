/* A growable byte buffer with a limit. An append that would pass the limit changes nothing, sets `overflow` and
 * returns false; the flag sticks until buf_reset, so a writer may check once at its end. */
#ifndef NATARIS_BASE_BUF_H
#define NATARIS_BASE_BUF_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct buf {
    char *data; /* owned; NULL while empty and never grown */
    size_t len, capacity, limit;
    bool overflow;
};

void buf_init(struct buf *buf, size_t limit); /* allocates nothing */
void buf_clear(struct buf *buf);              /* frees; stays usable as an empty buffer with the same limit */
void buf_reset(struct buf *buf);              /* empties, keeps the memory */
bool buf_append(struct buf *buf, const void *data, size_t len);
bool buf_append_str(struct buf *buf, struct str s);
bool buf_append_cstr(struct buf *buf, const char *text);
bool buf_append_u64(struct buf *buf, uint64_t number);
bool buf_append_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for at least `len` more bytes: where to write them (then add to buf->len), or NULL past the limit. */
char *buf_reserve(struct buf *buf, size_t len);
/* Drops the first `len` bytes, moving the rest down. */
void buf_consume(struct buf *buf, size_t len);
struct str buf_str(const struct buf *buf);
const char *buf_cstr(struct buf *buf); /* NUL-terminates behind len (not counted) */

#ifdef __cplusplus
}
#endif
#endif
