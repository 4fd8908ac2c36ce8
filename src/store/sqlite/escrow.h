/* Escrow's rows, and the transactions that move money into it and out of it. */
#ifndef NATARIS_STORE_SQLITE_ESCROW_H
#define NATARIS_STORE_SQLITE_ESCROW_H

#include "store/admin.h"
#include "store/escrow.h"
#include "store/sqlite/ledger.h"

extern const struct store_escrow_rows sqlite_escrow_rows;

struct escrow_row {
    int64_t generation_number;
    const char *generation_id, *device_id;
    struct ledger_account *earner;
    int64_t client_number;
    int64_t paid_nano, given_nano; /* not more than the earner has of each */
    int64_t created_ms, held_ms;
};
/* Moves it from what the earner has into escrow; nothing when both amounts are 0. */
MUST_CHECK bool sqlite_escrow_put(struct ledger *ledger, const struct escrow_row *row, struct err *err);

/* What the operator says of a device's escrow (store/admin.h), one account at a time; `moved` gets the account, what
 * was moved, what of it is given credit, and how many generations are left. ERR_NOT_FOUND: nothing waits. */
MUST_CHECK bool sqlite_escrow_end(struct ledger *ledger, const struct store_admin *admin, struct store_admin *moved,
                                  struct err *err);

#endif
