/* Who is let in: what is asked of each request before its handler has it, and mostly before its body is read. */
#ifndef NATARIS_API_GATE_H
#define NATARIS_API_GATE_H

#include "api/request.h"
#include "call/fault.h"

/* Whether an address that has sent many wrong keys may try this one. A key that can be a good one always may: many
 * clients can be behind one address. */
MUST_CHECK bool gate_may_try_key(const struct api_request *request, struct str authorization, struct fault *fault);
/* The key was refused, or could not be looked up: what the client is told. */
void gate_key_failed(const struct api_request *request, const struct err *err, struct fault *fault);
/* There is too little room on the disk. */
void gate_disk_low(struct fault *fault);
/* The request's key is good: whether its account may go on. From the head alone. */
MUST_CHECK bool gate_enter(const struct api_request *request, struct fault *fault);

#endif
