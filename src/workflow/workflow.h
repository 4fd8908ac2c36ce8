/* One workflow that is alive: the shell around core/workflow.h. Each step is stored before it begins, run (call/run.h)
 * under an id of its own, and stored again with its output before the next begins; so a gateway that is killed goes on
 * where it was and pays nothing twice. The last step's text goes to the client as it comes; any other answer as a whole
 * at the end.
 *
 * A workflow is owned by itself. Who waits for it (an HTTP call, a job, nobody after a restart) is its waiter. */
#ifndef NATARIS_WORKFLOW_WORKFLOW_H
#define NATARIS_WORKFLOW_WORKFLOW_H

#include "call/claim.h"
#include "call/patience.h"
#include "call/run.h"
#include "format/orchestration.h"
#include "store/workflows.h"
#include "workflow/chunks.h"
#include "workflow/scene.h"
#include "workflow/waiter.h"

#include <uthash.h>

enum {
    WORKFLOW_RETRY_MIN_MS = 250,
    WORKFLOW_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES,
    WORKFLOW_REQUEST_BYTES = 6 * LIMIT_HTTP_BODY_BYTES + 64 * 1024, /* every byte escaped */
};

enum {
    WORKFLOWS_OPEN_MAX = 100,        /* of an account and kind of key; past it: 429 */
    WORKFLOWS_TOTAL_MAX = 10 * 1000, /* of all; past it: 503 */
    WORKFLOWS_PARALLEL_MAX = 16,     /* steps of one workflow at once, as far as the account's tier allows */
    WORKFLOWS_STEP_TRIES_MAX = 4,    /* of a failure that may pass, while nothing of the step was streamed */
    /* That one step waits for room or a device: while a client waits, and while nobody does. */
    WORKFLOWS_WAIT_MAX_MS = 10 * 60 * 1000,
    WORKFLOWS_WAIT_ALONE_MS = 24 * 60 * 60 * 1000,
    WORKFLOWS_PURGE_MS = 60 * 60 * 1000,
    WORKFLOWS_TICK_MS = 250, /* how often room is looked for while steps wait */
};

struct workflow;
struct workflow_account; /* how many one account has */

/* What they share. */
struct workflows {
    struct calls *calls;   /* borrowed */
    struct workflow *list; /* uthash, by id */
    struct workflow_account *accounts;
    size_t total;
    struct executor executor; /* workflow/executor.h */
    struct json_parser *parser;
    struct loop_timer *tick, *purge;
    bool ticking;
    /* workflow/pump.c: what a step has to tell goes up by this, for its file knows nothing of those above it. */
    void (*pump)(struct workflow *workflow);
};

enum { WORKFLOW_SCALE_MAX = 16 /* of a step's record: so many times the rates */ };

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
    bool begun;      /* a device has taken its run */
    bool streamed;   /* some of its text has gone to the waiter */
    enum gen_finish finish;
    uint32_t cached_tokens;
    struct patience patience; /* while WAITING and UNSTORED */
};

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
    bool told_disk;            /* its waiter, that it waits for the disk; until the next step begins */
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
    struct tokens_rates rates; /* of its model, as they were when it was made */
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

/* --- The list of those that are alive --- */

/* For one more of this account; false with a fault. */
MUST_CHECK bool workflow_has_room(const struct workflows *workflows, const struct auth_identity *identity,
                                  struct fault *fault);
/* Alive, or NULL. */
struct workflow *workflow_find(const struct workflows *workflows, const char *id);

/* --- The life of one --- */

/* Listed, and counted for its account. */
struct workflow *workflow_new(struct workflows *workflows, const char *id, const char *account_id, bool test);
/* Nobody finds it any more; its waiter was told, or there is none. */
void workflow_drop(struct workflow *workflow);
/* An answer of the store has come: false when it was freed with it, or has nothing to do any more. */
MUST_CHECK bool workflow_answered(struct workflow *workflow);
/* Begins what may begin, and ends it when it is over (workflow/pump.c). It may be ENDED after this. */
void workflow_pump(struct workflow *workflow);
/* It or one of its steps waits: the tick looks again. */
void workflow_wait(const struct workflow *workflow);
/* Tells its waiter that it has failed and forgets it. */
void workflow_tell_failed(struct workflow *workflow, const struct fault *fault);
/* The store refused: it has ended without us, or its end must be left to the next gateway. */
void workflow_lost(struct workflow *workflow, const struct err *err);
/* "The workflow was cancelled." */
void workflow_fault_cancelled(struct fault *fault);
/* What its steps' prompts are made of; `scale` as that of a step's record. */
struct workflow_scene workflow_scene_of(const struct workflow *workflow, uint32_t scale);

#endif
