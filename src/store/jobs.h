/* Jobs that nobody waits for (POST /v1/jobs). A job is stored with its request before it is acknowledged, and ends
 * exactly once: the first of completed, failed and cancelled stays. */
#ifndef NATARIS_STORE_JOBS_H
#define NATARIS_STORE_JOBS_H

#include "store/limits.h"
#include "store/workflows.h"

/* How long a job that has ended can be read; then it is deleted. */
#define STORE_JOB_KEPT_MS (INT64_C(30) * 24 * 60 * 60 * 1000)

enum store_job_state { /* stored by number */
                       STORE_JOB_QUEUED = 0,
                       STORE_JOB_RUNNING = 1,
                       STORE_JOB_COMPLETED = 2,
                       STORE_JOB_FAILED = 3,
                       STORE_JOB_CANCELLED = 4,
};
enum { STORE_JOB_STATES = 5 };

enum store_job_kind { /* what answers it, and so the shape of its answer; stored by number */
                      STORE_JOB_CHAT = 0,
                      STORE_JOB_INFERENCE = 1,
                      STORE_JOB_WORKFLOW = 2, /* answered in a chat's shape */
                      /* The others: one more than the number of their form (store/generations.h). */
};
enum { STORE_JOB_KINDS = 9 }; /* the forms behind these are in jobs/stored.h */

struct store_job {
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX], key_id[STORE_ID_MAX];
    bool test;
    enum store_job_kind kind;
    enum store_job_state state;
    char model[STORE_MODEL_MAX];
    int64_t created_ms, started_ms, ended_ms; /* wall clock; 0: not yet */
    uint32_t prompt_tokens, completion_tokens;
    int64_t charge_nano;
    uint8_t body_sha256[DIGEST_SHA256_SIZE]; /* of what came under its idempotency key */
    struct str body;                         /* the request; empty once it has ended. Not in lists */
    struct str result;                       /* JSON: answer or error; empty before. Not in lists */
};

/* What a request is told; `job` (NULL with an error) is borrowed for the call. */
typedef void store_job_told(void *context, const struct store_job *job, bool changed, const struct err *err);

struct store_job_new {
    struct store_job job;        /* id, account, key, test, kind, model, created_ms, body, body_sha256 */
    const uint8_t *scope_sha256; /* of its idempotency key; NULL: none */
    int64_t scope_since_ms;      /* a job under that key that is older does not count */
    bool replaces;               /* nor does any: the key names this one from now on */
    int64_t reserve_bytes;       /* of its account's quota, for its answer: given back with its end */
};
/* `changed` false: the job that is there under the idempotency key already. Copied. ERR_CONFLICT about "quota"
 * (quota.h): its account keeps as many as it may. */
void store_job_add(struct store *store, const struct store_job_new *asked, store_job_told *told, void *context);
/* ERR_NOT_FOUND also for a job of another account, or of the other kind of key. */
void store_job_find(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                    void *context);
/* A device has it (`state` RUNNING), or it waits again (QUEUED). Nothing once it has ended. */
void store_job_move(struct store *store, const char *id, enum store_job_state state, int64_t now_ms);

struct store_job_end {
    char id[STORE_ID_MAX];
    char account_id[STORE_ID_MAX]; /* empty: whosever it is; else ERR_NOT_FOUND for a foreign one */
    bool test;                     /* looked at with account_id */
    enum store_job_state state;    /* COMPLETED, FAILED or CANCELLED */
    int64_t ended_ms;
    uint32_t prompt_tokens, completion_tokens;
    int64_t charge_nano;
    struct str result;           /* copied */
    const uint8_t *scope_sha256; /* a stored answer that goes with it (answers.h): it is here now; or NULL */
    /* A workflow of its account that ends with it, if it is there and has not ended; empty: none. */
    char workflow_id[STORE_ID_MAX];
    enum store_workflow_status workflow_status;
    struct str event; /* JSON: the data of its event (events.h); empty: none. Copied */
};
/* Tells the job as it is then; `changed` false: it had ended before, and nothing was written. To end it once more is
 * safe. */
void store_job_end(struct store *store, const struct store_job_end *end, store_job_told *told, void *context);

/* Deletes one that has ended, with its result, and tells what it was. ERR_CONFLICT: it has not ended. */
void store_job_forget(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                      void *context);

struct store_job_query {
    char account_id[STORE_ID_MAX]; /* empty: every job that has not ended, of all accounts, oldest first */
    bool test;
    int state;                /* one of enum store_job_state; negative: any */
    char after[STORE_ID_MAX]; /* newest first, behind this one; empty: from the newest */
    unsigned limit;           /* at most STORE_JOB_LIST_MAX */
};
enum { STORE_JOB_LIST_MAX = 100 * 1000 };
/* ERR_NOT_FOUND: there is no `after`. Borrowed for the call. */
void store_job_list(struct store *store, const struct store_job_query *query,
                    void (*told)(void *context, const struct store_job *jobs, size_t count, bool more,
                                 const struct err *err),
                    void *context);
/* Deletes some of the jobs that ended before that time; `told` says whether there may be more. */
void store_job_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more), void *context);

/* --- Of a backend --- */

struct store_job_rows {
    /* Body and result are on the heap, when it is found. ERR_NOT_FOUND. */
    bool (*find)(struct store_connection *connection, const char *id, struct store_job *out, struct err *err);
    /* `existing` (empty: none) is the id of the job that has its scope; then nothing was written. */
    bool (*add)(struct store_connection *connection, const struct store_job_new *asked, char existing[STORE_ID_MAX],
                struct err *err);
    bool (*move)(struct store_connection *connection, const char *id, enum store_job_state state, int64_t now_ms,
                 struct err *err);
    /* Not `changed`: it had ended before, or there is none. */
    bool (*end)(struct store_connection *connection, const struct store_job_end *end, bool *changed, struct err *err);
    bool (*forget)(struct store_connection *connection, const char *id, bool *done, struct err *err);
    /* `rows` is on the heap. */
    bool (*list)(struct store_connection *connection, const struct store_job_query *query, struct store_job **rows,
                 size_t *count, bool *more, struct err *err);
    bool (*purge)(struct store_connection *connection, int64_t before_ms, size_t limit, bool *more, struct err *err);
};

#endif
