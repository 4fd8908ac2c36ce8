/* A request that waits for the store. It may be gone when the answer comes: then only this is left of it. */
#ifndef NATARIS_API_PENDING_H
#define NATARIS_API_PENDING_H

#include "api/request.h"

struct pending;

/* `on_gone` (may be NULL) is called when the client goes away before pending_end; the request is freed after it. */
struct pending *pending_new(struct api_request *request, void (*on_gone)(struct api_request *request));
/* The answer has come: frees, and gives the request, or NULL when it is gone. */
MUST_CHECK struct api_request *pending_end(struct pending *pending);

#endif
