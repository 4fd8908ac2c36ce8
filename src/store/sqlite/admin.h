/* What the operator does, each with its line in the audit log (store/admin.h). When it is refused, nothing of it was
 * written. */
#ifndef NATARIS_STORE_SQLITE_ADMIN_H
#define NATARIS_STORE_SQLITE_ADMIN_H

#include "store/admin.h"
#include "store/sqlite/ledger.h"

extern const struct store_admin_rows sqlite_admin_rows;

#endif
