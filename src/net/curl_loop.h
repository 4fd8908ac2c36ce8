/* libcurl's multi interface on the loop: its sockets and its timer. Only http_client.c uses it. */
#ifndef NATARIS_NET_CURL_LOOP_H
#define NATARIS_NET_CURL_LOOP_H

#include "base/compiler.h"
#include "base/err.h"
#include "net/loop.h"

#include <curl/curl.h>

struct curl_loop;
/* `on_done` comes when a transfer is over, with its CURLOPT_PRIVATE; the handle is still to be removed. It may add and
 * remove handles, but not free the curl_loop. ERR_INTERNAL when libcurl does not start. */
MUST_CHECK bool curl_loop_new(struct curl_loop **out, struct loop *loop, void (*on_done)(void *private, CURLcode code),
                              struct err *err);
/* Every handle must be removed before. The loop must run once more. */
void curl_loop_free(struct curl_loop *curl);
/* Not from inside one of libcurl's callbacks, both of them. False when libcurl does not take the handle. */
MUST_CHECK bool curl_loop_add(struct curl_loop *curl, CURL *easy);
void curl_loop_remove(struct curl_loop *curl, CURL *easy);

#endif
