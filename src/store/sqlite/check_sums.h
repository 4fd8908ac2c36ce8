/* The sums over every row of a large table that the ledger's check compares: added up here, since SQL takes several
 * times as long for them. */
#ifndef NATARIS_STORE_SQLITE_CHECK_SUMS_H
#define NATARIS_STORE_SQLITE_CHECK_SUMS_H

#include "store/sqlite/db.h"

/* Makes and fills the tables of ledger_check_tables.sql, in the transaction that the caller has begun. */
MUST_CHECK bool sqlite_check_sums(struct sqlite_db *db, struct err *err);

#endif
