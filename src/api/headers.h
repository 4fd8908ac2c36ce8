/* The headers that say who asks, and for which request. */
#ifndef NATARIS_API_HEADERS_H
#define NATARIS_API_HEADERS_H

#include "api/request.h"
#include "base/compiler.h"
#include "call/fault.h"

/* Whether each of them comes once. They are no lists (RFC 9110 5.3): a proxy in front may have checked another one than
 * we would take, so also two that are equal are refused. False: `fault` is a 400 that names the header. */
MUST_CHECK bool headers_check(const struct http_request *http, struct fault *fault);

/* Whether it has a key at all, good or not. */
bool headers_have_key(const struct http_request *http);

/* The key that the request has, in the form of Authorization (RFC 6750 2.1): of that header, or of `x-api-key` or
 * `api-key`, which other APIs have; empty without any. False: they hold different keys, and none of them is chosen;
 * `fault` is a 400. *authorization is borrowed from the request or `arena`. */
MUST_CHECK bool headers_read_key(const struct http_request *http, struct arena *arena, struct str *authorization,
                                 struct fault *fault);

#endif
