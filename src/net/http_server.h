/* HTTP/1.1 on a listener: keep-alive, pipelining (answers in order), chunked bodies, limits, timeouts, back-pressure.
 * The whole body is read before the handler is called. One exchange = one request and its answer. */
#ifndef NATARIS_NET_HTTP_SERVER_H
#define NATARIS_NET_HTTP_SERVER_H

#include "base/err.h"
#include "net/http_exchange.h"
#include "net/http_guard.h"
#include "net/http_response.h"
#include "net/listener.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;

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

/* --- For the files of the server --- */

struct http_conn;

/* RFC 9110 5.6.7, cached. */
struct str http_server_date(struct http_server *server);
void http_server_forget(struct http_server *server, struct http_conn *http);

#endif
