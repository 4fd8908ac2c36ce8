/* The set of links: taking new ones in, watching over them, closing them all. */
#include "link/server.h"

#include "base/mem.h"
#include "link/peer.h"

#include <stdlib.h>

enum { SWEEP_MAX_MS = 1000 };

struct link_server {
    struct link_peer_host host;
    struct loop_timer *sweep_timer;
    bool closing;
    struct loop_deferred finish;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void server_free(struct loop_deferred *deferred) {
    struct link_server *server = (struct link_server *)((char *)deferred - offsetof(struct link_server, finish));
    void (*on_closed)(void *context) = server->on_closed;
    void *closed_context = server->closed_context;
    loop_timer_free(server->sweep_timer);
    link_peer_host_clear(&server->host);
    free(server);
    if (on_closed != NULL) {
        on_closed(closed_context);
    }
}

static void finish_when_empty(struct link_peer_host *host) {
    struct link_server *server = (struct link_server *)((char *)host - offsetof(struct link_server, host));
    if (server->closing && host->open_count == 0) {
        loop_defer(host->loop, &server->finish);
    }
}

static void sweep(void *context) {
    struct link_server *server = context;
    const uint64_t now_ms = loop_now_ms(server->host.loop);
    struct link_peer_host *host = &server->host;
    host->crowded = host->config.backlogs_bytes > 0 && host->unsent > host->config.backlogs_bytes;
    host->unsent = 0;
    for (struct link_peer *peer = host->peers; peer != NULL; peer = link_peer_next(peer)) {
        link_peer_check(peer, now_ms);
    }
}

struct link_server *link_server_new(struct loop *loop, const struct link_server_config *config,
                                    const struct link_server_events *events, void *context) {
    struct link_server *server = MEM_NEW(struct link_server);
    link_peer_host_init(&server->host, loop, config, events, context);
    server->host.on_closed = finish_when_empty;
    server->finish.run = server_free;
    uint64_t interval = config->heartbeat_ms < config->handshake_ms ? config->heartbeat_ms : config->handshake_ms;
    interval = interval < SWEEP_MAX_MS ? interval : SWEEP_MAX_MS;
    server->sweep_timer = loop_timer_new(loop, sweep, server);
    loop_timer_start(server->sweep_timer, interval, interval);
    return server;
}

static void refuse_exchange(struct http_exchange *exchange, const struct err *err) {
    int status = 400;
    if (err->code == ERR_UNSUPPORTED) {
        status = 426;
    } else if (err->code == ERR_UNAVAILABLE) {
        status = 503;
    }
    const struct http_response_header headers[] = {
        {"Content-Type", STR("text/plain; charset=utf-8")},
        {"Upgrade", STR("websocket")},
        {"Sec-WebSocket-Version", STR("13")},
    };
    http_respond(exchange, status, headers, status == 426 ? COUNT_OF(headers) : 1, str_from(err->message));
}

void link_server_accept(struct link_server *server, struct http_exchange *exchange) {
    struct err err = {0};
    const bool open = !server->host.draining && !server->closing;
    if (!open) {
        (void)err_set(&err, ERR_UNAVAILABLE, "the gateway is shutting down");
    }
    if (!open || !link_peer_open(&server->host, exchange, &err)) {
        refuse_exchange(exchange, &err);
    }
}

size_t link_server_peer_count(const struct link_server *server) {
    return server->host.admitted_count;
}

void link_server_drain(struct link_server *server) {
    server->host.draining = true;
    for (struct link_peer *peer = server->host.peers; peer != NULL; peer = link_peer_next(peer)) {
        link_peer_send_drain(peer);
    }
}

void link_server_close(struct link_server *server, void (*on_closed)(void *context), void *context) {
    server->closing = true;
    server->on_closed = on_closed;
    server->closed_context = context;
    for (struct link_peer *peer = server->host.peers; peer != NULL; peer = link_peer_next(peer)) {
        link_peer_shut_down(peer);
    }
    finish_when_empty(&server->host);
}
