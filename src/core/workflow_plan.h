/* Which steps a workflow has: the rules of core/workflow.h's table. Only the core's own files include it. */
#ifndef NATARIS_CORE_WORKFLOW_PLAN_H
#define NATARIS_CORE_WORKFLOW_PLAN_H

#include "core/workflow.h"

/* Of a new workflow: its first step. */
void core_workflow_plan_first(struct core_workflow *workflow);
/* A step is DONE and the workflow is not ending: adds the steps that follow, or sets how it ends. `parts`: of chunk. */
void core_workflow_plan_next(struct core_workflow *workflow, uint32_t step, uint32_t parts);

#endif
