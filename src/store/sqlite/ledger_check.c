/* The offline side of the ledger: its proof, its export, the audit log. */
#include "embedded_store.h"
#include "store/sqlite/money.h"

struct check {
    void (*on_problem)(void *context, const char *text);
    void *context;
    int64_t problems;
};

static void check_problem(void *context, const char *text) {
    struct check *check = (struct check *)context;
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

bool sqlite_ledger_check(struct sqlite_db *db, void (*on_problem)(void *context, const char *text), void *context,
                         struct store_ledger_report *report, struct err *err) {
    struct check check = {.on_problem = on_problem, .context = context};
    *report = (struct store_ledger_report){0};
    if (!sqlite_run(db, SQL_BEGIN_READ, err)) { /* one state of the database, whoever writes meanwhile */
        return false;
    }
    bool ok = sqlite_db_script(db, (const char *)store_sql_ledger_check, check_problem, &check, err) &&
              check_count(db, report, err);
    sqlite_db_rollback(db); /* the temporary tables go with it */
    report->problems = check.problems;
    return ok;
}

bool sqlite_entry_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_entry *entry), void *context,
                       struct err *err) {
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
        sqlite_read_text(&reader, entry.job_id, sizeof(entry.job_id));
        sqlite_read_text(&reader, entry.note, sizeof(entry.note));
        if (!row(context, &entry)) {
            break;
        }
    }
    sqlite_reset(db, SQL_ENTRY_EACH);
    return ok;
}

void sqlite_audit_read(struct sqlite_db *db, enum sql sql, struct store_audit *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->actor, sizeof(out->actor));
    sqlite_read_text(&reader, out->action, sizeof(out->action));
    sqlite_read_text(&reader, out->subject, sizeof(out->subject));
    out->amount_nano = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->note, sizeof(out->note));
}

bool sqlite_audit_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_audit *audit), void *context,
                       struct err *err) {
    bool ok, found;
    struct store_audit audit;
    while ((ok = sqlite_next(db, SQL_AUDIT_EACH, &found, err)) && found) {
        sqlite_audit_read(db, SQL_AUDIT_EACH, &audit);
        if (!row(context, &audit)) {
            break;
        }
    }
    sqlite_reset(db, SQL_AUDIT_EACH);
    return ok;
}
