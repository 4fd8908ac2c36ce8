/* A step that is generated: it begins within its budget, is run, and tried again. */
#ifndef NATARIS_WORKFLOW_STEP_RUN_H
#define NATARIS_WORKFLOW_STEP_RUN_H

#include "workflow/workflow.h"

/* False: not now (no budget before others have ended); or it cannot, and the workflow is ending. */
MUST_CHECK bool workflow_step_begin(struct workflow *workflow, uint32_t number);
/* It is stored as it is to run; then it runs. */
void workflow_step_store_begin(struct workflow_step *step);
/* It had begun before a crash: on with it, as it was stored. */
void workflow_step_resume(struct workflow_step *step);
/* Whether it was stored with less to say than it was to, for its budget. */
MUST_CHECK bool workflow_step_was_shrunk(struct workflow_step *step);

#endif
