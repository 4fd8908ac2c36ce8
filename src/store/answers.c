#include "store/answers.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

struct answer_task {
    struct store_task task;        /* first */
    struct store_answer answer;    /* its scope is the question; the content is owned */
    char account_id[STORE_ID_MAX]; /* empty: nobody's */
    int64_t now_ms;
    bool found;
    void (*on_result)(void *context, const struct store_answer *answer, const struct err *err);
    void *context;
};

static bool answer_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct answer_task *self = (struct answer_task *)task;
    const struct store_answer_rows *rows = connection->driver->answers;
    return rows->find(connection, self->answer.scope_sha256, self->now_ms, &self->answer, &self->found, err) &&
           (self->found || self->account_id[0] == '\0' || rows->room(connection, self->account_id, err));
}

static void answer_answer(struct store_task *task, const struct err *err) {
    const struct answer_task *self = (struct answer_task *)task;
    self->on_result(self->context, err == NULL && self->found ? &self->answer : NULL, err);
}

static void answer_free(struct store_task *task) {
    struct answer_task *self = (struct answer_task *)task;
    free((void *)(uintptr_t)self->answer.content.data);
    free(self);
}

void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], const char *account_id,
                       int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context) {
    static const struct store_task_kind kind = {.read = answer_read, .answer = answer_answer, .free = answer_free};
    struct answer_task *self = MEM_NEW(struct answer_task);
    self->task.kind = &kind;
    memcpy(self->answer.scope_sha256, scope_sha256, DIGEST_SHA256_SIZE);
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id != NULL ? account_id : ""));
    self->now_ms = now_ms;
    self->on_result = on_result;
    self->context = context;
    store_writer_tell_time(&store->writer, now_ms);
    store_task_run(store, &self->task);
}

/* --- Its end --- */

struct delete_task {
    struct store_task task; /* first */
    uint8_t scope_sha256[DIGEST_SHA256_SIZE];
    int64_t now_ms;
    bool found;
    void (*on_result)(void *context, bool found, const struct err *err);
    void *context;
};

static bool delete_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct delete_task *self = (struct delete_task *)task;
    return connection->driver->answers->remove(connection, self->scope_sha256, self->now_ms, &self->found, err);
}

static void delete_answer(struct store_task *task, const struct err *err) {
    const struct delete_task *self = (struct delete_task *)task;
    self->on_result(self->context, err == NULL && self->found, err);
}

void store_answer_delete(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                         void (*on_result)(void *context, bool found, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = delete_write, .answer = delete_answer};
    struct delete_task *self = MEM_NEW(struct delete_task);
    self->task.kind = &kind;
    memcpy(self->scope_sha256, scope_sha256, DIGEST_SHA256_SIZE);
    self->now_ms = now_ms;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
