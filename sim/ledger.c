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

void ledger_credit(struct ledger *ledger, uint64_t account, int64_t amount_nano) {
    ledger_add(ledger, LEDGER_PROMOTIONS, -amount_nano);
    ledger_add(ledger, LEDGER_WALLETS + account, amount_nano);
    ledger->transactions++;
}

void ledger_settle(struct ledger *ledger, uint64_t account, int64_t charge_nano, int64_t provider_nano) {
    ledger_add(ledger, LEDGER_WALLETS + account, -charge_nano);
    ledger_add(ledger, LEDGER_EARNINGS, provider_nano);
    ledger_add(ledger, LEDGER_REVENUE, charge_nano - provider_nano);
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
    }
    return all == 0 ? NULL : "the ledger does not sum to zero";
}
