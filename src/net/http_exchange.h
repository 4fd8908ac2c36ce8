/* One request to a server, until it is answered (net/http_response.h). */
#ifndef NATARIS_NET_HTTP_EXCHANGE_H
#define NATARIS_NET_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct http_exchange;

struct http_header {
    struct str name, value; /* name in the case the client sent */
};

struct http_request {
    struct str method, path, query; /* path without the query, not decoded; query without '?' */
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    bool keep_alive, http_1_0;
};

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
/* The exchange's own arena: freed with the exchange. Bounded by twice the request's limits and 1 MB. */
struct arena *http_exchange_arena(struct http_exchange *exchange);
/* Header by name (case-insensitive); empty when absent. */
struct str http_request_header(const struct http_request *request, const char *name);
/* Empty once the client is gone. */
const char *http_exchange_peer(const struct http_exchange *exchange);

/* `user` is handed to on_gone: the client went away before the answer was complete (called at most once, never after
 * the answer's end, never inside a call of the handler's; after it the exchange is gone and must not be touched).
 * NULL on_gone: not interested; answering an exchange whose client is gone is harmless until then. */
void http_exchange_on_gone(struct http_exchange *exchange, void (*on_gone)(void *user), void *user);
/* Whatever ends this exchange, the connection closes after it. */
void http_exchange_close_after(struct http_exchange *exchange);
/* Bytes the client has not read yet. */
size_t http_exchange_unsent(const struct http_exchange *exchange);

/* --- For the files of the server --- */

struct http_conn;

struct http_exchange *http_exchange_new(struct http_conn *http);
/* To be asked before `len` bytes of its body are kept: false when all connections together keep too many. */
bool http_exchange_hold(struct http_exchange *exchange, size_t len);
/* What was held counts no more. Called while its connection still knows its server. */
void http_exchange_let_go(struct http_exchange *exchange);
/* The answer is complete or broken off: tells the connection and frees it at the end of the turn. */
void http_exchange_end(struct http_exchange *exchange);
/* The client is gone; at the end of a turn, outside of any handler. */
void http_exchange_lose_client(struct http_exchange *exchange);

#endif
