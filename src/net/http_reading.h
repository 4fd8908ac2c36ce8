/* How a connection of a server takes what arrives apart: head, the question whether the body may come, body. For
 * http_conn.c. */
#ifndef NATARIS_NET_HTTP_READING_H
#define NATARIS_NET_HTTP_READING_H

#include "net/http_conn_state.h"

/* Uses some of `rest`, or returns false when it needs more bytes or an answer first. */
bool http_reading_step(struct http_conn *http);
/* No more is read: the handler answers with this status. */
void http_reading_refuse(struct http_conn *http, int status, const char *why);
/* The exchange is on its own from now on, and the bytes of its body count no more. */
void http_reading_drop_exchange(struct http_conn *http);
/* While the handler is asked: what has come meanwhile counts too. False: no more may come. */
bool http_reading_count_asked(struct http_conn *http);
/* The handler lets the body come (http_exchange_admit). */
void http_reading_admit(struct http_conn *http, bool keep_body);
/* The handler knows whose request it is (http_exchange_own). */
bool http_reading_own(struct http_conn *http, uint64_t owner);

#endif
