/* The answer of an ended workflow, for its waiter. */
#ifndef NATARIS_WORKFLOW_ANSWER_H
#define NATARIS_WORKFLOW_ANSWER_H

#include "base/buf.h"
#include "call/answer.h"
#include "core/workflow.h"

/* Borrowed for the call. */
struct workflow_answer {
    const char *id; /* "wf_..." */
    enum core_workflow_kind kind;
    bool chosen;                      /* by "auto" */
    bool test;                        /* a test key's: it came from the sandbox */
    enum core_workflow_status status; /* COMPLETED, BUDGET_EXCEEDED, MAX_STEPS or NO_ANSWER */
    uint32_t steps_executed;
    int64_t cost_nano;
    struct str text;
    struct str tool_calls;  /* JSON array as in a chat message, or empty: it ended with a call of the caller's tool */
    struct gen_usage usage; /* of all its steps */
    enum gen_finish finish; /* of the answer; LENGTH when it was cut, also by a cap */
    uint32_t latency_ms;
    bool repeated; /* it had ended before: this is what was stored */
};

/* As the result of a call: its `nataris` is {"workflow_id", "workflow", "status", "steps_executed", "total_cost_usd",
 * ...}, in the buffer, which must live as long. */
struct call_result workflow_answer_result(const struct workflow_answer *answer, struct buf *nataris);

#endif
