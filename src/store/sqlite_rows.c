#include "store/sqlite_rows.h"

static void sqlite_account_read(struct sqlite_db *db, enum sql sql, struct store_account *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->name, sizeof(out->name));
    out->owner = sqlite_read_int(&reader) != 0;
    out->created_ms = sqlite_read_int(&reader);
}

bool sqlite_account_add(struct sqlite_db *db, const struct store_account *account, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_ACCOUNT_ADD);
    sqlite_bind_text(&binder, account->id);
    sqlite_bind_text(&binder, account->name);
    sqlite_bind_int(&binder, account->owner);
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

static void sqlite_key_read(struct sqlite_db *db, enum sql sql, struct store_key *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    out->kind = (enum store_key_kind)sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->sha256, sizeof(out->sha256));
    sqlite_read_text(&reader, out->name, sizeof(out->name));
    out->created_ms = sqlite_read_int(&reader);
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

bool sqlite_key_find(struct sqlite_db *db, const uint8_t sha256[DIGEST_SHA256_SIZE], struct store_key *out, bool *found,
                     struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_KEY_FIND);
    sqlite_bind_blob(&binder, sha256, DIGEST_SHA256_SIZE);
    if (!sqlite_next(db, SQL_KEY_FIND, found, err)) {
        return false;
    }
    if (*found) {
        sqlite_key_read(db, SQL_KEY_FIND, out);
        sqlite_reset(db, SQL_KEY_FIND);
    }
    return true;
}

bool sqlite_join_token_add(struct sqlite_db *db, const struct store_join_token *token, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOIN_TOKEN_ADD);
    sqlite_bind_blob(&binder, token->sha256, sizeof(token->sha256));
    sqlite_bind_text(&binder, token->account_id);
    sqlite_bind_int(&binder, token->created_ms);
    sqlite_bind_int(&binder, token->expires_ms);
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
        struct sqlite_reader reader = sqlite_read(db, SQL_DEVICE_FIND);
        sqlite_read_text(&reader, out->id, sizeof(out->id));
        sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
        sqlite_read_blob(&reader, out->public_key, sizeof(out->public_key));
        sqlite_read_text(&reader, out->name, sizeof(out->name));
        sqlite_read_text(&reader, out->region, sizeof(out->region));
        out->created_ms = sqlite_read_int(&reader);
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
    return sqlite_device_add(db, device, err);
}

bool sqlite_job_add(struct sqlite_db *db, const struct store_job *job, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_ADD);
    sqlite_bind_text(&binder, job->id);
    sqlite_bind_text(&binder, job->account_id);
    sqlite_bind_text(&binder, job->key_id);
    sqlite_bind_text(&binder, job->model);
    sqlite_bind_text(&binder, job->device_id);
    sqlite_bind_text(&binder, job->label);
    sqlite_bind_int(&binder, job->outcome);
    sqlite_bind_int(&binder, job->prompt_tokens);
    sqlite_bind_int(&binder, job->completion_tokens);
    sqlite_bind_int(&binder, job->attempts);
    sqlite_bind_int(&binder, job->ttft_ms);
    sqlite_bind_int(&binder, job->latency_ms);
    sqlite_bind_int(&binder, job->created_ms);
    return sqlite_run(db, SQL_JOB_ADD, err);
}

static void sqlite_job_read(struct sqlite_db *db, struct store_job *out) {
    struct sqlite_reader reader = sqlite_read(db, SQL_JOB_EACH);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(&reader, out->key_id, sizeof(out->key_id));
    sqlite_read_text(&reader, out->model, sizeof(out->model));
    sqlite_read_text(&reader, out->device_id, sizeof(out->device_id));
    sqlite_read_text(&reader, out->label, sizeof(out->label));
    out->outcome = (enum store_job_outcome)sqlite_read_int(&reader);
    out->prompt_tokens = (uint32_t)sqlite_read_int(&reader);
    out->completion_tokens = (uint32_t)sqlite_read_int(&reader);
    out->attempts = (uint32_t)sqlite_read_int(&reader);
    out->ttft_ms = (uint32_t)sqlite_read_int(&reader);
    out->latency_ms = (uint32_t)sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
}

bool sqlite_job_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_job *job), void *context,
                     struct err *err) {
    bool ok, found;
    struct store_job job;
    while ((ok = sqlite_next(db, SQL_JOB_EACH, &found, err)) && found) {
        sqlite_job_read(db, &job);
        if (!row(context, &job)) {
            break;
        }
    }
    sqlite_reset(db, SQL_JOB_EACH);
    return ok;
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
