#include "store/sqlite/ledger_check.h"

#include "embedded_store.h"
#include "store/sqlite/check_sums.h"
#include "store/sqlite/receipts.h"

struct check {
    void (*on_problem)(void *context, const char *text);
    void *context;
    int64_t problems;
};

static void check_problem(void *context, const char *text) {
    struct check *check = context;
    check->problems++;
    check->on_problem(check->context, text);
}

static bool check_count(struct sqlite_db *db, struct store_ledger_report *report, struct err *err) {
    bool found;
    if (!sqlite_next(db, SQL_LEDGER_COUNT, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_LEDGER_COUNT);
    report->transactions = sqlite_read_int(&reader);
    report->entries = sqlite_read_int(&reader);
    report->accounts = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_LEDGER_COUNT);
    return true;
}

static bool ledger_check(struct store_connection *connection, void (*on_problem)(void *context, const char *text),
                         void *context, struct store_ledger_report *report, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct check check = {.on_problem = on_problem, .context = context};
    *report = (struct store_ledger_report){0};
    if (!sqlite_run(db, SQL_BEGIN_READ, err)) { /* one state of the database, whoever writes meanwhile */
        return false;
    }
    bool ok = sqlite_check_sums(db, err) &&
              sqlite_db_script(db, (const char *)store_sql_ledger_check, check_problem, &check, err) &&
              sqlite_receipts_check(db, check_problem, &check, &report->receipts, err) && check_count(db, report, err);
    sqlite_db_rollback(db); /* the temporary tables go with it */
    report->problems = check.problems;
    return ok;
}

static bool entry_each(struct store_connection *connection, bool (*row)(void *context, const struct store_entry *entry),
                       void *context, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct store_entry entry;
    while ((ok = sqlite_next(db, SQL_ENTRY_EACH, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_ENTRY_EACH);
        entry.number = sqlite_read_int(&reader);
        entry.transaction = sqlite_read_int(&reader);
        entry.amount_nano = sqlite_read_int(&reader);
        entry.created_ms = sqlite_read_int(&reader);
        sqlite_read_text(&reader, entry.ledger_account, sizeof(entry.ledger_account));
        sqlite_read_text(&reader, entry.kind, sizeof(entry.kind));
        sqlite_read_text(&reader, entry.generation_id, sizeof(entry.generation_id));
        sqlite_read_text(&reader, entry.note, sizeof(entry.note));
        if (!row(context, &entry)) {
            break;
        }
    }
    sqlite_reset(db, SQL_ENTRY_EACH);
    return ok;
}

const struct store_ledger_rows sqlite_ledger_rows = {.check = ledger_check, .entry_each = entry_each};
