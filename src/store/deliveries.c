#include "store/deliveries.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

void store_deliveries_watch(struct store *store, void (*on_change)(void *context, int64_t webhook), void *context) {
    store->on_deliveries = on_change;
    store->on_deliveries_context = context;
}

/* --- Lists --- */

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
    static const struct store_task_kind kind = {
        .read = page_read, .list = true, .answer = page_answer, .free = page_free};
    struct page_task *self = MEM_NEW(struct page_task);
    self->task.kind = &kind;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    (void)str_copy(self->webhook_id, sizeof(self->webhook_id), str_from(webhook_id));
    (void)str_copy(self->after, sizeof(self->after), str_from(after));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- What is due --- */

void store_due_free(struct store_due *due) {
    for (size_t i = 0; due != NULL && i < due->count; i++) {
        for (size_t j = 0; j < due->webhooks[i].count; j++) {
            free((void *)(uintptr_t)due->webhooks[i].deliveries[j].body.data);
        }
        free(due->webhooks[i].deliveries);
    }
    if (due != NULL) {
        free(due->webhooks);
        free(due);
    }
}

struct due_task {
    struct store_task task;       /* first */
    struct store_due_query query; /* except is owned */
    struct store_due *due;        /* owned until it is handed over */
    void (*on_result)(void *context, struct store_due *due, const struct err *err);
    void *context;
};

static bool due_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct due_task *self = (struct due_task *)task;
    return connection->driver->deliveries->due(connection, &self->query, self->due, err);
}

static void due_answer(struct store_task *task, const struct err *err) {
    struct due_task *self = (struct due_task *)task;
    struct store_due *due = err == NULL ? self->due : NULL;
    if (due != NULL) {
        self->due = NULL;
    }
    self->on_result(self->context, due, err);
}

static void due_free(struct store_task *task) {
    struct due_task *self = (struct due_task *)task;
    store_due_free(self->due);
    free((void *)(uintptr_t)self->query.except);
    free(self);
}

void store_deliveries_due(struct store *store, const struct store_due_query *query,
                          void (*on_result)(void *context, struct store_due *due, const struct err *err),
                          void *context) {
    static const struct store_task_kind kind = {.read = due_read, .answer = due_answer, .free = due_free};
    struct due_task *self = MEM_NEW(struct due_task);
    self->task.kind = &kind;
    self->query = *query;
    self->query.except = NULL;
    if (query->except_count > 0) {
        int64_t *except = mem_calloc(query->except_count, sizeof(*except));
        memcpy(except, query->except, query->except_count * sizeof(*except));
        self->query.except = except;
    }
    self->due = MEM_NEW(struct store_due);
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- Attempts --- */

struct attempt_task {
    struct store_task task; /* first */
    struct store *store;
    struct store_attempt attempt;
    void (*on_durable)(void *context, const struct err *err);
    void *context;
};

static bool attempt_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    return connection->driver->deliveries->attempt_end(connection, &((struct attempt_task *)task)->attempt, err);
}

static void attempt_answer(struct store_task *task, const struct err *err) {
    const struct attempt_task *self = (struct attempt_task *)task;
    self->on_durable(self->context, err);
    if (err == NULL && self->attempt.gone) {
        store_tell_deliveries(self->store, self->attempt.webhook);
    }
}

void store_attempt_end(struct store *store, const struct store_attempt *attempt,
                       void (*on_durable)(void *context, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = attempt_write, .answer = attempt_answer};
    struct attempt_task *self = MEM_NEW(struct attempt_task);
    self->task.kind = &kind;
    self->store = store;
    self->attempt = *attempt;
    self->on_durable = on_durable;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- What is old --- */

struct purge_task {
    struct store_task task; /* first */
    int64_t before_ms;
    bool more;
    void (*on_done)(void *context, bool more, const struct err *err);
    void *context;
};

static bool purge_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct purge_task *self = (struct purge_task *)task;
    return connection->driver->deliveries->purge(connection, self->before_ms, &self->more, err);
}

static void purge_answer(struct store_task *task, const struct err *err) {
    const struct purge_task *self = (struct purge_task *)task;
    self->on_done(self->context, err == NULL && self->more, err);
}

void store_deliveries_purge(struct store *store, int64_t before_ms,
                            void (*on_done)(void *context, bool more, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = purge_write, .answer = purge_answer};
    struct purge_task *self = MEM_NEW(struct purge_task);
    self->task.kind = &kind;
    self->before_ms = before_ms;
    self->on_done = on_done;
    self->context = context;
    store_task_run(store, &self->task);
}
