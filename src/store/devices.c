#include "store/devices.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

/* --- Records and reviews: nobody waits --- */

struct record_task {
    struct store_task task; /* first */
    char device_id[STORE_ID_MAX];
    struct store_record record;
};

static bool record_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct record_task *self = (struct record_task *)task;
    return connection->driver->devices->record_keep(connection, self->device_id, &self->record, err);
}

void store_record_keep(struct store *store, const char *device_id, const struct store_record *record) {
    static const struct store_task_kind kind = {.write = record_write};
    struct record_task *self = MEM_NEW(struct record_task);
    self->task.kind = &kind;
    (void)str_copy(self->device_id, sizeof(self->device_id), str_from(device_id));
    self->record = *record;
    store_task_run(store, &self->task);
}

struct review_task {
    struct store_task task; /* first */
    struct store_review review;
};

static bool review_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    return connection->driver->devices->review_add(connection, &((struct review_task *)task)->review, err);
}

void store_review_add(struct store *store, const struct store_review *review) {
    static const struct store_task_kind kind = {.write = review_write};
    struct review_task *self = MEM_NEW(struct review_task);
    self->task.kind = &kind;
    self->review = *review;
    store_task_run(store, &self->task);
}

/* --- Pages: one row more than asked for, to know whether there are further ones --- */

struct page_task {
    struct store_task task; /* first */
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX], after[STORE_ID_MAX];
    int64_t before;
    size_t limit, count;
    struct store_device *devices; /* owned; of the one kind, or */
    struct store_review *reviews; /* owned; of the other */
    union {
        void (*on_devices)(void *context, const struct store_device *devices, size_t count, bool more,
                           const struct err *err);
        void (*on_reviews)(void *context, const struct store_review *reviews, size_t count, bool more,
                           const struct err *err);
    };
    void *context;
};

static struct page_task *page_new(const struct store_task_kind *kind, const char *id, unsigned limit, void *context) {
    struct page_task *self = MEM_NEW(struct page_task);
    self->task.kind = kind;
    (void)str_copy(self->id, sizeof(self->id), str_from(id));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->context = context;
    return self;
}

static void page_free(struct store_task *task) {
    struct page_task *self = (struct page_task *)task;
    free(self->devices);
    free(self->reviews);
    free(self);
}

/* How many rows are told, and whether there are more. */
static size_t page_told(const struct page_task *self, const struct err *err, bool *more) {
    *more = err == NULL && self->count > self->limit;
    return err != NULL ? 0 : *more ? self->limit : self->count;
}

static bool devices_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    self->devices = mem_calloc(self->limit + 1, sizeof(*self->devices));
    return connection->driver->devices->page(connection, self->id, self->account_id, self->after, self->limit + 1,
                                             self->devices, &self->count, err);
}

static void devices_answer(struct store_task *task, const struct err *err) {
    const struct page_task *self = (struct page_task *)task;
    bool more;
    const size_t count = page_told(self, err, &more);
    self->on_devices(self->context, self->devices, count, more, err);
}

void store_devices_read(struct store *store, const char *id, const char *account_id, const char *after, unsigned limit,
                        void (*on_result)(void *context, const struct store_device *devices, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    static const struct store_task_kind kind = {
        .read = devices_read, .list = true, .answer = devices_answer, .free = page_free};
    struct page_task *self = page_new(&kind, id, limit, context);
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    (void)str_copy(self->after, sizeof(self->after), str_from(after));
    self->on_devices = on_result;
    store_task_run(store, &self->task);
}

static bool reviews_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    self->reviews = mem_calloc(self->limit + 1, sizeof(*self->reviews));
    return connection->driver->devices->review_page(connection, self->id, self->before, self->limit + 1, self->reviews,
                                                    &self->count, err);
}

static void reviews_answer(struct store_task *task, const struct err *err) {
    const struct page_task *self = (struct page_task *)task;
    bool more;
    const size_t count = page_told(self, err, &more);
    self->on_reviews(self->context, self->reviews, count, more, err);
}

void store_reviews_read(struct store *store, const char *id, int64_t before, unsigned limit,
                        void (*on_result)(void *context, const struct store_review *reviews, size_t count, bool more,
                                          const struct err *err),
                        void *context) {
    static const struct store_task_kind kind = {
        .read = reviews_read, .list = true, .answer = reviews_answer, .free = page_free};
    struct page_task *self = page_new(&kind, id, limit, context);
    self->before = before > 0 ? before : INT64_MAX;
    self->on_reviews = on_result;
    store_task_run(store, &self->task);
}
