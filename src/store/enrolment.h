/* How devices come in: join tokens, and what a key and a token together mean. */
#ifndef NATARIS_STORE_ENROLMENT_H
#define NATARIS_STORE_ENROLMENT_H

#include "store/devices.h"

struct store_join_token {
    uint8_t sha256[DIGEST_SHA256_SIZE];
    char id[STORE_ID_MAX];         /* "invite_...", for people; follows from sha256, filled in by reads */
    char account_id[STORE_ID_MAX]; /* whose devices these become */
    char device_id[STORE_ID_MAX];  /* not empty: it enrols nothing, but gives this device another key */
    uint32_t uses;                 /* so many devices, then it is void; reads: so many are left */
    int64_t created_ms, expires_ms;
    int64_t revoked_ms; /* 0: not */
    bool suspended;     /* its account is; filled in by reads */
};

/* Synchronous. */
MUST_CHECK bool store_join_token_add(struct store *store, const struct store_join_token *token, struct err *err);

/* --- Asynchronous --- */
/* A device has proven `public_key` and says `token` (may be empty). `device` is the one it is from now on:
 *  - a known key is its device. A token of another account moves it there (`verified` goes, the record stays);
 *  - another key with a token of store_join_token.device_id is that device, whose former key is refused from now on;
 *  - another key with a good token is a new device: `candidate`, of the token's account.
 * A token that was made for the device's own account is no reason to refuse it, whatever has become of the token: a
 * provider is started with the same options again and again. `device` NULL with ERR_DENIED: none of these, for good,
 * and the message says to the device why: it was removed, its key was replaced, an account is suspended, the token is
 * not good. Any other error is the store's. candidate->created_ms is the time of asking. */
void store_device_enrol(struct store *store, const uint8_t public_key[ED25519_KEY_SIZE], struct str token,
                        const struct store_device *candidate,
                        void (*on_result)(void *context, const struct store_device *device, const struct err *err),
                        void *context);
/* Join tokens, newest first, also those that are void; behind the token `after` (empty: from the newest). Reads, as
 * those of accounts.h. */
void store_join_tokens_read(struct store *store, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_join_token *tokens, size_t count,
                                              bool more, const struct err *err),
                            void *context);

/* --- Of a backend --- */

struct store_enrolment_rows {
    bool (*token_add)(struct store_connection *connection, const struct store_join_token *token, struct err *err);
    bool (*token_find)(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE],
                       struct store_join_token *out, bool *found, struct err *err);
    bool (*token_use)(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE], struct err *err);
    bool (*token_page)(struct store_connection *connection, const char *after, size_t limit,
                       struct store_join_token *rows, size_t *count, struct err *err);
    bool (*find)(struct store_connection *connection, const uint8_t public_key[ED25519_KEY_SIZE],
                 struct store_device *out, bool *found, struct err *err);
    bool (*by_id)(struct store_connection *connection, const char *id, struct store_device *out,
                  struct err *err); /* ERR_NOT_FOUND */
    bool (*key_was_replaced)(struct store_connection *connection, const uint8_t public_key[ED25519_KEY_SIZE],
                             bool *replaced, struct err *err);
    bool (*add)(struct store_connection *connection, const struct store_device *device, struct err *err);
    bool (*move)(struct store_connection *connection, const char *device_id, const char *account_id, struct err *err);
    /* The former key goes into the list of those that were replaced. */
    bool (*replace_key)(struct store_connection *connection, const char *device_id,
                        const uint8_t public_key[ED25519_KEY_SIZE], int64_t now_ms, struct err *err);
};

#endif
