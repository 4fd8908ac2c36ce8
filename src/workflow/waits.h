/* What a workflow that does not get on waits for, and each of its steps. */
#ifndef NATARIS_WORKFLOW_WAITS_H
#define NATARIS_WORKFLOW_WAITS_H

#include "workflow/workflow.h"

/* Of a workflow: WAITING_NOT as long as any of its steps gets on. NULL, which is one that is not alive: WAITING_NOT. */
enum waiting workflow_waits(const struct workflow *workflow);
enum waiting workflow_step_waits(const struct workflow_step *step);
/* The same of one that may be alive, by its step's number (from 0). */
enum waiting workflow_waits_at(const struct workflow *workflow, uint32_t number);

#endif
