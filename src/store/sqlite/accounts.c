#include "store/sqlite/accounts.h"

/* --- Accounts --- */

static void account_read(struct sqlite_db *db, enum sql sql, struct store_account *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = (uint64_t)sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->name, sizeof(out->name));
    out->owner = sqlite_read_int(&reader) != 0;
    out->tier = (enum store_tier)sqlite_read_int(&reader);
    out->suspended = sqlite_read_int(&reader) != 0;
    out->unaudited = sqlite_read_int(&reader) != 0;
    out->created_ms = sqlite_read_int(&reader);
    out->balance_nano = sqlite_read_int(&reader);
    out->given_nano = sqlite_read_int(&reader);
}

bool sqlite_account_add(struct sqlite_db *db, const struct store_account *account, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_ACCOUNT_ADD);
    sqlite_bind_text(&binder, account->id);
    sqlite_bind_text(&binder, account->name);
    sqlite_bind_int(&binder, account->owner);
    sqlite_bind_int(&binder, account->tier);
    sqlite_bind_int(&binder, account->suspended);
    sqlite_bind_int(&binder, account->created_ms);
    return sqlite_run(db, SQL_ACCOUNT_ADD, err);
}

static bool account_owner(struct store_connection *connection, struct store_account *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool found;
    if (!sqlite_next(db, SQL_ACCOUNT_OWNER, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "The database %s has no owner's account yet", db->path);
    }
    account_read(db, SQL_ACCOUNT_OWNER, out);
    sqlite_reset(db, SQL_ACCOUNT_OWNER);
    return true;
}

bool sqlite_account_find(struct sqlite_db *db, const char *id, struct store_account *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_ACCOUNT_FIND);
    sqlite_bind_text(&binder, id);
    if (!sqlite_next(db, SQL_ACCOUNT_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There is no account %s", id);
    }
    account_read(db, SQL_ACCOUNT_FIND, out);
    sqlite_reset(db, SQL_ACCOUNT_FIND);
    return true;
}

static bool account_change(struct sqlite_db *db, enum sql sql, const char *id, int64_t value, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_int(&binder, value);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, sql, err);
}

bool sqlite_account_set_tier(struct sqlite_db *db, const char *id, enum store_tier tier, struct err *err) {
    return account_change(db, SQL_ACCOUNT_TIER, id, tier, err);
}

bool sqlite_account_suspend(struct sqlite_db *db, const char *id, bool suspended, struct err *err) {
    return account_change(db, SQL_ACCOUNT_SUSPEND, id, suspended, err);
}

bool sqlite_account_set_unaudited(struct sqlite_db *db, const char *id, bool unaudited, struct err *err) {
    return account_change(db, SQL_ACCOUNT_UNAUDITED, id, unaudited, err);
}

static bool account_each(struct store_connection *connection,
                         bool (*row)(void *context, const struct store_account *account), void *context,
                         struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct store_account account;
    while ((ok = sqlite_next(db, SQL_ACCOUNT_EACH, &found, err)) && found) {
        account_read(db, SQL_ACCOUNT_EACH, &account);
        if (!row(context, &account)) {
            break;
        }
    }
    sqlite_reset(db, SQL_ACCOUNT_EACH);
    return ok;
}

static bool account_page(struct store_connection *connection, const char *id, const char *after, size_t limit,
                         struct store_account *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    const enum sql sql = id[0] != '\0' ? SQL_ACCOUNT_FIND : SQL_ACCOUNT_PAGE;
    struct sqlite_binder binder = sqlite_bind(db, sql);
    bool ok, found;
    if (sql == SQL_ACCOUNT_FIND) {
        sqlite_bind_text(&binder, id);
    } else {
        sqlite_bind_text(&binder, after);
        sqlite_bind_int(&binder, (int64_t)limit);
    }
    *count = 0;
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        account_read(db, sql, &rows[(*count)++]);
    }
    return ok;
}

static bool account_add(struct store_connection *connection, const struct store_account *account, struct err *err) {
    return sqlite_account_add(sqlite_db_of(connection), account, err);
}

/* --- Keys --- */

static void key_read(struct sqlite_db *db, enum sql sql, struct store_key *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = (uint64_t)sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    out->kind = (enum store_key_kind)sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->sha256, sizeof(out->sha256));
    sqlite_read_text(&reader, out->name, sizeof(out->name));
    out->created_ms = sqlite_read_int(&reader);
    out->expires_ms = sqlite_read_int(&reader);
    out->revoked_ms = sqlite_read_int(&reader);
    out->cap_nano = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->models, sizeof(out->models));
    out->spent_nano = sqlite_read_int(&reader);
    out->account_number = (uint64_t)sqlite_read_int(&reader);
    out->owner = sqlite_read_int(&reader) != 0;
}

bool sqlite_key_add(struct sqlite_db *db, const struct store_key *key, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_ADD);
    sqlite_bind_text(&binder, key->id);
    sqlite_bind_text(&binder, key->account_id);
    sqlite_bind_int(&binder, key->kind);
    sqlite_bind_blob(&binder, key->sha256, sizeof(key->sha256));
    sqlite_bind_text(&binder, key->name);
    sqlite_bind_int(&binder, key->created_ms);
    sqlite_bind_int(&binder, key->expires_ms);
    sqlite_bind_int(&binder, key->revoked_ms);
    sqlite_bind_int(&binder, key->cap_nano);
    sqlite_bind_text(&binder, key->models);
    return sqlite_run(db, SQL_KEY_ADD, err);
}

static bool keys_tell(struct sqlite_db *db, enum sql sql, bool (*row)(void *context, const struct store_key *key),
                      void *context, struct err *err) {
    bool ok, found;
    struct store_key key;
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        key_read(db, sql, &key);
        if (!row(context, &key)) {
            break;
        }
    }
    sqlite_reset(db, sql);
    return ok;
}

static bool key_each(struct store_connection *connection, bool (*row)(void *context, const struct store_key *key),
                     void *context, struct err *err) {
    return keys_tell(sqlite_db_of(connection), SQL_KEY_EACH, row, context, err);
}

static bool key_open_each(struct store_connection *connection, bool (*row)(void *context, const struct store_key *key),
                          void *context, struct err *err) {
    return keys_tell(sqlite_db_of(connection), SQL_KEY_OPEN_EACH, row, context, err);
}

static bool key_count_max(struct sqlite_db *db, int64_t *out, struct err *err) {
    bool found;
    if (!sqlite_next(db, SQL_KEY_LAST, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_KEY_LAST);
    *out = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_KEY_LAST);
    return true;
}

static bool key_hashes(struct store_connection *connection, const uint8_t after[DIGEST_SHA256_SIZE], size_t limit,
                       struct store_key_hashes *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    out->count = 0;
    if (!key_count_max(db, &out->keys_max, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_HASHES);
    sqlite_bind_blob(&binder, after, DIGEST_SHA256_SIZE);
    sqlite_bind_int(&binder, (int64_t)limit);
    while ((ok = sqlite_next(db, SQL_KEY_HASHES, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_KEY_HASHES);
        sqlite_read_blob(&reader, out->sha256[out->count++], DIGEST_SHA256_SIZE);
    }
    return ok;
}

/* Ends a statement that has been given its parameters and finds one key at most. */
static bool key_one(struct sqlite_db *db, enum sql sql, struct store_key *out, bool *found, struct err *err) {
    if (!sqlite_next(db, sql, found, err)) {
        return false;
    }
    if (*found) {
        key_read(db, sql, out);
        sqlite_reset(db, sql);
    }
    return true;
}

static bool key_find(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE],
                     struct store_key *out, bool *found, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_FIND);
    sqlite_bind_blob(&binder, sha256, DIGEST_SHA256_SIZE);
    return key_one(db, SQL_KEY_FIND, out, found, err);
}

bool sqlite_key_by_id(struct sqlite_db *db, const char *id, struct store_key *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_BY_ID);
    sqlite_bind_text(&binder, id);
    if (!key_one(db, SQL_KEY_BY_ID, out, &found, err)) {
        return false;
    }
    return found || err_set(err, ERR_NOT_FOUND, "There is no key %s", id);
}

bool sqlite_key_revoke(struct sqlite_db *db, const char *id, int64_t revoked_ms, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_REVOKE);
    sqlite_bind_int(&binder, revoked_ms);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, SQL_KEY_REVOKE, err);
}

static bool key_page(struct store_connection *connection, const char *account_id, const char *after, size_t limit,
                     struct store_key *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_PAGE);
    sqlite_bind_text(&binder, account_id);
    sqlite_bind_text(&binder, after);
    sqlite_bind_int(&binder, (int64_t)limit);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_KEY_PAGE, &found, err)) && found) {
        key_read(db, SQL_KEY_PAGE, &rows[(*count)++]);
    }
    return ok;
}

static bool key_add(struct store_connection *connection, const struct store_key *key, struct err *err) {
    return sqlite_key_add(sqlite_db_of(connection), key, err);
}

const struct store_account_rows sqlite_account_rows = {
    .add = account_add,
    .owner = account_owner,
    .each = account_each,
    .page = account_page,
    .key_add = key_add,
    .key_each = key_each,
    .key_find = key_find,
    .key_open_each = key_open_each,
    .key_hashes = key_hashes,
    .key_page = key_page,
};
