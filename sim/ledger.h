/* A double-entry ledger of the simulator's own: it shares no code with the core or the store, and believes neither. */
#ifndef NATARIS_SIM_LEDGER_H
#define NATARIS_SIM_LEDGER_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_ACCOUNTS = 4 }; /* numbered from 1 */

enum ledger_account { /* of those that each account has, that of account n is the first + n */
                      LEDGER_PROMOTIONS,
                      LEDGER_REVENUE,
                      LEDGER_PAID_OUT,
                      LEDGER_WALLETS, /* of paid credit */
                      LEDGER_GIVEN = LEDGER_WALLETS + SIM_ACCOUNTS + 1,
                      LEDGER_EARNINGS = LEDGER_GIVEN + SIM_ACCOUNTS + 1, /* of paid credit; 0: of devices of nobody */
                      LEDGER_ESCROW = LEDGER_EARNINGS + SIM_ACCOUNTS + 1,
                      LEDGER_GIVEN_ESCROW = LEDGER_ESCROW + SIM_ACCOUNTS + 1,
                      LEDGER_ACCOUNTS = LEDGER_GIVEN_ESCROW + SIM_ACCOUNTS + 1,
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
/* Promotions pay `amount_nano` (or take it back, when negative), and of it `given_nano` as given credit. */
void ledger_credit(struct ledger *ledger, uint64_t account, int64_t amount_nano, int64_t given_nano);
struct ledger_share {
    uint64_t account;
    int64_t nano, given_nano;
    bool escrow;
    size_t device;
};
/* What an account pays, and of it from given credit; and what others earn of it. */
void ledger_settle(struct ledger *ledger, uint64_t account, int64_t charge_nano, int64_t given_nano,
                   const struct ledger_share *shares, size_t count);
/* What was earned waits in escrow from now on. */
void ledger_hold(struct ledger *ledger, uint64_t account, int64_t paid_nano, int64_t given_nano);
/* Of what was earned of paid credit. */
void ledger_pay_out(struct ledger *ledger, uint64_t account, int64_t amount_nano);
/* What is in escrow of one account goes to the wallets of `to`, or (the paid kind) to its own earnings: what comes into
 * the wallet of whom, and of it given credit. */
void ledger_end_escrow(struct ledger *ledger, uint64_t account, uint64_t to, int64_t *amount_nano, int64_t *given_nano);
/* NULL, or what is wrong: each transaction and the whole sum to zero, each balance is the sum of its entries, and
 * nothing but paid credit (which the operator may take back) is below zero. */
const char *ledger_check(const struct ledger *ledger);
/* What it can spend, of both kinds. */
static inline int64_t ledger_wallet(const struct ledger *ledger, uint64_t account) {
    return ledger->balances[LEDGER_WALLETS + account] + ledger->balances[LEDGER_GIVEN + account];
}

#endif
