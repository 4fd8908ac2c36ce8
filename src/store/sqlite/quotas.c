#include "store/sqlite/quotas.h"

static bool account_number(struct sqlite_db *db, const char *id, int64_t *out, bool *found, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_ACCOUNT_NUMBER);
    sqlite_bind_text(&binder, id);
    if (!sqlite_next(db, SQL_ACCOUNT_NUMBER, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_ACCOUNT_NUMBER);
        *out = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_ACCOUNT_NUMBER);
    }
    return true;
}

static bool kept_find(struct sqlite_db *db, int64_t number, enum store_kept kind, enum store_tier *tier,
                      struct store_amount *out, bool *found, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEPT_ONE);
    sqlite_bind_int(&binder, number);
    sqlite_bind_int(&binder, kind);
    if (!sqlite_next(db, SQL_KEPT_ONE, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_KEPT_ONE);
        *tier = (enum store_tier)sqlite_read_choice(&reader, STORE_TIERS);
        out->rows = sqlite_read_int(&reader);
        out->bytes = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_KEPT_ONE);
    }
    return true;
}

bool sqlite_quota_check(struct sqlite_db *db, int64_t account_number, enum store_kept kind,
                        const struct store_amount *more, struct err *err) {
    const struct store_quotas *quotas = db->connection.quotas;
    enum store_tier tier = STORE_TIER_FREE;
    struct store_amount kept = {0};
    bool found;
    if (quotas == NULL) {
        return true;
    }
    return kept_find(db, account_number, kind, &tier, &kept, &found, err) &&
           (!found || store_quota_check(quotas, tier, kind, &kept, more, err));
}

bool sqlite_quota_check_half(struct sqlite_db *db, int64_t account_number, enum store_kept kind,
                             const struct store_amount *more, struct err *err) {
    const struct store_quotas *quotas = db->connection.quotas;
    enum store_tier tier = STORE_TIER_FREE;
    struct store_amount kept = {0};
    bool found;
    if (quotas == NULL) {
        return true;
    }
    if (!kept_find(db, account_number, kind, &tier, &kept, &found, err)) {
        return false;
    }
    kept = (struct store_amount){.rows = 2 * kept.rows, .bytes = 2 * kept.bytes};
    const struct store_amount twice = {.rows = 2 * more->rows, .bytes = 2 * more->bytes};
    return !found || store_quota_check(quotas, tier, kind, &kept, &twice, err);
}

bool sqlite_quota_rows_max(struct sqlite_db *db, int64_t account_number, enum store_kept kind, int64_t *rows,
                           struct err *err) {
    const struct store_quotas *quotas = db->connection.quotas;
    enum store_tier tier = STORE_TIER_FREE;
    struct store_amount kept;
    bool found;
    *rows = 0;
    if (quotas == NULL) {
        return true;
    }
    if (!kept_find(db, account_number, kind, &tier, &kept, &found, err)) {
        return false;
    }
    *rows = found ? quotas->of[tier][kind].rows : 0;
    return true;
}

bool sqlite_quota_check_of(struct sqlite_db *db, const char *account_id, enum store_kept kind,
                           const struct store_amount *more, struct err *err) {
    int64_t number = 0;
    bool found;
    return account_number(db, account_id, &number, &found, err) && sqlite_quota_check(db, number, kind, more, err);
}

bool sqlite_quota_check_going(struct sqlite_db *db, int64_t account_number, enum store_kept kind, struct err *err) {
    static const struct store_amount NOTHING = {0};
    const struct store_quotas *quotas = db->connection.quotas;
    enum store_tier tier = STORE_TIER_FREE;
    struct store_amount kept = {0};
    bool found;
    if (quotas == NULL) {
        return true;
    }
    if (!kept_find(db, account_number, kind, &tier, &kept, &found, err)) {
        return false;
    }
    kept = (struct store_amount){.bytes = kept.bytes / 2};
    return !found || store_quota_check(quotas, tier, kind, &kept, &NOTHING, err);
}

static bool kept_report(struct store_connection *connection, const char *account_id, struct store_kept_report *out,
                        struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    int64_t number = 0;
    bool found;
    *out = (struct store_kept_report){0};
    if (!account_number(db, account_id, &number, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "account", "There is no such account");
    }
    for (int kind = 0; kind < STORE_KEPT_KINDS; kind++) {
        if (!kept_find(db, number, (enum store_kept)kind, &out->tier, &out->kept[kind], &found, err)) {
            return false;
        }
        if (connection->quotas != NULL) {
            out->quota[kind] = connection->quotas->of[out->tier][kind];
        }
    }
    return true;
}

const struct store_quota_rows sqlite_quota_rows = {.kept = kept_report};
