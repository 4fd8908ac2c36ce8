/* Accounts and their keys. */
#ifndef NATARIS_STORE_ACCOUNTS_H
#define NATARIS_STORE_ACCOUNTS_H

#include "store/limits.h"
#include "store/tier.h"

enum store_key_kind { /* stored by number */
                      STORE_KEY_LIVE = 0,
                      STORE_KEY_TEST = 1,
};

struct store_account {
    uint64_t number;       /* the core's name for it; made by store_account_add */
    char id[STORE_ID_MAX]; /* "acct_..." */
    char name[STORE_NAME_MAX];
    bool owner; /* the operator's own account (not: who owns devices, which any account may) */
    enum store_tier tier;
    bool suspended;
    bool unaudited;     /* no prompt of it is shown to devices that score answers; set by an action alone */
    int64_t created_ms; /* wall clock, UTC */
    int64_t balance_nano, given_nano; /* of both its wallets, and of that for given credit; filled in by reads */
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

/* --- Synchronous --- */
/* Without any credit: store_admin_now gives that. */
MUST_CHECK bool store_account_add(struct store *store, const struct store_account *account, struct err *err);
MUST_CHECK bool store_account_owner(struct store *store, struct store_account *out,
                                    struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool store_key_add(struct store *store, const struct store_key *key, struct err *err);
/* Each row in order of creation; the callback returns false to stop. */
MUST_CHECK bool store_each_account(struct store *store, bool (*row)(void *context, const struct store_account *account),
                                   void *context, struct err *err);
MUST_CHECK bool store_each_key(struct store *store, bool (*row)(void *context, const struct store_key *key),
                               void *context, struct err *err);

/* The keys of jobs and workflows that have not ended, each with its account: what goes on without a request. */
MUST_CHECK bool store_each_open_key(struct store *store,
                                    bool (*row)(void *context, const struct store_key *key,
                                                const struct store_account *account),
                                    void *context, struct err *err);

/* --- Asynchronous --- */
/* Looks a key up by its hash, with its account. NULL: unknown. It is of one order with what is written: it sees what
 * was asked to be written before, and its callback comes before those of what is asked for later. */
typedef void store_key_found(void *context, const struct store_key *key, const struct store_account *account,
                             const struct err *err);
void store_key_find(struct store *store, const uint8_t sha256[DIGEST_SHA256_SIZE], store_key_found *on_result,
                    void *context);
/* The hashes of keys in their order, those behind `after`, at most `limit`, borrowed for the call. `keys_max`: there
 * are not more keys than that in all. */
struct store_key_hashes {
    uint8_t (*sha256)[DIGEST_SHA256_SIZE];
    size_t count;
    int64_t keys_max;
};
void store_key_hashes_read(struct store *store, const uint8_t after[DIGEST_SHA256_SIZE], size_t limit,
                           void (*on_result)(void *context, const struct store_key_hashes *hashes,
                                             const struct err *err),
                           void *context);
/* Reads for the operator, beside the writer: at most `limit` rows, borrowed for the call. `more`: there are further
 * ones. */
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

/* --- Of a backend --- */

struct store_account_rows {
    bool (*add)(struct store_connection *connection, const struct store_account *account, struct err *err);
    bool (*owner)(struct store_connection *connection, struct store_account *out, struct err *err); /* ERR_NOT_FOUND */
    bool (*each)(struct store_connection *connection, bool (*row)(void *context, const struct store_account *account),
                 void *context, struct err *err);
    /* The one `id`; or (empty) all behind `after`, at most `limit`. */
    bool (*page)(struct store_connection *connection, const char *id, const char *after, size_t limit,
                 struct store_account *rows, size_t *count, struct err *err);
    bool (*key_add)(struct store_connection *connection, const struct store_key *key, struct err *err);
    bool (*key_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_key *key),
                     void *context, struct err *err);
    bool (*key_find)(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE],
                     struct store_key *out, bool *found, struct err *err);
    bool (*key_open_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_key *key),
                          void *context, struct err *err);
    /* Room for `limit` hashes is there. */
    bool (*key_hashes)(struct store_connection *connection, const uint8_t after[DIGEST_SHA256_SIZE], size_t limit,
                       struct store_key_hashes *out, struct err *err);
    bool (*key_page)(struct store_connection *connection, const char *account_id, const char *after, size_t limit,
                     struct store_key *rows, size_t *count, struct err *err);
};

#endif
