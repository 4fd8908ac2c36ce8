#include "store/sqlite/check_sums.h"

#include "base/mem.h"
#include "embedded_store.h"
#include "store/limits.h"
#include "store/month.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

/* Wraps around, as only amounts that nobody can have paid would: they show elsewhere. */
static void add(int64_t *sum, int64_t amount) {
    *sum = (int64_t)((uint64_t)*sum + (uint64_t)amount);
}

/* A query over all rows of a table, and the statement that keeps its sums. */
struct pass {
    struct sqlite_db *db;
    sqlite3_stmt *rows, *keep;
};

static bool pass_begin(struct pass *pass, struct sqlite_db *db, const char *rows, const char *keep, struct err *err) {
    *pass = (struct pass){.db = db};
    return (sqlite3_prepare_v2(db->handle, rows, -1, &pass->rows, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(db->handle, keep, -1, &pass->keep, NULL) == SQLITE_OK) ||
           err_set(err, ERR_IO, "Database %s: %s", db->path, sqlite3_errmsg(db->handle));
}

static bool pass_end(struct pass *pass, bool ok, int result, struct err *err) {
    ok = ok && (result == SQLITE_DONE ||
                err_set(err, ERR_IO, "Database %s: %s", pass->db->path, sqlite3_errmsg(pass->db->handle)));
    sqlite3_finalize(pass->rows);
    sqlite3_finalize(pass->keep);
    return ok;
}

static int64_t column(const struct pass *pass, int index) {
    return sqlite3_column_int64(pass->rows, index);
}

/* With so many numbers, and the text in place `text_at` (0: none). */
static bool pass_keep(const struct pass *pass, const int64_t *numbers, int count, int text_at, const char *text,
                      struct err *err) {
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int64(pass->keep, i + 1, numbers[i]);
    }
    if (text_at > 0) {
        sqlite3_bind_text(pass->keep, text_at, text, -1, SQLITE_STATIC);
    }
    const int result = sqlite3_step(pass->keep);
    sqlite3_reset(pass->keep);
    return result == SQLITE_DONE ||
           err_set(err, ERR_IO, "Database %s: %s", pass->db->path, sqlite3_errmsg(pass->db->handle));
}

/* --- Entries --- */

enum { PART_WALLET, PART_EARNINGS, PART_NETWORK, PARTS };
enum { ACCOUNT_NONE = -2, ACCOUNT_SEVERAL = -1 };

/* Entries of one transaction that lie together: nearly always all that it has. */
struct run {
    int64_t transaction, entries, total, moved, sums[PARTS], accounts[PARTS];
};

struct account_sum {
    UT_hash_handle hh;
    int64_t ledger_account, amount_nano;
};

static void run_begin(struct run *run, int64_t transaction) {
    *run = (struct run){.transaction = transaction, .accounts = {ACCOUNT_NONE, ACCOUNT_NONE, ACCOUNT_NONE}};
}

static void run_add(struct run *run, int64_t ledger_account, int64_t amount_nano) {
    const int part = ledger_account < 16 ? PART_NETWORK : ledger_account % 16 == 0 ? PART_WALLET : PART_EARNINGS;
    run->entries++;
    add(&run->total, amount_nano);
    add(&run->moved, amount_nano > 0 ? amount_nano : 0);
    add(&run->sums[part], amount_nano);
    run->accounts[part] = run->accounts[part] == ACCOUNT_NONE ? ledger_account : ACCOUNT_SEVERAL;
}

static bool run_keep(const struct pass *pass, const struct run *run, struct err *err) {
    const int64_t numbers[] = {run->transaction,
                               run->entries,
                               run->total,
                               run->moved,
                               run->sums[PART_WALLET],
                               run->sums[PART_EARNINGS],
                               run->sums[PART_NETWORK],
                               run->accounts[PART_WALLET],
                               run->accounts[PART_EARNINGS],
                               run->accounts[PART_NETWORK]};
    return run->entries == 0 || pass_keep(pass, numbers, (int)COUNT_OF(numbers), 0, NULL, err);
}

static void account_add(struct account_sum **accounts, int64_t ledger_account, int64_t amount_nano) {
    struct account_sum *found;
    HASH_FIND(hh, *accounts, &ledger_account, sizeof(ledger_account), found);
    if (found == NULL) {
        found = MEM_NEW(struct account_sum);
        found->ledger_account = ledger_account;
        HASH_ADD(hh, *accounts, ledger_account, sizeof(found->ledger_account), found);
    }
    add(&found->amount_nano, amount_nano);
}

static bool accounts_keep(struct sqlite_db *db, struct account_sum *accounts, struct err *err) {
    struct pass pass;
    struct account_sum *account, *next;
    bool ok = pass_begin(&pass, db, "SELECT 1", "INSERT INTO sums VALUES (?, ?)", err);
    account = accounts;
    HASH_CLEAR(hh, accounts); /* of its table; those in it are still in a row */
    for (; account != NULL; account = next) {
        next = account->hh.next;
        const int64_t numbers[] = {account->ledger_account, account->amount_nano};
        ok = ok && pass_keep(&pass, numbers, (int)COUNT_OF(numbers), 0, NULL, err);
        free(account);
    }
    return pass_end(&pass, ok, SQLITE_DONE, err);
}

static bool entries_sum(struct sqlite_db *db, struct err *err) {
    static const char rows[] = "SELECT transaction_number, ledger_account, amount_nano FROM entries";
    static const char keep[] =
        "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, -2), nullif(?, -2), nullif(?, -2))"
        " ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, total = total + excluded.total,"
        " moved = moved + excluded.moved, wallet = wallet + excluded.wallet, earnings = earnings + excluded.earnings,"
        " network = network + excluded.network,"
        " wallet_account = iif(wallet_account + excluded.wallet_account IS NULL,"
        " coalesce(wallet_account, excluded.wallet_account), -1),"
        " earnings_account = iif(earnings_account + excluded.earnings_account IS NULL,"
        " coalesce(earnings_account, excluded.earnings_account), -1),"
        " network_account = iif(network_account + excluded.network_account IS NULL,"
        " coalesce(network_account, excluded.network_account), -1)";
    struct account_sum *accounts = NULL;
    struct pass pass;
    struct run run;
    int result = SQLITE_DONE;
    bool ok = pass_begin(&pass, db, rows, keep, err);
    run_begin(&run, 0);
    while (ok && (result = sqlite3_step(pass.rows)) == SQLITE_ROW) {
        if (column(&pass, 0) != run.transaction) {
            ok = run_keep(&pass, &run, err);
            run_begin(&run, column(&pass, 0));
        }
        run_add(&run, column(&pass, 1), column(&pass, 2));
        account_add(&accounts, column(&pass, 1), column(&pass, 2));
    }
    ok = ok && run_keep(&pass, &run, err);
    ok = pass_end(&pass, ok, result, err);
    return accounts_keep(db, accounts, ok ? err : NULL) && ok;
}

/* --- By month --- */

struct month_key {
    int64_t account, month, key, kind;
    char model[STORE_MODEL_MAX];
};

struct month_sum {
    UT_hash_handle hh;
    struct month_key key;
    int64_t rows, first, second, third; /* so many, and the sums of what the caller adds up */
};

static struct month_sum *month_find(struct month_sum **months, const struct month_key *key) {
    struct month_sum *found;
    HASH_FIND(hh, *months, key, sizeof(*key), found);
    if (found == NULL) {
        found = MEM_NEW(struct month_sum);
        found->key = *key;
        HASH_ADD(hh, *months, key, sizeof(found->key), found);
    }
    return found;
}

/* Keeps them, if everything went well until now, and frees them. */
static bool months_keep(const struct pass *pass, struct month_sum *months, bool usage, bool ok, struct err *err) {
    struct month_sum *sum = months, *next;
    HASH_CLEAR(hh, months); /* of its table; those in it are still in a row */
    for (; sum != NULL; sum = next) {
        next = sum->hh.next;
        const struct month_key *key = &sum->key;
        const int64_t of_usage[] = {key->account, key->month,   key->key,    key->kind, -sum->rows,
                                    -sum->first,  -sum->second, -sum->third, 0 /* the model */};
        const int64_t of_earned[] = {key->account, key->month, -sum->rows, -sum->first, -sum->second};
        ok = ok && (usage ? pass_keep(pass, of_usage, (int)COUNT_OF(of_usage), (int)COUNT_OF(of_usage), key->model, err)
                          : pass_keep(pass, of_earned, (int)COUNT_OF(of_earned), 0, NULL, err));
        free(sum);
    }
    return ok;
}

static bool usage_sum(struct sqlite_db *db, struct err *err) {
    static const char rows[] =
        "SELECT account_number, created_ms, key_number, kind, model, prompt_tokens, completion_tokens, charge_nano"
        " FROM generations WHERE outcome = 0 OR (outcome = 2 AND charge_nano > 0)";
    static const char keep[] =
        "INSERT INTO usage_more (account_number, month, key_number, kind, requests, prompt_tokens, completion_tokens,"
        " charge_nano, model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
        " completion_tokens = completion_tokens + excluded.completion_tokens,"
        " charge_nano = charge_nano + excluded.charge_nano";
    struct month_sum *months = NULL;
    struct pass pass;
    int result = SQLITE_DONE;
    bool ok = pass_begin(&pass, db, rows, keep, err);
    while (ok && (result = sqlite3_step(pass.rows)) == SQLITE_ROW) {
        struct month_key key;
        memset(&key, 0, sizeof(key)); /* all of it is hashed, also what lies between its members */
        key.account = column(&pass, 0);
        key.month = store_month_of(column(&pass, 1));
        key.key = column(&pass, 2);
        key.kind = column(&pass, 3);
        (void)str_copy(key.model, sizeof(key.model), str_from((const char *)sqlite3_column_text(pass.rows, 4)));
        struct month_sum *sum = month_find(&months, &key);
        sum->rows++;
        add(&sum->first, column(&pass, 5));
        add(&sum->second, column(&pass, 6));
        add(&sum->third, column(&pass, 7));
    }
    ok = months_keep(&pass, months, true, ok, err);
    return pass_end(&pass, ok, result, err);
}

static bool earned_sum(struct sqlite_db *db, struct err *err) {
    static const char rows[] = "SELECT account_number, created_ms, amount_nano, tokens FROM earned";
    static const char keep[] =
        "INSERT INTO earned_month_more VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " generations = generations + excluded.generations, amount_nano = amount_nano + excluded.amount_nano,"
        " tokens = tokens + excluded.tokens";
    struct month_sum *months = NULL;
    struct pass pass;
    int result = SQLITE_DONE;
    bool ok = pass_begin(&pass, db, rows, keep, err);
    while (ok && (result = sqlite3_step(pass.rows)) == SQLITE_ROW) {
        struct month_key key;
        memset(&key, 0, sizeof(key));
        key.account = column(&pass, 0);
        key.month = store_month_of(column(&pass, 1));
        struct month_sum *sum = month_find(&months, &key);
        sum->rows++;
        add(&sum->first, column(&pass, 2));
        add(&sum->second, column(&pass, 3));
    }
    ok = months_keep(&pass, months, false, ok, err);
    return pass_end(&pass, ok, result, err);
}

static void no_row(void *context, const char *text) {
    (void)context;
    (void)text;
}

bool sqlite_check_sums(struct sqlite_db *db, struct err *err) {
    return sqlite_db_script(db, (const char *)store_sql_ledger_check_tables, no_row, NULL, err) &&
           entries_sum(db, err) && usage_sum(db, err) && earned_sum(db, err);
}
