/* One connection of a server: cuts the bytes that arrive into requests, and keeps their answers in order by handing out
 * one at a time. An idle connection holds no buffer. */
#ifndef NATARIS_NET_HTTP_CONN_H
#define NATARIS_NET_HTTP_CONN_H

#include "net/http_exchange.h"
#include "net/http_guard.h"
#include "net/http_upload.h"

#include <stddef.h>

struct http_conn;

struct http_server_config {
    struct http_guard_limits head_limits;
    size_t body_bytes, pipeline_bytes;
    /* All bodies together, read so far and not answered yet; 0: unbounded. Past it an upload that has overstayed gets
     * 503, or without one whoever wants more. */
    size_t bodies_bytes;
    unsigned head_timeout_ms, idle_timeout_ms;
    struct http_upload_pace body_pace; /* a body that is late by it gets 408 */
};

struct http_server_events {
    /* A request is complete. The handler answers now or later (until then the exchange is its). */
    void (*on_request)(void *context, struct http_exchange *exchange);
    /* A request was refused before on_request could be called (framing, limits, timeout). The handler must answer with
     * `status` through http_respond in its own envelope; the connection closes after it. The request holds whatever
     * was understood, mostly nothing. */
    void (*on_refused)(void *context, struct http_exchange *exchange, int status, const char *why);
};

/* --- For the server --- */

/* What all connections of a server share. */
struct http_conn_host {
    struct http_exchange_host exchanges;
    struct http_server_config config;
    const struct http_server_events *events;
    void *context; /* of the events */
    struct http_conn *conns;
    size_t count;
    struct http_uploads uploads;
    size_t bodies_held;                           /* bytes of bodies, of all connections, read and not answered yet */
    void (*on_left)(struct http_conn_host *host); /* one is gone or upgraded, and no longer counted */
};

void http_conn_host_init(struct http_conn_host *host, struct loop *loop, const struct http_server_config *config,
                         const struct http_server_events *events, void *context);
/* Takes the connection over as one more of the host's. */
void http_conn_open(struct http_conn_host *host, struct conn *conn);
/* Idle ones close; answers from now on carry "Connection: close". */
void http_conn_drain(struct http_conn_host *host);
/* Closes them all; answers given in this iteration still leave. */
void http_conn_close_all(struct http_conn_host *host);

#endif
