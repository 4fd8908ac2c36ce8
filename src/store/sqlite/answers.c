#include "store/sqlite/answers.h"

#include "store/sqlite/quotas.h"
#include "store/sqlite/sealed.h"

#include <string.h>

bool sqlite_answer_room(struct sqlite_db *db, const struct store_answer *answer, int64_t now_ms, bool *room,
                        struct err *err) {
    bool found;
    *room = true;
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_EXPIRY);
    sqlite_bind_blob(&binder, answer->scope_sha256, DIGEST_SHA256_SIZE);
    if (!sqlite_next(db, SQL_ANSWER_EXPIRY, &found, err)) {
        return false;
    }
    if (!found) {
        return true;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_ANSWER_EXPIRY);
    *room = sqlite_read_int(&reader) <= now_ms || answer->replaces;
    sqlite_reset(db, SQL_ANSWER_EXPIRY);
    if (!*room) {
        return true;
    }
    binder = sqlite_bind(db, SQL_ANSWER_DELETE);
    sqlite_bind_blob(&binder, answer->scope_sha256, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_ANSWER_DELETE, err);
}

bool sqlite_answer_fits(struct sqlite_db *db, int64_t account_number, const struct store_answer *answer, bool *room,
                        struct err *err) {
    const struct store_amount more = {.rows = 1, .bytes = (int64_t)answer->content.len};
    struct err past = {0};
    *room = answer->half ? sqlite_quota_check_half(db, account_number, STORE_KEPT_ANSWERS, &more, &past)
                         : sqlite_quota_check(db, account_number, STORE_KEPT_ANSWERS, &more, &past);
    if (!*room && !store_quota_is_past(&past)) {
        *err = past;
        return false;
    }
    return true;
}

bool sqlite_answer_add(struct sqlite_db *db, const struct store_answer *answer, int64_t account_number,
                       const struct turn_place *place, struct err *err) {
    struct buf room;
    buf_init(&room, answer->content.len + SEAL_EXTRA);
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_ADD);
    sqlite_bind_blob(&binder, answer->scope_sha256, sizeof(answer->scope_sha256));
    sqlite_bind_blob(&binder, answer->body_sha256, sizeof(answer->body_sha256));
    sqlite_bind_int(&binder, answer->expires_ms);
    sqlite_bind_int(&binder, answer->stream);
    sqlite_bind_int(&binder, place->number);
    sqlite_bind_sealed(&binder, place, answer->content, &room);
    sqlite_bind_int(&binder, account_number);
    bool ok = sqlite_run(db, SQL_ANSWER_ADD, err);
    buf_clear(&room);
    return ok;
}

bool sqlite_answers_expire(struct sqlite_db *db, int64_t now_ms, int64_t limit, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_EXPIRE);
    sqlite_bind_int(&binder, now_ms);
    sqlite_bind_int(&binder, limit);
    return sqlite_run(db, SQL_ANSWER_EXPIRE, err);
}

static bool answer_find(struct store_connection *connection, const uint8_t scope_sha256[DIGEST_SHA256_SIZE],
                        int64_t now_ms, struct store_answer *out, bool *found, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    uint8_t secret[SEAL_KEY_SIZE];
    bool ok = true;
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_FIND);
    sqlite_bind_blob(&binder, scope_sha256, DIGEST_SHA256_SIZE);
    sqlite_bind_int(&binder, now_ms);
    if (!sqlite_next(db, SQL_ANSWER_FIND, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_ANSWER_FIND);
        memcpy(out->scope_sha256, scope_sha256, DIGEST_SHA256_SIZE);
        sqlite_read_blob(&reader, out->body_sha256, sizeof(out->body_sha256));
        out->expires_ms = sqlite_read_int(&reader);
        out->stream = sqlite_read_int(&reader) != 0;
        const bool sealed = sqlite_read_int(&reader) != 0;
        sqlite_read_blob(&reader, secret, sizeof(secret));
        const struct str content = sqlite_read_bytes(&reader);
        ok = sqlite_copy_sealed(secret, sealed, content, &out->content, err);
        sqlite_reset(db, SQL_ANSWER_FIND);
    }
    return ok;
}

static bool answer_room(struct store_connection *connection, const char *account_id, struct err *err) {
    return sqlite_quota_check_of(sqlite_db_of(connection), account_id, STORE_KEPT_ANSWERS,
                                 &(struct store_amount){.rows = 1, .bytes = 1}, err);
}

static bool answer_remove(struct store_connection *connection, const uint8_t scope_sha256[DIGEST_SHA256_SIZE],
                          int64_t now_ms, bool *found, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_EXPIRY);
    sqlite_bind_blob(&binder, scope_sha256, DIGEST_SHA256_SIZE);
    if (!sqlite_next(db, SQL_ANSWER_EXPIRY, found, err)) {
        return false;
    }
    if (!*found) {
        return true;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_ANSWER_EXPIRY);
    *found = sqlite_read_int(&reader) > now_ms;
    sqlite_reset(db, SQL_ANSWER_EXPIRY);
    binder = sqlite_bind(db, SQL_ANSWER_DELETE);
    sqlite_bind_blob(&binder, scope_sha256, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_ANSWER_DELETE, err);
}

const struct store_answer_rows sqlite_answer_rows = {.room = answer_room, .find = answer_find, .remove = answer_remove};
