/* What a workflow is asked for, and how that is stored beside its row. */
#ifndef NATARIS_WORKFLOW_REQUEST_H
#define NATARIS_WORKFLOW_REQUEST_H

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
/* `out` as its request_text; false: the request is too large. */
MUST_CHECK bool workflow_request_write(const struct workflow_request *asked, uint32_t context_length,
                                       const struct tokens_rates *rates, struct buf *out);
/* Into the workflow, from that text. */
MUST_CHECK bool workflow_request_read(struct workflow *workflow, struct str text, struct err *err);

#endif
