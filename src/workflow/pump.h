/* How a workflow goes on: which of its steps begin, what those that wait do, and whether it is over. Steps come here by
 * workflow_pump, when they have ended. */
#ifndef NATARIS_WORKFLOW_PUMP_H
#define NATARIS_WORKFLOW_PUMP_H

#include "workflow/workflow.h"

/* For struct workflows. */
void pump_workflow(struct workflow *workflow);
/* Whether it or one of its steps waits: the tick looks at it, ... */
bool pump_waits(const struct workflow *workflow);
/* ... by this. */
void pump_tick(struct workflow *workflow);

#endif
