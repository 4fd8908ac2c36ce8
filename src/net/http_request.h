/* A request to a server, and its head taken apart by llhttp. Pure. */
#ifndef NATARIS_NET_HTTP_REQUEST_H
#define NATARIS_NET_HTTP_REQUEST_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct http_header {
    struct str name, value; /* name in the case the client sent */
};

struct http_request {
    struct str method, path, query; /* path without the query, not decoded; query without '?' */
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    bool keep_alive, http_1_0;
    bool head_only; /* HEAD: its answer has no body */
    bool chunked;   /* its body comes in chunks, or else has content_length */
    size_t content_length;
};

/* Header by name (case-insensitive); empty when absent. */
struct str http_request_header(const struct http_request *request, const char *name);
/* The method may be any token, in capitals or not (RFC 9110 9.1), but CONNECT, which is refused. Fills all but the body
 * in from a whole head that the guard (net/http_guard.h) has passed. The head and what `arena` holds must live as long
 * as the request. Returns 0, or the status to refuse it with, and *why in words. */
int http_request_parse(struct http_request *request, struct arena *arena, struct str head, const char **why);

#endif
