/* What is kept: accounts, keys, join tokens, devices and the record of each job; store_money.h adds the ledger. One
 * writer thread puts all waiting records into one transaction (group commit), one reader thread answers what may take
 * long; answers come back on the loop. The backend is SQLite (sqlite_db.h, sqlite_rows.h); tests/contract/test_store*.c
 * say what any backend must do. No SQL text outside this folder (migrations are .sql files). */
#ifndef NATARIS_STORE_STORE_H
#define NATARIS_STORE_STORE_H

#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct store;

enum { STORE_ID_MAX = 40, STORE_NAME_MAX = 128, STORE_MODEL_MAX = 129 };
/* Requests that may wait for the writer: what comes on top is refused with ERR_UNAVAILABLE (its callback still comes
 * later, but may come before those of requests that wait). About 60 MB. */
enum { STORE_QUEUE_MAX = 64 * 1024 };

enum store_key_kind { STORE_KEY_LIVE, STORE_KEY_TEST };

enum store_tier { STORE_TIER_FREE, STORE_TIER_STARTER, STORE_TIER_PRO, STORE_TIER_UNLIMITED };

struct store_account {
    uint64_t number;       /* the core's name for it; made by store_account_add */
    char id[STORE_ID_MAX]; /* "acct_..." */
    char name[STORE_NAME_MAX];
    bool owner; /* the operator's own account (not: who owns devices, which any account may) */
    enum store_tier tier;
    bool suspended;
    int64_t created_ms;   /* wall clock, UTC */
    int64_t balance_nano; /* of its wallet; filled in by reads */
};

struct store_key {
    char id[STORE_ID_MAX]; /* "key_..." */
    char account_id[STORE_ID_MAX];
    enum store_key_kind kind;
    uint8_t sha256[DIGEST_SHA256_SIZE]; /* of the whole secret; the secret itself is never stored */
    char name[STORE_NAME_MAX];
    int64_t created_ms;
    uint64_t number;         /* the core's name for it; made by store_key_add */
    int64_t expires_ms;      /* 0: never */
    int64_t revoked_ms;      /* 0: not */
    int64_t cap_nano;        /* spending cap over its life; negative: none */
    char models[512];        /* ids it may use, separated by commas; empty: all */
    int64_t spent_nano;      /* filled in by reads */
    uint64_t account_number; /* filled in by reads */
    bool owner;              /* the account's; filled in by reads, ignored by store_key_add */
};

struct store_join_token {
    uint8_t sha256[DIGEST_SHA256_SIZE];
    char account_id[STORE_ID_MAX]; /* whose devices these become */
    uint32_t uses;                 /* so many devices, then it is void */
    int64_t created_ms, expires_ms;
};

struct store_record { /* how reliable a device was; shares are thousandths */
    uint64_t jobs, failures, reviews;
    uint32_t success, uptime;
    uint32_t prefill_factor, decode_factor; /* its speeds against the average; 0: not known */
    int64_t kept_ms;                        /* wall clock; 0: nothing is known of it yet */
};

struct store_device {
    char id[STORE_ID_MAX]; /* "prov_..." */
    char account_id[STORE_ID_MAX];
    uint8_t public_key[ED25519_KEY_SIZE];
    char name[STORE_NAME_MAX];
    char region[8];
    int64_t created_ms;
    bool verified;              /* by the operator */
    struct store_record record; /* filled in by reads */
};

enum store_outcome { STORE_OUTCOME_COMPLETED, STORE_OUTCOME_FAILED, STORE_OUTCOME_CANCELLED };

struct store_generation { /* one finished job, for usage and the operator's view; never prompt or answer */
    char id[STORE_ID_MAX];
    char account_id[STORE_ID_MAX];
    char key_id[STORE_ID_MAX];
    char model[STORE_MODEL_MAX];
    char device_id[STORE_ID_MAX]; /* the one that finished it; empty when none */
    char label[STORE_NAME_MAX];   /* the request's conversation_id when it is only a label */
    enum store_outcome outcome;
    uint32_t prompt_tokens, completion_tokens, attempts;
    uint32_t ttft_ms, latency_ms;
    int64_t created_ms;
    int64_t charge_nano, provider_nano; /* from the client's wallet; of it, to the device's owner */
};

/* Errors of the asynchronous calls: ERR_CONFLICT, ERR_NOT_FOUND, ERR_INVALID this request contradicts a rule (others of
 * its group are fine); ERR_UNAVAILABLE not done, but later ones may be (queue full, or another process held the
 * database); ERR_CLOSED after store_close began; ERR_IO, ERR_INTERNAL the store is broken. */

/* Opens or creates the database file and migrates it forward in one transaction. ERR_CONFLICT when its schema is newer
 * than this program; ERR_IO with the system's words (disk full, permissions). Usable at once by the synchronous calls.
 */
MUST_CHECK bool store_open(struct store **out, const char *path, struct err *err);
struct store_options {    /* for tests; all zero is what store_open uses */
    const char *vfs;      /* the backend's name of the file system layer below it; NULL: the usual one */
    bool sync_less;       /* weaker than the product: acknowledged records may be lost when the power fails */
    int checkpoint_pages; /* of the log, before it is written back; 0: the usual */
};
MUST_CHECK bool store_open_with(struct store **out, const char *path, const struct store_options *options,
                                struct err *err);
/* Waits for the writer, gives every waiting callback its answer, closes and frees. Safe on a store whose thread was
 * never started, and on NULL. Not from inside a store callback. The loop must turn once more before it is closed
 * itself. */
void store_close(struct store *store);

/* --- Synchronous: for commands and start-up, before store_start, from one thread. --- */
/* Without any credit: store_admin_now gives that. */
MUST_CHECK bool store_account_add(struct store *store, const struct store_account *account, struct err *err);
MUST_CHECK bool store_account_owner(struct store *store, struct store_account *out,
                                    struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool store_key_add(struct store *store, const struct store_key *key, struct err *err);
MUST_CHECK bool store_join_token_add(struct store *store, const struct store_join_token *token, struct err *err);
/* Each row in order of creation; the callback returns false to stop. */
MUST_CHECK bool store_each_account(struct store *store, bool (*row)(void *context, const struct store_account *account),
                                   void *context, struct err *err);
MUST_CHECK bool store_each_key(struct store *store, bool (*row)(void *context, const struct store_key *key),
                               void *context, struct err *err);
MUST_CHECK bool store_each_generation(struct store *store,
                                      bool (*row)(void *context, const struct store_generation *job), void *context,
                                      struct err *err);
/* Small named settings: the gateway's own id and such. ERR_NOT_FOUND when absent. */
MUST_CHECK bool store_setting_get(struct store *store, const char *name, char *out, size_t out_size, struct err *err);
MUST_CHECK bool store_setting_set(struct store *store, const char *name, const char *value, struct err *err);

/* --- Asynchronous: after store_start, from the loop's thread only; callbacks come on the loop's thread. --- */
/* Starts the writer thread. Waiting requests keep the loop alive, an idle store does not. `on_broken` is called once
 * when a write failed for good (disk full, file gone): the gateway must stop acknowledging; every waiting callback gets
 * the error too. */
MUST_CHECK bool store_start(struct store *store, uv_loop_t *loop,
                            void (*on_broken)(void *context, const struct err *err), void *context, struct err *err);
/* Finds the device of a public key; else, when `token` (may be empty) is a valid join token, enrols it as a new device
 * with this id, name and region; candidate->created_ms is taken for now, its account is the token's. `device` NULL:
 * neither (err NULL), or the store failed (err set). Also serves keys and tokens that another process has just added.
 */
void store_device_enrol(struct store *store, const uint8_t public_key[ED25519_KEY_SIZE], struct str token,
                        const struct store_device *candidate,
                        void (*on_result)(void *context, const struct store_device *device, const struct err *err),
                        void *context);
/* Looks a key up by its hash: for keys made by another process since start-up. NULL: unknown. */
void store_key_find(struct store *store, const uint8_t sha256[DIGEST_SHA256_SIZE],
                    void (*on_result)(void *context, const struct store_key *key, const struct err *err),
                    void *context);
/* Groups committed and records in them so far: for metrics and the benchmark. */
struct store_counts {
    uint64_t groups, records;
};
struct store_counts store_counts(const struct store *store);

#endif
