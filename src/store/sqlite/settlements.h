/* The end of a generation: its record, its settlement in the ledger, its stored answer (store/settlements.h). A refused
 * settlement (ERR_CONFLICT) has written nothing. */
#ifndef NATARIS_STORE_SQLITE_SETTLEMENTS_H
#define NATARIS_STORE_SQLITE_SETTLEMENTS_H

#include "store/settlements.h"
#include "store/sqlite/ledger.h"

extern const struct store_settlement_rows sqlite_settlement_rows;

#endif
