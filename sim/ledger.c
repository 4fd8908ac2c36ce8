#include "sim/ledger.h"

#include "base/mem.h"

#include <stdlib.h>

enum { ENTRIES_FIRST = 64 };

void ledger_clear(struct ledger *ledger) {
    free(ledger->entries);
    *ledger = (struct ledger){0};
}

static void ledger_add(struct ledger *ledger, size_t account, int64_t amount_nano) {
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity == 0 ? ENTRIES_FIRST : ledger->capacity * 2;
        ledger->entries = mem_realloc(ledger->entries, ledger->capacity * sizeof(*ledger->entries));
    }
    ledger->entries[ledger->count++] =
        (struct ledger_entry){.transaction = ledger->transactions, .account = account, .amount_nano = amount_nano};
    ledger->balances[account] += amount_nano;
}

void ledger_credit(struct ledger *ledger, uint64_t account, int64_t amount_nano, int64_t given_nano) {
    ledger_add(ledger, LEDGER_PROMOTIONS, -amount_nano);
    ledger_add(ledger, LEDGER_WALLETS + account, amount_nano - given_nano);
    ledger_add(ledger, LEDGER_GIVEN + account, given_nano);
    ledger->transactions++;
}

void ledger_settle(struct ledger *ledger, uint64_t account, int64_t charge_nano, int64_t given_nano,
                   const struct ledger_share *shares, size_t count) {
    int64_t rest = charge_nano;
    ledger_add(ledger, LEDGER_WALLETS + account, given_nano - charge_nano);
    ledger_add(ledger, LEDGER_GIVEN + account, -given_nano);
    for (size_t i = 0; i < count; i++) {
        const struct ledger_share *share = &shares[i];
        ledger_add(ledger, (share->escrow ? LEDGER_ESCROW : LEDGER_EARNINGS) + share->account,
                   share->nano - share->given_nano);
        ledger_add(ledger, (share->escrow ? LEDGER_GIVEN_ESCROW : LEDGER_GIVEN) + share->account, share->given_nano);
        rest -= share->nano;
    }
    ledger_add(ledger, LEDGER_REVENUE, rest);
    ledger->transactions++;
}

void ledger_hold(struct ledger *ledger, uint64_t account, int64_t paid_nano, int64_t given_nano) {
    ledger_add(ledger, LEDGER_EARNINGS + account, -paid_nano);
    ledger_add(ledger, LEDGER_ESCROW + account, paid_nano);
    ledger_add(ledger, LEDGER_GIVEN + account, -given_nano);
    ledger_add(ledger, LEDGER_GIVEN_ESCROW + account, given_nano);
    ledger->transactions++;
}

void ledger_pay_out(struct ledger *ledger, uint64_t account, int64_t amount_nano) {
    ledger_add(ledger, LEDGER_EARNINGS + account, -amount_nano);
    ledger_add(ledger, LEDGER_PAID_OUT, amount_nano);
    ledger->transactions++;
}

void ledger_end_escrow(struct ledger *ledger, uint64_t account, uint64_t to, int64_t *amount_nano,
                       int64_t *given_nano) {
    const int64_t paid = ledger->balances[LEDGER_ESCROW + account];
    *given_nano = ledger->balances[LEDGER_GIVEN_ESCROW + account];
    *amount_nano = *given_nano + (to != account ? paid : 0);
    ledger_add(ledger, LEDGER_ESCROW + account, -paid);
    ledger_add(ledger, (to != account ? LEDGER_WALLETS : LEDGER_EARNINGS) + to, paid);
    ledger_add(ledger, LEDGER_GIVEN_ESCROW + account, -*given_nano);
    ledger_add(ledger, LEDGER_GIVEN + to, *given_nano);
    ledger->transactions++;
}

const char *ledger_check(const struct ledger *ledger) {
    int64_t sums[LEDGER_ACCOUNTS] = {0};
    int64_t transaction = 0, all = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->entries[i];
        if (i > 0 && entry->transaction != ledger->entries[i - 1].transaction && transaction != 0) {
            return "a transaction does not sum to zero";
        }
        transaction += entry->amount_nano;
        sums[entry->account] += entry->amount_nano;
        all += entry->amount_nano;
    }
    for (size_t i = 0; i < LEDGER_ACCOUNTS; i++) {
        if (sums[i] != ledger->balances[i]) {
            return "a balance is not the sum of its entries";
        }
        if (i >= LEDGER_GIVEN && sums[i] < 0) {
            return "given credit, or what was earned, is below zero";
        }
    }
    return all == 0 ? NULL : "the ledger does not sum to zero";
}
