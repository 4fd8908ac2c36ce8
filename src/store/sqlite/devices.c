#include "store/sqlite/devices.h"

static void record_read(struct sqlite_reader *reader, struct store_record *out) {
    out->jobs = (uint64_t)sqlite_read_int(reader);
    out->failures = (uint64_t)sqlite_read_int(reader);
    out->reviews = (uint64_t)sqlite_read_int(reader);
    out->success = (uint32_t)sqlite_read_int(reader);
    out->uptime = (uint32_t)sqlite_read_int(reader);
    out->kept_ms = sqlite_read_int(reader);
    out->prefill_factor = (uint32_t)sqlite_read_int(reader);
    out->decode_factor = (uint32_t)sqlite_read_int(reader);
}

void sqlite_device_read(struct sqlite_db *db, enum sql sql, struct store_device *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_blob(&reader, out->public_key, sizeof(out->public_key));
    sqlite_read_text(&reader, out->name, sizeof(out->name));
    sqlite_read_text(&reader, out->region, sizeof(out->region));
    out->created_ms = sqlite_read_int(&reader);
    out->verified = sqlite_read_int(&reader) != 0;
    record_read(&reader, &out->record);
}

void sqlite_review_read(struct sqlite_db *db, enum sql sql, struct store_review *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->device_id, sizeof(out->device_id));
    sqlite_read_text(&reader, out->device_name, sizeof(out->device_name));
    sqlite_read_text(&reader, out->reason, sizeof(out->reason));
    sqlite_read_text(&reader, out->job_id, sizeof(out->job_id));
}

bool sqlite_device_by_id(struct sqlite_db *db, const char *id, struct store_device *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_BY_ID);
    sqlite_bind_text(&binder, id);
    if (!sqlite_next(db, SQL_DEVICE_BY_ID, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "There is no provider %s", id);
    }
    sqlite_device_read(db, SQL_DEVICE_BY_ID, out);
    sqlite_reset(db, SQL_DEVICE_BY_ID);
    return true;
}

bool sqlite_device_verify(struct sqlite_db *db, const char *id, bool verified, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_VERIFY);
    sqlite_bind_int(&binder, verified);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, SQL_DEVICE_VERIFY, err);
}

bool sqlite_record_keep(struct sqlite_db *db, const char *device_id, const struct store_record *record,
                        struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECORD_KEEP);
    sqlite_bind_int(&binder, (int64_t)record->jobs);
    sqlite_bind_int(&binder, (int64_t)record->failures);
    sqlite_bind_int(&binder, (int64_t)record->reviews);
    sqlite_bind_int(&binder, record->success);
    sqlite_bind_int(&binder, record->uptime);
    sqlite_bind_int(&binder, record->kept_ms);
    sqlite_bind_int(&binder, record->prefill_factor);
    sqlite_bind_int(&binder, record->decode_factor);
    sqlite_bind_text(&binder, device_id);
    return sqlite_run(db, SQL_RECORD_KEEP, err);
}

bool sqlite_review_add(struct sqlite_db *db, const struct store_review *review, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_REVIEW_ADD);
    sqlite_bind_int(&binder, review->created_ms);
    sqlite_bind_text(&binder, review->reason);
    sqlite_bind_text(&binder, review->job_id);
    sqlite_bind_text(&binder, review->device_id);
    if (!sqlite_run(db, SQL_REVIEW_ADD, err)) {
        return false;
    }
    binder = sqlite_bind(db, SQL_REVIEW_TRIM);
    sqlite_bind_text(&binder, review->device_id);
    sqlite_bind_int(&binder, STORE_REVIEWS_KEPT);
    return sqlite_run(db, SQL_REVIEW_TRIM, err);
}

bool sqlite_reviews_clear(struct sqlite_db *db, const char *device_id, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_REVIEW_CLEAR);
    sqlite_bind_text(&binder, device_id);
    return sqlite_run(db, SQL_REVIEW_CLEAR, err);
}
