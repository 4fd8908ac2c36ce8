/* Shared by ws_conn.c (a connection at work) and ws_client.c (its making); nobody else includes this. */
#ifndef NATARIS_NET_WS_INTERNAL_H
#define NATARIS_NET_WS_INTERNAL_H

#include "net/websocket.h"

struct conn;
struct ws_conn;
struct ws_conn_events;

/* Takes the connection over. */
struct ws_conn *ws_conn_new(struct conn *conn, enum ws_role role, size_t max_message,
                            const struct ws_conn_events *events, void *context);
void ws_conn_feed(struct ws_conn *ws, struct str data);

/* Whether a header's comma-separated list holds `token`. */
bool ws_list_has(struct str list, const char *token, bool ignore_case);

#endif
