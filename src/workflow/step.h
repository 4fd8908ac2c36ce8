/* One step of a workflow: stored, run, stored again. */
#ifndef NATARIS_WORKFLOW_STEP_H
#define NATARIS_WORKFLOW_STEP_H

#include "workflow/workflow.h"

struct workflow_step *workflow_step_get(struct workflow *workflow, uint32_t number);
static inline struct core_step *workflow_step_core(const struct workflow_step *step) {
    return &step->workflow->core->steps[step->number];
}
static inline struct calls *workflow_step_calls(const struct workflow_step *step) {
    return step->workflow->all->calls;
}
void workflow_step_tell(const struct workflow_step *step); /* its waiter, how it is now */
/* In that phase until the tick finds that its time is over. */
void workflow_step_wait(struct workflow_step *step, enum workflow_step_phase phase, uint64_t wait_ms);
/* Its output is there: it is stored, and the workflow goes on. */
void workflow_step_ends(struct workflow_step *step);
void workflow_step_fails(struct workflow_step *step, const struct fault *fault);
/* Whether it waits no longer: in one of the phases WAITING and UNSTORED, and its time is over. */
bool workflow_step_is_due(const struct workflow_step *step);
/* Its end, once more. */
void workflow_step_store_end(struct workflow_step *step);
/* What runs of it is cancelled; the core and the store are told that it has failed. */
void workflow_step_cancel(struct workflow_step *step);
/* Only its waiting: it stays RUNNING in the store. */
bool workflow_step_is_parked(const struct workflow_step *step);
/* It is DONE: whether its cap has cut what is the answer; then the workflow ends as BUDGET_EXCEEDED. */
void workflow_step_check_cut(const struct workflow_step *step);

#endif
