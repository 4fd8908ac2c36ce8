/* The key under which an account's texts are sealed that belong to no conversation (0020_sealed.sql). */
#ifndef NATARIS_STORE_SQLITE_ACCOUNT_SEAL_H
#define NATARIS_STORE_SQLITE_ACCOUNT_SEAL_H

#include "store/sqlite/sealed.h"

/* Makes one when the account has none. out->number is 0 when the account was erased: then nothing is to be kept. */
MUST_CHECK bool sqlite_account_seal(struct sqlite_db *db, int64_t account_number, struct turn_place *out,
                                    struct err *err);
/* The same for what somebody asked for: ERR_CONFLICT when the account was erased. */
MUST_CHECK bool sqlite_account_seal_live(struct sqlite_db *db, int64_t account_number, struct turn_place *out,
                                         struct err *err);

#endif
