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

void ws_conn_send(struct ws_conn *ws, enum ws_opcode opcode, struct str payload);
void ws_conn_ping(struct ws_conn *ws);
size_t ws_conn_unsent(const struct ws_conn *ws);
/* From now on messages may be this large (a link before and after its authentication). */
void ws_conn_set_max_message(struct ws_conn *ws, size_t max_message);
/* Sends CLOSE, waits for the peer's (2 s at most), then closes; on_close follows. A second call changes nothing. */
void ws_conn_close(struct ws_conn *ws, uint16_t code, const char *reason);
void ws_conn_abort(struct ws_conn *ws);
/* Nothing more is read until ws_conn_read_resume; what has arrived is still told. Not kept up while it closes. */
void ws_conn_read_pause(struct ws_conn *ws);
void ws_conn_read_resume(struct ws_conn *ws);
void ws_conn_prove(struct ws_conn *ws); /* conn_prove */
const char *ws_conn_peer(const struct ws_conn *ws);

/* --- For ws_client.c --- */

/* Takes the connection over. */
struct ws_conn *ws_conn_new(struct conn *conn, enum ws_role role, size_t max_message,
                            const struct ws_conn_events *events, void *context);
void ws_conn_feed(struct ws_conn *ws, struct str data);

/* Whether a header's comma-separated list holds `token`. */
bool ws_list_has(struct str list, const char *token, bool ignore_case);

#endif
