/* What a server is told to be, and what all its connections share. Types only. */
#ifndef NATARIS_NET_HTTP_HOST_H
#define NATARIS_NET_HTTP_HOST_H

#include "net/http_exchange.h"
#include "net/http_guard.h"
#include "net/http_room.h"
#include "net/http_upload.h"

#include <stddef.h>

struct http_conn;
struct address_book;

struct http_server_config {
    struct http_guard_limits head_limits;
    size_t body_bytes, pipeline_bytes;
    /* All bodies together, read so far and not answered yet; 0: unbounded. Past it an upload that has overstayed gets
     * 503, or without one whoever wants more. What one owner may have of it, see net/http_room.h: past it 429. */
    size_t bodies_bytes;
    unsigned head_timeout_ms, idle_timeout_ms;
    struct http_upload_pace body_pace; /* a body that is late by it gets 408 */
};

struct http_server_events {
    /* The head is whole and the body is not: nothing more of it is read until the handler says so with
     * http_exchange_admit. It may answer instead, and the connection closes after that. Now or later. NULL: all may
     * come. A body that came along with its head is not asked about. */
    void (*on_head)(void *context, struct http_exchange *exchange);
    /* A request is complete. The handler answers now or later (until then the exchange is its). */
    void (*on_request)(void *context, struct http_exchange *exchange);
    /* A request was refused before on_request could be called (framing, limits, timeout). The handler must answer with
     * `status` through http_respond in its own envelope; the connection closes after it. The request holds whatever
     * was understood, mostly nothing. */
    void (*on_refused)(void *context, struct http_exchange *exchange, int status, const char *why);
};

/* What all connections of a server share. */
struct http_conn_host {
    struct http_exchange_host exchanges;
    struct http_server_config config;
    const struct http_server_events *events;
    void *context; /* of the events */
    struct http_conn *conns;
    size_t count;
    struct http_uploads uploads;
    struct http_room room;                        /* bytes of bodies, of all connections, read and not answered yet */
    struct address_book *addresses;               /* for those whom a proxy names; NULL: none are */
    bool crowded;                                 /* another connection waits for room */
    void (*on_left)(struct http_conn_host *host); /* one is gone or upgraded, and no longer counted */
};

#endif
