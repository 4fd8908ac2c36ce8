/* WebSockets to others. */
#ifndef NATARIS_NET_WS_CLIENT_H
#define NATARIS_NET_WS_CLIENT_H

#include "net/ws_conn.h"

/* "ws://host:port/path" or "wss://..." (http and https mean the same, see net/ws_url.h). on_open is called once, with a
 * ws_conn whose events are set to `events`, or with NULL and the reason. */
struct ws_connect_options {
    const char *url;
    const char *protocol;    /* subprotocol to ask for and to demand */
    struct tls_context *tls; /* needed for wss; borrowed */
    size_t max_message;
    unsigned timeout_ms;
};
struct ws_attempt;
MUST_CHECK bool ws_connect(struct ws_attempt **out, struct loop *loop, const struct ws_connect_options *options,
                           const struct ws_conn_events *events,
                           void (*on_open)(void *context, struct ws_conn *conn, const struct err *reason),
                           void *context, struct err *err);
void ws_connect_cancel(struct ws_attempt *attempt);

#endif
