/* The admin API over HTTP: handlers for struct http_server_events, whose context is the struct admin. The header
 * "x-admin-actor" says who acts, for the audit log. */
#ifndef NATARIS_ADMIN_HTTP_H
#define NATARIS_ADMIN_HTTP_H

#include "net/http_server.h"

void admin_on_request(void *context, struct http_exchange *exchange);
void admin_on_refused(void *context, struct http_exchange *exchange, int status, const char *why);

#endif
