/* How a workflow comes to life, and how it is told to end. */
#ifndef NATARIS_WORKFLOW_START_H
#define NATARIS_WORKFLOW_START_H

#include "workflow/workflow.h"

struct conversation; /* conversation/conversation.h */

struct workflow_request {
    const char *id; /* NULL: a new one; given (a job's): the workflow of that id is found if it is there already */
    const struct auth_identity *identity;
    const struct gen_request *generation; /* its model is the resolved id; copied */
    const struct orchestration *asked;    /* copied */
    const char *region;
    bool verified;
    struct str label;                      /* copied */
    const char *conversation_id;           /* NULL: none */
    const struct idempotency *idempotency; /* NULL: none */
    /* Of the call: where nobody waits any more at its end, its turn is stored all the same. NULL: none. */
    const struct conversation *conversation;
};
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
