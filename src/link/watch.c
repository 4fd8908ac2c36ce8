/* Watching links that have jobs. A list of them and one timer: idle links cost nothing here. */
#include "link/peer.h"

#include <utlist.h>

enum { LOOKS_PER_PING = 2 };

static uint64_t look_interval(const struct link_server *server) {
    uint64_t interval = server->config.watch_ping_ms / LOOKS_PER_PING;
    return interval > 0 ? interval : 1;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t since(uint64_t then, uint64_t now) {
    return now > then ? now - then : 0;
}

static void look_at(struct link_server *server, struct link_peer *peer, uint64_t now) {
    uint64_t quiet_ms = since(later(peer->heard_ms, peer->watch_from_ms), now);
    if (quiet_ms >= server->config.watch_ping_ms && since(peer->pinged_ms, now) >= server->config.watch_ping_ms) {
        peer->pinged_ms = now;
        ws_conn_ping(peer->ws);
    }
    if (quiet_ms >= server->config.watch_silence_ms && !peer->silent) {
        peer->silent = true;
        if (server->events->on_silent) {
            server->events->on_silent(server->context, peer); /* may watch, unwatch and close any link */
        }
    }
}

/* When the loop itself was held up, what the devices said in the meantime is still unread: timers come before reading.
 * They get a fresh period, so that a gateway that was stopped or starved does not take all devices for dead. */
static void look(void *context) {
    struct link_server *server = context;
    uint64_t now = loop_now_ms(server->loop), interval = look_interval(server);
    bool held_up = since(server->watch_due_ms, now) >= interval;
    for (struct link_peer *peer = server->watched; peer; peer = server->watch_next) {
        server->watch_next = peer->watch_next;
        if (held_up) {
            peer->watch_from_ms = now;
        }
        look_at(server, peer, now);
    }
    server->watch_next = NULL;
    server->watch_due_ms = now + interval;
    if (server->watched) {
        loop_timer_start(server->watch_timer, interval, 0);
    }
}

void link_watch_start(struct link_server *server) {
    server->watch_timer = loop_timer_new(server->loop, look, server);
}

static void watch(struct link_server *server, struct link_peer *peer) {
    uint64_t now = loop_now_ms(server->loop);
    if (!server->watched) {
        server->watch_due_ms = now + look_interval(server);
        loop_timer_start(server->watch_timer, look_interval(server), 0);
    }
    peer->watched = true;
    peer->watch_from_ms = now;
    DL_APPEND2(server->watched, peer, watch_prev, watch_next);
}

static void unwatch(struct link_server *server, struct link_peer *peer) {
    if (server->watch_next == peer) {
        server->watch_next = peer->watch_next;
    }
    peer->watched = false;
    DL_DELETE2(server->watched, peer, watch_prev, watch_next);
    if (!server->watched) {
        loop_timer_stop(server->watch_timer);
    }
}

void link_peer_watch(struct link_peer *peer, bool watched) {
    struct link_server *server = peer->server;
    if (!watched && peer->watched) {
        unwatch(server, peer);
    } else if (watched && !peer->watched && peer->state == PEER_ADMITTED && server->config.watch_silence_ms > 0) {
        watch(server, peer);
    }
}

void link_watch_heard(struct link_peer *peer) {
    struct link_server *server = peer->server;
    if (peer->state != PEER_ADMITTED) {
        return;
    }
    peer->heard_ms = loop_now_ms(server->loop);
    if (peer->silent) {
        peer->silent = false;
        if (server->events->on_alive) {
            server->events->on_alive(server->context, peer);
        }
    }
}
