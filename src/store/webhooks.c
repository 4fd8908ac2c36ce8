#include "store/webhooks.h"

#include "base/mem.h"
#include "store/deliveries.h"
#include "store/state.h"

#include <stdlib.h>

/* --- Changes --- */

struct webhook_task {
    struct store_task task;
    struct store *store;
    struct store_webhook_change change;
    struct store_webhook_result result;
    void (*on_result)(void *context, const struct store_webhook_result *result, const struct err *err);
    void *context;
};

static bool change_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct webhook_task *self = (struct webhook_task *)task;
    return connection->driver->webhooks->change(connection, &self->change, &self->result, err);
}

/* Tests and redeliveries tell of themselves by the delivery that they add. */
static bool change_is_of_webhook(enum store_webhook_change_kind kind) {
    return kind == STORE_WEBHOOK_UPDATE || kind == STORE_WEBHOOK_DELETE || kind == STORE_WEBHOOK_ROTATE;
}

static void change_answer(struct store_task *task, const struct err *err) {
    struct webhook_task *self = (struct webhook_task *)task;
    if (err == NULL && change_is_of_webhook(self->change.kind)) {
        store_deliveries_changed(self->store, self->result.webhook.number);
    }
    self->on_result(self->context, err == NULL ? &self->result : NULL, err);
}

void store_webhook_change(struct store *store, const struct store_webhook_change *change,
                          void (*on_result)(void *context, const struct store_webhook_result *result,
                                            const struct err *err),
                          void *context) {
    static const struct store_task_kind kind = {.write = change_write, .answer = change_answer};
    struct webhook_task *self = MEM_NEW(struct webhook_task);
    self->task.kind = &kind;
    self->store = store;
    self->change = *change;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- Lists --- */

struct webhooks_task {
    struct store_task task;
    char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
    struct store_webhook webhooks[STORE_WEBHOOKS_MAX];
    size_t count;
    void (*on_result)(void *context, const struct store_webhook *webhooks, size_t count, const struct err *err);
    void *context;
};

static bool webhooks_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct webhooks_task *self = (struct webhooks_task *)task;
    return connection->driver->webhooks->read(connection, self->account_id, self->id, self->webhooks, &self->count,
                                              err);
}

static void webhooks_answer(struct store_task *task, const struct err *err) {
    struct webhooks_task *self = (struct webhooks_task *)task;
    self->on_result(self->context, self->webhooks, err == NULL ? self->count : 0, err);
}

void store_webhooks_read(struct store *store, const char *account_id, const char *id,
                         void (*on_result)(void *context, const struct store_webhook *webhooks, size_t count,
                                           const struct err *err),
                         void *context) {
    static const struct store_task_kind kind = {.read = webhooks_read, .answer = webhooks_answer};
    struct webhooks_task *self = MEM_NEW(struct webhooks_task);
    self->task.kind = &kind;
    str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    str_copy(self->id, sizeof(self->id), str_from(id));
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

struct page_task {
    struct store_task task;
    char account_id[STORE_ID_MAX], webhook_id[STORE_ID_MAX], after[STORE_ID_MAX];
    size_t limit, count;
    struct store_delivery *rows; /* owned */
    void (*on_result)(void *context, const struct store_delivery *deliveries, size_t count, bool more,
                      const struct err *err);
    void *context;
};

static bool page_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    const struct store_driver *driver = connection->driver;
    struct store_webhook webhook;
    struct store_delivery after = {.number = INT64_MAX};
    size_t found;
    if (!driver->webhooks->read(connection, self->account_id, self->webhook_id, &webhook, &found, err) ||
        (self->after[0] != '\0' && !driver->deliveries->find(connection, webhook.number, self->after, &after, err))) {
        return false;
    }
    self->rows = mem_calloc(self->limit + 1, sizeof(*self->rows));
    return driver->deliveries->page(connection, webhook.number, after.number, self->limit + 1, self->rows, &self->count,
                                    err);
}

static void page_answer(struct store_task *task, const struct err *err) {
    const struct page_task *self = (struct page_task *)task;
    const bool more = err == NULL && self->count > self->limit;
    self->on_result(self->context, self->rows, err != NULL ? 0 : more ? self->limit : self->count, more, err);
}

static void page_free(struct store_task *task) {
    free(((struct page_task *)task)->rows);
    free(task);
}

void store_deliveries_read(struct store *store, const char *account_id, const char *webhook_id, const char *after,
                           unsigned limit,
                           void (*on_result)(void *context, const struct store_delivery *deliveries, size_t count,
                                             bool more, const struct err *err),
                           void *context) {
    static const struct store_task_kind kind = {.read = page_read, .answer = page_answer, .free = page_free};
    struct page_task *self = MEM_NEW(struct page_task);
    self->task.kind = &kind;
    str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    str_copy(self->webhook_id, sizeof(self->webhook_id), str_from(webhook_id));
    str_copy(self->after, sizeof(self->after), str_from(after));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
