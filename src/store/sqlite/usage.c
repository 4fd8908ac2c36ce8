#include "store/sqlite/usage.h"

#include "base/mem.h"
#include "store/month.h"
#include "store/sqlite/quotas.h"

enum { USAGE_MODELS_STEP = 16 };

/* Totals are of whole months. */
static void bind_months(struct sqlite_binder *binder, const struct store_period *period) {
    sqlite_bind_int(binder, store_month_of(period->from_ms));
    sqlite_bind_int(binder, store_month_of(period->to_ms - 1));
}

static bool usage_key(struct sqlite_db *db, const struct store_period *period, struct err *err) {
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

static bool usage_balance(struct sqlite_db *db, const char *account_id, struct store_usage *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_USAGE_BALANCE);
    sqlite_bind_text(&binder, account_id);
    if (!sqlite_next(db, SQL_USAGE_BALANCE, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_USAGE_BALANCE);
        out->balance_nano = sqlite_read_int(&reader);
        out->balance_given_nano = sqlite_read_int(&reader);
        out->balance_nano += out->balance_given_nano;
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
    out->given_nano = sqlite_read_int(&reader);
}

/* Gives the models on the heap, also when false. */
static bool usage_models(struct sqlite_db *db, const struct store_period *period, struct store_usage *out,
                         struct err *err) {
    struct store_model_usage model, *models = NULL;
    size_t count = 0, capacity = 0;
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_USAGE_MODELS);
    sqlite_bind_text(&binder, period->account_id);
    bind_months(&binder, period);
    sqlite_bind_text(&binder, period->key_id);
    while ((ok = sqlite_next(db, SQL_USAGE_MODELS, &found, err)) && found) {
        if (count == capacity) {
            capacity += USAGE_MODELS_STEP;
            models = mem_realloc(models, capacity * sizeof(*models));
        }
        usage_read_model(db, &model);
        models[count++] = model;
        out->requests += model.requests;
        out->prompt_tokens += model.prompt_tokens;
        out->completion_tokens += model.completion_tokens;
        out->charge_nano += model.charge_nano;
        out->given_nano += model.given_nano;
    }
    out->models = models;
    out->model_count = count;
    return ok;
}

static bool usage_read(struct store_connection *connection, const struct store_period *period, struct store_usage *out,
                       struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    *out = (struct store_usage){0};
    return usage_key(db, period, err) && usage_balance(db, period->account_id, out, err) &&
           sqlite_quota_rows.kept(connection, period->account_id, &out->kept, err) &&
           usage_models(db, period, out, err);
}

static bool earnings_read(struct store_connection *connection, const struct store_period *period,
                          struct store_earnings *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_EARNINGS);
    sqlite_bind_text(&binder, period->account_id);
    bind_months(&binder, period);
    *out = (struct store_earnings){0};
    if (!sqlite_next(db, SQL_EARNINGS, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_EARNINGS);
        out->earned_nano = sqlite_read_int(&reader);
        out->paid_nano = sqlite_read_int(&reader);
        out->generations = sqlite_read_int(&reader);
        out->tokens = sqlite_read_int(&reader);
        out->given_nano = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_EARNINGS);
    }
    return true;
}

const struct store_usage_rows sqlite_usage_rows = {.usage = usage_read, .earnings = earnings_read};
