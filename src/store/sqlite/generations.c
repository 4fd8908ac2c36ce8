#include "store/sqlite/generations.h"

#include "store/sqlite/roll_up.h"

static void generation_read(struct sqlite_db *db, enum sql sql, struct store_generation *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(&reader, out->key_id, sizeof(out->key_id));
    sqlite_read_text(&reader, out->label, sizeof(out->label));
    sqlite_read_text(&reader, out->model, sizeof(out->model));
    sqlite_read_text(&reader, out->device_id, sizeof(out->device_id));
    out->outcome = (enum store_outcome)sqlite_read_int(&reader);
    out->prompt_tokens = (uint32_t)sqlite_read_int(&reader);
    out->completion_tokens = (uint32_t)sqlite_read_int(&reader);
    out->attempts = (uint32_t)sqlite_read_int(&reader);
    out->ttft_ms = (uint32_t)sqlite_read_int(&reader);
    out->latency_ms = (uint32_t)sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    out->charge_nano = sqlite_read_int(&reader);
    out->provider_nano = sqlite_read_int(&reader);
    out->purpose = (enum store_purpose)sqlite_read_choice(&reader, STORE_PURPOSES);
    out->kind = (enum store_generation_kind)sqlite_read_choice(&reader, STORE_GENERATION_KINDS);
    out->given_nano = sqlite_read_int(&reader);
    out->provider_given_nano = sqlite_read_int(&reader);
    out->own_devices = sqlite_read_int(&reader) != 0;
}

static bool generation_each(struct store_connection *connection,
                            bool (*row)(void *context, const struct store_generation *generation), void *context,
                            struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct store_generation generation;
    while ((ok = sqlite_next(db, SQL_GENERATION_EACH, &found, err)) && found) {
        generation_read(db, SQL_GENERATION_EACH, &generation);
        if (!row(context, &generation)) {
            break;
        }
    }
    sqlite_reset(db, SQL_GENERATION_EACH);
    return ok;
}

/* Where a page goes on: behind everything, or before the generation `after`. */
static bool page_start(struct sqlite_db *db, const struct store_generation_page *page, int64_t *created_ms,
                       int64_t *number, struct err *err) {
    enum sql sql = page->earned ? SQL_EARNED_CURSOR : SQL_GENERATION_CURSOR;
    bool found;
    *created_ms = *number = INT64_MAX;
    if (page->after[0] == '\0') {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_text(&binder, page->account_id);
    sqlite_bind_text(&binder, page->after);
    if (!sqlite_next(db, sql, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "after", "There is no such request");
    }
    struct sqlite_reader reader = sqlite_read(db, sql);
    *created_ms = sqlite_read_int(&reader);
    *number = sqlite_read_int(&reader);
    sqlite_reset(db, sql);
    return true;
}

/* Generations never change; the oldest may be gone. */
static bool generation_page(struct store_connection *connection, const struct store_generation_page *page,
                            struct store_generation *rows, size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    const enum sql sql = page->earned ? SQL_EARNED_PAGE : SQL_GENERATION_PAGE;
    int64_t created_ms, number;
    bool ok, found;
    *count = 0;
    if (!page_start(db, page, &created_ms, &number, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_text(&binder, page->account_id);
    sqlite_bind_int(&binder, created_ms);
    sqlite_bind_int(&binder, number);
    sqlite_bind_int(&binder, (int64_t)page->limit);
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        generation_read(db, sql, &rows[(*count)++]);
    }
    return ok;
}

const struct store_generation_rows sqlite_generation_rows = {
    .each = generation_each, .page = generation_page, .roll_up = sqlite_roll_up};
