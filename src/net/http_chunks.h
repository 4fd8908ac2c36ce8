/* A chunked body (RFC 9112 7.1), followed byte by byte. Pure. */
#ifndef NATARIS_NET_HTTP_CHUNKS_H
#define NATARIS_NET_HTTP_CHUNKS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Follows a chunked body byte by byte (RFC 9112 7.1), stricter than llhttp: hex sizes of at most 16 digits, CRLF
 * everywhere, short extensions without control bytes. Trailer fields (7.1.2) are read, as strictly as headers are, and
 * dropped: none of them can say anything here, whatever its name. */
struct http_chunks {
    unsigned state;
    size_t remaining;
    unsigned digits;
    size_t line_bytes; /* of an extension, or of all trailer fields so far */
};
void http_chunks_init(struct http_chunks *chunks);
/* False when malformed. *used is how many bytes belong to this body; *done turns true at its end. */
bool http_chunks_feed(struct http_chunks *chunks, struct str data, size_t *used, bool *done);
/* The same, but returns at the first piece of chunk data, which *payload then is (part of `data`; empty when there was
 * none). `remaining` is what the chunk still lacks. */
bool http_chunks_next(struct http_chunks *chunks, struct str data, size_t *used, struct str *payload, bool *done);

#endif
