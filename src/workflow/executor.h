/* The executor of an HTTP call whose answer a workflow makes. */
#ifndef NATARIS_WORKFLOW_EXECUTOR_H
#define NATARIS_WORKFLOW_EXECUTOR_H

#include "call/draft.h"

struct workflows; /* workflow/workflow.h */

/* Of these workflows; it lives as long as they. */
const struct executor *workflow_executor(struct workflows *workflows);
/* Its executor_data for the call that the draft becomes, in the draft's arena. NULL: that is full. */
void *workflow_executor_data(const struct draft *draft);

#endif
