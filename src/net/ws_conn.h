/* A WebSocket connection on the loop, either side: handshake, codec, pings answered, close handshake with a deadline.
 */
#ifndef NATARIS_NET_WS_CONN_H
#define NATARIS_NET_WS_CONN_H

#include "base/err.h"
#include "base/str.h"
#include "net/conn.h"
#include "net/http_server.h"
#include "net/tls.h"
#include "net/websocket.h"

struct ws_conn;

struct ws_conn_events {
    void (*on_message)(void *context, enum ws_opcode text_or_binary, struct str payload);
    /* Called exactly once, last. `code` is the peer's close code or ours, or 1006 when it broke without one; `reason`
     * is a short text for the log. The ws_conn is freed after this returns. */
    void (*on_close)(void *context, uint16_t code, struct str reason);
    void (*on_drain)(void *context); /* may be NULL; see conn_events */
    void (*on_pong)(void *context);  /* may be NULL */
};

/* Server side: takes over the exchange of a GET with "Upgrade: websocket". On false the exchange was not touched and
 * `err` says what the handshake lacked; answer it with 400 (or 426). `protocol` is the subprotocol we speak. */
MUST_CHECK bool ws_conn_accept(struct ws_conn **out, struct http_exchange *exchange, const char *protocol,
                               size_t max_message, const struct ws_conn_events *events, void *context, struct err *err);

/* Client side: "ws://host:port/path" or "wss://..." (http and https mean the same, see net/ws_url.h). on_open is called
 * once, with a ws_conn whose events are set to `events`, or with NULL and the reason. */
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

void ws_conn_send(struct ws_conn *ws, enum ws_opcode opcode, struct str payload);
void ws_conn_ping(struct ws_conn *ws);
size_t ws_conn_unsent(const struct ws_conn *ws);
/* From now on messages may be this large (a link before and after its authentication). */
void ws_conn_set_max_message(struct ws_conn *ws, size_t max_message);
/* Sends CLOSE, waits for the peer's (2 s at most), then closes; on_close follows. A second call changes nothing. */
void ws_conn_close(struct ws_conn *ws, uint16_t code, const char *reason);
void ws_conn_abort(struct ws_conn *ws);
const char *ws_conn_peer(const struct ws_conn *ws);

#endif
