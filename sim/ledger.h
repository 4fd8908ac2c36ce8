/* A double-entry ledger of the simulator's own: it shares no code with the core or the store, and believes neither. */
#ifndef NATARIS_SIM_LEDGER_H
#define NATARIS_SIM_LEDGER_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_ACCOUNTS = 4 }; /* numbered from 1 */

enum ledger_account { /* wallet n is LEDGER_WALLETS + n */
                      LEDGER_PROMOTIONS,
                      LEDGER_REVENUE,
                      LEDGER_EARNINGS,
                      LEDGER_WALLETS,
                      LEDGER_ACCOUNTS = LEDGER_WALLETS + SIM_ACCOUNTS + 1,
};

struct ledger_entry {
    size_t transaction, account;
    int64_t amount_nano;
};

struct ledger {
    struct ledger_entry *entries; /* only ever appended to */
    size_t count, capacity, transactions;
    int64_t balances[LEDGER_ACCOUNTS];
};

void ledger_clear(struct ledger *ledger);
/* Promotions pay `amount_nano` (or take it back, when negative) into a wallet. */
void ledger_credit(struct ledger *ledger, uint64_t account, int64_t amount_nano);
void ledger_settle(struct ledger *ledger, uint64_t account, int64_t charge_nano, int64_t provider_nano);
/* NULL, or what is wrong: each transaction and the whole sum to zero, each balance is the sum of its entries. */
const char *ledger_check(const struct ledger *ledger);
static inline int64_t ledger_wallet(const struct ledger *ledger, uint64_t account) {
    return ledger->balances[LEDGER_WALLETS + account];
}

#endif
