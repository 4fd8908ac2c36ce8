/* What llhttp 8.1 lets through and we refuse: every message that two parsers could frame differently.
 * Fed with the raw bytes of a request head before llhttp sees them, and with raw chunked bodies. Pure: no I/O. */
#ifndef NATARIS_NET_HTTP_GUARD_H
#define NATARIS_NET_HTTP_GUARD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum http_guard_verdict {
    HTTP_GUARD_OK,
    HTTP_GUARD_BAD,             /* 400 */
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
/* Checks one whole head (request line, headers, blank line). On anything but OK, *why is a constant sentence. */
enum http_guard_verdict http_guard_check_head(struct str head, const struct http_guard_limits *limits,
                                              const char **why);

#endif
