/* Who sends a request: API keys by their SHA-256, all in memory, and a bounded way to ask the store about a key that
 * another process added since. One thread. The messages never quote a key. */
#ifndef NATARIS_AUTH_AUTH_H
#define NATARIS_AUTH_AUTH_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "store/accounts.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AUTH_LOOKUPS_MAX = 64,   /* questions to the store at a time; one for all requests with the same key */
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

/* Reads every key; call before store_start. The store must live until store_close, which comes before auth_free. */
MUST_CHECK bool auth_new(struct auth **out, struct store *store, struct err *err);
void auth_free(struct auth *auth); /* NULL is fine */

/* For a key made by this process, which need not wait for a look-up. Replaces one of the same hash; a key that was
 * removed stays so. */
void auth_add_key(struct auth *auth, const struct store_key *key);

/* From now on the key is refused (revoked); unknown ids are ignored: the store tells of their revocation. */
void auth_remove_key(struct auth *auth, const char *key_id);

/* From memory alone. `header` is the value of Authorization, empty when there is none. ERR_DENIED with the reason; keys
 * expire by the wall clock. */
MUST_CHECK bool auth_find(struct auth *auth, struct str header, const struct auth_identity **out, struct err *err);

/* The same by the id of a known key, for what was asked with it before. */
MUST_CHECK bool auth_find_key(struct auth *auth, const char *key_id, const struct auth_identity **out, struct err *err);

/* Answers with an identity (err NULL) or an error (identity NULL): ERR_DENIED, or ERR_UNAVAILABLE when the store cannot
 * be asked now. At once, before it returns, for known and malformed keys; else later from the loop, so the caller must
 * auth_cancel when it goes away before. `now_ms` is monotonic. */
void auth_lookup(struct auth *auth, struct str header, uint64_t now_ms,
                 void (*callback)(void *context, const struct auth_identity *identity, const struct err *err),
                 void *context);
/* Forgets the callbacks with this context. Nothing happens when there is none. */
void auth_cancel(struct auth *auth, const void *context);

#endif
