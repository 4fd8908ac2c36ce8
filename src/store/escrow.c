#include "store/escrow.h"

#include "base/mem.h"
#include "store/driver.h"
#include "store/run.h"

#include <stdlib.h>

enum { ESCROW_AT_ONCE = 4096 };

struct hold_task {
    struct store_task task; /* first */
    struct store_escrow_hold step;
    struct store_escrow_held held;
    void (*told)(void *context, const struct store_escrow_held *held, const struct err *err);
    void *context;
};

static bool hold_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct hold_task *self = (struct hold_task *)task;
    return connection->driver->escrow->hold(connection, &self->step, ESCROW_AT_ONCE, &self->held, err);
}

static void hold_answer(struct store_task *task, const struct err *err) {
    const struct hold_task *self = (struct hold_task *)task;
    self->told(self->context, err == NULL ? &self->held : NULL, err);
}

void store_escrow_hold(struct store *store, const struct store_escrow_hold *step,
                       void (*told)(void *context, const struct store_escrow_held *held, const struct err *err),
                       void *context) {
    static const struct store_task_kind kind = {.write = hold_write, .answer = hold_answer};
    struct hold_task *self = MEM_NEW(struct hold_task);
    self->task.kind = &kind;
    self->step = *step;
    self->told = told;
    self->context = context;
    store_task_run(store, &self->task);
}

struct page_task {
    struct store_task task; /* first */
    char after[STORE_ID_MAX];
    size_t limit, count;
    struct store_escrow *rows; /* owned */
    void (*on_result)(void *context, const struct store_escrow *rows, size_t count, bool more, const struct err *err);
    void *context;
};

static bool page_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    self->rows = mem_calloc(self->limit + 1, sizeof(*self->rows));
    return connection->driver->escrow->page(connection, self->after, self->limit + 1, self->rows, &self->count, err);
}

static void page_answer(struct store_task *task, const struct err *err) {
    const struct page_task *self = (struct page_task *)task;
    const bool more = err == NULL && self->count > self->limit;
    self->on_result(self->context, self->rows, err != NULL ? 0 : more ? self->limit : self->count, more, err);
}

static void page_free(struct store_task *task) {
    struct page_task *self = (struct page_task *)task;
    free(self->rows);
    free(self);
}

void store_escrow_read(struct store *store, const char *after, unsigned limit,
                       void (*on_result)(void *context, const struct store_escrow *rows, size_t count, bool more,
                                         const struct err *err),
                       void *context) {
    static const struct store_task_kind kind = {
        .read = page_read, .list = true, .answer = page_answer, .free = page_free};
    struct page_task *self = MEM_NEW(struct page_task);
    self->task.kind = &kind;
    (void)str_copy(self->after, sizeof(self->after), str_from(after));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
