/* A request that waits for the store. It may be gone when the answer comes: then only this is left of it. */
#ifndef NATARIS_API_PENDING_H
#define NATARIS_API_PENDING_H

#include "api/request.h"

struct pending;

/* `on_gone` (may be NULL) is called when the client goes away before pending_end; the request is freed after it. */
struct pending *pending_new(struct api_request *request, void (*on_gone)(struct api_request *request));
/* The answer has come: frees, and gives the request, or NULL when it is gone. */
MUST_CHECK struct api_request *pending_end(struct pending *pending);
/* The same, and a failure is answered: NULL then, too. `err` NULL: none. ERR_NOT_FOUND is a 404 that there is no `what`
 * (such as "job") with this id, which came in `param`; ERR_CONFLICT a 409. */
MUST_CHECK struct api_request *pending_answered(struct pending *pending, const struct err *err, const char *what,
                                                const char *param);

#endif
