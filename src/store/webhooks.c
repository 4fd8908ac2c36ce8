#include "store/webhooks.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>

size_t store_webhook_amount_add(int64_t amounts[STORE_WEBHOOK_AMOUNTS_MAX], size_t count, int64_t amount) {
    for (size_t i = 0; i < count; i++) {
        if (amounts[i] == amount) {
            return count;
        }
    }
    amounts[count] = amount;
    return count + 1;
}

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
        store_tell_deliveries(self->store, self->result.webhook.number);
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
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    (void)str_copy(self->id, sizeof(self->id), str_from(id));
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
