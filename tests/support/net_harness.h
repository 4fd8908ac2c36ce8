/* For tests of src/net: a loop that turns until something is true, and clients that gather what they receive. All in
 * one thread; the only clock is a guard against hanging. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_NET_HARNESS_H
#define NATARIS_TESTS_SUPPORT_NET_HARNESS_H

#include "base/buf.h"
#include "base/compiler.h"
#include "net/connect.h"
#include "net/listener.h"
#include "net/loop.h"

#include <stdio.h>
#include <string.h>

enum { NET_HANG_MS = 30000, NET_TICK_MS = 10 };

struct net_harness {
    struct loop *loop;
    struct loop_timer *tick; /* a turn sleeps no longer than this, so that NET_UNTIL looks again */
    unsigned ticks;
};

static void net_on_tick(void *context) {
    struct net_harness *net = (struct net_harness *)context;
    net->ticks++;
    if (net->ticks > NET_HANG_MS / NET_TICK_MS) {
        fail_msg("nothing happens any more");
    }
}

UNUSED static void net_harness_init(struct net_harness *net) {
    net->loop = loop_new();
    net->ticks = 0;
    net->tick = loop_timer_new(net->loop, net_on_tick, net);
    loop_timer_start(net->tick, NET_TICK_MS, NET_TICK_MS);
}

/* Everything must be closed by then; a handle left open ends the process. */
UNUSED static void net_harness_clear(struct net_harness *net) {
    loop_timer_free(net->tick);
    loop_free(net->loop);
}

#define NET_UNTIL(net, condition)                                                                                      \
    do {                                                                                                               \
        while (!(condition)) {                                                                                         \
            uv_run(loop_uv((net)->loop), UV_RUN_ONCE);                                                                 \
        }                                                                                                              \
    } while (0)

/* One end of a connection: a client's, or one that a listener handed over. */
struct net_peer {
    struct conn *conn;
    struct buf received;
    struct err reason; /* of the close, or of the failed connect */
    bool failed, closed;
    unsigned drains;
    void (*on_data)(struct net_peer *peer, struct str data); /* NULL: only gather */
};

static void net_peer_on_data(void *context, struct str data) {
    struct net_peer *peer = (struct net_peer *)context;
    buf_append_str(&peer->received, data);
    if (peer->on_data != NULL) {
        peer->on_data(peer, data);
    }
}

static void net_peer_on_close(void *context, const struct err *reason) {
    struct net_peer *peer = (struct net_peer *)context;
    assert_false(peer->closed);
    peer->closed = true;
    peer->failed = reason != NULL;
    if (reason != NULL) {
        peer->reason = *reason;
    }
    peer->conn = NULL;
}

static void net_peer_on_drain(void *context) {
    ((struct net_peer *)context)->drains++;
}

static const struct conn_events NET_PEER_EVENTS = {
    .on_data = net_peer_on_data, .on_close = net_peer_on_close, .on_drain = net_peer_on_drain};

UNUSED static void net_peer_init(struct net_peer *peer, struct conn *conn) {
    *peer = (struct net_peer){.conn = conn};
    buf_init(&peer->received, 64 * 1024 * 1024);
    if (conn != NULL) {
        conn_set_events(conn, &NET_PEER_EVENTS, peer);
    }
}

static void net_peer_on_open(void *context, struct conn *conn, const struct err *reason) {
    struct net_peer *peer = (struct net_peer *)context;
    net_peer_init(peer, conn);
    if (conn == NULL) {
        net_peer_on_close(peer, reason);
    }
}

/* Waits until the connection is open or has failed. */
UNUSED static void net_peer_connect_tls(struct net_harness *net, struct net_peer *peer, unsigned port, const char *host,
                                        struct tls_context *tls) {
    *peer = (struct net_peer){0};
    struct conn_connect_options options = {.host = host, .port = port, .tls = tls, .timeout_ms = NET_HANG_MS};
    assert_non_null(conn_connect(net->loop, &options, net_peer_on_open, peer));
    NET_UNTIL(net, peer->conn != NULL || peer->closed);
}

UNUSED static void net_peer_connect(struct net_harness *net, struct net_peer *peer, unsigned port) {
    net_peer_connect_tls(net, peer, port, "127.0.0.1", NULL);
    assert_non_null(peer->conn);
}

UNUSED static void net_peer_clear(struct net_harness *net, struct net_peer *peer) {
    if (peer->conn != NULL) {
        conn_abort(peer->conn);
        NET_UNTIL(net, peer->closed);
    }
    buf_clear(&peer->received);
}

UNUSED static bool net_peer_has(struct net_peer *peer, const char *text) {
    return strstr(buf_cstr(&peer->received), text) != NULL;
}

UNUSED static size_t net_peer_count(struct net_peer *peer, const char *text) {
    size_t count = 0;
    for (const char *at = buf_cstr(&peer->received); (at = strstr(at, text)) != NULL; at += strlen(text)) {
        count++;
    }
    return count;
}

#endif
