/* The rows of the database as the structs of store.h. Every function runs one or two prepared statements; errors as in
 * sqlite_db.h. */
#ifndef NATARIS_STORE_SQLITE_ROWS_H
#define NATARIS_STORE_SQLITE_ROWS_H

#include "store/sqlite/db.h"
#include "store/store.h"

/* One row of a statement whose columns are those of an account or a key. */
void sqlite_account_read(struct sqlite_db *db, enum sql sql, struct store_account *out);
void sqlite_key_read(struct sqlite_db *db, enum sql sql, struct store_key *out);

MUST_CHECK bool sqlite_account_add(struct sqlite_db *db, const struct store_account *account, struct err *err);
MUST_CHECK bool sqlite_account_owner(struct sqlite_db *db, struct store_account *out, struct err *err);
MUST_CHECK bool sqlite_account_find(struct sqlite_db *db, const char *id, struct store_account *out,
                                    struct err *err); /* ERR_NOT_FOUND */
/* These change nothing when the account or key is unknown. */
MUST_CHECK bool sqlite_account_set_tier(struct sqlite_db *db, const char *id, enum store_tier tier, struct err *err);
MUST_CHECK bool sqlite_account_suspend(struct sqlite_db *db, const char *id, bool suspended, struct err *err);
MUST_CHECK bool sqlite_key_revoke(struct sqlite_db *db, const char *id, int64_t revoked_ms, struct err *err);
MUST_CHECK bool sqlite_account_each(struct sqlite_db *db,
                                    bool (*row)(void *context, const struct store_account *account), void *context,
                                    struct err *err);
MUST_CHECK bool sqlite_key_add(struct sqlite_db *db, const struct store_key *key, struct err *err);
MUST_CHECK bool sqlite_key_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_key *key),
                                void *context, struct err *err);
MUST_CHECK bool sqlite_key_find(struct sqlite_db *db, const uint8_t sha256[DIGEST_SHA256_SIZE], struct store_key *out,
                                bool *found, struct err *err);
MUST_CHECK bool sqlite_key_by_id(struct sqlite_db *db, const char *id, struct store_key *out,
                                 struct err *err); /* ERR_NOT_FOUND */
MUST_CHECK bool sqlite_join_token_add(struct sqlite_db *db, const struct store_join_token *token, struct err *err);
MUST_CHECK bool sqlite_device_find(struct sqlite_db *db, const uint8_t public_key[ED25519_KEY_SIZE],
                                   struct store_device *out, bool *found, struct err *err);
/* Adds `device` to the token's account, which it also sets; not `added` when the token is unknown or was not good any
 * more at device->created_ms. */
MUST_CHECK bool sqlite_device_enrol(struct sqlite_db *db, const uint8_t token_sha256[DIGEST_SHA256_SIZE],
                                    struct store_device *device, bool *added, struct err *err);
MUST_CHECK bool sqlite_setting_get(struct sqlite_db *db, const char *name, char *out, size_t out_size, struct err *err);
MUST_CHECK bool sqlite_setting_set(struct sqlite_db *db, const char *name, const char *value, struct err *err);

#endif
