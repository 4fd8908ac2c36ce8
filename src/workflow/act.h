/* A step that nobody generates: cutting a text into chunks, an agent's tools. */
#ifndef NATARIS_WORKFLOW_ACT_H
#define NATARIS_WORKFLOW_ACT_H

#include "workflow/workflow.h"

/* Its output comes at once or later. */
void workflow_step_local(struct workflow_step *step);

#endif
