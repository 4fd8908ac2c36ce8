/* How a workflow comes to life, and how it is told to end. */
#ifndef NATARIS_WORKFLOW_START_H
#define NATARIS_WORKFLOW_START_H

#include "workflow/request.h"

/* Nothing is called back before it returns. NULL with an error when there is no room. */
struct workflow *workflow_start(struct workflows *workflows, const struct workflow_request *asked,
                                const struct workflow_events *events, void *context, struct fault *fault);
/* Its waiter goes, and no callback comes any more. `cancel`: the workflow ends CANCELLED, what runs is cancelled. */
void workflow_leave(struct workflow *workflow, bool cancel);
/* DELETE /v1/workflows/{id}, of a workflow that may be alive or not: ends it CANCELLED in the store, then here; its
 * waiter is failed. `told` as in store_workflow_end. */
void workflow_cancel(struct workflows *workflows, const struct auth_identity *identity, const char *id,
                     store_workflow_told *told, void *context);
/* What the store has of it: on with it, or its end is told. */
void workflow_go_on(struct workflow *workflow, const struct store_workflow *stored, const struct store_step *steps,
                    size_t count);

#endif
