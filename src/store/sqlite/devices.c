#include "store/sqlite/devices.h"

static void record_read(struct sqlite_reader *reader, struct store_record *out) {
    out->generations = (uint64_t)sqlite_read_int(reader);
    out->failures = (uint64_t)sqlite_read_int(reader);
    out->reviews = (uint64_t)sqlite_read_int(reader);
    out->success = (uint32_t)sqlite_read_int(reader);
    out->uptime = (uint32_t)sqlite_read_int(reader);
    out->kept_ms = sqlite_read_int(reader);
    out->prefill_factor = (uint32_t)sqlite_read_int(reader);
    out->decode_factor = (uint32_t)sqlite_read_int(reader);
    out->audits = (uint32_t)sqlite_read_int(reader);
    out->earned = (uint32_t)sqlite_read_int(reader);
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
    out->standing = (enum store_standing)sqlite_read_choice(&reader, STORE_STANDINGS);
    sqlite_read_text(&reader, out->standing_reason, sizeof(out->standing_reason));
    out->standing_ms = sqlite_read_int(&reader);
    out->suspended = sqlite_read_int(&reader) != 0;
    record_read(&reader, &out->record);
    out->account_number = (uint64_t)sqlite_read_int(&reader);
    out->in_review = sqlite_read_int(&reader) != 0;
}

static void review_read(struct sqlite_db *db, enum sql sql, struct store_review *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->device_id, sizeof(out->device_id));
    sqlite_read_text(&reader, out->device_name, sizeof(out->device_name));
    sqlite_read_text(&reader, out->reason, sizeof(out->reason));
    sqlite_read_text(&reader, out->generation_id, sizeof(out->generation_id));
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

bool sqlite_device_stand(struct sqlite_db *db, const struct store_device *device, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_STAND);
    sqlite_bind_int(&binder, device->standing);
    sqlite_bind_text(&binder, device->standing_reason);
    sqlite_bind_int(&binder, device->standing_ms);
    sqlite_bind_text(&binder, device->id);
    return sqlite_run(db, SQL_DEVICE_STAND, err);
}

static bool record_keep(struct store_connection *connection, const char *device_id, const struct store_record *record,
                        struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_RECORD_KEEP);
    sqlite_bind_int(&binder, (int64_t)record->generations);
    sqlite_bind_int(&binder, (int64_t)record->failures);
    sqlite_bind_int(&binder, (int64_t)record->reviews);
    sqlite_bind_int(&binder, record->success);
    sqlite_bind_int(&binder, record->uptime);
    sqlite_bind_int(&binder, record->kept_ms);
    sqlite_bind_int(&binder, record->prefill_factor);
    sqlite_bind_int(&binder, record->decode_factor);
    sqlite_bind_int(&binder, record->audits);
    sqlite_bind_int(&binder, record->earned);
    sqlite_bind_text(&binder, device_id);
    return sqlite_run(db, SQL_RECORD_KEEP, err);
}

static bool review_add(struct store_connection *connection, const struct store_review *review, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_REVIEW_ADD);
    sqlite_bind_int(&binder, review->created_ms);
    sqlite_bind_text(&binder, review->reason);
    sqlite_bind_text(&binder, review->generation_id);
    sqlite_bind_text(&binder, review->device_id);
    if (!sqlite_run(db, SQL_REVIEW_ADD, err) ||
        (review->whole_device && !sqlite_device_set_in_review(db, review->device_id, true, err))) {
        return false;
    }
    binder = sqlite_bind(db, SQL_REVIEW_TRIM);
    sqlite_bind_text(&binder, review->device_id);
    sqlite_bind_int(&binder, STORE_REVIEWS_KEPT);
    return sqlite_run(db, SQL_REVIEW_TRIM, err);
}

bool sqlite_device_set_in_review(struct sqlite_db *db, const char *id, bool in_review, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_DEVICE_IN_REVIEW);
    sqlite_bind_int(&binder, in_review);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, SQL_DEVICE_IN_REVIEW, err);
}

bool sqlite_reviews_clear(struct sqlite_db *db, const char *device_id, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_REVIEW_CLEAR);
    sqlite_bind_text(&binder, device_id);
    return sqlite_run(db, SQL_REVIEW_CLEAR, err);
}

bool sqlite_reviews_count(struct sqlite_db *db, const char *device_id, int64_t *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_REVIEW_COUNT);
    sqlite_bind_text(&binder, device_id);
    if (!sqlite_next(db, SQL_REVIEW_COUNT, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_REVIEW_COUNT);
    *out = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_REVIEW_COUNT);
    return true;
}

/* --- Pages --- */

static bool device_page(struct store_connection *connection, const char *id, const char *account_id, const char *after,
                        size_t limit, struct store_device *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    const enum sql sql = id[0] != '\0' ? SQL_DEVICE_BY_ID : SQL_DEVICE_PAGE;
    struct sqlite_binder binder = sqlite_bind(db, sql);
    bool ok, found;
    if (sql == SQL_DEVICE_BY_ID) {
        sqlite_bind_text(&binder, id);
    } else {
        sqlite_bind_text(&binder, account_id);
        sqlite_bind_text(&binder, after);
        sqlite_bind_int(&binder, (int64_t)limit);
    }
    *count = 0;
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        sqlite_device_read(db, sql, &rows[(*count)++]);
    }
    return ok;
}

static bool review_page(struct store_connection *connection, const char *device_id, int64_t before, size_t limit,
                        struct store_review *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_REVIEW_PAGE);
    sqlite_bind_text(&binder, device_id);
    sqlite_bind_int(&binder, before);
    sqlite_bind_int(&binder, (int64_t)limit);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_REVIEW_PAGE, &found, err)) && found) {
        review_read(db, SQL_REVIEW_PAGE, &rows[(*count)++]);
    }
    return ok;
}

const struct store_device_rows sqlite_device_rows = {
    .record_keep = record_keep,
    .review_add = review_add,
    .page = device_page,
    .review_page = review_page,
};
