/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing over U+10FFFF. */
#ifndef NATARIS_BASE_UTF8_H
#define NATARIS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

bool utf8_valid(const char *data, size_t len);
/* How many bytes of `data` form whole characters: len minus the bytes of a last character that is still incomplete
 * but may become valid. For deltas: send the prefix, keep the rest. */
size_t utf8_whole_prefix(const char *data, size_t len);

/* Length of the character at the front of `data` (len > 0). When the bytes there are malformed *valid becomes false and
 * the length is that of the part to replace by one U+FFFD (Unicode 3.9, "maximal subpart"). */
size_t utf8_sequence(const char *data, size_t len, bool *valid);

/* Whether the character of `used` bytes at `data` steers a terminal or the order in which a text is shown: controls
 * (C0, DEL, C1), separators of lines and paragraphs, and the marks, embeddings, overrides and isolates of direction
 * (UAX 9).
 */
bool utf8_steers(const char *data, size_t used);
/* In a text that ends with NUL, '?' in place of each byte of such characters; returns `text`. For what others have
 * named: device names, labels, models. */
char *utf8_neutralise(char *text);

/* Validation over a stream that arrives in pieces (WebSocket text messages). */
struct utf8_stream {
    uint8_t needed;    /* bytes the character still lacks */
    uint8_t low, high; /* what the next one may be */
    bool broken;
};
void utf8_stream_init(struct utf8_stream *stream);
bool utf8_stream_feed(struct utf8_stream *stream, const char *data, size_t len); /* false: invalid from here on */
bool utf8_stream_done(const struct utf8_stream *stream);                         /* true: not inside a character */

#ifdef __cplusplus
}
#endif
#endif
