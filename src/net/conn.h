/* A TCP or Unix socket connection, with or without TLS, on the loop. Writes made in one turn of the loop are gathered
 * and leave in one system call at its end. Reads go through one shared buffer, so an idle connection holds no buffer of
 * its own. */
#ifndef NATARIS_NET_CONN_H
#define NATARIS_NET_CONN_H

#include "base/err.h"
#include "base/str.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct tls_context; /* net/tls.h */

struct conn_events {
    /* Bytes arrived (after decryption); borrowed for the call. */
    void (*on_data)(void *context, struct str data);
    /* The peer closed, the connection broke or conn_close was asked: called exactly once, last. `reason` is NULL for a
     * close that either side asked for. The conn is freed after this returns. */
    void (*on_close)(void *context, const struct err *reason);
    /* All that the kernel did not take at once has been sent: conn_is_behind has become false. May be NULL. */
    void (*on_drain)(void *context);
};

/* Handler and context may be changed at any time (an HTTP connection that becomes a WebSocket). */
void conn_set_events(struct conn *conn, const struct conn_events *events, void *context);
/* Copies `data`; never blocks and never calls back. After conn_close it does nothing. */
void conn_write(struct conn *conn, struct str data);
/* To compose in place: where up to `len` bytes may be put, or NULL after conn_close; conn_commit then says how many. */
char *conn_reserve(struct conn *conn, size_t len);
void conn_commit(struct conn *conn, size_t len);
/* Bytes written but not yet taken by the kernel: what a slow reader costs. */
size_t conn_unsent(const struct conn *conn);
/* The kernel did not take all at once, since the peer does not read as fast as we write; on_drain ends it. */
bool conn_is_behind(const struct conn *conn);
void conn_read_pause(struct conn *conn);
void conn_read_resume(struct conn *conn);
/* Sends what is queued and the end of our side, then drops what still comes until the peer ends its own: so the peer
 * can read our last words even if it is still sending. All within linger_ms; 0 sends what the kernel takes at once.
 * A second call with 0 ends the lingering of the first. on_close follows later, never inside this call; on_data does
 * not come any more. */
void conn_close(struct conn *conn, unsigned linger_ms);
/* Closes at once; unsent bytes are lost; on_close follows at the end of the turn. */
void conn_abort(struct conn *conn);
/* Numeric address of the peer, such as "127.0.0.1", or "unix"; valid as long as the conn. */
const char *conn_peer(const struct conn *conn);
struct loop *conn_loop(const struct conn *conn);

/* Listening. */
struct listener;
struct listener_events {
    /* A new connection, TLS handshake done where there is TLS. Set its events before returning. */
    void (*on_conn)(void *context, struct conn *conn);
};
struct listener_options {
    /* "HOST:PORT", "[::1]:PORT"; port 0 picks a free one. Or "unix:PATH": the socket's mode is 0600, one that a dead
     * process left behind is replaced, and listener_close removes it. */
    const char *address;
    struct tls_context *tls; /* NULL: plain TCP. Borrowed. */
    size_t max_connections;  /* further ones are accepted and closed at once */
    unsigned handshake_ms;   /* TLS handshake deadline */
};
/* ERR_CONFLICT with "address already in use" when the port is taken or another process listens on the path. */
MUST_CHECK bool listener_open(struct listener **out, struct loop *loop, const struct listener_options *options,
                              const struct listener_events *events, void *context, struct err *err);
unsigned listener_port(const struct listener *listener); /* 0 for a Unix socket */
size_t listener_connection_count(const struct listener *listener);
/* Stops accepting; accepted connections live on. Frees the listener once the last of them is closed. */
void listener_close(struct listener *listener);

/* Outgoing. on_open is called once: with a conn (set its events before returning), or with NULL and the reason. */
struct conn_connect_options {
    const char *host; /* name or numeric; TLS verifies the certificate against it */
    unsigned port;
    struct tls_context *tls; /* NULL: plain. Borrowed. */
    unsigned timeout_ms;     /* name lookup, connect and TLS handshake together */
};
struct conn_attempt;
struct conn_attempt *conn_connect(struct loop *loop, const struct conn_connect_options *options,
                                  void (*on_open)(void *context, struct conn *conn, const struct err *reason),
                                  void *context);
/* Before on_open was called: give up; on_open will not be called. */
void conn_connect_cancel(struct conn_attempt *attempt);

#endif
