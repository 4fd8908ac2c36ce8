/* Workflows and their steps. A workflow is stored with its request before its first step begins, each step before it begins
 * and again when it has ended, so that whoever finds them after a crash goes on where they were. A workflow ends exactly
 * once: the first end stays. Asynchronous, as in store.h; what is given is copied, what comes back is borrowed for the call. A
 * workflow of another account, or of the other kind of key, is ERR_NOT_FOUND.
 *
 * The texts of a workflow on a conversation (task, request, answer, outputs) are sealed under the conversation's key and go
 * with it (store_conversation_delete). */
#ifndef NATARIS_STORE_WORKFLOWS_H
#define NATARIS_STORE_WORKFLOWS_H

#include "store/conversations.h"
#include "store/money.h"

/* How long a workflow that has ended can be read; then it is deleted. */
#define STORE_WORKFLOW_KEPT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

enum {
    STORE_WORKFLOW_LIST_MAX = 100,
    STORE_WORKFLOW_TASK_MAX = 256, /* of the task, what lists show: cut between characters, with its NUL */
};

struct store_workflow {
    char id[STORE_ID_MAX]; /* "wf_..."; sorts by time */
    char account_id[STORE_ID_MAX], key_id[STORE_ID_MAX];
    bool test;
    int kind;    /* enum core_workflow_kind */
    bool chosen; /* by "auto" */
    int status;  /* enum core_workflow_status; 0: it runs */
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
    uint32_t number;          /* from 0: its place in struct core_workflow */
    int name, state, outcome; /* enums core_step_name, core_step_state, core_step_outcome */
    bool local;
    uint32_t round, part;
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
 * settlement of its run does the same by itself, in its own transaction, also when the run was cancelled and the step (and
 * its workflow) ended before: what was paid is never missing here. ERR_CONFLICT: the workflow has ended, or the step has; nothing was written.
 * `answer_scope` (run_scope of call/run.h): the stored answer that its output now stands for goes; NULL: none. */
void store_step_put(struct store *store, const char *workflow_id, const struct store_step *step,
                    const uint8_t *answer_scope, void (*on_durable)(void *context, const struct err *err),
                    void *context);

struct store_workflow_end {
    char id[STORE_ID_MAX];
    char account_id[STORE_ID_MAX]; /* empty: whosever it is; else ERR_NOT_FOUND for a foreign one */
    bool test;                     /* looked at with account_id */
    int status;                    /* not 0 */
    int64_t ended_ms;
    struct str text, error, extra;     /* answer; JSON; JSON */
    struct str event;                  /* JSON: data of the event workflow.completed (store_webhooks.h); empty: none */
    const struct store_turn *turn;     /* what it does to its conversation, in the same transaction; NULL: nothing */
    const struct store_answer *stored; /* the answer under its idempotency key (as with a settlement); NULL: none */
};
/* Tells the workflow as it is then; `changed` false: it had ended before, and nothing was written. A turn that does not
 * follow on what is there is left out, and so is one of a conversation that is gone. */
void store_workflow_end(struct store *store, const struct store_workflow_end *end, store_workflow_told *told,
                        void *context);

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
    int name;                                                             /* enum core_step_name */
    uint32_t samples;                                                     /* 0: none, and the rest is 0 */
    uint32_t prompt_tokens_low, prompt_tokens_likely, prompt_tokens_high; /* 10%, 50%, 90% */
    uint32_t completion_tokens_low, completion_tokens_likely, completion_tokens_high;
};
enum { STORE_STEP_NAMES_MAX = 16 };
/* Of `account_id`'s workflows of that kind only; one entry for each step name that there is. */
void store_step_history_read(struct store *store, const char *account_id, bool test, int kind, const char *model,
                             void (*told)(void *context, const struct store_step_history *history, size_t count,
                                          const struct err *err),
                             void *context);

/* Deletes some of the workflows that ended before that time; `told` says whether there may be more. */
void store_workflow_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more),
                          void *context);

#endif
