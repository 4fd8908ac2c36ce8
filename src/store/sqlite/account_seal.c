#include "store/sqlite/account_seal.h"

#include "base/random.h"

static bool seal_add(struct sqlite_db *db, int64_t account_number, struct turn_place *out, struct err *err) {
    random_bytes(out->secret, sizeof(out->secret));
    struct sqlite_binder binder = sqlite_bind(db, SQL_CONVERSATION_KEY_ADD);
    sqlite_bind_blob(&binder, out->secret, sizeof(out->secret));
    if (!sqlite_run(db, SQL_CONVERSATION_KEY_ADD, err)) {
        return false;
    }
    out->number = sqlite_last_number(db);
    binder = sqlite_bind(db, SQL_ACCOUNT_SEAL_ADD);
    sqlite_bind_int(&binder, account_number);
    sqlite_bind_int(&binder, out->number);
    return sqlite_run(db, SQL_ACCOUNT_SEAL_ADD, err);
}

bool sqlite_account_seal(struct sqlite_db *db, int64_t account_number, struct turn_place *out, struct err *err) {
    bool found;
    *out = (struct turn_place){0};
    struct sqlite_binder binder = sqlite_bind(db, SQL_ACCOUNT_SEAL);
    sqlite_bind_int(&binder, account_number);
    if (!sqlite_next(db, SQL_ACCOUNT_SEAL, &found, err)) {
        return false;
    }
    if (!found) {
        return seal_add(db, account_number, out, err);
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_ACCOUNT_SEAL);
    out->number = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->secret, sizeof(out->secret));
    sqlite_reset(db, SQL_ACCOUNT_SEAL);
    return true;
}

bool sqlite_account_seal_live(struct sqlite_db *db, int64_t account_number, struct turn_place *out, struct err *err) {
    return sqlite_account_seal(db, account_number, out, err) &&
           (out->number != 0 || err_set(err, ERR_CONFLICT, "The account was erased"));
}
