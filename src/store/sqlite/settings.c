#include "store/sqlite/settings.h"

static bool setting_get(struct store_connection *connection, const char *name, char *out, size_t out_size,
                        struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_SETTING_GET);
    sqlite_bind_text(&binder, name);
    bool found;
    if (!sqlite_next(db, SQL_SETTING_GET, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "The setting %s is not in the database", name);
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_SETTING_GET);
    const bool whole = str_copy(out, out_size, sqlite_read_bytes(&reader));
    sqlite_reset(db, SQL_SETTING_GET);
    return whole || err_set(err, ERR_TOO_LARGE, "The setting %s is longer than %zu bytes", name, out_size - 1);
}

static bool setting_set(struct store_connection *connection, const char *name, const char *value, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_SETTING_SET);
    sqlite_bind_text(&binder, name);
    sqlite_bind_text(&binder, value);
    return sqlite_run(db, SQL_SETTING_SET, err);
}

const struct store_setting_rows sqlite_setting_rows = {.get = setting_get, .set = setting_set};
