/* The JSON bodies of requests: read in one way by all routes. */
#ifndef NATARIS_API_BODY_H
#define NATARIS_API_BODY_H

#include "api/request.h"
#include "base/json_read.h"
#include "call/fault.h"

/* The body without a byte order mark in front, which RFC 8259 8.1 allows to pass over. */
struct str body_text(const struct api_request *request);
/* Any JSON value without an object that has a key twice; it lives until the next document is parsed. False: `fault` is
 * a 400, or a 415 for a Content-Encoding. */
MUST_CHECK bool body_parse(struct api_request *request, struct json_value *body, struct fault *fault);
/* The same, and it is an object. */
MUST_CHECK bool body_parse_object(struct api_request *request, struct json_value *body, struct fault *fault);
/* What a body of that format asks for, its model resolved and allowed for this key. Strings are in the exchange's
 * arena. */
MUST_CHECK bool body_read_input(struct api_request *request, const struct format *format, struct json_value body,
                                struct call_input *input, struct fault *fault);

#endif
