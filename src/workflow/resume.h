/* A workflow after a restart: from what is stored of it to where it was. */
#ifndef NATARIS_WORKFLOW_RESUME_H
#define NATARIS_WORKFLOW_RESUME_H

#include "workflow/workflow.h"

/* Its core, from its row: no step has begun, or these are stored. */
void workflow_core_make(struct workflow *workflow, const struct store_step *steps, size_t count);
/* From its row and its steps to where it was. */
void workflow_replay(struct workflow *workflow, const struct store_workflow *row, const struct store_step *steps,
                     size_t count);

#endif
