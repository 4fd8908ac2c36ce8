/* Runs: generations that the network starts itself, without an HTTP request that waits. A run is admitted, placed,
 * held, settled and cancelled like any call of its account; only where its text goes is different.
 *
 * What holds:
 *  - One thread, the loop's. No function here calls back before it returns; run_start and run_cancel may be called from
 *    inside any callback, of a run or else.
 *  - Exactly one of on_end and on_failed comes, unless run_cancel came first; the run is gone when it is called.
 *  - on_end comes when the settlement is durable. A failed run has cost nothing and left no record.
 *  - The id names the settlement. With `keep`, the answer is stored in the same transaction, for RUN_KEPT_MS: a run
 *    with `again` whose id was settled is not repeated and not paid again; on_end gets its stored answer (`repeated`).
 *    So the caller keeps the id (durably) before it starts the run, and starts it with `again` after a restart. A run
 *    that failed may be started again under its id; one that was cancelled must not be: what it produced may have been
 *    paid under it.
 *  - The account's limits hold: a run counts as a request under way and against requests per minute, so on_failed may
 *    be a 429 with retry_after_ms. Whoever wants to wait that out has a struct patience (call/patience.h). When the
 *    gateway stops, runs fail with 503, free of charge.
 *  - A run of a test key goes to the sandbox. That keeps nothing: `again` runs it anew. */
#ifndef NATARIS_CALL_RUN_H
#define NATARIS_CALL_RUN_H

#include "call/call.h"

struct run;

/* Before the first run of these calls, and after the last: those that were not started yet go without a word. NULL is
 * fine for the latter. */
void runs_open(struct calls *calls);
void runs_close(struct calls *calls);

/* The record of the generation has it, for GET /v1/usage/requests; the id's prefix shows it to people. */
enum run_purpose { RUN_REQUEST, RUN_JOB, RUN_STEP, RUN_TITLE, RUN_SUMMARY };
const char *run_purpose_name(enum run_purpose purpose); /* "request", "job", "step", "title", "summary" */
/* "job_...", "step_...", ...: a new one that sorts by time. */
void run_id_make(enum run_purpose purpose, char out[ID_SIZE]);

#define RUN_KEPT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

/* How `keep` keeps an answer that is not to be found by the run's id. */
struct run_kept {
    uint8_t scope_sha256[DIGEST_SHA256_SIZE], body_sha256[DIGEST_SHA256_SIZE]; /* as of a stored answer */
    int64_t kept_ms;
    bool replaces; /* one that is kept; it is then spare, too (store/answers.h) */
};

struct run_request {
    const char *id; /* of run_id_make */
    enum run_purpose purpose;
    enum store_generation_kind kind;
    const struct auth_identity *identity; /* whose account and key pay; copied, but its models must stay */
    const struct gen_request *generation; /* copied; its model is the resolved id, its `stream` is set by on_text */
    const struct call_tools *tools;       /* that the answer may call; the request says them already. NULL: none */
    struct str label;                     /* as with a call's; copied */
    const char *region;                   /* two letters; NULL or "": any */
    bool verified;
    bool keep, again;
    const struct run_kept *kept; /* copied; NULL: by its id, for RUN_KEPT_MS */
    /* What it may cost: run_cost_enough, or more. It never costs more, whatever its device counts. With nothing left
     * for its prompt it fails with 402 INSUFFICIENT_CREDITS. Negative: no cap. */
    int64_t cost_max_nano;
};

struct run_events {
    void (*on_begun)(void *context);                 /* a device has taken it; may be NULL */
    void (*on_text)(void *context, struct str text); /* a part of the answer; NULL: only the whole is wanted */
    /* Before the settlement: what it does to a conversation in the same transaction; false, or NULL: nothing. Not in
     * the sandbox. `turn` borrows until on_end. */
    bool (*on_turn)(void *context, struct str text, const struct call_result *result, struct store_turn *turn);
    /* `answer` is borrowed for the call; its id is the run's. */
    void (*on_end)(void *context, const struct answer *answer);
    void (*on_failed)(void *context, const struct fault *fault);
};

/* What the request may cost at most, in nano-dollars: the hold that it will take. */
int64_t run_cost_max(const struct gen_request *generation);
/* The most that it costs by all that is known of its text (call/counting.h). */
int64_t run_cost_enough(const struct calls *calls, const struct gen_request *generation);

/* The run is owned by itself; `run` is good until on_end, on_failed or run_cancel. `events` must outlive it. */
struct run *run_start(struct calls *calls, const struct run_request *asked, const struct run_events *events,
                      void *context);
/* No callback comes any more. What a device has produced is paid for when it has confirmed the cancel; that settlement
 * is recorded under the run's id without an answer. */
void run_cancel(struct run *run);

/* The name under which `keep` stores an answer (store_answer_find), so that others may delete it. */
void run_scope(const char *id, uint8_t out[DIGEST_SHA256_SIZE]);

#endif
