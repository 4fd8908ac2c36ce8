#include "store/owed.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/driver.h"
#include "store/run.h"
#include "store/state.h"

#define DAY_MS INT64_C(86400000)

void store_set_hold_days(struct store *store, uint32_t days) {
    store->hold_days = days;
}

uint32_t store_hold_days(const struct store *store) {
    return store->hold_days;
}

int64_t store_ripe_ms(const struct store *store, int64_t now_ms) {
    return store->hold_days == 0 ? INT64_MAX : now_ms - store->hold_days * DAY_MS;
}

struct owed_task {
    struct store_task task; /* first */
    char account_id[STORE_ID_MAX];
    int64_t ripe_ms, hold_ms;
    struct store_owed owed;
    void (*on_result)(void *context, const struct store_owed *owed, const struct err *err);
    void *context;
};

static bool owed_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct owed_task *self = (struct owed_task *)task;
    if (!connection->driver->owed->read(connection, self->account_id, self->ripe_ms, &self->owed, err)) {
        return false;
    }
    for (size_t i = 0; i < self->owed.day_count; i++) {
        self->owed.days[i].ripe_ms += self->hold_ms;
    }
    return true;
}

static void owed_answer(struct store_task *task, const struct err *err) {
    const struct owed_task *self = (struct owed_task *)task;
    self->on_result(self->context, err == NULL ? &self->owed : NULL, err);
}

void store_owed_read(struct store *store, const char *account_id,
                     void (*on_result)(void *context, const struct store_owed *owed, const struct err *err),
                     void *context) {
    static const struct store_task_kind kind = {.read = owed_read, .list = true, .answer = owed_answer};
    struct owed_task *self = MEM_NEW(struct owed_task);
    self->task.kind = &kind;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    self->ripe_ms = store_ripe_ms(store, clock_wall_ms());
    self->hold_ms = store->hold_days * DAY_MS;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
