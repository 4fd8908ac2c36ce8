/* balance.low and usage.threshold. Both are crossings: the settlement that takes the balance from the amount or above
 * to below it, or a month's spending from below to it or above, tells of it. Nothing has to be remembered for that to
 * happen once: it is possible again when the balance has been above again, or in another month. */
#ifndef NATARIS_STORE_SQLITE_ALERTS_H
#define NATARIS_STORE_SQLITE_ALERTS_H

#include "store/generations.h"
#include "store/sqlite/ledger.h"

/* After the ledger has settled a generation (also one that was free). */
MUST_CHECK bool alerts_settled(struct ledger *ledger, struct ledger_account *account,
                               const struct store_generation *job, struct err *err);

#endif
