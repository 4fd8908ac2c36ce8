#include "store/sqlite/rows.h"

#include "store/sqlite/devices.h"

void sqlite_account_read(struct sqlite_db *db, enum sql sql, struct store_account *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = (uint64_t)sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->name, sizeof(out->name));
    out->owner = sqlite_read_int(&reader) != 0;
    out->tier = (enum store_tier)sqlite_read_int(&reader);
    out->suspended = sqlite_read_int(&reader) != 0;
    out->created_ms = sqlite_read_int(&reader);
    out->balance_nano = sqlite_read_int(&reader);
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

bool sqlite_account_owner(struct sqlite_db *db, struct store_account *out, struct err *err) {
    bool found;
    if (!sqlite_next(db, SQL_ACCOUNT_OWNER, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "The database %s has no owner's account yet", db->path);
    }
    sqlite_account_read(db, SQL_ACCOUNT_OWNER, out);
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
    sqlite_account_read(db, SQL_ACCOUNT_FIND, out);
    sqlite_reset(db, SQL_ACCOUNT_FIND);
    return true;
}

static bool sqlite_account_change(struct sqlite_db *db, enum sql sql, const char *id, int64_t value, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_int(&binder, value);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, sql, err);
}

bool sqlite_account_set_tier(struct sqlite_db *db, const char *id, enum store_tier tier, struct err *err) {
    return sqlite_account_change(db, SQL_ACCOUNT_TIER, id, tier, err);
}

bool sqlite_account_suspend(struct sqlite_db *db, const char *id, bool suspended, struct err *err) {
    return sqlite_account_change(db, SQL_ACCOUNT_SUSPEND, id, suspended, err);
}

bool sqlite_account_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_account *account),
                         void *context, struct err *err) {
    bool ok, found;
    struct store_account account;
    while ((ok = sqlite_next(db, SQL_ACCOUNT_EACH, &found, err)) && found) {
        sqlite_account_read(db, SQL_ACCOUNT_EACH, &account);
        if (!row(context, &account)) {
            break;
        }
    }
    sqlite_reset(db, SQL_ACCOUNT_EACH);
    return ok;
}

void sqlite_key_read(struct sqlite_db *db, enum sql sql, struct store_key *out) {
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

bool sqlite_key_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_key *key), void *context,
                     struct err *err) {
    bool ok, found;
    struct store_key key;
    while ((ok = sqlite_next(db, SQL_KEY_EACH, &found, err)) && found) {
        sqlite_key_read(db, SQL_KEY_EACH, &key);
        if (!row(context, &key)) {
            break;
        }
    }
    sqlite_reset(db, SQL_KEY_EACH);
    return ok;
}

/* Ends a statement that has been given its parameters and finds one key at most. */
static bool sqlite_key_one(struct sqlite_db *db, enum sql sql, struct store_key *out, bool *found, struct err *err) {
    if (!sqlite_next(db, sql, found, err)) {
        return false;
    }
    if (*found) {
        sqlite_key_read(db, sql, out);
        sqlite_reset(db, sql);
    }
    return true;
}

bool sqlite_key_find(struct sqlite_db *db, const uint8_t sha256[DIGEST_SHA256_SIZE], struct store_key *out, bool *found,
                     struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_FIND);
    sqlite_bind_blob(&binder, sha256, DIGEST_SHA256_SIZE);
    return sqlite_key_one(db, SQL_KEY_FIND, out, found, err);
}

bool sqlite_key_by_id(struct sqlite_db *db, const char *id, struct store_key *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_BY_ID);
    sqlite_bind_text(&binder, id);
    if (!sqlite_key_one(db, SQL_KEY_BY_ID, out, &found, err)) {
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

bool sqlite_join_token_add(struct sqlite_db *db, const struct store_join_token *token, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_ADD);
    sqlite_bind_blob(&binder, token->sha256, sizeof(token->sha256));
    sqlite_bind_text(&binder, token->account_id);
    sqlite_bind_int(&binder, token->created_ms);
    sqlite_bind_int(&binder, token->expires_ms);
    sqlite_bind_int(&binder, token->uses);
    return sqlite_run(db, SQL_JOIN_TOKEN_ADD, err);
}

bool sqlite_device_find(struct sqlite_db *db, const uint8_t public_key[ED25519_KEY_SIZE], struct store_device *out,
                        bool *found, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_FIND);
    sqlite_bind_blob(&binder, public_key, ED25519_KEY_SIZE);
    if (!sqlite_next(db, SQL_DEVICE_FIND, found, err)) {
        return false;
    }
    if (*found) {
        sqlite_device_read(db, SQL_DEVICE_FIND, out);
        sqlite_reset(db, SQL_DEVICE_FIND);
    }
    return true;
}

static bool sqlite_device_add(struct sqlite_db *db, const struct store_device *device, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_ADD);
    sqlite_bind_text(&binder, device->id);
    sqlite_bind_text(&binder, device->account_id);
    sqlite_bind_blob(&binder, device->public_key, sizeof(device->public_key));
    sqlite_bind_text(&binder, device->name);
    sqlite_bind_text(&binder, device->region);
    sqlite_bind_int(&binder, device->created_ms);
    return sqlite_run(db, SQL_DEVICE_ADD, err);
}

bool sqlite_device_enrol(struct sqlite_db *db, const uint8_t token_sha256[DIGEST_SHA256_SIZE],
                         struct store_device *device, bool *added, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_FIND);
    sqlite_bind_blob(&binder, token_sha256, DIGEST_SHA256_SIZE);
    sqlite_bind_int(&binder, device->created_ms);
    if (!sqlite_next(db, SQL_JOIN_TOKEN_FIND, added, err)) {
        return false;
    }
    if (!*added) {
        return true;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_JOIN_TOKEN_FIND);
    sqlite_read_text(&reader, device->account_id, sizeof(device->account_id));
    sqlite_reset(db, SQL_JOIN_TOKEN_FIND);
    if (!sqlite_device_add(db, device, err)) {
        return false; /* a refusal does not end the transaction, so the token is used only now */
    }
    binder = sqlite_bind(db, SQL_JOIN_TOKEN_USE);
    sqlite_bind_blob(&binder, token_sha256, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_JOIN_TOKEN_USE, err);
}

bool sqlite_setting_get(struct sqlite_db *db, const char *name, char *out, size_t out_size, struct err *err) {
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
    bool whole = sqlite_read_text(&reader, out, out_size);
    sqlite_reset(db, SQL_SETTING_GET);
    return whole || err_set(err, ERR_TOO_LARGE, "The setting %s is longer than %zu bytes", name, out_size - 1);
}

bool sqlite_setting_set(struct sqlite_db *db, const char *name, const char *value, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_SETTING_SET);
    sqlite_bind_text(&binder, name);
    sqlite_bind_text(&binder, value);
    return sqlite_run(db, SQL_SETTING_SET, err);
}
