/* What llhttp 8.1 lets through and we refuse: every message that two parsers could frame differently.
 * Fed with the raw bytes of a request head before llhttp sees them, and with raw chunked bodies. Pure: no I/O. */
#ifndef NATARIS_NET_HTTP_GUARD_H
#define NATARIS_NET_HTTP_GUARD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum http_guard_verdict {
    HTTP_GUARD_OK,
    HTTP_GUARD_BAD,             /* 400, the others as http_guard_status says */
    HTTP_GUARD_TOO_LARGE,       /* 431: head or header count over its limit */
    HTTP_GUARD_URI_LONG,        /* 414 */
    HTTP_GUARD_NOT_IMPLEMENTED, /* 501: unknown transfer coding */
    HTTP_GUARD_VERSION,         /* 505: neither HTTP/1.1 nor HTTP/1.0 */
};

struct http_guard_limits {
    size_t head_bytes, header_count, url_bytes;
};

/* Length of the head in `data` including its blank line, or 0 when it is not complete yet. Bare LF is not an end. */
size_t http_guard_head_length(struct str data);
/* The same, looking at line ends from offset `from` on only, for heads that arrive in pieces; stops at a bare LF, which
 * no later byte can make good. */
size_t http_guard_find_end(struct str data, size_t from, bool *bare_lf);
/* So many bytes at the beginning of `s` may stand in a token, which names of methods and headers are (RFC 9110
 * 5.6.2). */
size_t http_guard_token_length(struct str s);
/* Checks one whole head (request line, headers, blank line). On anything but OK, *why is a constant sentence. */
enum http_guard_verdict http_guard_check_head(struct str head, const struct http_guard_limits *limits,
                                              const char **why);
/* The status that refuses such a head; 0 for HTTP_GUARD_OK. */
int http_guard_status(enum http_guard_verdict verdict);

#endif
