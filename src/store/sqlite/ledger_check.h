/* The offline side of the ledger: its proof and its export (store/ledger.h). */
#ifndef NATARIS_STORE_SQLITE_LEDGER_CHECK_H
#define NATARIS_STORE_SQLITE_LEDGER_CHECK_H

#include "store/ledger.h"
#include "store/sqlite/db.h"

extern const struct store_ledger_rows sqlite_ledger_rows;

#endif
