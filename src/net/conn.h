/* A TCP or Unix socket connection, with or without TLS, on the loop. Writes made in one iteration of the loop are
 * gathered and leave in one system call at its end. Reads go through one shared buffer, so an idle connection holds no
 * buffer of its own. */
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
/* Closes at once; unsent bytes are lost; on_close follows at the end of the iteration. */
void conn_abort(struct conn *conn);
/* Numeric address of the peer, such as "127.0.0.1", or "unix"; valid as long as the conn. */
const char *conn_peer(const struct conn *conn);
struct loop *conn_loop(const struct conn *conn);
/* The address that it is counted for (net/address_book.h); NULL: none. */
struct address_place *conn_place(const struct conn *conn);
/* Whether it comes from a proxy that is trusted to name its clients. */
bool conn_is_proxied(const struct conn *conn);
/* Its peer has shown that it is somebody known: it is no passer-by any more, and not counted for its address. */
void conn_prove(struct conn *conn);
bool conn_is_proven(const struct conn *conn);

/* --- For listener.c and connect.c, which make connections --- */

struct tls_session; /* net/tls.h */

/* In state CONN_CONNECTING; freed by conn_discard, or through conn_start and what follows. */
struct conn *conn_new(struct loop *loop);
struct conn *conn_new_unix(struct loop *loop);
/* It is connected: run the handshake if `tls` (taken over) is not NULL, then call on_ready; events' on_close tells of
 * a failure before that. */
void conn_start(struct conn *conn, struct tls_session *tls, unsigned handshake_ms);
/* Closes without any event, in any state. */
void conn_discard(struct conn *conn);

#endif
