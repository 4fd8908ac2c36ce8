/* The ledger's writing side: transactions of entries that sum to zero, and the balances that move with them. Balances
 * and the numbers of accounts and keys are kept in memory between transactions of the database, and what changed is
 * written once at the end of each: a group of settlements pays for its accounts, not for its entries. */
#ifndef NATARIS_STORE_SQLITE_LEDGER_H
#define NATARIS_STORE_SQLITE_LEDGER_H

#include "store/sqlite/db.h"
#include "store/sqlite/receipts.h"
#include "store/sqlite/totals.h"

#include <uthash.h>

/* The numbers of ledger accounts, as in 0002_money.sql. */
enum { LEDGER_REVENUE = 1, LEDGER_PROMOTIONS, LEDGER_PAYOUTS, LEDGER_REFUNDS, LEDGER_NETWORK_END };

/* The kinds of transactions, stored by number, as in 0002_money.sql and 0019_wallets.sql. */
enum ledger_kind {
    LEDGER_SETTLEMENT,
    LEDGER_GRANT,
    LEDGER_REFUND,
    LEDGER_PAYOUT,
    LEDGER_ESCROW,
    LEDGER_RELEASE,
    LEDGER_RETURN,
    LEDGER_FORFEIT,
    LEDGER_CONVERSION, /* made by a migration only */
    LEDGER_GIFT,       /* a grant of given credit */
};

struct ledger_balance {
    int64_t ledger_account, amount_nano;
    bool known, changed;
    struct ledger_balance *next_changed;
};

struct ledger_account {
    UT_hash_handle hh;
    char id[STORE_ID_MAX];
    int64_t number;
    struct ledger_balance wallet, earnings, given, escrow, given_escrow;
    struct ledger_alerts *alerts; /* alerts.c; owned, NULL: not read yet */
    bool erased, erased_known;    /* its data was erased: nothing is kept by which a text could be told */
};

struct ledger_key {
    UT_hash_handle hh;
    char id[STORE_ID_MAX];
    int64_t number, spent_nano; /* since it was written last */
    struct ledger_key *next_changed;
};

struct ledger {
    struct sqlite_db *db; /* borrowed */
    struct ledger_account *accounts;
    struct ledger_key *keys;
    struct ledger_balance network[LEDGER_NETWORK_END];
    struct ledger_balance *changed;
    struct ledger_key *changed_keys;
    struct usage_totals usage; /* of this group, not written yet */
    int64_t answers;           /* that settlements of this group have kept */
    int64_t data_version;      /* changes when another connection has written */
    int64_t last_job;          /* that was added */
    bool settled_parts;        /* among those that ledger_flush has to write, there are jobs of several earners */
    bool settled_given;        /* or such that moved given credit */
    int64_t first_job;         /* of this group, in no totals yet; 0: none */
    int64_t settled_job;       /* the first job whose settlement ledger_flush has to write; 0: none */
    struct receipt_chain receipts;
    int64_t earned_until; /* the last job in `earned`; negative: not read yet */
};

static inline struct ledger *ledger_of(struct store_connection *connection) {
    return sqlite_db_of(connection)->ledger;
}

void ledger_init(struct ledger *ledger, struct sqlite_db *db);
void ledger_clear(struct ledger *ledger);
/* At the start of each transaction of the database, at its end, and after it (or a savepoint) was rolled back. */
MUST_CHECK bool ledger_begin(struct ledger *ledger, struct err *err);
MUST_CHECK bool ledger_flush(struct ledger *ledger, struct err *err);
void ledger_forget(struct ledger *ledger);
/* The account's webhooks have changed: what they want is read again (alerts.c). */
void ledger_forget_alerts(struct ledger_account *account);

/* Borrowed until the next transaction of the database. ERR_NOT_FOUND. */
MUST_CHECK bool ledger_find_account(struct ledger *ledger, const char *id, struct ledger_account **out,
                                    struct err *err);
MUST_CHECK bool ledger_find_account_by_number(struct ledger *ledger, int64_t number, struct ledger_account **out,
                                              struct err *err);
MUST_CHECK bool ledger_find_key(struct ledger *ledger, const char *id, struct ledger_key **out, struct err *err);

/* Fills in account->erased. */
MUST_CHECK bool ledger_learn_erased(struct ledger *ledger, struct ledger_account *account, struct err *err);

/* Its balance as far as it is known here, which it is from now on. */
MUST_CHECK bool ledger_load(struct ledger *ledger, struct ledger_balance *balance, struct err *err);

struct ledger_transaction {
    enum ledger_kind kind;
    int64_t job_number;     /* of a settlement */
    int64_t account_number; /* of the others */
    int64_t created_ms;
    const char *note;
    struct ledger_entry {
        struct ledger_balance *balance;
        int64_t amount_nano;
    } entries[5];                       /* in all they sum to zero; an amount of 0 is no entry */
    const struct ledger_entry *earners; /* the further entries of a job of several earners, one for each account */
    size_t earner_count;
};
/* ERR_CONFLICT, before anything is written, when a balance would leave its bounds: a wallet, or what is owed to an
 * owner, is never below zero. */
MUST_CHECK bool ledger_check_bounds(struct ledger *ledger, const struct ledger_transaction *transaction,
                                    struct err *err);
/* Writes what ledger_check_bounds has let through. */
MUST_CHECK bool ledger_post(struct ledger *ledger, const struct ledger_transaction *transaction, struct err *err);
/* The same for a job whose row was just added: its transaction and entries, if it was charged, follow from that row,
 * and ledger_flush writes them together with those of the other jobs. No ledger_post before that. */
void ledger_settle(struct ledger *ledger, const struct ledger_transaction *transaction);
/* Writes now what is written by and by otherwise: that of every generation whose row is there, it is in the totals. */
MUST_CHECK bool ledger_list_all(struct ledger *ledger, struct err *err);
void ledger_spend(struct ledger *ledger, struct ledger_key *key, int64_t amount_nano);

#endif
