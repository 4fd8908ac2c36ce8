/* One HTTP request whose answer is waited for, by a command that has nothing else to do: a loop of its own turns until
 * the answer is there. */
#ifndef NATARIS_NET_HTTP_QUESTION_H
#define NATARIS_NET_HTTP_QUESTION_H

#include "base/buf.h"
#include "net/http_client.h"

/* Blocks. The answer's body is appended to `body` as far as its limit allows, whatever options->body_max says; more
 * than that is HTTP_FAILURE_TOO_LARGE. */
void http_question_ask(const struct http_transfer_options *options, struct buf *body, struct http_result *result);

#endif
