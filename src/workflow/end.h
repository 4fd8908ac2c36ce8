/* How a workflow ends: its answer, its last words in the store, and what its waiter is told. */
#ifndef NATARIS_WORKFLOW_END_H
#define NATARIS_WORKFLOW_END_H

#include "workflow/workflow.h"

/* Nothing runs of it: ends it in the store. */
void workflow_end(struct workflow *workflow);
/* The waiter of one that ended before is told what the store has. */
void workflow_tell_stored(struct workflow *workflow, const struct store_workflow *stored);

#endif
