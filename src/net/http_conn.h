/* One connection of a server: its requests in order. For the files of the server. */
#ifndef NATARIS_NET_HTTP_CONN_H
#define NATARIS_NET_HTTP_CONN_H

#include "net/conn.h"

struct http_conn;

/* The listener's on_conn; `context` is the server. */
void http_conn_accept(void *context, struct conn *conn);
void http_conn_close_if_idle(struct http_conn *http);
/* The exchange is answered: go on with the next request, or close. */
void http_conn_answered(struct http_conn *http, bool close);

/* Gives the connection up to somebody else; `early` is borrowed to the end of the turn. */
struct conn *http_conn_upgrade(struct http_conn *http, struct str *early);

#endif
