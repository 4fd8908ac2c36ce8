/* One step of a workflow: stored, run, stored again. */
#ifndef NATARIS_WORKFLOW_STEP_H
#define NATARIS_WORKFLOW_STEP_H

#include "call/patience.h"
#include "call/run.h"
#include "workflow/scene.h"
#include "workflow/workflow.h"

enum { WORKFLOW_SCALE_MAX = 16 /* of struct workflow_scene */ };

enum workflow_step_phase {
    STEP_IDLE,      /* it has not begun, or is over */
    STEP_BEGINNING, /* its beginning is on the way into the store */
    STEP_READING,   /* a search reads its conversation */
    STEP_UNDER_WAY, /* it is a run */
    STEP_WAITING,   /* to be tried again */
    STEP_STORING,   /* its end is on the way into the store */
    STEP_UNSTORED,  /* the store had no room for its end: once more */
};

struct workflow_step {
    struct workflow *workflow;
    uint32_t number;
    enum workflow_step_phase phase;
    struct store_step record; /* its output is that of `output` */
    struct buf output;
    struct run *run; /* while UNDER_WAY */
    bool again;      /* its id may have been settled */
    bool shrunk;     /* it may say less than it was to, for its budget */
    bool streamed;   /* some of its text has gone to the waiter */
    uint32_t scale;  /* of struct workflow_scene */
    enum gen_finish finish;
    uint32_t cached_tokens;
    struct patience patience; /* while WAITING and UNSTORED */
};

struct workflow_step *workflow_step_get(struct workflow *workflow, uint32_t number);
void workflow_step_free(struct workflow_step *step);
static inline struct core_step *workflow_step_core(const struct workflow_step *step) {
    return &step->workflow->core->steps[step->number];
}
static inline struct calls *workflow_step_calls(const struct workflow_step *step) {
    return step->workflow->all->calls;
}
struct workflow_scene workflow_scene_of(const struct workflow *workflow, uint32_t scale);
void workflow_step_tell(const struct workflow_step *step); /* its waiter, how it is now */
/* In that phase until the tick finds that its time is over. */
void workflow_step_wait(struct workflow_step *step, enum workflow_step_phase phase, uint64_t wait_ms);
/* Its output is there: it is stored, and the workflow goes on. */
void workflow_step_ends(struct workflow_step *step);
void workflow_step_fails(struct workflow_step *step, const struct fault *fault);
/* From the tick. */
void workflow_step_due(struct workflow_step *step);
/* What runs of it is cancelled; the core and the store are told that it has failed. */
void workflow_step_cancel(struct workflow_step *step);
/* Only its waiting: it stays RUNNING in the store. */
bool workflow_step_is_parked(const struct workflow_step *step);
/* It is DONE: whether its cap has cut what is the answer; then the workflow ends as BUDGET_EXCEEDED. */
void workflow_step_check_cut(const struct workflow_step *step);

#endif
