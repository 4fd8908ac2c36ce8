/* One connection of a server: cuts the bytes that arrive into requests, and keeps their answers in order by handing out
 * one at a time. An idle connection holds no buffer. */
#ifndef NATARIS_NET_HTTP_CONN_H
#define NATARIS_NET_HTTP_CONN_H

#include "net/http_host.h"

/* --- For the server --- */

void http_conn_host_init(struct http_conn_host *host, struct loop *loop, const struct http_server_config *config,
                         const struct http_server_events *events, void *context);
/* Takes the connection over as one more of the host's. */
void http_conn_open(struct http_conn_host *host, struct conn *conn);
/* Idle ones close; answers from now on carry "Connection: close". */
void http_conn_drain(struct http_conn_host *host);
/* Another connection waits: closes the one that has been idle for longest, or the next that becomes so. */
void http_conn_make_room(struct http_conn_host *host);
/* Closes them all; answers given in this iteration still leave. */
void http_conn_close_all(struct http_conn_host *host);

#endif
