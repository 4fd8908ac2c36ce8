#include "store/receipts.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>

bool store_receipt_has_salt(const struct store_receipt *receipt) {
    static const uint8_t none[RECEIPT_SALT_SIZE] = {0};
    return !digest_equal(receipt->salt, none, sizeof(none));
}

/* --- One --- */

struct receipt_task {
    struct store_task task; /* first */
    char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
    struct store_receipt receipt;
    void (*on_result)(void *context, const struct store_receipt *receipt, const struct err *err);
    void *context;
};

static bool receipt_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct receipt_task *self = (struct receipt_task *)task;
    return connection->driver->receipts->read(connection, self->account_id, self->id, &self->receipt, err);
}

static void receipt_answer(struct store_task *task, const struct err *err) {
    const struct receipt_task *self = (struct receipt_task *)task;
    self->on_result(self->context, err == NULL ? &self->receipt : NULL, err);
}

static void receipt_free(struct store_task *task) {
    const struct receipt_task *self = (struct receipt_task *)task;
    free((void *)(uintptr_t)self->receipt.bytes.data);
    free(task);
}

void store_receipt_read(struct store *store, const char *account_id, const char *id,
                        void (*on_result)(void *context, const struct store_receipt *receipt, const struct err *err),
                        void *context) {
    static const struct store_task_kind kind = {.read = receipt_read, .answer = receipt_answer, .free = receipt_free};
    struct receipt_task *self = MEM_NEW(struct receipt_task);
    self->task.kind = &kind;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    (void)str_copy(self->id, sizeof(self->id), str_from(id));
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

bool store_receipt_get(struct store *store, const char *id, struct store_receipt *receipt, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->receipts->read(connection, "", id, receipt, err);
}

/* --- Heads --- */

struct head_task {
    struct store_task task; /* first */
    int64_t day;
    struct receipt_head head;
    void (*on_result)(void *context, const struct receipt_head *head, const struct err *err);
    void *context;
};

static bool head_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct head_task *self = (struct head_task *)task;
    return connection->driver->receipts->head(connection, self->day, &self->head, err);
}

static void head_answer(struct store_task *task, const struct err *err) {
    const struct head_task *self = (struct head_task *)task;
    self->on_result(self->context, err == NULL ? &self->head : NULL, err);
}

/* With the lists, since no key is asked for it: strangers must not stand before what must be quick. */
void store_receipt_head(struct store *store, int64_t day,
                        void (*on_result)(void *context, const struct receipt_head *head, const struct err *err),
                        void *context) {
    static const struct store_task_kind kind = {.read = head_read, .list = true, .answer = head_answer};
    struct head_task *self = MEM_NEW(struct head_task);
    self->task.kind = &kind;
    self->day = day;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

bool store_receipt_head_get(struct store *store, int64_t day, struct receipt_head *head, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->receipts->head(connection, day, head, err);
}

/* --- Leaves --- */

struct leaves_task {
    struct store_task task; /* first */
    int64_t day, after;
    unsigned limit;
    struct store_receipt_leaves leaves; /* owned */
    void (*on_result)(void *context, const struct store_receipt_leaves *leaves, const struct err *err);
    void *context;
};

static bool leaves_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct leaves_task *self = (struct leaves_task *)task;
    return connection->driver->receipts->leaves(connection, self->day, self->after, self->limit, &self->leaves, err);
}

static void leaves_answer(struct store_task *task, const struct err *err) {
    const struct leaves_task *self = (struct leaves_task *)task;
    self->on_result(self->context, err == NULL ? &self->leaves : NULL, err);
}

static void leaves_free(struct store_task *task) {
    free(((struct leaves_task *)task)->leaves.items);
    free(task);
}

void store_receipt_leaves(struct store *store, int64_t day, int64_t after, unsigned limit,
                          void (*on_result)(void *context, const struct store_receipt_leaves *leaves,
                                            const struct err *err),
                          void *context) {
    static const struct store_task_kind kind = {
        .read = leaves_read, .list = true, .answer = leaves_answer, .free = leaves_free};
    struct leaves_task *self = MEM_NEW(struct leaves_task);
    self->task.kind = &kind;
    self->day = day;
    self->after = after;
    self->limit = limit < STORE_RECEIPT_LEAVES_MAX ? limit : STORE_RECEIPT_LEAVES_MAX;
    self->leaves.items = mem_alloc((self->limit + 1) * sizeof(*self->leaves.items));
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
