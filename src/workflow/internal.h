/* Inside the workflows: what the files share that make them. */
#ifndef NATARIS_WORKFLOW_INTERNAL_H
#define NATARIS_WORKFLOW_INTERNAL_H

#include "api/request.h"
#include "call/run.h"
#include "workflow/text.h"
#include "workflow/workflows.h"

#include <uthash.h>

enum {
    WORKFLOWS_TICK_MS = 250, /* how often room is looked for while steps wait */
    WORKFLOW_RETRY_MIN_MS = 250,
    WORKFLOW_RETRY_MAX_MS = 60 * 1000,
    WORKFLOW_SCALE_MAX = 16, /* of struct workflow_scene */
    WORKFLOW_ARENA_BYTES = 4 * LIMIT_HTTP_BODY_BYTES,
    WORKFLOW_REQUEST_BYTES = 6 * LIMIT_HTTP_BODY_BYTES + 64 * 1024, /* every byte escaped */
    WORKFLOW_WAIT_ALONE_MS = 24 * 60 * 60 * 1000,                   /* WORKFLOWS_WAIT_MAX_MS where nobody waits */
};

enum workflow_state {
    WORKFLOW_ADDING,  /* on its way into the store */
    WORKFLOW_READING, /* on its way out of it, after a restart */
    WORKFLOW_RUNNING,
    WORKFLOW_ENDING, /* its end is on the way into the store */
    WORKFLOW_ENDED,  /* nobody knows it any more: freed with the last answer of the store */
};

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
    bool streamed;   /* some of its text has gone to the waiter */
    uint32_t tries;
    enum gen_finish finish;
    uint32_t cached_tokens;
    uint64_t not_before_ms; /* loop clock; while WAITING */
    uint64_t warm_by_ms;    /* loop clock; nor before then, as long as no device has the model */
    uint64_t waits_from_ms; /* loop clock, of the first refusal; 0: none */
};

/* What its end adds to its conversation; its own messages are the last ones of the request. */
struct workflow_turn {
    bool given, system_given;
    int64_t from, density;
    uint32_t own;
    struct str system, counted_by;
};

struct workflow_account; /* workflows.c */

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
    char region[GENERATION_REGION_SIZE];
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
    struct fault error;            /* of one that fails; code meaningless without a message */
    struct buf text, calls;        /* of the answer, while ENDING */
    struct workflow_answer answer; /* likewise */
};

struct workflows {
    struct api *api;
    struct workflow *list; /* uthash, by id */
    struct workflow_account *accounts;
    size_t total;
    struct json_parser *parser;
    struct loop_timer *tick, *purge;
    bool ticking;
};

/* --- workflows.c --- */
/* For one more of this account; false with an error. */
MUST_CHECK bool workflows_have_room(struct workflows *workflows, const struct auth_identity *identity,
                                    struct fault *error);
struct workflow *workflow_find(struct workflows *workflows, const char *id); /* alive, or NULL */
struct workflow *workflow_new(struct workflows *workflows, const char *id, const char *account_id, bool test);
/* It goes on with what the store has of it, if it is there. */
void workflow_read(struct workflow *workflow);
/* Begins what may begin, and ends it when it is over. It may be ENDED after this. */
void workflow_pump(struct workflow *workflow);
/* It or one of its steps waits: the tick looks again. */
void workflow_wait(struct workflow *workflow);
/* Nobody finds it any more; its waiter was told, or there is none. */
void workflow_drop(struct workflow *workflow);
/* An answer of the store has come: false when it was freed with it, or has nothing to do any more. */
MUST_CHECK bool workflow_answered(struct workflow *workflow);
/* Tells its waiter that it has failed and forgets it. */
void workflow_tell_failed(struct workflow *workflow, const struct fault *error);
/* The store refused: it has ended without us, or its end must be left to the next gateway. */
void workflow_lost(struct workflow *workflow, const struct err *err);

/* --- workflow_start.c --- */
/* What the store has of it: on with it, or its end is told. */
void workflow_go_on(struct workflow *workflow, const struct store_workflow *stored, const struct store_step *steps,
                    size_t count);

/* --- workflow_steps.c --- */
struct workflow_step *workflow_step_get(struct workflow *workflow, uint32_t number);
void workflow_step_free(struct workflow_step *step);
static inline struct core_step *workflow_step_core(const struct workflow_step *step) {
    return &step->workflow->core->steps[step->number];
}
static inline struct api *workflow_step_api(const struct workflow_step *step) {
    return step->workflow->all->api;
}
struct workflow_scene workflow_scene_of(const struct workflow *workflow, uint32_t scale);
void workflow_step_tell(const struct workflow_step *step); /* its waiter, how it is now */
/* In that phase until the tick finds that its time is over. */
void workflow_step_wait(struct workflow_step *step, enum workflow_step_phase phase, uint64_t wait_ms);
/* Its output is there: it is stored, and the workflow goes on. */
void workflow_step_ends(struct workflow_step *step);
void workflow_step_fails(struct workflow_step *step, const struct fault *error);
/* From the tick. */
void workflow_step_due(struct workflow_step *step, uint64_t now_ms);
/* What runs of it is cancelled; the core and the store are told that it has failed. */
void workflow_step_cancel(struct workflow_step *step);
/* Only its waiting: it stays RUNNING in the store. */
bool workflow_step_is_parked(const struct workflow_step *step);
/* It is DONE: whether its cap has cut what is the answer; then the workflow ends as BUDGET_EXCEEDED. */
void workflow_step_check_cut(const struct workflow_step *step);

/* --- workflow_step_run.c --- */
/* False: not now (no budget before others have ended); or it cannot, and the workflow is ending. */
MUST_CHECK bool workflow_step_begin(struct workflow *workflow, uint32_t number);
/* It is stored as it is to run; then it runs. */
void workflow_step_store_begin(struct workflow_step *step);
/* It had begun before a crash: on with it, as it was stored. */
void workflow_step_resume(struct workflow_step *step);
/* An older program has stored it, which did not tell how its prompt was made. */
void workflow_step_take_old(struct workflow_step *step);

/* --- workflow_act.c --- */
/* A step that nobody generates: its output comes at once or later. */
void workflow_step_local(struct workflow_step *step);

/* --- workflow_end.c --- */
/* Nothing runs of it: ends it in the store. */
void workflow_end(struct workflow *workflow);
void workflow_error_cancelled(struct fault *error);
/* The waiter of one that ended before is told what the store has. */
void workflow_tell_stored(struct workflow *workflow, const struct store_workflow *stored);

/* --- workflow_resume.c --- */
/* `out` as its request_text; false: the request is too large. */
MUST_CHECK bool workflow_request_write(const struct workflow_request *asked, uint32_t context_length, struct buf *out);
/* Into the workflow, from that text. */
MUST_CHECK bool workflow_request_read(struct workflow *workflow, struct str text, struct err *err);
void workflow_core_make(struct workflow *workflow);
/* From its row and its steps to where it was. */
void workflow_replay(struct workflow *workflow, const struct store_workflow *row, const struct store_step *steps,
                     size_t count);

#endif
