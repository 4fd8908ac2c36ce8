/* Workflows and their steps. A workflow is stored with its request before its first step begins, each step before it
 * begins and again when it has ended, so that whoever finds them after a crash goes on where they were. A workflow ends
 * exactly once: the first end stays. Asynchronous, as in store.h; what is given is copied, what comes back is borrowed
 * for the call. A workflow of another account, or of the other kind of key, is ERR_NOT_FOUND.
 *
 * The texts of a workflow on a conversation (task, request, answer, outputs) are sealed under the conversation's key
 * and go with it (store_conversation_delete). */
#ifndef NATARIS_STORE_WORKFLOWS_H
#define NATARIS_STORE_WORKFLOWS_H

#include "base/arena.h"
#include "store/answers.h"
#include "store/turns.h"

/* How long a workflow that has ended can be read; then it is deleted. */
#define STORE_WORKFLOW_KEPT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

enum {
    STORE_WORKFLOW_LIST_MAX = 100,
    STORE_WORKFLOW_TASK_MAX = 256, /* of the task, what lists show: cut between characters, with its NUL */
};

enum store_workflow_kind { /* stored by number */
                           STORE_WORKFLOW_RESEARCH = 0,
                           STORE_WORKFLOW_CODE = 1,
                           STORE_WORKFLOW_AGENT = 2,
                           STORE_WORKFLOW_MAP_REDUCE = 3,
};
enum { STORE_WORKFLOW_KINDS = 4 };

enum store_workflow_status { /* stored by number */
                             STORE_WORKFLOW_RUNNING = 0,
                             STORE_WORKFLOW_COMPLETED = 1,
                             STORE_WORKFLOW_FAILED = 2,
                             STORE_WORKFLOW_CANCELLED = 3,
                             STORE_WORKFLOW_BUDGET_EXCEEDED = 4,
                             STORE_WORKFLOW_MAX_STEPS = 5,
                             STORE_WORKFLOW_NO_ANSWER = 6,
};
enum { STORE_WORKFLOW_STATUSES = 7 };

enum store_step_name { /* stored by number */
                       STORE_STEP_RESEARCH = 0,
                       STORE_STEP_ANALYZE = 1,
                       STORE_STEP_WRITE = 2,
                       STORE_STEP_PLAN = 3,
                       STORE_STEP_IMPLEMENT = 4,
                       STORE_STEP_REVIEW = 5,
                       STORE_STEP_THINK = 6,
                       STORE_STEP_ACT = 7,
                       STORE_STEP_CHUNK = 8,
                       STORE_STEP_MAP = 9,
                       STORE_STEP_REDUCE = 10,
};
enum { STORE_STEP_NAMES = 11 };

enum store_step_state { /* stored by number */
                        STORE_STEP_READY = 0,
                        STORE_STEP_RUNNING = 1,
                        STORE_STEP_DONE = 2,   /* it has ended, as has the next */
                        STORE_STEP_FAILED = 3, /* or was cancelled */
};
enum { STORE_STEP_STATES = 4 };

/* What its output means. */
enum store_step_outcome { /* stored by number */
                          STORE_STEP_TEXT = 0,
                          STORE_STEP_APPROVED = 1,
                          STORE_STEP_FAULTS = 2,
                          STORE_STEP_ANSWER = 3,
                          STORE_STEP_ACTION = 4,
                          STORE_STEP_CALL = 5,
                          STORE_STEP_ECHO = 6,
                          STORE_STEP_LOOP = 7,
};
enum { STORE_STEP_OUTCOMES = 8 };

struct store_workflow {
    char id[STORE_ID_MAX]; /* "wf_..."; sorts by time */
    char account_id[STORE_ID_MAX], key_id[STORE_ID_MAX];
    bool test;
    enum store_workflow_kind kind;
    bool chosen; /* by "auto" */
    enum store_workflow_status status;
    char model[STORE_MODEL_MAX];
    char task[STORE_WORKFLOW_TASK_MAX];
    uint32_t max_steps;
    int64_t max_cost_nano;              /* negative: no cap */
    char conversation_id[STORE_ID_MAX]; /* empty: none */
    int64_t created_ms, ended_ms;       /* wall clock; 0: not yet */
    /* Sums of its steps: generations that have begun; tokens and cost of steps that have ended. */
    uint32_t steps_executed, prompt_tokens, completion_tokens;
    int64_t cost_nano;
    uint8_t body_sha256[DIGEST_SHA256_SIZE]; /* of what came under its idempotency key */
    struct str request; /* JSON: what it was asked, to go on after a crash; empty once it has ended. Not in lists */
    struct str answer;  /* its text. Not in lists */
    struct str error;   /* JSON: the error of one that failed. Not in lists */
    struct str extra;   /* JSON or empty: what the API wants back with the answer (a tool call). Not in lists */
};

struct store_step {
    uint32_t number; /* from 0: its place in the workflow */
    enum store_step_name name;
    enum store_step_state state;
    enum store_step_outcome outcome;
    bool local; /* nobody generates it */
    uint32_t round, part;
    uint32_t scale; /* of its prompt, doubled when it did not fit a device; 0: an older program's step, not told */
    bool shrunk;    /* it may say less than it was to, for its workflow's budget; not told when scale is 0 */
    char run_id[STORE_ID_MAX]; /* "step_...": of its settlement; empty of a local step */
    uint8_t prompt_sha256[DIGEST_SHA256_SIZE];
    uint32_t max_tokens;
    int64_t hold_nano;
    uint32_t prompt_tokens, completion_tokens;
    int64_t cost_nano;
    char provider_id[STORE_ID_MAX]; /* empty: none, or in the sandbox */
    int64_t started_ms, ended_ms;   /* wall clock; 0: not yet */
    struct str output;              /* empty until it is done */
};

/* A workflow with all that it has; texts are in the arena. Zeroed is empty. */
struct store_workflow_found {
    struct store_workflow workflow;
    struct store_step *steps; /* on the heap */
    size_t step_count, step_capacity;
    struct arena texts;
};
void store_workflow_found_clear(struct store_workflow_found *found);

/* `workflow` (NULL with an error) with its texts, and its steps in the order of their numbers. */
typedef void store_workflow_told(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                                 size_t step_count, bool changed, const struct err *err);

struct store_workflow_new {
    struct store_workflow workflow; /* all but status, sums and ends */
    const uint8_t *scope_sha256;    /* of its idempotency key; NULL: none */
    int64_t scope_since_ms;         /* a workflow under that key that is older does not count */
    bool replaces;                  /* nor does any: the key names this one from now on */
};
/* `changed` false: the workflow that is there under the idempotency key, or with this id, already (with its steps). */
void store_workflow_add(struct store *store, const struct store_workflow_new *asked, store_workflow_told *told,
                        void *context);
void store_workflow_find(struct store *store, const char *account_id, bool test, const char *id,
                         store_workflow_told *told, void *context);

/* A step begins, or has ended: adds the row or replaces it, and adds what it has cost to the workflow's sums, once. The
 * settlement of its run does the same by itself, in its own transaction, also when the run was cancelled and the step
 * (and its workflow) ended before: what was paid is never missing here. ERR_CONFLICT: the workflow has ended, or the
 * step has otherwise; nothing was written. To tell the same once more is safe. `answer_scope` (run_scope of
 * call/run.h): the stored answer that its output now stands for goes; NULL: none. */
void store_step_put(struct store *store, const char *workflow_id, const struct store_step *step,
                    const uint8_t *answer_scope, void (*on_durable)(void *context, const struct err *err),
                    void *context);

struct store_workflow_end {
    char id[STORE_ID_MAX];
    char account_id[STORE_ID_MAX];     /* empty: whosever it is; else ERR_NOT_FOUND for a foreign one */
    bool test;                         /* looked at with account_id */
    enum store_workflow_status status; /* not RUNNING */
    int64_t ended_ms;
    struct str text, error, extra;     /* answer; JSON; JSON */
    struct str event;                  /* JSON: data of the event workflow.completed (events.h); empty: none */
    const struct store_turn *turn;     /* what it does to its conversation, in the same transaction; NULL: nothing */
    const struct store_answer *stored; /* the answer under its idempotency key (as with a settlement); NULL: none */
};
/* Tells the workflow as it is then; `changed` false: it had ended before in another way or at another time, and nothing
 * was written. To end it once more is safe. A turn that does not follow on what is there is left out, and so is one of
 * a conversation that is gone. */
void store_workflow_end(struct store *store, const struct store_workflow_end *end, store_workflow_told *told,
                        void *context);

/* Deletes one that has ended, with its steps, and tells what it was. ERR_CONFLICT: it has not ended. */
void store_workflow_forget(struct store *store, const char *account_id, bool test, const char *id,
                           store_workflow_told *told, void *context);

struct store_workflow_query {
    char account_id[STORE_ID_MAX];
    bool test;
    int status;               /* negative: any */
    char after[STORE_ID_MAX]; /* newest first, behind this one; empty: from the newest */
    unsigned limit;           /* at most STORE_WORKFLOW_LIST_MAX */
};
/* `total`: of the account and kind of key, whatever the page; kept as a counter. ERR_NOT_FOUND: there is no `after`. */
void store_workflow_list(struct store *store, const struct store_workflow_query *query,
                         void (*told)(void *context, const struct store_workflow *workflows, size_t count, bool more,
                                      int64_t total, const struct err *err),
                         void *context);
/* The ids of those that have not ended, of all accounts, oldest first; each is then found by store_workflow_find. */
struct store_workflow_open {
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    bool test;
};
void store_workflows_open(struct store *store,
                          void (*told)(void *context, const struct store_workflow_open *open, size_t count,
                                       const struct err *err),
                          void *context);

/* What steps of a name have taken with a model lately (at most the last 200 of them): for estimates. */
struct store_step_history {
    enum store_step_name name;
    uint32_t samples;                                                     /* 0: none, and the rest is 0 */
    uint32_t prompt_tokens_low, prompt_tokens_likely, prompt_tokens_high; /* 10%, 50%, 90% */
    uint32_t completion_tokens_low, completion_tokens_likely, completion_tokens_high;
};
/* Of `account_id`'s workflows of that kind only; one entry for each step name that there is. */
void store_step_history_read(struct store *store, const char *account_id, bool test, enum store_workflow_kind kind,
                             const char *model,
                             void (*told)(void *context, const struct store_step_history *history, size_t count,
                                          const struct err *err),
                             void *context);

/* Deletes some of the workflows that ended before that time; `told` says whether there may be more. */
void store_workflow_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more),
                          void *context);

/* --- Of a backend --- */

struct store_workflow_page {
    struct store_workflow rows[STORE_WORKFLOW_LIST_MAX];
    size_t count;
    bool more;
    int64_t total;
};

struct store_step_history_query {
    char account_id[STORE_ID_MAX], model[STORE_MODEL_MAX];
    bool test;
    enum store_workflow_kind kind;
};

struct store_workflow_rows {
    /* `account_id` empty: whosever it is. ERR_NOT_FOUND. */
    bool (*find)(struct store_connection *connection, const char *account_id, bool test, const char *id,
                 struct store_workflow_found *out, struct err *err);
    /* `existing` (empty: none) is the id of the workflow that is there already; then nothing was written. */
    bool (*add)(struct store_connection *connection, const struct store_workflow_new *asked,
                char existing[STORE_ID_MAX], struct err *err);
    /* `out` is the workflow as it is then. */
    bool (*end)(struct store_connection *connection, const struct store_workflow_end *end,
                struct store_workflow_found *out, bool *changed, struct err *err);
    bool (*forget)(struct store_connection *connection, const char *id, bool *done, struct err *err);
    bool (*step_put)(struct store_connection *connection, const char *workflow_id, const struct store_step *step,
                     const uint8_t *answer_scope, struct err *err);
    bool (*list)(struct store_connection *connection, const struct store_workflow_query *query,
                 struct store_workflow_page *out, struct err *err);
    /* `rows` is on the heap. */
    bool (*open)(struct store_connection *connection, struct store_workflow_open **rows, size_t *count,
                 struct err *err);
    bool (*step_history)(struct store_connection *connection, const struct store_step_history_query *query,
                         struct store_step_history out[STORE_STEP_NAMES], size_t *count, struct err *err);
    bool (*purge)(struct store_connection *connection, int64_t before_ms, size_t limit, bool *more, struct err *err);
};

#endif
