#include "store/sqlite/owed.h"

#define DAY_MS INT64_C(86400000)

static bool owed_sums(struct sqlite_db *db, const char *account_id, int64_t ripe_ms, struct store_owed *out,
                      struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_RIPENING);
    sqlite_bind_text(&binder, account_id);
    sqlite_bind_int(&binder, ripe_ms);
    if (!sqlite_next(db, SQL_RIPENING, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_RIPENING);
    const int64_t ripening = sqlite_read_int(&reader);
    out->earnings_nano = sqlite_read_int(&reader);
    out->escrow_nano = sqlite_read_int(&reader);
    out->given_escrow_nano = sqlite_read_int(&reader);
    out->suspended = sqlite_read_int(&reader) != 0;
    sqlite_reset(db, SQL_RIPENING);
    out->ripening_nano = ripening < out->earnings_nano ? ripening : out->earnings_nano;
    out->ripening_nano = out->ripening_nano > 0 ? out->ripening_nano : 0;
    out->payable_nano = out->earnings_nano - out->ripening_nano;
    return true;
}

static bool owed_days(struct sqlite_db *db, const char *account_id, int64_t ripe_ms, struct store_owed *out,
                      struct err *err) {
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_RIPENING_DAYS);
    sqlite_bind_text(&binder, account_id);
    sqlite_bind_int(&binder, ripe_ms);
    sqlite_bind_int(&binder, STORE_RIPENING_DAYS);
    while ((ok = sqlite_next(db, SQL_RIPENING_DAYS, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_RIPENING_DAYS);
        struct store_ripening *day = &out->days[out->day_count++];
        day->ripe_ms = (sqlite_read_int(&reader) + 1) * DAY_MS;
        day->amount_nano = sqlite_read_int(&reader);
    }
    return ok;
}

bool sqlite_owed_read(struct sqlite_db *db, const char *account_id, int64_t ripe_ms, struct store_owed *out,
                      struct err *err) {
    *out = (struct store_owed){0};
    return owed_sums(db, account_id, ripe_ms, out, err) && owed_days(db, account_id, ripe_ms, out, err);
}

static bool owed_read(struct store_connection *connection, const char *account_id, int64_t ripe_ms,
                      struct store_owed *out, struct err *err) {
    return sqlite_owed_read(sqlite_db_of(connection), account_id, ripe_ms, out, err);
}

const struct store_owed_rows sqlite_owed_rows = {.read = owed_read};
