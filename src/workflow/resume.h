/* What of a workflow is stored beside its row, so that it is whole again after a crash; and back. */
#ifndef NATARIS_WORKFLOW_RESUME_H
#define NATARIS_WORKFLOW_RESUME_H

#include "workflow/start.h"

/* `out` as its request_text; false: the request is too large. */
MUST_CHECK bool workflow_request_write(const struct workflow_request *asked, uint32_t context_length, struct buf *out);
/* Into the workflow, from that text. */
MUST_CHECK bool workflow_request_read(struct workflow *workflow, struct str text, struct err *err);
void workflow_core_make(struct workflow *workflow);
/* From its row and its steps to where it was. */
void workflow_replay(struct workflow *workflow, const struct store_workflow *row, const struct store_step *steps,
                     size_t count);

#endif
