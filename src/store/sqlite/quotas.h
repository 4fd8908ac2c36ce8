/* What accounts have kept for them (0022_kept.sql), against their quotas. */
#ifndef NATARIS_STORE_SQLITE_QUOTAS_H
#define NATARIS_STORE_SQLITE_QUOTAS_H

#include "store/kept.h"
#include "store/sqlite/db.h"

extern const struct store_quota_rows sqlite_quota_rows;

/* Whether the account may have so much more: else ERR_CONFLICT about "quota". An account that is not there may. */
MUST_CHECK bool sqlite_quota_check(struct sqlite_db *db, int64_t account_number, enum store_kept kind,
                                   const struct store_amount *more, struct err *err);
/* The same with half of its quota. */
MUST_CHECK bool sqlite_quota_check_half(struct sqlite_db *db, int64_t account_number, enum store_kept kind,
                                        const struct store_amount *more, struct err *err);
/* How many rows it may have at most; 0: no limit. */
MUST_CHECK bool sqlite_quota_rows_max(struct sqlite_db *db, int64_t account_number, enum store_kept kind, int64_t *rows,
                                      struct err *err);
/* The same as sqlite_quota_check by the account's id, for readers. */
MUST_CHECK bool sqlite_quota_check_of(struct sqlite_db *db, const char *account_id, enum store_kept kind,
                                      const struct store_amount *more, struct err *err);
/* Whether something that has begun may go on: up to twice the quota of bytes. */
MUST_CHECK bool sqlite_quota_check_going(struct sqlite_db *db, int64_t account_number, enum store_kept kind,
                                         struct err *err);

#endif
