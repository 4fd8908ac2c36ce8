/* Connections to others: name lookup, then each address in turn, then TLS. */
#ifndef NATARIS_NET_CONNECT_H
#define NATARIS_NET_CONNECT_H

#include "net/conn.h"

/* on_open is called once: with a conn (set its events before returning), or with NULL and the reason. */
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
