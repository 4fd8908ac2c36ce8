/* The head of a request. For the files of the server. */
#ifndef NATARIS_NET_HTTP_PARSE_H
#define NATARIS_NET_HTTP_PARSE_H

#include "net/http_exchange.h"

/* A whole head that the guard has passed into the request. The head must live as long as the exchange.
 * Returns 0, or the status to refuse it with. */
int http_parse_head(struct http_exchange *exchange, struct str head, const char **why);

#endif
