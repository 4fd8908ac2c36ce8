/* HTTP/1.1 on a listener: keep-alive, pipelining (answers in order), chunked bodies, limits, timeouts, back-pressure.
 * The whole body is read before the handler is called. One exchange = one request and its answer. */
#ifndef NATARIS_NET_HTTP_SERVER_H
#define NATARIS_NET_HTTP_SERVER_H

#include "base/err.h"
#include "net/http_conn.h"
#include "net/http_exchange.h"
#include "net/listener.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;

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

#endif
