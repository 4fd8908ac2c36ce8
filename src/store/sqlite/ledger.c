#include "store/sqlite/ledger.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Accounts and keys kept in memory; more are forgotten all at once and read again. About 15 MB. */
enum { LEDGER_KEPT_MAX = 32 * 1024 };

/* Jobs that are added to `earned` at once: fewer write the same pages more often, more make a group wait for longer. */
enum { LEDGER_EARNED_SLICE = 2048 };

/* Far from overflow: 4 * 10^9 dollars. */
#define LEDGER_BALANCE_MAX INT64_C(4000000000000000000)

static void ledger_reset_network(struct ledger *ledger) {
    for (int i = 0; i < LEDGER_NETWORK_END; i++) {
        ledger->network[i] = (struct ledger_balance){.ledger_account = i};
    }
}

void ledger_init(struct ledger *ledger, struct sqlite_db *db) {
    *ledger = (struct ledger){.db = db, .earned_until = -1};
    ledger_reset_network(ledger);
}

void ledger_forget(struct ledger *ledger) {
    struct ledger_account *account = ledger->accounts, *next_account;
    HASH_CLEAR(hh, ledger->accounts); /* the elements stay linked */
    for (; account != NULL; account = next_account) {
        next_account = account->hh.next;
        free(account->alerts);
        free(account);
    }
    struct ledger_key *key = ledger->keys, *next_key;
    HASH_CLEAR(hh, ledger->keys);
    for (; key != NULL; key = next_key) {
        next_key = key->hh.next;
        free(key);
    }
    ledger->changed = NULL;
    ledger->changed_keys = NULL;
    usage_totals_clear(&ledger->usage);
    ledger->first_job = 0;
    ledger->settled_job = 0;
    ledger->settled_parts = ledger->settled_given = false;
    ledger->earned_until = -1;
    ledger->receipts = (struct receipt_chain){0};
    ledger_reset_network(ledger);
}

void ledger_clear(struct ledger *ledger) {
    ledger_forget(ledger);
}

/* Runs a prepared statement that gives one number at most. */
static bool ledger_read_number(struct ledger *ledger, enum sql sql, bool *found, int64_t *out, struct err *err) {
    if (!sqlite_next(ledger->db, sql, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(ledger->db, sql);
        *out = sqlite_read_int(&reader);
        sqlite_reset(ledger->db, sql);
    }
    return true;
}

bool ledger_begin(struct ledger *ledger, struct err *err) {
    int64_t version = 0;
    bool found;
    assert(ledger->changed == NULL && ledger->changed_keys == NULL);
    ledger->answers = 0;
    if (!ledger_read_number(ledger, SQL_DATA_VERSION, &found, &version, err)) {
        return false;
    }
    if (version != ledger->data_version || HASH_COUNT(ledger->accounts) + HASH_COUNT(ledger->keys) > LEDGER_KEPT_MAX) {
        ledger_forget(ledger);
        ledger->data_version = version;
    }
    return true;
}

/* Gives the number of an id, with ERR_NOT_FOUND. */
static bool ledger_read_id(struct ledger *ledger, enum sql sql, const char *what, const char *id, int64_t *number,
                           struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(ledger->db, sql);
    sqlite_bind_text(&binder, id);
    if (!ledger_read_number(ledger, sql, &found, number, err)) {
        return false;
    }
    return found || err_set(err, ERR_NOT_FOUND, "There is no %s %s", what, id);
}

bool ledger_find_account(struct ledger *ledger, const char *id, struct ledger_account **out, struct err *err) {
    int64_t number = 0;
    HASH_FIND_STR(ledger->accounts, id, *out);
    if (*out != NULL) {
        return true;
    }
    if (!ledger_read_id(ledger, SQL_ACCOUNT_NUMBER, "account", id, &number, err)) {
        return false;
    }
    struct ledger_account *account = MEM_NEW(struct ledger_account);
    (void)str_copy(account->id, sizeof(account->id), str_from(id));
    account->number = number;
    account->wallet.ledger_account = 16 * number;
    account->earnings.ledger_account = 16 * number + 1;
    account->given.ledger_account = 16 * number + 2;
    account->escrow.ledger_account = 16 * number + 3;
    account->given_escrow.ledger_account = 16 * number + 4;
    HASH_ADD_STR(ledger->accounts, id, account);
    *out = account;
    return true;
}

bool ledger_learn_erased(struct ledger *ledger, struct ledger_account *account, struct err *err) {
    bool found;
    int64_t erased = 0;
    if (account->erased_known) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ACCOUNT_ERASED);
    sqlite_bind_int(&binder, account->number);
    if (!ledger_read_number(ledger, SQL_ACCOUNT_ERASED, &found, &erased, err)) {
        return false;
    }
    account->erased = erased != 0;
    account->erased_known = true;
    return true;
}

bool ledger_find_account_by_number(struct ledger *ledger, int64_t number, struct ledger_account **out,
                                   struct err *err) {
    char id[STORE_ID_MAX];
    bool found;
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ACCOUNT_ID);
    sqlite_bind_int(&binder, number);
    if (!sqlite_next(ledger->db, SQL_ACCOUNT_ID, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There is no account with the number %lld", (long long)number);
    }
    struct sqlite_reader reader = sqlite_read(ledger->db, SQL_ACCOUNT_ID);
    sqlite_read_text(&reader, id, sizeof(id));
    sqlite_reset(ledger->db, SQL_ACCOUNT_ID);
    return ledger_find_account(ledger, id, out, err);
}

bool ledger_find_key(struct ledger *ledger, const char *id, struct ledger_key **out, struct err *err) {
    int64_t number = 0;
    HASH_FIND_STR(ledger->keys, id, *out);
    if (*out != NULL) {
        return true;
    }
    if (!ledger_read_id(ledger, SQL_KEY_NUMBER, "key", id, &number, err)) {
        return false;
    }
    struct ledger_key *key = MEM_NEW(struct ledger_key);
    (void)str_copy(key->id, sizeof(key->id), str_from(id));
    key->number = number;
    HASH_ADD_STR(ledger->keys, id, key);
    *out = key;
    return true;
}

bool ledger_load(struct ledger *ledger, struct ledger_balance *balance, struct err *err) {
    bool found;
    if (balance->known) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_BALANCE_GET);
    sqlite_bind_int(&binder, balance->ledger_account);
    balance->amount_nano = 0;
    balance->known = ledger_read_number(ledger, SQL_BALANCE_GET, &found, &balance->amount_nano, err);
    return balance->known;
}

static bool ledger_check_entry(struct ledger *ledger, const struct ledger_entry *entry, struct err *err) {
    if (entry->amount_nano == 0) {
        return true;
    }
    if (!ledger_load(ledger, entry->balance, err)) {
        return false;
    }
    int64_t after;
    bool of_network = entry->balance->ledger_account < LEDGER_NETWORK_END;
    if (__builtin_add_overflow(entry->balance->amount_nano, entry->amount_nano, &after) || after > LEDGER_BALANCE_MAX ||
        after < -LEDGER_BALANCE_MAX) {
        return err_set(err, ERR_CONFLICT, "A balance would become too large");
    }
    return of_network || after >= 0 || err_set(err, ERR_CONFLICT, "The balance is too small for this amount");
}

bool ledger_check_bounds(struct ledger *ledger, const struct ledger_transaction *transaction, struct err *err) {
    for (size_t i = 0; i < COUNT_OF(transaction->entries); i++) {
        if (!ledger_check_entry(ledger, &transaction->entries[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < transaction->earner_count; i++) {
        if (!ledger_check_entry(ledger, &transaction->earners[i], err)) {
            return false;
        }
    }
    return true;
}

static bool ledger_add_transaction(struct ledger *ledger, const struct ledger_transaction *transaction, int64_t moved,
                                   struct err *err) {
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_TRANSACTION_ADD);
    sqlite_bind_int(&binder, transaction->kind);
    if (transaction->kind == LEDGER_SETTLEMENT) {
        sqlite_bind_int(&binder, transaction->job_number);
        sqlite_bind_null(&binder);
    } else {
        sqlite_bind_null(&binder);
        sqlite_bind_int(&binder, transaction->account_number);
    }
    sqlite_bind_int(&binder, moved);
    sqlite_bind_int(&binder, transaction->created_ms);
    sqlite_bind_text(&binder, transaction->note);
    return sqlite_run(ledger->db, SQL_TRANSACTION_ADD, err);
}

static void ledger_move(struct ledger *ledger, const struct ledger_entry *entry) {
    struct ledger_balance *balance = entry->balance;
    assert(balance->known);
    balance->amount_nano += entry->amount_nano;
    if (!balance->changed) {
        balance->changed = true;
        balance->next_changed = ledger->changed;
        ledger->changed = balance;
    }
}

static bool ledger_add_entry(struct ledger *ledger, int64_t transaction_number, const struct ledger_entry *entry,
                             struct err *err) {
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ENTRY_ADD);
    sqlite_bind_int(&binder, transaction_number);
    sqlite_bind_int(&binder, entry->balance->ledger_account);
    sqlite_bind_int(&binder, entry->amount_nano);
    if (!sqlite_run(ledger->db, SQL_ENTRY_ADD, err)) {
        return false;
    }
    ledger_move(ledger, entry);
    return true;
}

bool ledger_post(struct ledger *ledger, const struct ledger_transaction *transaction, struct err *err) {
    int64_t sum = 0, moved = 0;
    assert(ledger->settled_job == 0);
    for (size_t i = 0; i < COUNT_OF(transaction->entries); i++) {
        int64_t amount = transaction->entries[i].amount_nano;
        sum += amount;
        moved += amount > 0 ? amount : 0;
    }
    if (sum != 0 || moved == 0) {
        return err_set(err, ERR_INTERNAL, "A ledger transaction does not balance");
    }
    if (!ledger_add_transaction(ledger, transaction, moved, err)) {
        return false;
    }
    int64_t number = sqlite_last_number(ledger->db);
    for (size_t i = 0; i < COUNT_OF(transaction->entries); i++) {
        const struct ledger_entry *entry = &transaction->entries[i];
        if (entry->amount_nano != 0 && !ledger_add_entry(ledger, number, entry, err)) {
            return false;
        }
    }
    return true;
}

static bool ledger_is_given(const struct ledger_balance *balance) {
    return balance->ledger_account >= 16 && balance->ledger_account % 16 == 2;
}

void ledger_settle(struct ledger *ledger, const struct ledger_transaction *transaction) {
    ledger->last_job = transaction->job_number;
    ledger->first_job = ledger->first_job != 0 ? ledger->first_job : transaction->job_number;
    for (size_t i = 0; i < COUNT_OF(transaction->entries); i++) {
        const struct ledger_entry *entry = &transaction->entries[i];
        if (entry->amount_nano != 0) {
            ledger_move(ledger, entry);
            ledger->settled_given |= ledger_is_given(entry->balance);
            ledger->settled_job = ledger->settled_job != 0 ? ledger->settled_job : transaction->job_number;
        }
    }
    for (size_t i = 0; i < transaction->earner_count; i++) {
        if (transaction->earners[i].amount_nano != 0) {
            ledger_move(ledger, &transaction->earners[i]);
            ledger->settled_parts = true;
        }
    }
}

/* The transactions and entries of all jobs that were settled since the last time: two statements that run over the rows
 * of the jobs cost a third of one statement for each row. */
static bool ledger_write_settlements(struct ledger *ledger, struct err *err) {
    bool found;
    int64_t last = 0;
    if (ledger->settled_job == 0) {
        return true;
    }
    if (!ledger_read_number(ledger, SQL_TRANSACTION_LAST, &found, &last, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_SETTLEMENTS_ADD);
    sqlite_bind_int(&binder, ledger->settled_job);
    if (!sqlite_run(ledger->db, SQL_SETTLEMENTS_ADD, err)) {
        return false;
    }
    const struct {
        enum sql sql;
        bool wanted;
    } statements[] = {{SQL_SETTLED_ENTRIES_ADD, true},
                      {SQL_SETTLED_GIVEN_ADD, ledger->settled_given},
                      {SQL_SETTLED_PARTS_ADD, ledger->settled_parts}};
    ledger->settled_job = 0;
    ledger->settled_given = ledger->settled_parts = false;
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        if (statements[i].wanted) {
            binder = sqlite_bind(ledger->db, statements[i].sql);
            sqlite_bind_int(&binder, last);
            if (!sqlite_run(ledger->db, statements[i].sql, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool ledger_write_usage(struct ledger *ledger, struct err *err) {
    ledger->first_job = 0;
    return usage_totals_write(&ledger->usage, ledger->db, err);
}

/* Lists the generations up to this number for those who earned from them. */
static bool ledger_list_earned(struct ledger *ledger, int64_t last, struct err *err) {
    static const struct {
        enum sql sql;
        bool has_last;
    } statements[] = {
        {SQL_EARNED_ADD, true},         {SQL_EARNED_PARTS_ADD, true}, {SQL_EARNED_SLICE_ADD, true},
        {SQL_EARNED_TOTALS_ADD, false}, {SQL_EARNED_DAYS_ADD, false}, {SQL_EARNED_SLICE_CLEAR, false},
        {SQL_EARNED_UNTIL_SET, true},
    };
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        struct sqlite_binder binder = sqlite_bind(ledger->db, statements[i].sql);
        if (statements[i].has_last) {
            sqlite_bind_int(&binder, last);
        }
        if (!sqlite_run(ledger->db, statements[i].sql, err)) {
            return false;
        }
    }
    ledger->earned_until = last;
    return true;
}

static bool ledger_read_earned_until(struct ledger *ledger, struct err *err) {
    bool found;
    return ledger->earned_until >= 0 ||
           ledger_read_number(ledger, SQL_EARNED_UNTIL, &found, &ledger->earned_until, err);
}

static bool ledger_write_earned(struct ledger *ledger, struct err *err) {
    return ledger_read_earned_until(ledger, err) && (ledger->last_job - ledger->earned_until < LEDGER_EARNED_SLICE ||
                                                     ledger_list_earned(ledger, ledger->last_job, err));
}

bool ledger_list_all(struct ledger *ledger, struct err *err) {
    bool found;
    int64_t last = 0;
    return ledger_write_usage(ledger, err) && ledger_read_earned_until(ledger, err) &&
           ledger_read_number(ledger, SQL_GENERATION_LAST, &found, &last, err) &&
           sqlite_receipts_flush(ledger->db, &ledger->receipts, last, true, err) &&
           (last <= ledger->earned_until || ledger_list_earned(ledger, last, err));
}

void ledger_spend(struct ledger *ledger, struct ledger_key *key, int64_t amount_nano) {
    if (key->spent_nano == 0) {
        key->next_changed = ledger->changed_keys;
        ledger->changed_keys = key;
    }
    key->spent_nano += amount_nano;
}

static bool ledger_write_caches(struct ledger *ledger, struct err *err) {
    for (struct ledger_balance *balance; (balance = ledger->changed) != NULL;) {
        struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_BALANCE_SET);
        sqlite_bind_int(&binder, balance->ledger_account);
        sqlite_bind_int(&binder, balance->amount_nano);
        if (!sqlite_run(ledger->db, SQL_BALANCE_SET, err)) {
            return false;
        }
        balance->changed = false;
        ledger->changed = balance->next_changed;
    }
    for (struct ledger_key *key; (key = ledger->changed_keys) != NULL;) {
        struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_KEY_SPEND);
        sqlite_bind_int(&binder, key->spent_nano);
        sqlite_bind_int(&binder, key->number);
        if (!sqlite_run(ledger->db, SQL_KEY_SPEND, err)) {
            return false;
        }
        key->spent_nano = 0;
        ledger->changed_keys = key->next_changed;
    }
    return true;
}

bool ledger_flush(struct ledger *ledger, struct err *err) {
    /* Not one request that may be refused: the transaction has been rolled back. */
    return sqlite_no_refusal(ledger_write_settlements(ledger, err) && ledger_write_usage(ledger, err) &&
                                 ledger_write_earned(ledger, err) && ledger_write_caches(ledger, err) &&
                                 (ledger->last_job == 0 ||
                                  sqlite_receipts_flush(ledger->db, &ledger->receipts, ledger->last_job, false, err)),
                             err);
}

void ledger_forget_alerts(struct ledger_account *account) {
    free(account->alerts);
    account->alerts = NULL;
}
