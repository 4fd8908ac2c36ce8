#include "auth/auth.h"

#include "auth/key.h"
#include "auth/key_filter.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What an index is searched by is mostly the hash of a secret: no byte of it may show in the time a comparison
 * takes. */
#define HASH_KEYCMP(a, b, length) (!digest_equal((a), (b), (length)))
#include <uthash.h>
#include <utlist.h>

struct auth_key {
    UT_hash_handle hh, by_id;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct auth_identity identity;
    int64_t expires_ms; /* wall clock; 0: never */
    bool revoked;       /* kept: an identity is good as long as the struct auth */
    char *models;       /* owned; what identity.models points to */
};

struct auth_waiter {
    struct auth_waiter *prev, *next;
    void (*callback)(void *context, const struct auth_identity *identity, const struct err *err);
    void *context;
};

/* A question to the store, for all requests that sent the same key. */
struct auth_question {
    UT_hash_handle hh;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct auth *auth;
    uint64_t asked_ms;
    struct auth_waiter *waiters;
};

/* All live equally long, so the table's order (of insertion) is the order of expiry. */
struct auth_unknown {
    UT_hash_handle hh;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    uint64_t until_ms;
};

enum { AUTH_HASHES_AT_ONCE = 4096, AUTH_SECOND_MS = 1000 };

struct auth {
    struct store *store;
    void (*on_key)(void *context, const struct store_key *key, const struct store_account *account);
    void *on_key_context;
    struct key_filter filter;  /* what is asked; empty until all hashes are there */
    struct key_filter filling; /* is being filled */
    bool wants_hashes;         /* with the next question */
    uint64_t strangers_ms;     /* the second that the next is of */
    uint32_t strangers;        /* questions about keys that the filter does not know */
    struct auth_key *keys, *keys_by_id;
    struct auth_question *questions;
    struct auth_unknown *unknown;
    size_t waiters;
};

struct auth *auth_new(struct store *store) {
    struct auth *auth = MEM_NEW(struct auth);
    auth->store = store;
    return auth;
}

void auth_watch(struct auth *auth,
                void (*on_key)(void *context, const struct store_key *key, const struct store_account *account),
                void *context) {
    auth->on_key = on_key;
    auth->on_key_context = context;
}

static bool auth_load_key(void *context, const struct store_key *key, const struct store_account *account) {
    struct auth *auth = context;
    if (auth->on_key != NULL) {
        auth->on_key(auth->on_key_context, key, account);
    }
    auth_add_key(auth, key);
    return true;
}

bool auth_load_open(struct auth *auth, struct err *err) {
    return store_each_open_key(auth->store, auth_load_key, auth, err);
}

static void auth_on_hashes(void *context, const struct store_key_hashes *hashes, const struct err *err) {
    struct auth *auth = context;
    if (err != NULL) { /* it stays without: any key may be asked for */
        key_filter_clear(&auth->filling);
        return;
    }
    if (auth->filling.words == NULL) {
        key_filter_init(&auth->filling, 2 * (uint64_t)hashes->keys_max); /* for as many again */
    }
    for (size_t i = 0; i < hashes->count; i++) {
        key_filter_add(&auth->filling, hashes->sha256[i]);
    }
    if (hashes->count == AUTH_HASHES_AT_ONCE) {
        store_key_hashes_read(auth->store, hashes->sha256[hashes->count - 1], AUTH_HASHES_AT_ONCE, auth_on_hashes,
                              auth);
        return;
    }
    auth->filter = auth->filling;
    auth->filling = (struct key_filter){0};
}

void auth_learn_hashes(struct auth *auth) {
    auth->wants_hashes = true;
}

static void auth_begin_hashes(struct auth *auth) {
    static const uint8_t first[DIGEST_SHA256_SIZE] = {0};
    auth->wants_hashes = false;
    store_key_hashes_read(auth->store, first, AUTH_HASHES_AT_ONCE, auth_on_hashes, auth);
}

static void auth_unknown_remove_oldest(struct auth *auth) {
    struct auth_unknown *oldest = auth->unknown;
    assert(oldest->hh.prev == NULL);
    HASH_DEL(auth->unknown, oldest);
    free(oldest);
}

void auth_free(struct auth *auth) {
    if (auth == NULL) {
        return;
    }
    assert(auth->questions == NULL); /* the store still had callbacks to call */
    struct auth_key *key = auth->keys, *next;
    HASH_CLEAR(by_id, auth->keys_by_id);
    HASH_CLEAR(hh, auth->keys); /* the elements stay linked */
    for (; key != NULL; key = next) {
        next = key->hh.next;
        free(key->models);
        free(key);
    }
    while (auth->unknown != NULL) {
        auth_unknown_remove_oldest(auth);
    }
    key_filter_clear(&auth->filter);
    key_filter_clear(&auth->filling);
    free(auth);
}

void auth_expect_key(struct auth *auth, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    struct auth_unknown *unknown;
    key_filter_add(&auth->filter, sha256);
    key_filter_add(&auth->filling, sha256);
    HASH_FIND(hh, auth->unknown, sha256, DIGEST_SHA256_SIZE, unknown);
    if (unknown != NULL) {
        HASH_DEL(auth->unknown, unknown);
        free(unknown);
    }
}

static struct auth_key *auth_index_find(const struct auth *auth, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    struct auth_key *key;
    HASH_FIND(hh, auth->keys, sha256, DIGEST_SHA256_SIZE, key);
    return key;
}

static struct auth_key *auth_index_add(struct auth *auth, const struct store_key *key) {
    struct auth_key *added = MEM_NEW(struct auth_key);
    memcpy(added->sha256, key->sha256, sizeof(added->sha256));
    str_copy(added->identity.key_id, sizeof(added->identity.key_id), str_from(key->id));
    HASH_ADD(hh, auth->keys, sha256, sizeof(added->sha256), added);
    HASH_ADD_KEYPTR(by_id, auth->keys_by_id, added->identity.key_id, strlen(added->identity.key_id), added);
    return added;
}

/* A key's list of models never changes, so what an identity borrowed stays. */
static void auth_set_models(struct auth_key *known, const char *models) {
    if (known->models == NULL) {
        known->models = mem_strdup(models);
        known->identity.models = known->models;
    }
}

void auth_add_key(struct auth *auth, const struct store_key *key) {
    struct auth_key *known = auth_index_find(auth, key->sha256);
    if (known == NULL) {
        known = auth_index_add(auth, key);
    }
    str_copy(known->identity.account_id, sizeof(known->identity.account_id), str_from(key->account_id));
    known->identity.kind = key->kind;
    known->identity.owner = key->owner;
    known->identity.account_number = key->account_number;
    known->identity.key_number = key->number;
    auth_set_models(known, key->models);
    known->expires_ms = key->expires_ms;
    known->revoked = known->revoked || key->revoked_ms != 0;
}

void auth_remove_key(struct auth *auth, const char *key_id) {
    struct auth_key *key;
    HASH_FIND(by_id, auth->keys_by_id, key_id, strlen(key_id), key);
    if (key != NULL) {
        key->revoked = true;
    }
}

void auth_remove_account(struct auth *auth, const char *account_id) {
    struct auth_key *key, *next;
    HASH_ITER (by_id, auth->keys_by_id, key, next) {
        key->revoked = key->revoked || strcmp(key->identity.account_id, account_id) == 0;
    }
}

/* --- The header --- */

/* RFC 6750 2.1: "Bearer", in any case (RFC 9110 11.1), spaces, the token. */
static bool auth_read_header(struct str header, struct str *key, struct err *err) {
    struct str scheme, rest;
    header = str_trim(header);
    if (header.len == 0) {
        return err_set(err, ERR_DENIED, "Missing API key: send the header 'Authorization: Bearer nat_live_...'");
    }
    const bool two_parts = str_split(header, ' ', &scheme, &rest);
    if (!str_equal_nocase(scheme, STR("Bearer"))) {
        return err_set(err, ERR_DENIED,
                       "The Authorization header must be of the form 'Authorization: Bearer nat_live_...'");
    }
    *key = two_parts ? str_trim(rest) : STR("");
    return key->len > 0 || err_set(err, ERR_DENIED, "The API key after 'Authorization: Bearer' is empty");
}

/* The key that the header has, and its hash: *known is NULL when it is not in memory. False: it cannot be one. A text
 * of the right length is looked up first: one that is found need not be checked for its form. */
static bool auth_find_header(const struct auth *auth, struct str header, uint8_t sha256[DIGEST_SHA256_SIZE],
                             struct auth_key **known, struct err *err) {
    struct str key = {0};
    enum store_key_kind kind;
    *known = NULL;
    if (!auth_read_header(header, &key, err)) {
        return false;
    }
    if (key.len == KEY_SIZE - 1) {
        digest_sha256(key.data, key.len, sha256);
        *known = auth_index_find(auth, sha256);
    }
    return *known != NULL || key_check(key, &kind) ||
           err_set(
               err, ERR_DENIED,
               "Malformed API key: it begins with nat_live_ or nat_test_ and %d letters and digits follow; this one is "
               "cut or mistyped",
               (int)SECRET_TAIL_LENGTH);
}

static bool auth_deny_unknown(struct err *err) {
    return err_set(err, ERR_DENIED, "Unknown API key: it was not issued by this network");
}

/* Whether a known key is good now. */
static bool auth_check_key(const struct auth_key *key, const struct auth_identity **out, struct err *err) {
    *out = NULL;
    if (key->revoked) {
        return err_set(err, ERR_DENIED, "This API key has been revoked: use another one");
    }
    if (key->expires_ms != 0 && clock_wall_ms() >= key->expires_ms) {
        return err_set(err, ERR_DENIED, "This API key has expired: use another one");
    }
    *out = &key->identity;
    return true;
}

bool auth_find_key(struct auth *auth, const char *key_id, const struct auth_identity **out, struct err *err) {
    struct auth_key *key;
    *out = NULL;
    HASH_FIND(by_id, auth->keys_by_id, key_id, strlen(key_id), key);
    return key != NULL ? auth_check_key(key, out, err) : auth_deny_unknown(err);
}

bool auth_find(struct auth *auth, struct str header, const struct auth_identity **out, struct err *err) {
    uint8_t sha256[DIGEST_SHA256_SIZE] = {0};
    struct auth_key *key;
    *out = NULL;
    if (!auth_find_header(auth, header, sha256, &key, err)) {
        return false;
    }
    return key != NULL ? auth_check_key(key, out, err) : auth_deny_unknown(err);
}

bool auth_may_know(const struct auth *auth, struct str header) {
    uint8_t sha256[DIGEST_SHA256_SIZE] = {0};
    struct auth_key *key;
    struct err err;
    return auth_find_header(auth, header, sha256, &key, &err) &&
           (key != NULL || key_filter_may_hold(&auth->filter, sha256));
}

/* --- Keys recently found unknown --- */

static bool auth_is_unknown(struct auth *auth, const uint8_t sha256[DIGEST_SHA256_SIZE], uint64_t now_ms) {
    struct auth_unknown *unknown;
    while (auth->unknown != NULL && auth->unknown->until_ms <= now_ms) {
        auth_unknown_remove_oldest(auth);
    }
    HASH_FIND(hh, auth->unknown, sha256, DIGEST_SHA256_SIZE, unknown);
    return unknown != NULL;
}

static void auth_remember_unknown(struct auth *auth, const struct auth_question *question) {
    if (HASH_COUNT(auth->unknown) >= AUTH_UNKNOWN_MAX) {
        auth_unknown_remove_oldest(auth);
    }
    struct auth_unknown *unknown = MEM_NEW(struct auth_unknown);
    memcpy(unknown->sha256, question->sha256, sizeof(unknown->sha256));
    unknown->until_ms = question->asked_ms + AUTH_UNKNOWN_MS;
    HASH_ADD(hh, auth->unknown, sha256, sizeof(unknown->sha256), unknown);
}

/* --- Questions to the store --- */

static void auth_question_answer(struct auth_question *question, const struct auth_identity *identity,
                                 const struct err *err) {
    /* One at a time from the list: a callback may cancel others. */
    while (question->waiters != NULL) {
        struct auth_waiter *waiter = question->waiters;
        DL_DELETE(question->waiters, waiter);
        question->auth->waiters--;
        waiter->callback(waiter->context, identity, err);
        free(waiter);
    }
}

static void auth_on_key(void *context, const struct store_key *found, const struct store_account *account,
                        const struct err *store_err) {
    struct auth_question *question = context;
    struct auth *auth = question->auth;
    struct err err;
    if (found != NULL) {
        (void)auth_load_key(auth, found, account);
    }
    /* Also what auth_add_key was told since the question was asked. */
    const struct auth_key *key = auth_index_find(auth, question->sha256);
    const struct auth_identity *identity;
    if (key != NULL) {
        bool good = auth_check_key(key, &identity, &err);
        auth_question_answer(question, identity, good ? NULL : &err);
    } else if (store_err != NULL) {
        err_set(&err, ERR_UNAVAILABLE, "API keys cannot be checked at the moment");
        auth_question_answer(question, NULL, &err);
    } else {
        auth_deny_unknown(&err);
        auth_remember_unknown(auth, question);
        auth_question_answer(question, NULL, &err);
    }
    HASH_DEL(auth->questions, question);
    free(question);
}

/* Whether this key may be asked for now: anybody can make up keys that nobody has. */
static bool auth_may_ask(struct auth *auth, const uint8_t sha256[DIGEST_SHA256_SIZE], uint64_t now_ms) {
    if (HASH_COUNT(auth->questions) >= AUTH_LOOKUPS_MAX) {
        return false;
    }
    if (key_filter_may_hold(&auth->filter, sha256)) {
        return true;
    }
    if (now_ms >= auth->strangers_ms + AUTH_SECOND_MS) {
        auth->strangers_ms = now_ms;
        auth->strangers = 0;
    }
    return auth->strangers++ < AUTH_STRANGERS_MAX;
}

/* The question about this key: the one that is open, a new one, or NULL when too many are. */
static struct auth_question *auth_ask(struct auth *auth, const uint8_t sha256[DIGEST_SHA256_SIZE], uint64_t now_ms) {
    struct auth_question *question;
    HASH_FIND(hh, auth->questions, sha256, DIGEST_SHA256_SIZE, question);
    if (question != NULL || !auth_may_ask(auth, sha256, now_ms)) {
        return question;
    }
    if (auth->wants_hashes) {
        auth_begin_hashes(auth);
    }
    question = MEM_NEW(struct auth_question);
    question->auth = auth;
    question->asked_ms = now_ms;
    memcpy(question->sha256, sha256, sizeof(question->sha256));
    HASH_ADD(hh, auth->questions, sha256, sizeof(question->sha256), question);
    store_key_find(auth->store, sha256, auth_on_key, question);
    return question;
}

void auth_lookup(struct auth *auth, struct str header, uint64_t now_ms,
                 void (*callback)(void *context, const struct auth_identity *identity, const struct err *err),
                 void *context) {
    uint8_t sha256[DIGEST_SHA256_SIZE] = {0};
    struct auth_key *key;
    struct err err;
    if (!auth_find_header(auth, header, sha256, &key, &err)) {
        callback(context, NULL, &err);
        return;
    }
    if (key != NULL) {
        const struct auth_identity *identity;
        bool good = auth_check_key(key, &identity, &err);
        callback(context, identity, good ? NULL : &err);
        return;
    }
    if (auth_is_unknown(auth, sha256, now_ms)) {
        auth_deny_unknown(&err);
        callback(context, NULL, &err);
        return;
    }
    struct auth_question *question = auth->waiters < AUTH_WAITERS_MAX ? auth_ask(auth, sha256, now_ms) : NULL;
    if (question == NULL) {
        err_set(&err, ERR_UNAVAILABLE, "Too many unknown API keys are being checked: try again");
        callback(context, NULL, &err);
        return;
    }
    struct auth_waiter *waiter = MEM_NEW(struct auth_waiter);
    waiter->callback = callback;
    waiter->context = context;
    DL_APPEND(question->waiters, waiter);
    auth->waiters++;
}

void auth_cancel(struct auth *auth, const void *context) {
    struct auth_question *question, *next_question;
    HASH_ITER (hh, auth->questions, question, next_question) {
        struct auth_waiter *waiter, *next;
        DL_FOREACH_SAFE (question->waiters, waiter, next) {
            if (waiter->context == context) {
                DL_DELETE(question->waiters, waiter);
                auth->waiters--;
                free(waiter);
            }
        }
    }
}
