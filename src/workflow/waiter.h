/* What the waiter of a workflow is told: an HTTP call, a job, or after a restart nobody. Types only. */
#ifndef NATARIS_WORKFLOW_WAITER_H
#define NATARIS_WORKFLOW_WAITER_H

#include "call/waiting.h"
#include "store/answers.h"
#include "store/turns.h"
#include "workflow/answer.h"

struct workflow_progress {
    const char *id;
    enum core_workflow_kind kind;
    const struct core_step *step; /* READY: it waits; RUNNING: it begins, or waits; DONE: it has ended */
    uint32_t number;              /* of the step, from 0 */
    uint32_t steps_executed;
    int64_t cost_nano;  /* so far */
    enum waiting waits; /* READY, RUNNING: what the step waits for */
};

struct workflow_events {
    void (*on_step)(void *context, const struct workflow_progress *progress); /* may be NULL */
    void (*on_text)(void *context, struct str text); /* may be NULL: only the whole is wanted */
    /* Before the end is stored: what goes with it; false or NULL: nothing. Borrowed until on_end. */
    bool (*on_turn)(void *context, const struct workflow_answer *answer, struct store_turn *turn);
    bool (*on_stored)(void *context, const struct workflow_answer *answer, struct store_answer *stored);
    /* One of the two, once it is durable. After on_text had the whole answer already, `text` repeats it. */
    void (*on_end)(void *context, const struct workflow_answer *answer);
    void (*on_failed)(void *context, const char *id, const struct fault *fault);
};

#endif
