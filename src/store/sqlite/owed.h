/* What is owed (store/owed.h), read from what the writer keeps by day. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_OWED_H
#define NATARIS_STORE_SQLITE_OWED_H

#include "store/owed.h"
#include "store/sqlite/db.h"

extern const struct store_owed_rows sqlite_owed_rows;

/* What the group has done is in the database. */
MUST_CHECK bool sqlite_owed_read(struct sqlite_db *db, const char *account_id, int64_t ripe_ms, struct store_owed *out,
                                 struct err *err);

#endif
