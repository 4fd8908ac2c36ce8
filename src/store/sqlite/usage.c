/* Reading what was settled: answers, usage, pages of jobs, earnings. Two statements see one state of the database
 * because they stand in one transaction. */
#include "base/mem.h"
#include "store/sqlite/conversations.h"
#include "store/sqlite/money.h"

#include <stdlib.h>
#include <string.h>

enum { USAGE_MODELS_STEP = 16 };

bool sqlite_answer_find(struct sqlite_db *db, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                        struct store_answer *out, bool *found, struct err *err) {
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
        struct str content = sqlite_read_bytes(&reader);
        char *copy = (char *)mem_alloc(content.len + 1);
        if (sealed) {
            ok = sqlite_open_sealed(secret, content, copy, &content.len, err);
        } else if (content.len > 0) {
            memcpy(copy, content.data, content.len);
        }
        copy[content.len] = '\0';
        out->content = (struct str){.data = copy, .len = content.len};
        sqlite_reset(db, SQL_ANSWER_FIND);
    }
    return ok;
}

static bool usage_key(struct sqlite_db *db, const struct sqlite_period *period, struct err *err) {
    bool found;
    if (period->key_id[0] == '\0') {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_USAGE_KEY);
    sqlite_bind_text(&binder, period->key_id);
    sqlite_bind_text(&binder, period->account_id);
    if (!sqlite_next(db, SQL_USAGE_KEY, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "key", "There is no such key");
    }
    sqlite_reset(db, SQL_USAGE_KEY);
    return true;
}

static bool usage_balance(struct sqlite_db *db, const char *account_id, int64_t *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_USAGE_BALANCE);
    sqlite_bind_text(&binder, account_id);
    *out = 0;
    if (!sqlite_next(db, SQL_USAGE_BALANCE, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_USAGE_BALANCE);
        *out = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_USAGE_BALANCE);
    }
    return true;
}

static void usage_read_model(struct sqlite_db *db, struct store_model_usage *out) {
    struct sqlite_reader reader = sqlite_read(db, SQL_USAGE_MODELS);
    sqlite_read_text(&reader, out->model, sizeof(out->model));
    out->requests = sqlite_read_int(&reader);
    out->prompt_tokens = sqlite_read_int(&reader);
    out->completion_tokens = sqlite_read_int(&reader);
    out->charge_nano = sqlite_read_int(&reader);
}

/* Gives the models on the heap, also when false. */
static bool usage_models(struct sqlite_db *db, const struct sqlite_period *period, struct store_usage *out,
                         struct err *err) {
    struct store_model_usage model, *models = NULL;
    size_t count = 0, capacity = 0;
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_USAGE_MODELS);
    sqlite_bind_text(&binder, period->account_id);
    sqlite_bind_int(&binder, period->from_ms);
    sqlite_bind_int(&binder, period->to_ms);
    sqlite_bind_text(&binder, period->key_id);
    while ((ok = sqlite_next(db, SQL_USAGE_MODELS, &found, err)) && found) {
        if (count == capacity) {
            capacity += USAGE_MODELS_STEP;
            models = (struct store_model_usage *)mem_realloc(models, capacity * sizeof(*models));
        }
        usage_read_model(db, &model);
        models[count++] = model;
        out->requests += model.requests;
        out->prompt_tokens += model.prompt_tokens;
        out->completion_tokens += model.completion_tokens;
        out->charge_nano += model.charge_nano;
    }
    out->models = models;
    out->model_count = count;
    return ok;
}

bool sqlite_usage(struct sqlite_db *db, const struct sqlite_period *period, struct store_usage *out, struct err *err) {
    *out = (struct store_usage){0};
    if (!sqlite_run(db, SQL_BEGIN_READ, err)) {
        return false;
    }
    bool ok = usage_key(db, period, err) && usage_balance(db, period->account_id, &out->balance_nano, err) &&
              usage_models(db, period, out, err);
    sqlite_db_rollback(db); /* nothing was written */
    return ok;
}

/* Where a page goes on: behind everything, or before the job `after`. */
static bool page_start(struct sqlite_db *db, const struct sqlite_page *page, int64_t *created_ms, int64_t *number,
                       struct err *err) {
    enum sql sql = page->earned ? SQL_EARNED_CURSOR : SQL_JOB_CURSOR;
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

bool sqlite_generations_page(struct sqlite_db *db, const struct sqlite_page *page, struct store_generation **jobs,
                             size_t *count, bool *more, struct err *err) {
    enum sql sql = page->earned ? SQL_EARNED_PAGE : SQL_JOB_PAGE;
    int64_t created_ms, number;
    bool ok, found;
    *jobs = NULL;
    *count = 0;
    *more = false;
    if (!page_start(db, page, &created_ms, &number, err)) { /* jobs never change: no transaction is needed */
        return false;
    }
    size_t limit = page->limit < STORE_PAGE_MAX ? page->limit : STORE_PAGE_MAX;
    *jobs = (struct store_generation *)mem_calloc(limit + 1, sizeof(**jobs));
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_text(&binder, page->account_id);
    sqlite_bind_int(&binder, created_ms);
    sqlite_bind_int(&binder, number);
    sqlite_bind_int(&binder, (int64_t)limit + 1);
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        sqlite_generation_read(db, sql, &(*jobs)[(*count)++]);
    }
    if (!ok) {
        free(*jobs);
        *jobs = NULL;
        return false;
    }
    *more = *count > limit;
    *count = *more ? limit : *count;
    return true;
}

bool sqlite_earnings(struct sqlite_db *db, const struct sqlite_period *period, struct store_earnings *out,
                     struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_EARNINGS);
    sqlite_bind_text(&binder, period->account_id);
    sqlite_bind_int(&binder, period->from_ms);
    sqlite_bind_int(&binder, period->to_ms);
    *out = (struct store_earnings){0};
    if (!sqlite_next(db, SQL_EARNINGS, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_EARNINGS);
        out->earned_nano = sqlite_read_int(&reader);
        out->paid_nano = sqlite_read_int(&reader);
        out->jobs = sqlite_read_int(&reader);
        out->tokens = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_EARNINGS);
    }
    return true;
}
