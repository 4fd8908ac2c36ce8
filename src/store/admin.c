#include "store/admin.h"

#include "base/mem.h"
#include "store/commit.h"
#include "store/owed.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>
#include <time.h>

/* --- Acts --- */

struct admin_task {
    struct store_task task; /* first */
    struct store_admin admin, result;
    char actor[STORE_ID_MAX];
    void (*on_result)(void *context, const struct store_admin *result, const struct err *err);
    void *context;
};

static bool admin_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct admin_task *self = (struct admin_task *)task;
    return connection->driver->admin->act(connection, &self->admin, &self->result, err);
}

static void admin_answer(struct store_task *task, const struct err *err) {
    const struct admin_task *self = (struct admin_task *)task;
    self->on_result(self->context, err == NULL ? &self->result : NULL, err);
}

void store_admin(struct store *store, const struct store_admin *admin,
                 void (*on_result)(void *context, const struct store_admin *result, const struct err *err),
                 void *context) {
    static const struct store_task_kind kind = {.write = admin_write, .answer = admin_answer};
    struct admin_task *self = MEM_NEW(struct admin_task);
    self->task.kind = &kind;
    self->admin = *admin;
    self->admin.ripe_ms = store_ripe_ms(store, admin->now_ms);
    (void)str_copy(self->actor, sizeof(self->actor), str_from(admin->actor));
    self->admin.actor = self->actor;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

static bool now_pause(void *context, uint32_t pause_ms) {
    const struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = (long)(pause_ms % 1000) * 1000000};
    (void)context;
    nanosleep(&pause, NULL);
    return true;
}

bool store_admin_now(struct store *store, const struct store_admin *admin, struct store_admin *result,
                     struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    const struct store_driver *driver = connection->driver;
    const struct store_patience patience = {store->writer.patience_ms, now_pause, NULL};
    if (!driver->begin(connection, err)) {
        return false;
    }
    struct store_admin ripe = *admin;
    ripe.ripe_ms = store_ripe_ms(store, admin->now_ms);
    if (driver->admin->act(connection, &ripe, result, err) && driver->flush(connection, 0, err)) {
        return store_commit(connection, &patience, err) == STORE_COMMIT_DONE;
    }
    driver->rollback(connection);
    return false;
}

/* --- The audit log --- */

bool store_each_audit(struct store *store, bool (*row)(void *context, const struct store_audit *audit), void *context,
                      struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->admin->audit_each(connection, row, context, err);
}

struct audit_task {
    struct store_task task; /* first */
    int64_t before;
    size_t limit, count;
    struct store_audit *lines; /* owned */
    void (*on_result)(void *context, const struct store_audit *lines, size_t count, bool more, const struct err *err);
    void *context;
};

/* One row more than asked for, to know whether there are further ones. */
static bool audit_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct audit_task *self = (struct audit_task *)task;
    self->lines = mem_calloc(self->limit + 1, sizeof(*self->lines));
    return connection->driver->admin->audit_page(connection, self->before, self->limit + 1, self->lines, &self->count,
                                                 err);
}

static void audit_answer(struct store_task *task, const struct err *err) {
    const struct audit_task *self = (struct audit_task *)task;
    const bool more = err == NULL && self->count > self->limit;
    self->on_result(self->context, self->lines, err != NULL ? 0 : more ? self->limit : self->count, more, err);
}

static void audit_free(struct store_task *task) {
    struct audit_task *self = (struct audit_task *)task;
    free(self->lines);
    free(self);
}

void store_audit_read(struct store *store, int64_t before, unsigned limit,
                      void (*on_result)(void *context, const struct store_audit *lines, size_t count, bool more,
                                        const struct err *err),
                      void *context) {
    static const struct store_task_kind kind = {
        .read = audit_read, .list = true, .answer = audit_answer, .free = audit_free};
    struct audit_task *self = MEM_NEW(struct audit_task);
    self->task.kind = &kind;
    self->before = before > 0 ? before : INT64_MAX;
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
