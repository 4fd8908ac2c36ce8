/* One workflow that is alive: the shell around core/workflow.h. Each step is stored before it begins, run (call/run.h)
 * under an id of its own, and stored again with its output before the next begins; so a gateway that is killed goes on
 * where it was and pays nothing twice. The last step's text goes to the client as it comes; any other answer as a whole
 * at the end.
 *
 * A workflow is owned by itself. Who waits for it (an HTTP call, a job, nobody after a restart) is its waiter. */
#ifndef NATARIS_WORKFLOW_WORKFLOW_H
#define NATARIS_WORKFLOW_WORKFLOW_H

#include "call/claim.h"
#include "format/orchestration.h"
#include "store/workflows.h"
#include "workflow/chunks.h"
#include "workflow/waiter.h"
#include "workflow/workflows.h"

#include <uthash.h>

enum {
    WORKFLOW_RETRY_MIN_MS = 250,
    WORKFLOW_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES,
    WORKFLOW_REQUEST_BYTES = 6 * LIMIT_HTTP_BODY_BYTES + 64 * 1024, /* every byte escaped */
};

struct workflow_step; /* workflow/step.h */

enum workflow_state {
    WORKFLOW_ADDING,  /* on its way into the store */
    WORKFLOW_READING, /* on its way out of it, after a restart */
    WORKFLOW_RUNNING,
    WORKFLOW_ENDING, /* its end is on the way into the store */
    WORKFLOW_ENDED,  /* nobody knows it any more: freed with the last answer of the store */
};

/* What its end adds to its conversation; its own messages are the last ones of the request. */
struct workflow_turn {
    bool given, system_given;
    int64_t from, density;
    uint32_t own;
    struct str system, counted_by;
};

struct workflow {
    UT_hash_handle hh;
    struct workflows *all;
    struct workflow_account *account;
    enum workflow_state state;
    bool wants_room;           /* a step could begin, but for the account's limits or the others' budget */
    bool cancelled;            /* while ADDING or READING */
    struct store_workflow row; /* without texts */
    struct auth_identity identity;
    struct arena arena; /* of what follows */
    struct gen_request request;
    struct orchestration asked;
    struct str label;
    char region[CORE_REGION_SIZE];
    bool verified;
    uint32_t context_length;
    struct workflow_turn turn;
    struct core_workflow *core; /* NULL before it runs */
    struct workflow_chunks chunks;
    struct workflow_step **steps; /* one for each of the core's that was looked at */
    struct str *outputs;          /* likewise */
    uint32_t step_count;
    const struct workflow_events *events; /* NULL: nobody waits */
    void *context;
    size_t asked_store; /* answers of the store to come; it lives until then */
    struct idempotency idempotency;
    struct buf request_text;       /* while ADDING */
    struct fault fault;            /* of one that fails; code meaningless without a message */
    struct buf text, calls;        /* of the answer, while ENDING */
    struct workflow_answer answer; /* likewise */
};

struct workflow *workflow_new(struct workflows *workflows, const char *id, const char *account_id, bool test);
/* Begins what may begin, and ends it when it is over. It may be ENDED after this. */
void workflow_pump(struct workflow *workflow);
/* What the tick does with one that waits. */
void workflow_tick(struct workflow *workflow);
/* Whether it or one of its steps waits: the tick looks at it. */
bool workflow_waits(const struct workflow *workflow);
/* Nobody finds it any more; its waiter was told, or there is none. */
void workflow_drop(struct workflow *workflow);
/* An answer of the store has come: false when it was freed with it, or has nothing to do any more. */
MUST_CHECK bool workflow_answered(struct workflow *workflow);
/* Tells its waiter that it has failed and forgets it. */
void workflow_tell_failed(struct workflow *workflow, const struct fault *fault);
/* The store refused: it has ended without us, or its end must be left to the next gateway. */
void workflow_lost(struct workflow *workflow, const struct err *err);
/* "The workflow was cancelled." */
void workflow_fault_cancelled(struct fault *fault);

#endif
