/* An account's data, taken out of the database. */
#ifndef NATARIS_STORE_SQLITE_ERASE_H
#define NATARIS_STORE_SQLITE_ERASE_H

#include "store/sqlite/ledger.h"

/* Everything that is the account's own goes: texts, names, keys, webhooks. The keys of its sealed texts are
 * overwritten, so that copies which SQLite has left in its pages cannot be read. The ledger, the sums of its usage and
 * the audit log stay. ERR_NOT_FOUND; ERR_CONFLICT for the operator's own account. */
MUST_CHECK bool sqlite_account_erase(struct ledger *ledger, const char *account_id, int64_t now_ms, struct err *err);

#endif
