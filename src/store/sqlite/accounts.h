/* The rows of store/accounts.h, and what the operator does with them. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_ACCOUNTS_H
#define NATARIS_STORE_SQLITE_ACCOUNTS_H

#include "store/accounts.h"
#include "store/sqlite/db.h"

extern const struct store_account_rows sqlite_account_rows;

MUST_CHECK bool sqlite_account_add(struct sqlite_db *db, const struct store_account *account, struct err *err);
MUST_CHECK bool sqlite_account_find(struct sqlite_db *db, const char *id, struct store_account *out,
                                    struct err *err); /* ERR_NOT_FOUND */
/* These change nothing when the account or key is unknown. */
MUST_CHECK bool sqlite_account_set_tier(struct sqlite_db *db, const char *id, enum store_tier tier, struct err *err);
MUST_CHECK bool sqlite_account_suspend(struct sqlite_db *db, const char *id, bool suspended, struct err *err);
MUST_CHECK bool sqlite_account_set_unaudited(struct sqlite_db *db, const char *id, bool unaudited, struct err *err);
MUST_CHECK bool sqlite_key_revoke(struct sqlite_db *db, const char *id, int64_t revoked_ms, struct err *err);
MUST_CHECK bool sqlite_key_add(struct sqlite_db *db, const struct store_key *key, struct err *err);
MUST_CHECK bool sqlite_key_by_id(struct sqlite_db *db, const char *id, struct store_key *out,
                                 struct err *err); /* ERR_NOT_FOUND */

#endif
