#include "store/sqlite/enrolment.h"

#include "store/sqlite/devices.h"

/* --- Join tokens --- */

static void token_read(struct sqlite_db *db, enum sql sql, struct store_join_token *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    sqlite_read_blob(&reader, out->sha256, sizeof(out->sha256));
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(&reader, out->device_id, sizeof(out->device_id));
    out->uses = (uint32_t)sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    out->expires_ms = sqlite_read_int(&reader);
    out->revoked_ms = sqlite_read_int(&reader);
    out->suspended = sqlite_read_int(&reader) != 0;
}

bool sqlite_join_token_add(struct sqlite_db *db, const struct store_join_token *token, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_ADD);
    sqlite_bind_blob(&binder, token->sha256, sizeof(token->sha256));
    sqlite_bind_text(&binder, token->account_id);
    sqlite_bind_int(&binder, token->created_ms);
    sqlite_bind_int(&binder, token->expires_ms);
    sqlite_bind_int(&binder, token->uses);
    sqlite_bind_text(&binder, token->device_id);
    return sqlite_run(db, SQL_JOIN_TOKEN_ADD, err);
}

/* The one row of a statement that is bound. */
static bool token_one(struct sqlite_db *db, enum sql sql, struct store_join_token *out, bool *found, struct err *err) {
    if (!sqlite_next(db, sql, found, err)) {
        return false;
    }
    if (*found) {
        token_read(db, sql, out);
        sqlite_reset(db, sql);
    }
    return true;
}

bool sqlite_join_token_by_id(struct sqlite_db *db, const char *id, struct store_join_token *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_BY_ID);
    sqlite_bind_text(&binder, id);
    return token_one(db, SQL_JOIN_TOKEN_BY_ID, out, &found, err) &&
           (found || err_set(err, ERR_NOT_FOUND, "There is no join token %s", id));
}

bool sqlite_join_token_revoke(struct sqlite_db *db, const char *id, int64_t now_ms, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_REVOKE);
    sqlite_bind_int(&binder, now_ms);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, SQL_JOIN_TOKEN_REVOKE, err);
}

static bool token_add(struct store_connection *connection, const struct store_join_token *token, struct err *err) {
    return sqlite_join_token_add(sqlite_db_of(connection), token, err);
}

static bool token_find(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE],
                       struct store_join_token *out, bool *found, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_FIND);
    sqlite_bind_blob(&binder, sha256, DIGEST_SHA256_SIZE);
    return token_one(db, SQL_JOIN_TOKEN_FIND, out, found, err);
}

static bool token_use(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE], struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_USE);
    sqlite_bind_blob(&binder, sha256, DIGEST_SHA256_SIZE);
    return sqlite_no_refusal(sqlite_run(db, SQL_JOIN_TOKEN_USE, err), err);
}

static bool token_page(struct store_connection *connection, const char *after, size_t limit,
                       struct store_join_token *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_PAGE);
    sqlite_bind_text(&binder, after);
    sqlite_bind_int(&binder, (int64_t)limit);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_JOIN_TOKEN_PAGE, &found, err)) && found) {
        token_read(db, SQL_JOIN_TOKEN_PAGE, &rows[(*count)++]);
    }
    return ok;
}

/* --- Devices --- */

static bool device_find(struct store_connection *connection, const uint8_t public_key[ED25519_KEY_SIZE],
                        struct store_device *out, bool *found, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
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

static bool device_by_id(struct store_connection *connection, const char *id, struct store_device *out,
                         struct err *err) {
    return sqlite_device_by_id(sqlite_db_of(connection), id, out, err);
}

static bool key_was_replaced(struct store_connection *connection, const uint8_t public_key[ED25519_KEY_SIZE],
                             bool *replaced, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_WAS_REPLACED);
    sqlite_bind_blob(&binder, public_key, ED25519_KEY_SIZE);
    if (!sqlite_next(db, SQL_KEY_WAS_REPLACED, replaced, err)) {
        return false;
    }
    sqlite_reset(db, SQL_KEY_WAS_REPLACED);
    return true;
}

static bool device_add(struct store_connection *connection, const struct store_device *device, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_ADD);
    sqlite_bind_text(&binder, device->id);
    sqlite_bind_text(&binder, device->account_id);
    sqlite_bind_blob(&binder, device->public_key, sizeof(device->public_key));
    sqlite_bind_text(&binder, device->name);
    sqlite_bind_text(&binder, device->region);
    sqlite_bind_int(&binder, device->created_ms);
    return sqlite_run(db, SQL_DEVICE_ADD, err);
}

static bool device_move(struct store_connection *connection, const char *device_id, const char *account_id,
                        struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_MOVE);
    sqlite_bind_text(&binder, account_id);
    sqlite_bind_text(&binder, device_id);
    return sqlite_run(db, SQL_DEVICE_MOVE, err);
}

static bool replace_key(struct store_connection *connection, const char *device_id,
                        const uint8_t public_key[ED25519_KEY_SIZE], int64_t now_ms, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_KEY_KEEP);
    sqlite_bind_int(&binder, now_ms);
    sqlite_bind_text(&binder, device_id);
    if (!sqlite_run(db, SQL_DEVICE_KEY_KEEP, err)) {
        return false;
    }
    binder = sqlite_bind(db, SQL_DEVICE_KEY);
    sqlite_bind_blob(&binder, public_key, ED25519_KEY_SIZE);
    sqlite_bind_text(&binder, device_id);
    return sqlite_no_refusal(sqlite_run(db, SQL_DEVICE_KEY, err), err);
}

const struct store_enrolment_rows sqlite_enrolment_rows = {
    .token_add = token_add,
    .token_find = token_find,
    .token_use = token_use,
    .token_page = token_page,
    .find = device_find,
    .by_id = device_by_id,
    .key_was_replaced = key_was_replaced,
    .add = device_add,
    .move = device_move,
    .replace_key = replace_key,
};
