/* What a connection consists of: for conn.c, listener.c and connect.c. */
#ifndef NATARIS_NET_CONN_STATE_H
#define NATARIS_NET_CONN_STATE_H

#include "net/chunk.h"
#include "net/deadline.h"
#include "net/loop_state.h"
#include "net/tls.h"

#include <uv.h>

enum conn_state {
    CONN_CONNECTING, /* no connection yet */
    CONN_HANDSHAKE,  /* TLS handshake under way; events are the opener's */
    CONN_OPEN,
    CONN_CLOSING,   /* conn_close: sending the rest */
    CONN_LINGERING, /* all sent, FIN too: reading until the peer's end, so that no RST destroys what it has not read */
    CONN_FAILED,    /* on_close is due at the end of this iteration */
    CONN_CLOSED,    /* on_close was called; memory goes when libuv lets go of the handle */
};

enum { CONN_PEER_SIZE = 46 }; /* INET6_ADDRSTRLEN */

struct address_place;
struct conn_events;
struct conn_write;
struct listener;

struct conn_queue {
    struct conn *newest, *oldest;
    size_t count;
};

struct conn {
    union { /* which one: uv_handle_get_type */
        uv_tcp_t tcp;
        uv_pipe_t pipe; /* a Unix socket */
    };
    struct loop *loop;
    const struct conn_events *events;
    void *context;
    /* Called once when bytes can flow, with the opener's context. */
    void (*on_ready)(void *context, struct conn *conn);
    struct listener *listener; /* that accepted it, or NULL; it is told when the memory is about to be freed */
    void (*on_freed)(struct listener *listener, struct conn *conn);
    struct conn *previous, *next; /* the listener's queue ... */
    struct conn_queue *queue;     /* ... in which it is; NULL: none */
    struct address_place *place;  /* whose it is, held; NULL: nobody counts it */
    struct tls_session *tls;      /* NULL: plain */
    struct chunk *gathered;       /* written this iteration, or while `writing` is under way */
    struct conn_write *writing;   /* what the kernel did not take yet */
    struct err *failure;          /* on_close's reason, owned */
    struct loop_deferred settle;  /* end of the iteration: on_close, or bytes that a pause held back */
    struct loop_deferred flush;   /* end of the iteration, after all others: send */
    struct deadline deadline;     /* handshake, then linger */
    uint64_t linger_until_ms;     /* loop clock; 0: conn_close was not called, or without time */
    size_t discarded;             /* bytes read and dropped after conn_close */
    enum conn_state state;
    bool paused, eof, linger, behind; /* behind: since the kernel did not take all, until all is sent */
    bool proven, proxied;             /* conn_prove was called; it comes from a proxy that names its clients */
    char peer[CONN_PEER_SIZE];
};

#endif
