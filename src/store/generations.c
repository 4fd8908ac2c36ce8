#include "store/generations.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>

/* Rows of one step of rolling up: about 2 ms of the writer's time. */
enum { ROLL_UP_AT_ONCE = 128 };

bool store_each_generation(struct store *store, bool (*row)(void *context, const struct store_generation *generation),
                           void *context, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->generations->each(connection, row, context, err);
}

struct page_task {
    struct store_task task; /* first */
    char account_id[STORE_ID_MAX], after[STORE_ID_MAX];
    bool earned;
    size_t limit, count;
    struct store_generation *rows; /* owned */
    void (*on_result)(void *context, const struct store_generation *generations, size_t count, bool more,
                      const struct err *err);
    void *context;
};

/* One row more than asked for, to know whether there are further ones. */
static bool page_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    const struct store_generation_page page = {self->account_id, self->after, self->earned, self->limit + 1};
    self->rows = mem_calloc(page.limit, sizeof(*self->rows));
    return connection->driver->generations->page(connection, &page, self->rows, &self->count, err);
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

void store_generations_page(struct store *store, const char *account_id, bool earned, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_generation *generations, size_t count,
                                              bool more, const struct err *err),
                            void *context) {
    static const struct store_task_kind kind = {
        .read = page_read, .list = true, .answer = page_answer, .free = page_free};
    struct page_task *self = MEM_NEW(struct page_task);
    self->task.kind = &kind;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    (void)str_copy(self->after, sizeof(self->after), str_from(after));
    self->earned = earned;
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- Rolling up --- */

struct roll_up_task {
    struct store_task task; /* first */
    struct store_roll_up step;
    int64_t next;
    void (*told)(void *context, int64_t next, const struct err *err);
    void *context;
};

static bool roll_up_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct roll_up_task *self = (struct roll_up_task *)task;
    return connection->driver->generations->roll_up(connection, &self->step, ROLL_UP_AT_ONCE, &self->next, err);
}

static void roll_up_answer(struct store_task *task, const struct err *err) {
    const struct roll_up_task *self = (struct roll_up_task *)task;
    self->told(self->context, err == NULL ? self->next : 0, err);
}

void store_generations_roll_up(struct store *store, const struct store_roll_up *step,
                               void (*told)(void *context, int64_t next, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = roll_up_write, .answer = roll_up_answer};
    struct roll_up_task *self = MEM_NEW(struct roll_up_task);
    self->task.kind = &kind;
    self->step = *step;
    self->told = told;
    self->context = context;
    store_task_run(store, &self->task);
}
