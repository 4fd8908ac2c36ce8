/* Answers that are kept, so that who asks again gets the same one: stored with a settlement, found by its scope. */
#ifndef NATARIS_STORE_ANSWERS_H
#define NATARIS_STORE_ANSWERS_H

#include "store/limits.h"

struct store_answer {
    uint8_t scope_sha256[DIGEST_SHA256_SIZE]; /* of account id and idempotency key: the row's name */
    uint8_t body_sha256[DIGEST_SHA256_SIZE];  /* of the request's body: another body is another request */
    int64_t expires_ms;
    bool stream;        /* content is the text of the answer's SSE events */
    bool replaces;      /* takes the place of one that is kept (an SDK's first tries); false: that one refuses it */
    bool spare;         /* nobody asked for it to be kept: it is not where its account's quota is used up (quota.h) */
    bool half;          /* with `spare`: it takes no more than half of that quota, which is left to who asks for it */
    struct str content; /* the answer's body; copied */
    const struct store_answer *also; /* of a settlement: one more, of a scope that nobody else has; NULL: none */
};
/* The stored answer of a scope, also when expired ones are about to go: NULL when there is none. `content` is borrowed
 * for the call. `account_id`: who will have one kept if there is none; ERR_CONFLICT about "quota" (quota.h) when there
 * is no room for it. NULL: nobody. Asynchronous. */
void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], const char *account_id,
                       int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context);

/* Deletes one; `found`: it was there, and had not expired. Asynchronous. */
void store_answer_delete(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                         void (*on_result)(void *context, bool found, const struct err *err), void *context);

/* --- Of a backend --- */

struct store_answer_rows {
    /* Whether the account may have one more kept: ERR_CONFLICT about "quota". */
    bool (*room)(struct store_connection *connection, const char *account_id, struct err *err);
    /* The content is on the heap. */
    bool (*find)(struct store_connection *connection, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                 struct store_answer *out, bool *found, struct err *err);
    bool (*remove)(struct store_connection *connection, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                   bool *found, struct err *err);
};

#endif
