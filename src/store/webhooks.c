/* The loop's side of store_webhooks.h. */
#include "store/webhooks.h"

#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/webhooks.h"

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

static bool change_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct webhook_task *self = (struct webhook_task *)task;
    return sqlite_webhook_change(ledger, &self->change, &self->result, err);
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
    free(self);
}

void store_webhook_change(struct store *store, const struct store_webhook_change *change,
                          void (*on_result)(void *context, const struct store_webhook_result *result,
                                            const struct err *err),
                          void *context) {
    struct webhook_task *self = MEM_NEW(struct webhook_task);
    self->task = (struct store_task){.write = change_write, .answer = change_answer};
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

static bool webhooks_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct webhooks_task *self = (struct webhooks_task *)task;
    return sqlite_webhooks_read(db, self->account_id, self->id, self->webhooks, &self->count, err);
}

static void webhooks_answer(struct store_task *task, const struct err *err) {
    struct webhooks_task *self = (struct webhooks_task *)task;
    self->on_result(self->context, self->webhooks, err == NULL ? self->count : 0, err);
    free(self);
}

void store_webhooks_read(struct store *store, const char *account_id, const char *id,
                         void (*on_result)(void *context, const struct store_webhook *webhooks, size_t count,
                                           const struct err *err),
                         void *context) {
    struct webhooks_task *self = MEM_NEW(struct webhooks_task);
    self->task = (struct store_task){.read = webhooks_read, .answer = webhooks_answer};
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

static bool page_read_rows(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    struct store_webhook webhook;
    struct store_delivery after = {.number = INT64_MAX};
    size_t found;
    if (!sqlite_webhooks_read(db, self->account_id, self->webhook_id, &webhook, &found, err) ||
        (self->after[0] != '\0' && !sqlite_delivery_find(db, webhook.number, self->after, &after, err))) {
        return false;
    }
    self->rows = (struct store_delivery *)mem_calloc(self->limit + 1, sizeof(*self->rows));
    return sqlite_deliveries_page(db, webhook.number, after.number, self->limit + 1, self->rows, &self->count, err);
}

static void page_answer(struct store_task *task, const struct err *err) {
    struct page_task *self = (struct page_task *)task;
    bool more = err == NULL && self->count > self->limit;
    self->on_result(self->context, self->rows, err != NULL ? 0 : more ? self->limit : self->count, more, err);
    free(self->rows);
    free(self);
}

void store_deliveries_read(struct store *store, const char *account_id, const char *webhook_id, const char *after,
                           unsigned limit,
                           void (*on_result)(void *context, const struct store_delivery *deliveries, size_t count,
                                             bool more, const struct err *err),
                           void *context) {
    struct page_task *self = MEM_NEW(struct page_task);
    self->task = (struct store_task){.read = page_read_rows, .answer = page_answer};
    str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    str_copy(self->webhook_id, sizeof(self->webhook_id), str_from(webhook_id));
    str_copy(self->after, sizeof(self->after), str_from(after));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
