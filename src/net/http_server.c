#include "net/http_server.h"

#include "base/mem.h"

#include <stdlib.h>

struct http_server {
    struct http_conn_host host;
    struct loop *loop;
    struct listener *listener; /* NULL once draining */
    unsigned port;
    bool closing;
    void (*on_closed)(void *context);
    void *on_closed_context;
    struct loop_deferred closed;
};

static void server_closed(struct loop_deferred *deferred) {
    struct http_server *server = (struct http_server *)((char *)deferred - offsetof(struct http_server, closed));
    if (server->on_closed != NULL) {
        server->on_closed(server->on_closed_context);
    }
    free(server);
}

static void finish_when_empty(struct http_conn_host *host) {
    struct http_server *server = (struct http_server *)((char *)host - offsetof(struct http_server, host));
    if (server->closing && host->count == 0) {
        loop_defer(server->loop, &server->closed);
    }
}

static void on_conn(void *context, struct conn *conn) {
    struct http_server *server = context;
    http_conn_open(&server->host, conn);
}

static void on_full(void *context) {
    struct http_server *server = context;
    http_conn_make_room(&server->host);
}

static const struct listener_events LISTENER_EVENTS = {.on_conn = on_conn, .on_full = on_full};

bool http_server_open(struct http_server **out, struct loop *loop, const struct listener_options *options,
                      const struct http_server_config *config, const struct http_server_events *events, void *context,
                      struct err *err) {
    struct http_server *server = MEM_NEW(struct http_server);
    http_conn_host_init(&server->host, loop, config, events, context);
    server->host.on_left = finish_when_empty;
    server->host.addresses = options->addresses;
    server->loop = loop;
    server->closed.run = server_closed;
    if (!listener_open(&server->listener, loop, options, &LISTENER_EVENTS, server, err)) {
        free(server);
        return false;
    }
    server->port = listener_port(server->listener);
    *out = server;
    return true;
}

unsigned http_server_port(const struct http_server *server) {
    return server->port;
}

size_t http_server_connection_count(const struct http_server *server) {
    return server->host.count;
}

void http_server_drain(struct http_server *server) {
    listener_close(server->listener);
    server->listener = NULL;
    http_conn_drain(&server->host);
}

void http_server_close(struct http_server *server, void (*on_closed)(void *context), void *context) {
    if (server->closing) {
        return;
    }
    http_server_drain(server);
    server->closing = true;
    server->on_closed = on_closed;
    server->on_closed_context = context;
    http_conn_close_all(&server->host);
    finish_when_empty(&server->host);
}
