#include "store/sqlite/totals.h"

#include "base/mem.h"
#include "store/month.h"

#include <stdlib.h>
#include <string.h>

enum { TOTALS_FIRST = 16 };

struct usage_total {
    int64_t account_number, key_number, month;
    enum store_generation_kind kind;
    char model[STORE_MODEL_MAX];
    int64_t requests, prompt_tokens, completion_tokens, charge_nano, given_nano;
};

/* A cancelled job that nobody paid for is in no usage. */
static bool is_counted(const struct store_generation *job) {
    return job->outcome == STORE_OUTCOME_COMPLETED || (job->outcome == STORE_OUTCOME_CANCELLED && job->charge_nano > 0);
}

/* A group has a few hundred jobs at most, and mostly few accounts: the latest first is soon found, and a miss compares
 * a number for each. */
static struct usage_total *find(struct usage_totals *totals, const struct usage_total *wanted) {
    for (size_t i = totals->count; i-- > 0;) {
        struct usage_total *total = &totals->items[i];
        if (total->account_number == wanted->account_number && total->key_number == wanted->key_number &&
            total->month == wanted->month && total->kind == wanted->kind && strcmp(total->model, wanted->model) == 0) {
            return total;
        }
    }
    if (totals->count == totals->capacity) {
        totals->capacity = totals->capacity == 0 ? TOTALS_FIRST : 2 * totals->capacity;
        totals->items = mem_realloc(totals->items, totals->capacity * sizeof(*totals->items));
    }
    totals->items[totals->count] = *wanted;
    return &totals->items[totals->count++];
}

void usage_totals_add(struct usage_totals *totals, const struct store_generation *job, int64_t account_number,
                      int64_t key_number) {
    struct usage_total wanted = {.account_number = account_number,
                                 .key_number = key_number,
                                 .month = store_month_of(job->created_ms),
                                 .kind = job->kind};
    if (!is_counted(job)) {
        return;
    }
    (void)str_copy(wanted.model, sizeof(wanted.model), str_from(job->model));
    struct usage_total *total = find(totals, &wanted);
    total->requests++;
    total->prompt_tokens += job->prompt_tokens;
    total->completion_tokens += job->completion_tokens;
    total->charge_nano += job->charge_nano;
    total->given_nano += job->given_nano;
}

bool usage_totals_write(struct usage_totals *totals, struct sqlite_db *db, struct err *err) {
    for (size_t i = 0; i < totals->count; i++) {
        const struct usage_total *total = &totals->items[i];
        struct sqlite_binder binder = sqlite_bind(db, SQL_USAGE_ADD);
        sqlite_bind_int(&binder, total->account_number);
        sqlite_bind_int(&binder, total->month);
        sqlite_bind_text(&binder, total->model);
        sqlite_bind_int(&binder, total->key_number);
        sqlite_bind_int(&binder, total->kind);
        sqlite_bind_int(&binder, total->requests);
        sqlite_bind_int(&binder, total->prompt_tokens);
        sqlite_bind_int(&binder, total->completion_tokens);
        sqlite_bind_int(&binder, total->charge_nano);
        sqlite_bind_int(&binder, total->given_nano);
        if (!sqlite_run(db, SQL_USAGE_ADD, err)) {
            return false;
        }
    }
    totals->count = 0;
    return true;
}

void usage_totals_clear(struct usage_totals *totals) {
    free(totals->items);
    *totals = (struct usage_totals){0};
}
