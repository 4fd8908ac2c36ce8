/* How a client says that a request is the same as one before: by Idempotency-Key, or as a retry of an official SDK. */
#ifndef NATARIS_API_IDEMPOTENCY_H
#define NATARIS_API_IDEMPOTENCY_H

#include "api/request.h"
#include "call/claim.h"

/* What the headers ask for; false: `fault` says what is wrong with Idempotency-Key. */
MUST_CHECK bool idempotency_read(const struct api_request *request, struct idempotency *out, struct fault *fault);

#endif
