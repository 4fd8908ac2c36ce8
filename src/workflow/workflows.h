/* Workflows alive: the shell around core/workflow.h. Each step is stored before it begins, run (call/run.h) under an id of
 * its own, and stored again with its output before the next begins; so a gateway that is killed goes on where it was and pays
 * nothing twice. The last step's text goes to the client as it comes; any other answer as a whole at the end.
 *
 * A workflow is owned by itself. Who waits for it (an HTTP call, a job, nobody after a restart) is its waiter. */
#ifndef NATARIS_WORKFLOW_WORKFLOWS_H
#define NATARIS_WORKFLOW_WORKFLOWS_H

#include "call/call.h"
#include "format/orchestration.h"
#include "store/workflows.h"

struct conversation_call; /* conversation/conversations.h */

enum {
    WORKFLOWS_OPEN_MAX = 100,        /* of an account and kind of key; past it: 429 */
    WORKFLOWS_TOTAL_MAX = 10 * 1000, /* of all; past it: 503 */
    WORKFLOWS_PARALLEL_MAX = 16,     /* steps of one workflow at once, as far as the account's tier allows */
    WORKFLOWS_STEP_TRIES_MAX = 4,    /* of a failure that may pass, while nothing of the step was streamed */
    WORKFLOWS_WAIT_MAX_MS =
        10 * 60 * 1000, /* that one step waits for room or a device while a client waits; a day without */
    WORKFLOWS_PURGE_MS = 60 * 60 * 1000,
};

struct workflows *workflows_new(struct api *api);
void workflows_free(struct workflows *workflows); /* NULL is fine */
void workflows_open(struct workflows *workflows); /* goes on with what was open when the gateway ended */
/* The gateway stops: steps under way go on, no further one begins, waiters are told 503; the next gateway goes on. */
void workflows_drain(struct workflows *workflows);

/* The answer of an ended workflow, for the waiter; borrowed for the call. */
struct workflow_answer {
    const char *id; /* "wf_..." */
    enum core_workflow_kind kind;
    bool chosen;                      /* by "auto" */
    bool test;                        /* a test key\'s: it came from the sandbox */
    enum core_workflow_status status; /* COMPLETED, BUDGET_EXCEEDED or MAX_STEPS */
    uint32_t steps_executed;
    int64_t cost_nano;
    struct str text;
    struct str tool_calls;  /* JSON array as in a chat message, or empty: it ended with a call of the caller's tool */
    struct gen_usage usage; /* of all its steps */
    enum gen_finish finish; /* of the answer; LENGTH when it was cut, also by a cap */
    uint32_t latency_ms;
    bool repeated; /* it had ended before: this is what was stored */
};
struct workflow_progress;
struct workflow_events {
    void (*on_step)(void *context, const struct workflow_progress *progress); /* may be NULL */
    void (*on_text)(void *context, struct str text); /* may be NULL: only the whole is wanted */
    /* Before the end is stored: what goes with it; false or NULL: nothing. Borrowed until on_end. */
    bool (*on_turn)(void *context, const struct workflow_answer *answer, struct store_turn *turn);
    bool (*on_stored)(void *context, const struct workflow_answer *answer, struct store_answer *stored);
    /* One of the two, once it is durable. After on_text had the whole answer already, `text` repeats it. */
    void (*on_end)(void *context, const struct workflow_answer *answer);
    void (*on_failed)(void *context, const char *id, const struct fault *error);
};
struct workflow_progress {
    const char *id;
    enum core_workflow_kind kind;
    const struct core_step *step; /* RUNNING: it begins; DONE: it has ended */
    uint32_t number;              /* of the step, from 0 */
    uint32_t steps_executed;
    int64_t cost_nano; /* so far */
};

struct workflow_request {
    const char *id; /* NULL: a new one; given (a job's): the workflow of that id is found if it is there already */
    const struct auth_identity *identity;
    const struct gen_request *generation; /* its model is the resolved id; copied */
    const struct orchestration *asked;    /* copied */
    const char *region;
    bool verified;
    struct str label;                      /* copied */
    const char *conversation_id;           /* NULL: none */
    const struct idempotency *idempotency; /* NULL: none */
    /* Of the call: where nobody waits any more at its end, its turn is stored all the same. NULL: none. */
    const struct conversation_call *conversation;
};
/* Nothing is called back before it returns. NULL with an error when there is no room. */
struct workflow *workflow_start(struct workflows *workflows, const struct workflow_request *asked,
                                const struct workflow_events *events, void *context, struct fault *error);
/* Its waiter goes, and no callback comes any more. `cancel`: the workflow ends CANCELLED, what runs is cancelled. */
void workflow_leave(struct workflow *workflow, bool cancel);
/* DELETE /v1/workflows/{id}, of a workflow that may be alive or not: ends it CANCELLED in the store, then here; its waiter is
 * failed. `told` as in store_workflow_end. */
void workflow_cancel(struct workflows *workflows, const struct auth_identity *identity, const char *id,
                     store_workflow_told *told, void *context);

/* An HTTP call whose answer a workflow makes (call->orchestration is set): in place of the backend's submit and abandon. */
void workflow_call_submit(struct call *call);
void workflow_call_abandon(struct call *call);

/* Writes `nataris` of an answer: {"workflow_id", "workflow", "status", "steps_executed", "total_cost_usd", ...}. */
void workflow_answer_write(struct json_writer *writer, const struct workflow_answer *answer);

#endif
