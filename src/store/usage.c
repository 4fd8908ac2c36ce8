#include "store/usage.h"

#include "base/mem.h"
#include "store/driver.h"
#include "store/run.h"

#include <stdlib.h>

struct usage_task {
    struct store_task task; /* first */
    char account_id[STORE_ID_MAX], key_id[STORE_ID_MAX];
    int64_t from_ms, to_ms;
    union {
        struct store_usage usage; /* its models are owned */
        struct store_earnings earnings;
    };
    union {
        void (*on_usage)(void *context, const struct store_usage *usage, const struct err *err);
        void (*on_earnings)(void *context, const struct store_earnings *earnings, const struct err *err);
    };
    void *context;
};

static struct usage_task *usage_new(const struct store_task_kind *kind, const char *account_id, int64_t from_ms,
                                    int64_t to_ms, void *context) {
    struct usage_task *self = MEM_NEW(struct usage_task);
    self->task.kind = kind;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    self->from_ms = from_ms;
    self->to_ms = to_ms;
    self->context = context;
    return self;
}

static struct store_period period_of(const struct usage_task *self) {
    return (struct store_period){self->account_id, self->key_id, self->from_ms, self->to_ms};
}

static bool usage_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct usage_task *self = (struct usage_task *)task;
    const struct store_period period = period_of(self);
    return connection->driver->usage->usage(connection, &period, &self->usage, err);
}

static void usage_answer(struct store_task *task, const struct err *err) {
    const struct usage_task *self = (struct usage_task *)task;
    self->on_usage(self->context, err == NULL ? &self->usage : NULL, err);
}

static void usage_free(struct store_task *task) {
    struct usage_task *self = (struct usage_task *)task;
    free((void *)(uintptr_t)self->usage.models);
    free(self);
}

void store_usage_read(struct store *store, const char *account_id, const char *key_id, int64_t from_ms, int64_t to_ms,
                      void (*on_result)(void *context, const struct store_usage *usage, const struct err *err),
                      void *context) {
    static const struct store_task_kind kind = {
        .read = usage_read, .list = true, .answer = usage_answer, .free = usage_free};
    struct usage_task *self = usage_new(&kind, account_id, from_ms, to_ms, context);
    (void)str_copy(self->key_id, sizeof(self->key_id), str_from(key_id));
    self->on_usage = on_result;
    store_task_run(store, &self->task);
}

static bool earnings_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct usage_task *self = (struct usage_task *)task;
    const struct store_period period = period_of(self);
    return connection->driver->usage->earnings(connection, &period, &self->earnings, err);
}

static void earnings_answer(struct store_task *task, const struct err *err) {
    const struct usage_task *self = (struct usage_task *)task;
    self->on_earnings(self->context, err == NULL ? &self->earnings : NULL, err);
}

void store_earnings_read(struct store *store, const char *account_id, int64_t from_ms, int64_t to_ms,
                         void (*on_result)(void *context, const struct store_earnings *earnings, const struct err *err),
                         void *context) {
    static const struct store_task_kind kind = {.read = earnings_read, .list = true, .answer = earnings_answer};
    struct usage_task *self = usage_new(&kind, account_id, from_ms, to_ms, context);
    self->on_earnings = on_result;
    store_task_run(store, &self->task);
}
