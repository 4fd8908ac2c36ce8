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

enum { PART_WALLET, PART_EARNINGS, PART_NETWORK, PART_GIVEN_OUT, PART_GIVEN_IN, PART_ESCROW, PARTS };
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
    *run = (struct run){.transaction = transaction};
    for (int i = 0; i < PARTS; i++) {
        run->accounts[i] = ACCOUNT_NONE;
    }
}

static int part_of(int64_t ledger_account, int64_t amount_nano) {
    if (ledger_account < 16) {
        return PART_NETWORK;
    }
    switch (ledger_account % 16) {
    case 0:
        return PART_WALLET;
    case 2:
        return amount_nano < 0 ? PART_GIVEN_OUT : PART_GIVEN_IN;
    case 3:
    case 4:
        return PART_ESCROW;
    default:
        return PART_EARNINGS;
    }
}

static void run_add(struct run *run, int64_t ledger_account, int64_t amount_nano) {
    const int part = part_of(ledger_account, amount_nano);
    run->entries++;
    add(&run->total, amount_nano);
    add(&run->moved, amount_nano > 0 ? amount_nano : 0);
    add(&run->sums[part], amount_nano);
    run->accounts[part] = run->accounts[part] == ACCOUNT_NONE ? ledger_account : ACCOUNT_SEVERAL;
}

static bool run_keep(const struct pass *pass, const struct run *run, struct err *err) {
    int64_t numbers[4 + 2 * PARTS] = {run->transaction, run->entries, run->total, run->moved};
    for (int i = 0; i < PARTS; i++) {
        numbers[4 + i] = run->sums[i];
        numbers[4 + PARTS + i] = run->accounts[i];
    }
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

#define MORE_OF(part)                                                                                                  \
    part " = " part " + excluded." part ", " part "_account = iif(" part "_account + excluded." part                   \
         "_account IS NULL, coalesce(" part "_account, excluded." part "_account), -1)"

static bool entries_sum(struct sqlite_db *db, struct err *err) {
    static const char rows[] = "SELECT transaction_number, ledger_account, amount_nano FROM entries";
    static const char keep[] =
        "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, -2), nullif(?, -2), nullif(?, -2),"
        " nullif(?, -2), nullif(?, -2), nullif(?, -2))"
        " ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, total = total + excluded.total,"
        " moved = moved + excluded.moved, " MORE_OF("wallet") ", " MORE_OF("earnings") ", " MORE_OF(
            "network") ", " MORE_OF("given_out") ", " MORE_OF("given_in") ", " MORE_OF("escrow");
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
    int64_t rows, first, second, third, given; /* so many, and the sums of what the caller adds up */
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
        const int64_t of_usage[] = {key->account, key->month,   key->key,    key->kind,   -sum->rows,
                                    -sum->first,  -sum->second, -sum->third, -sum->given, 0 /* the model */};
        const int64_t of_earned[] = {key->account, key->month, -sum->rows, -sum->first, -sum->second, -sum->given};
        ok = ok && (usage ? pass_keep(pass, of_usage, (int)COUNT_OF(of_usage), (int)COUNT_OF(of_usage), key->model, err)
                          : pass_keep(pass, of_earned, (int)COUNT_OF(of_earned), 0, NULL, err));
        free(sum);
    }
    return ok;
}

static bool usage_sum(struct sqlite_db *db, struct err *err) {
    static const char rows[] =
        "SELECT account_number, created_ms, key_number, kind, model, prompt_tokens, completion_tokens, charge_nano,"
        " given_nano FROM generations WHERE outcome = 0 OR (outcome = 2 AND charge_nano > 0)";
    static const char keep[] =
        "INSERT INTO usage_more (account_number, month, key_number, kind, requests, prompt_tokens, completion_tokens,"
        " charge_nano, given_nano, model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
        " completion_tokens = completion_tokens + excluded.completion_tokens,"
        " charge_nano = charge_nano + excluded.charge_nano, given_nano = given_nano + excluded.given_nano";
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
        add(&sum->given, column(&pass, 8));
    }
    ok = months_keep(&pass, months, true, ok, err);
    return pass_end(&pass, ok, result, err);
}

static bool earned_sum(struct sqlite_db *db, struct err *err) {
    static const char rows[] = "SELECT account_number, created_ms, amount_nano, tokens, given_nano FROM earned";
    static const char keep[] =
        "INSERT INTO earned_month_more VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " generations = generations + excluded.generations, amount_nano = amount_nano + excluded.amount_nano,"
        " tokens = tokens + excluded.tokens, given_nano = given_nano + excluded.given_nano";
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
        add(&sum->given, column(&pass, 4));
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
