/* HTTP/1.1 on a listener: keep-alive, pipelining (answers in order), chunked bodies, limits, timeouts, back-pressure.
 * The whole body is read before the handler is called. One exchange = one request and its answer. */
#ifndef NATARIS_NET_HTTP_SERVER_H
#define NATARIS_NET_HTTP_SERVER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "net/conn.h"
#include "net/http_guard.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;
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

struct http_server_config {
    struct http_guard_limits head_limits;
    size_t body_bytes, pipeline_bytes;
    size_t bodies_bytes; /* all bodies together, read so far and not answered yet; further ones get 503. 0: unbounded */
    unsigned head_timeout_ms, body_timeout_ms, idle_timeout_ms;
};

struct http_server_events {
    /* A request is complete. The handler answers now or later (until then the exchange is its). */
    void (*on_request)(void *context, struct http_exchange *exchange);
    /* A request was refused before on_request could be called (framing, limits, timeout). The handler must answer with
     * `status` through http_respond in its own envelope; the connection closes after it. The request holds whatever
     * was understood, mostly nothing. */
    void (*on_refused)(void *context, struct http_exchange *exchange, int status, const char *why);
};

/* Borrows loop and TLS context. */
MUST_CHECK bool http_server_open(struct http_server **out, struct loop *loop, const struct listener_options *options,
                                 const struct http_server_config *config, const struct http_server_events *events,
                                 void *context, struct err *err);
unsigned http_server_port(const struct http_server *server);
/* Connections that speak HTTP; upgraded ones are not counted any more. */
size_t http_server_connection_count(const struct http_server *server);
/* No new connections; idle ones close; answers from now on carry "Connection: close". */
void http_server_drain(struct http_server *server);
/* Drain, and what is still open is cut. `on_closed` once all is gone; then the server is freed. */
void http_server_close(struct http_server *server, void (*on_closed)(void *context), void *context);

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

/* A header line to send (not the ones that frame the answer, which are made here); names and values are checked for
 * control bytes and dropped when they have some. */
struct http_response_header {
    const char *name;
    struct str value;
};
/* A whole answer; Content-Length, Date and Connection are added. HEAD requests get no body. Ends the exchange:
 * it must not be touched afterwards. */
void http_respond(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                  size_t header_count, struct str body);
/* An answer in pieces (chunked, or until close for HTTP/1.0): begin, write any number of times, end. */
void http_stream_begin(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                       size_t header_count);
void http_stream_write(struct http_exchange *exchange, struct str data);
void http_stream_end(struct http_exchange *exchange); /* ends the exchange */
/* Whatever ends this exchange, the connection closes after it. */
void http_exchange_close_after(struct http_exchange *exchange);
/* Breaks the connection in mid-answer so that the client sees it was not complete. Ends the exchange. */
void http_stream_abort(struct http_exchange *exchange);
/* Bytes the client has not read yet. */
size_t http_exchange_unsent(const struct http_exchange *exchange);
/* To be called within on_request only. Answers 101 with `headers` and hands the raw connection over with any bytes that
 * came early (`early`, borrowed until the next turn). Ends the exchange. Returns the conn; set its events at once. */
struct conn *http_upgrade(struct http_exchange *exchange, const struct http_response_header *headers,
                          size_t header_count, struct str *early);

#endif
