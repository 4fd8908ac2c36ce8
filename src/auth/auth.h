/* Who sends a request: API keys by their SHA-256. A key comes into memory with the first request that has it, and
 * stays; made-up ones are held off by a filter over the hashes of all keys (key_filter.h), so that nobody without a key
 * makes the store read more than a little. One thread. The messages never quote a key. */
#ifndef NATARIS_AUTH_AUTH_H
#define NATARIS_AUTH_AUTH_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "store/accounts.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AUTH_LOOKUPS_MAX = 1024, /* questions to the store at a time; one for all requests with the same key */
    AUTH_STRANGERS_MAX = 20, /* of them in a second, those about keys that the filter does not know: they can only be
                                of a key that another process has added */
    AUTH_WAITERS_MAX = 4096, /* requests that wait for them */
    AUTH_UNKNOWN_MAX = 4096, /* keys remembered as unknown */
    AUTH_UNKNOWN_MS = 1000,  /* for this long */
};

/* Borrowed from the index: good as long as the struct auth. */
struct auth_identity {
    char account_id[STORE_ID_MAX];
    char key_id[STORE_ID_MAX];
    enum store_key_kind kind;
    bool owner;                          /* the operator's own account */
    uint64_t account_number, key_number; /* the core's names */
    const char *models; /* ids this key may use, separated by commas; empty: all. Good as long as the struct auth */
};

struct auth;

/* Knows no key yet. The store must live until store_close, which comes before auth_free. */
struct auth *auth_new(struct store *store);
void auth_free(struct auth *auth); /* NULL is fine */
/* Is told of each key that is read from the store, with its account, before anybody is given its identity; of a key
 * that was read before, again. Set once, before the next two. */
void auth_watch(struct auth *auth,
                void (*on_key)(void *context, const struct store_key *key, const struct store_account *account),
                void *context);
/* Reads the keys of jobs and workflows that have not ended, which ask for theirs by id; before store_start. */
MUST_CHECK bool auth_load_open(struct auth *auth, struct err *err);
/* With the first question to the store it begins to read the hashes of all keys, beside everything else. Until they are
 * there any key may be asked for. */
void auth_learn_hashes(struct auth *auth);
/* The store has one more key: it will be found. */
void auth_expect_key(struct auth *auth, const uint8_t sha256[DIGEST_SHA256_SIZE]);

/* Into memory, without a look-up. Replaces one of the same hash; a key that was removed stays so. */
void auth_add_key(struct auth *auth, const struct store_key *key);

/* From now on the key is refused (revoked); unknown ids are ignored: the store tells of their revocation. */
void auth_remove_key(struct auth *auth, const char *key_id);

/* The same for all known keys of an account. */
void auth_remove_account(struct auth *auth, const char *account_id);

/* From memory alone. `header` is the value of Authorization, empty when there is none. ERR_DENIED with the reason; keys
 * expire by the wall clock. */
MUST_CHECK bool auth_find(struct auth *auth, struct str header, const struct auth_identity **out, struct err *err);

/* The same by the id of a known key, for what was asked with it before. */
MUST_CHECK bool auth_find_key(struct auth *auth, const char *key_id, const struct auth_identity **out, struct err *err);

/* Whether the key may be a good one, from memory alone: it is known, or the filter of all keys does not rule it out. */
bool auth_may_know(const struct auth *auth, struct str header);

/* Answers with an identity (err NULL) or an error (identity NULL): ERR_DENIED, or ERR_UNAVAILABLE when the store cannot
 * be asked now. At once, before it returns, for known and malformed keys; else later from the loop, so the caller must
 * auth_cancel when it goes away before. `now_ms` is monotonic. */
void auth_lookup(struct auth *auth, struct str header, uint64_t now_ms,
                 void (*callback)(void *context, const struct auth_identity *identity, const struct err *err),
                 void *context);
/* Forgets the callbacks with this context. Nothing happens when there is none. */
void auth_cancel(struct auth *auth, const void *context);

#endif
