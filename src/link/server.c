/* The set of links: taking new ones in, watching over them, closing them all. */
#include "link/server.h"

#include "base/mem.h"
#include "link/peer.h"

#include <stdlib.h>
#include <utlist.h>

enum {
    SILENT_HEARTBEATS = 3,
    SWEEP_MAX_MS = 1000,
};

static void server_free(struct loop_deferred *deferred) {
    struct link_server *server = (struct link_server *)((char *)deferred - offsetof(struct link_server, finish));
    void (*on_closed)(void *context) = server->on_closed;
    void *closed_context = server->closed_context;
    loop_timer_free(server->sweep_timer);
    loop_timer_free(server->watch_timer);
    json_parser_free(server->parser);
    arena_clear(&server->arena);
    buf_clear(&server->scratch);
    free(server);
    if (on_closed) {
        on_closed(closed_context);
    }
}

static void server_finish_when_empty(struct link_server *server) {
    if (server->closing && server->open_count == 0) {
        loop_defer(server->loop, &server->finish);
    }
}

static void sweep(void *context) {
    struct link_server *server = context;
    uint64_t now = loop_now_ms(server->loop);
    struct link_peer *peer;
    DL_FOREACH (server->peers, peer) {
        uint64_t silent_ms = now > peer->heard_ms ? now - peer->heard_ms : 0;
        bool handshake = peer->state < PEER_ADMITTED;
        if (handshake && silent_ms >= server->config.handshake_ms) {
            link_peer_close_with(peer, WS_CLOSE_PROTOCOL, "the handshake took too long");
        } else if (peer->state == PEER_ADMITTED &&
                   silent_ms >= (uint64_t)SILENT_HEARTBEATS * server->config.heartbeat_ms) {
            link_peer_close_with(peer, WS_CLOSE_PROTOCOL, "no sign of life for three heartbeats");
        }
    }
}

void link_server_forget(struct link_server *server, struct link_peer *peer) {
    struct refused_job *refused;
    LL_FOREACH (server->refused, refused) {
        if (refused->peer == peer) {
            refused->peer = NULL;
        }
    }
    DL_DELETE(server->peers, peer);
    server->open_count--;
    free(peer);
    server_finish_when_empty(server);
}

void link_server_refuse_job(struct link_server *server, struct link_peer *peer, uint64_t job) {
    struct refused_job *refused = MEM_NEW(struct refused_job);
    refused->peer = peer;
    refused->job = job;
    LL_APPEND(server->refused, refused);
    loop_defer(server->loop, &server->refuse);
}

static void report_refused(struct loop_deferred *deferred) {
    struct link_server *server = (struct link_server *)((char *)deferred - offsetof(struct link_server, refuse));
    while (server->refused) {
        struct refused_job *refused = server->refused;
        server->refused = refused->next;
        if (refused->peer && refused->peer->state == PEER_ADMITTED) {
            const struct link_error error = {.job = refused->job,
                                             .failure = GEN_FAILURE_BAD_REQUEST,
                                             .message = STR("the request is too large to be sent to a provider"),
                                             .param = STR("")};
            server->events->on_error(server->context, refused->peer, &error);
        }
        free(refused);
    }
}

struct link_server *link_server_new(struct loop *loop, const struct link_server_config *config,
                                    const struct link_server_events *events, void *context) {
    struct link_server *server = MEM_NEW(struct link_server);
    server->loop = loop;
    server->config = *config;
    server->events = events;
    server->context = context;
    server->parser = json_parser_new(LINK_PROVIDER_MESSAGE_MAX, LIMIT_JSON_DEPTH);
    arena_init(&server->arena, LINK_DECODE_ARENA_MAX);
    buf_init(&server->scratch, LIMIT_LINK_MESSAGE_BYTES);
    server->refuse.run = report_refused;
    server->finish.run = server_free;
    uint64_t interval = config->heartbeat_ms < config->handshake_ms ? config->heartbeat_ms : config->handshake_ms;
    interval = interval < SWEEP_MAX_MS ? interval : SWEEP_MAX_MS;
    server->sweep_timer = loop_timer_new(loop, sweep, server);
    loop_timer_start(server->sweep_timer, interval, interval);
    link_watch_start(server);
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
    struct link_peer *peer = MEM_NEW(struct link_peer);
    peer->server = server;
    peer->state = PEER_CONNECTED;
    peer->heard_ms = loop_now_ms(server->loop);
    struct err err = {0};
    bool open = !server->draining && !server->closing;
    if (!open) {
        err_set(&err, ERR_UNAVAILABLE, "the gateway is shutting down");
    }
    if (!open ||
        !ws_conn_accept(&peer->ws, exchange, LINK_SUBPROTOCOL, LIMIT_LINK_HELLO_BYTES, &LINK_PEER_EVENTS, peer, &err)) {
        free(peer);
        refuse_exchange(exchange, &err);
        return;
    }
    DL_APPEND(server->peers, peer);
    server->open_count++;
}

size_t link_server_peer_count(const struct link_server *server) {
    return server->admitted_count;
}

void link_server_drain(struct link_server *server) {
    server->draining = true;
    struct link_peer *peer;
    DL_FOREACH (server->peers, peer) {
        if (peer->state == PEER_ADMITTED) {
            link_peer_send_drain(peer);
        }
    }
}

void link_server_close(struct link_server *server, void (*on_closed)(void *context), void *context) {
    server->closing = true;
    server->on_closed = on_closed;
    server->closed_context = context;
    struct link_peer *peer;
    DL_FOREACH (server->peers, peer) {
        link_peer_close_with(peer, WS_CLOSE_GOING_AWAY, "the gateway is shutting down");
    }
    server_finish_when_empty(server);
}
