#include "store/kept.h"

#include "base/mem.h"
#include "store/driver.h"
#include "store/run.h"
#include "store/state.h"

void store_set_quotas(struct store *store, const struct store_quotas *quotas) {
    (void)store_connection_of(store); /* not yet started */
    store->quotas = *quotas;
}

struct kept_task {
    struct store_task task; /* first */
    char account_id[STORE_ID_MAX];
    struct store_kept_report report;
    void (*told)(void *context, const struct store_kept_report *report, const struct err *err);
    void *context;
};

static bool kept_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct kept_task *self = (struct kept_task *)task;
    return connection->driver->quotas->kept(connection, self->account_id, &self->report, err);
}

static void kept_answer(struct store_task *task, const struct err *err) {
    const struct kept_task *self = (struct kept_task *)task;
    self->told(self->context, err == NULL ? &self->report : NULL, err);
}

void store_kept_read(struct store *store, const char *account_id,
                     void (*told)(void *context, const struct store_kept_report *report, const struct err *err),
                     void *context) {
    static const struct store_task_kind kind = {.read = kept_read, .list = true, .answer = kept_answer};
    struct kept_task *self = MEM_NEW(struct kept_task);
    self->task.kind = &kind;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    self->told = told;
    self->context = context;
    store_task_run(store, &self->task);
}
