/* The ledger and what belongs to it: settlements, grants, idempotent answers, usage, earnings, audit.
 *
 * Double entry, append-only, int64 nano-dollars. A transaction is two or more entries whose amounts sum to zero; ledger
 * accounts are named:
 *   wallet:<account id>    what a client may spend             promotions   where grants come from
 *   earnings:<account id>  what a device's owner has earned    revenue      the network's part
 *   payouts                what was paid out to owners         refunds      where refunds come from
 * Triggers refuse UPDATE and DELETE on entries; the balances table is a cache that moves in the same transaction and is
 * proven by `nataris ledger check`. Holds live in the core only: a gateway that dies has charged nothing that is not
 * committed. */
#ifndef NATARIS_STORE_MONEY_H
#define NATARIS_STORE_MONEY_H

#include "store/store.h"

#define STORE_WELCOME_CREDIT_NANO INT64_C(5000000000)   /* $5 for a new account, from promotions */
#define STORE_AMOUNT_MAX_NANO INT64_C(1000000000000000) /* of one charge, grant, refund or payout: a million dollars */
enum { STORE_PAGE_MAX = 1000 };                         /* rows of one page; a larger limit means this one */

/* --- The end of a job, in one transaction: its record, its entries, its stored answer. Asynchronous. --- */
struct store_answer {                         /* kept for 24 hours under the request's idempotency key */
    uint8_t scope_sha256[DIGEST_SHA256_SIZE]; /* of account id and idempotency key: the row's name */
    uint8_t body_sha256[DIGEST_SHA256_SIZE];  /* of the request's body: another body is another request */
    int64_t expires_ms;
    bool stream;        /* content is the text of the answer's SSE events */
    bool replaces;      /* takes the place of one that is kept (an SDK's first tries); false: that one refuses it */
    struct str content; /* the answer's body; copied */
};

/* What one of several devices did of an answer. */
struct store_part {
    char device_id[STORE_ID_MAX], account_id[STORE_ID_MAX]; /* of the device and its owner */
    uint32_t tokens;                                        /* completion tokens */
    int64_t amount_nano;                                    /* what its owner earns */
};
enum { STORE_PARTS_MAX = 64 };

struct store_turn;
struct store_settlement {        /* also of a job that was free: then there are no entries, but its record and answer */
    struct store_generation job; /* with charge_nano and provider_nano set */
    char provider_account_id[STORE_ID_MAX]; /* empty: no device earns (charge 0) */
    const struct store_answer *answer;      /* NULL: none to keep; copied */
    /* What it does to a conversation (store_conversations.h); NULL: nothing; copied. The answer goes when that goes, and is
     * not kept when it is gone already. */
    const struct store_turn *turn;
    /* Of an answer that several devices made, one after the other: what each did. Tokens and amounts add up to the job's
     * completion tokens and provider_nano; the prompt's tokens count for the last. Fewer than two: the job says it all, and
     * provider_account_id earns. Copied. */
    const struct store_part *parts;
    size_t part_count;
};
/* on_durable (may be NULL) with err NULL once it is on disk. ERR_CONFLICT, and nothing was written: its account, key or
 * an earner is unknown; its parts do not add up; a job of this id was settled before; the charge is more than the wallet has, or that of a failure;
 * the conversation has gone on since its turn began; the answer's scope holds one that had not expired when the job was created, and it does not replace it. */
void store_settle(struct store *store, const struct store_settlement *settlement,
                  void (*on_durable)(void *context, const struct err *err), void *context);
/* The stored answer of a scope, also when expired ones are about to go: NULL when there is none. `content` is borrowed
 * for the call. */
void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context);

/* --- Admin: asynchronous, each one transaction with its line in the audit log. `actor` says who: "cli", "up" (a start
 * of the gateway), or what a program on the admin socket calls itself. --- */
struct store_admin { /* what to do; unused members stay zero */
    enum store_admin_kind {
        STORE_ADMIN_ACCOUNT_CREATE,  /* account; with the welcome credit of `amount_nano`, and keys[0..1] */
        STORE_ADMIN_ACCOUNT_TIER,    /* account.id, account.tier */
        STORE_ADMIN_ACCOUNT_SUSPEND, /* account.id, account.suspended */
        STORE_ADMIN_KEY_CREATE,      /* keys[0] */
        STORE_ADMIN_KEY_REVOKE,      /* keys[0].id, keys[0].revoked_ms */
        STORE_ADMIN_CREDIT_GRANT,    /* account.id, amount_nano > 0, note: promotions -> wallet */
        STORE_ADMIN_CREDIT_REFUND,   /* likewise, refunds -> wallet */
        STORE_ADMIN_PAYOUT,        /* account.id, amount_nano > 0, note: earnings -> payouts; never more than earned */
        STORE_ADMIN_DEVICE_VERIFY, /* device.id, device.verified */
        STORE_ADMIN_REVIEWS_CLEAR, /* device.id: its lines of the review list go */
    } kind;
    const char *actor;
    struct store_account account;
    struct store_key keys[2];
    size_t key_count;
    int64_t amount_nano, now_ms;
    char note[STORE_NAME_MAX];
    struct store_device device;
};
/* `result` has the account and keys as they are now (numbers, balance filled in); ERR_NOT_FOUND for an unknown id,
 * ERR_CONFLICT when a rule forbids it. */
void store_admin(struct store *store, const struct store_admin *admin,
                 void (*on_result)(void *context, const struct store_admin *result, const struct err *err),
                 void *context);
/* The same before store_start, from one thread. */
MUST_CHECK bool store_admin_now(struct store *store, const struct store_admin *admin, struct store_admin *result,
                                struct err *err);

/* --- Reads: asynchronous, on a connection of their own beside the writer. Rows are borrowed for the call. --- */
struct store_model_usage {
    char model[STORE_MODEL_MAX];
    int64_t requests, prompt_tokens, completion_tokens, charge_nano;
};
struct store_usage {
    int64_t balance_nano, requests, prompt_tokens, completion_tokens, charge_nano;
    const struct store_model_usage *models;
    size_t model_count;
};
/* Completed and cancelled-but-charged jobs whose request came in [from_ms, to_ms); balance_nano is that of now. `key_id`
 * empty: all keys. A key of somebody else's is ERR_NOT_FOUND like one that does not exist. */
void store_usage_read(struct store *store, const char *account_id, const char *key_id, int64_t from_ms, int64_t to_ms,
                      void (*on_result)(void *context, const struct store_usage *usage, const struct err *err),
                      void *context);
/* Jobs of a client account (or, with `earned`, jobs that its devices earned from), newest first by time of creation,
 * then number, beginning behind the job `after` (empty: at the newest). `more`: a further page exists. An `after` of
 * somebody else's is ERR_NOT_FOUND like one that does not exist. With `earned`, account_id, key_id and label are empty:
 * they are the client's. */
void store_generations_page(struct store *store, const char *account_id, bool earned, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_generation *jobs, size_t count,
                                              bool more, const struct err *err),
                            void *context);
struct store_earnings { /* of jobs whose request came, and payouts that were made, in the period */
    int64_t earned_nano, paid_nano, jobs, tokens; /* earned - paid is owed */
};
void store_earnings_read(struct store *store, const char *account_id, int64_t from_ms, int64_t to_ms,
                         void (*on_result)(void *context, const struct store_earnings *earnings, const struct err *err),
                         void *context);

/* --- Reads for the operator: asynchronous, like the reads above; at most `limit` rows. `more`: there are further ones. --- */
/* The account `id`; or, when that is empty, all in order of creation, those behind the account `after` (empty: from the
 * first). Balances are filled in. */
void store_accounts_read(struct store *store, const char *id, const char *after, unsigned limit,
                         void (*on_result)(void *context, const struct store_account *accounts, size_t count, bool more,
                                           const struct err *err),
                         void *context);
/* The keys of an account in order of creation, also those revoked or expired. What they spent is filled in. */
void store_keys_read(struct store *store, const char *account_id, const char *after, unsigned limit,
                     void (*on_result)(void *context, const struct store_key *keys, size_t count, bool more,
                                       const struct err *err),
                     void *context);
struct store_audit;
/* The audit log, newest first; only lines with a smaller number than `before` (0: from the newest). */
void store_audit_read(struct store *store, int64_t before, unsigned limit,
                      void (*on_result)(void *context, const struct store_audit *lines, size_t count, bool more,
                                        const struct err *err),
                      void *context);

/* --- Offline: for `nataris ledger`, on a store that was opened but not started. --- */
struct store_ledger_report {
    int64_t transactions, entries, accounts;
    int64_t problems; /* each is also handed to on_problem */
};
/* Proves every invariant: each transaction sums to zero, the whole sums to zero, cached balances equal the sums, no
 * wallet below zero, every charged job has exactly one settlement of its amount, none for a failure, parts add up. */
MUST_CHECK bool store_ledger_check(struct store *store, void (*on_problem)(void *context, const char *text),
                                   void *context, struct store_ledger_report *report, struct err *err);
struct store_entry {
    int64_t number, transaction, amount_nano, created_ms;
    char ledger_account[STORE_ID_MAX + 16];
    char kind[16]; /* "settlement", "grant", "refund", "payout" */
    char job_id[STORE_ID_MAX], note[STORE_NAME_MAX];
};
MUST_CHECK bool store_each_entry(struct store *store, bool (*row)(void *context, const struct store_entry *entry),
                                 void *context, struct err *err);
struct store_audit {
    int64_t number, created_ms, amount_nano;
    char actor[STORE_ID_MAX], action[STORE_ID_MAX], subject[STORE_ID_MAX], note[STORE_NAME_MAX];
};
MUST_CHECK bool store_each_audit(struct store *store, bool (*row)(void *context, const struct store_audit *audit),
                                 void *context, struct err *err);

#endif
