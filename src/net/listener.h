/* Listening for connections, on TCP or a Unix socket. */
#ifndef NATARIS_NET_LISTENER_H
#define NATARIS_NET_LISTENER_H

#include "net/conn.h"

struct listener;
struct listener_events {
    /* A new connection, TLS handshake done where there is TLS. Set its events before returning. */
    void (*on_conn)(void *context, struct conn *conn);
    /* max_connections are open and another one waits, which is accepted when one of them has closed: an idle one may be
     * closed for it. May be NULL. */
    void (*on_full)(void *context);
};
struct listener_options {
    /* "HOST:PORT", "[::1]:PORT"; port 0 picks a free one. Or "unix:PATH": the socket's mode is 0600, one that a dead
     * process left behind is replaced, and listener_close removes it. */
    const char *address;
    struct tls_context *tls; /* NULL: plain TCP. Borrowed. */
    size_t max_connections;  /* further ones wait in the kernel's queue until one has closed */
    unsigned handshake_ms;   /* TLS handshake deadline */
    /* Who may have how many connections; NULL: everybody any number. Borrowed. One that is refused is closed at once,
     * after `refusal` where there is no TLS. */
    struct address_book *addresses;
    struct str refusal;
};
/* ERR_CONFLICT with "address already in use" when the port is taken or another process listens on the path. */
MUST_CHECK bool listener_open(struct listener **out, struct loop *loop, const struct listener_options *options,
                              const struct listener_events *events, void *context, struct err *err);
unsigned listener_port(const struct listener *listener); /* 0 for a Unix socket */
size_t listener_connection_count(const struct listener *listener);
/* The peer of this connection has still to show who it is, after other words than HTTP's: while too many such keep a
 * full house, the oldest of them is cut. Until it came in; nothing happens to a connection that nobody accepted. */
void listener_await(struct conn *conn);
void listener_came_in(struct conn *conn);
/* Stops accepting; accepted connections live on. Frees the listener once the last of them is closed. */
void listener_close(struct listener *listener);

#endif
