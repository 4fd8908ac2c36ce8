/* The ledger, offline: for `nataris ledger`, on a store that was opened but not started.
 *
 * Double entry, append-only, int64 nano-dollars. A transaction is two or more entries whose amounts sum to zero; ledger
 * accounts are named:
 *   wallet:<account id>    paid credit: a client may spend it  promotions   where grants come from
 *   given:<account id>     given credit, spent before that     revenue      the network's part
 *   earnings:<account id>  what was earned of paid credit      payouts      what was paid out to owners
 *   escrow:<account id>    of these, what waits for the        refunds      where refunds come from
 *   given-escrow:<...>     operator's word
 * What is earned of given credit is given credit: it can be spent, and never paid out.
 * Triggers refuse UPDATE and DELETE on entries; the balances table is a cache that moves in the same transaction and is
 * proven by `nataris ledger check`. */
#ifndef NATARIS_STORE_LEDGER_H
#define NATARIS_STORE_LEDGER_H

#include "store/limits.h"

#define STORE_WELCOME_CREDIT_NANO INT64_C(5000000000)   /* $5 for a new account, from promotions */
#define STORE_AMOUNT_MAX_NANO INT64_C(1000000000000000) /* of one charge, grant, refund or payout: a million dollars */

struct store_ledger_report {
    int64_t transactions, entries, accounts, receipts;
    int64_t problems; /* each is also handed to on_problem */
};
/* Proves every invariant: each transaction sums to zero, the whole sums to zero, cached balances equal the sums, no
 * wallet below zero, every charged generation has exactly one settlement of its amount, none for a failure, parts add
 * up; and that the chain of receipts is whole, each as the record of its generation. */
MUST_CHECK bool store_ledger_check(struct store *store, void (*on_problem)(void *context, const char *text),
                                   void *context, struct store_ledger_report *report, struct err *err);
struct store_entry {
    int64_t number, transaction, amount_nano, created_ms;
    char ledger_account[STORE_ID_MAX + 16];
    char kind
        [16]; /* "settlement", "grant", "refund", "payout", "escrow", "release", "return", "forfeit", "conversion" */
    char generation_id[STORE_ID_MAX], note[STORE_NAME_MAX];
};
MUST_CHECK bool store_each_entry(struct store *store, bool (*row)(void *context, const struct store_entry *entry),
                                 void *context, struct err *err);

/* --- Of a backend --- */

struct store_ledger_rows {
    bool (*check)(struct store_connection *connection, void (*on_problem)(void *context, const char *text),
                  void *context, struct store_ledger_report *report, struct err *err);
    bool (*entry_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_entry *entry),
                       void *context, struct err *err);
};

#endif
