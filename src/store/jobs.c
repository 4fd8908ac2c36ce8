#include "store/jobs.h"

#include "base/mem.h"
#include "store/driver.h"
#include "store/events.h"
#include "store/run.h"

#include <stdlib.h>
#include <string.h>

enum { JOBS_PURGE_AT_ONCE = 256 };

struct job_task {
    struct store_task task; /* first */
    store_job_told *told;   /* NULL: nobody waits */
    void *context;
    struct store_job job; /* the answer; body and result are owned */
    bool found, changed;
    union {
        struct {
            struct store_job_new asked;
            uint8_t scope_sha256[DIGEST_SHA256_SIZE];
            char *body; /* owned */
        } add;
        struct {
            struct store_job_end end;
            uint8_t scope_sha256[DIGEST_SHA256_SIZE];
            char *result, *event; /* owned */
        } end;
        struct {
            char id[STORE_ID_MAX], account_id[STORE_ID_MAX];
            bool test;
            enum store_job_state state;
            int64_t now_ms;
        } one;
    };
};

static struct job_task *job_of(struct store_task *task) {
    return (struct job_task *)task;
}

static struct job_task *job_new(const struct store_task_kind *kind, store_job_told *told, void *context) {
    struct job_task *self = MEM_NEW(struct job_task);
    self->task.kind = kind;
    self->told = told;
    self->context = context;
    return self;
}

static void job_answer(struct store_task *task, const struct err *err) {
    const struct job_task *self = job_of(task);
    if (self->told != NULL) {
        self->told(self->context, err == NULL ? &self->job : NULL, self->changed, err);
    }
}

/* What was found goes. */
static void job_unfind(struct job_task *self) {
    if (self->found) {
        free((void *)(uintptr_t)self->job.body.data);
        free((void *)(uintptr_t)self->job.result.data);
        self->found = false;
    }
}

static void job_free(struct store_task *task) {
    job_unfind(job_of(task));
    free(task);
}

static char *copy_of(struct str *text) {
    char *copy = mem_strndup(text->len > 0 ? text->data : "", text->len);
    text->data = copy;
    return copy;
}

static bool job_find(struct job_task *self, struct store_connection *connection, const char *id, struct err *err) {
    job_unfind(self);
    self->found = connection->driver->jobs->find(connection, id, &self->job, err);
    return self->found;
}

/* Another's job is none. */
static bool job_find_own(struct job_task *self, struct store_connection *connection, const char *id,
                         const char *account_id, bool test, struct err *err) {
    if (!job_find(self, connection, id, err)) {
        return false;
    }
    if (account_id[0] == '\0' || (self->job.test == test && strcmp(self->job.account_id, account_id) == 0)) {
        return true;
    }
    return err_set_field(err, ERR_NOT_FOUND, "id", "There is no such job");
}

/* --- Adding --- */

static bool add_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct job_task *self = job_of(task);
    char existing[STORE_ID_MAX];
    if (!connection->driver->jobs->add(connection, &self->add.asked, existing, err)) {
        return false;
    }
    self->changed = existing[0] == '\0';
    return job_find(self, connection, self->changed ? self->add.asked.job.id : existing, err);
}

static void add_free(struct store_task *task) {
    free(job_of(task)->add.body);
    job_free(task);
}

void store_job_add(struct store *store, const struct store_job_new *asked, store_job_told *told, void *context) {
    static const struct store_task_kind kind = {.write = add_write, .answer = job_answer, .free = add_free};
    struct job_task *self = job_new(&kind, told, context);
    self->add.asked = *asked;
    self->add.body = copy_of(&self->add.asked.job.body);
    if (asked->scope_sha256 != NULL) {
        memcpy(self->add.scope_sha256, asked->scope_sha256, DIGEST_SHA256_SIZE);
        self->add.asked.scope_sha256 = self->add.scope_sha256;
    }
    store_task_run(store, &self->task);
}

/* --- One job --- */

static bool find_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct job_task *self = job_of(task);
    return job_find_own(self, connection, self->one.id, self->one.account_id, self->one.test, err);
}

void store_job_find(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                    void *context) {
    static const struct store_task_kind kind = {.read = find_read, .answer = job_answer, .free = job_free};
    struct job_task *self = job_new(&kind, told, context);
    (void)str_copy(self->one.account_id, sizeof(self->one.account_id), str_from(account_id));
    (void)str_copy(self->one.id, sizeof(self->one.id), str_from(id));
    self->one.test = test;
    store_task_run(store, &self->task);
}

static bool move_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct job_task *self = job_of(task);
    return connection->driver->jobs->move(connection, self->one.id, self->one.state, self->one.now_ms, err);
}

void store_job_move(struct store *store, const char *id, enum store_job_state state, int64_t now_ms) {
    static const struct store_task_kind kind = {.write = move_write};
    struct job_task *self = job_new(&kind, NULL, NULL);
    (void)str_copy(self->one.id, sizeof(self->one.id), str_from(id));
    self->one.state = state;
    self->one.now_ms = now_ms;
    store_task_run(store, &self->task);
}

/* --- The end --- */

static bool end_event(const struct job_task *self, struct store_connection *connection, struct err *err) {
    const struct store_job_end *end = &self->end.end;
    if (!self->changed || end->event.len == 0) {
        return true;
    }
    const struct store_event event = {.account_id = self->job.account_id,
                                      .kind = end->state == STORE_JOB_COMPLETED ? STORE_EVENT_JOB_COMPLETED
                                                                                : STORE_EVENT_JOB_FAILED,
                                      .created_ms = end->ended_ms,
                                      .data = end->event};
    return connection->driver->events->add(connection, &event, err);
}

/* In the same transaction: a workflow whose job was cancelled must not go on by itself after a crash. */
static bool end_workflow(const struct job_task *self, struct store_connection *connection, struct err *err) {
    const struct store_job_end *asked = &self->end.end;
    struct store_workflow_found found = {0};
    struct err missing = {0};
    bool changed;
    if (asked->workflow_id[0] == '\0' || !self->changed) {
        return true;
    }
    struct store_workflow_end end = {
        .test = self->job.test, .status = asked->workflow_status, .ended_ms = asked->ended_ms};
    end.text = end.error = end.extra = end.event = STR("");
    (void)str_copy(end.id, sizeof(end.id), str_from(asked->workflow_id));
    (void)str_copy(end.account_id, sizeof(end.account_id), str_from(self->job.account_id));
    const bool ok = connection->driver->workflows->end(connection, &end, &found, &changed, &missing) ||
                    missing.code == ERR_NOT_FOUND || err_set(err, ERR_INTERNAL, "%s", missing.message);
    store_workflow_found_clear(&found);
    return ok;
}

static bool end_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct job_task *self = job_of(task);
    const struct store_job_end *end = &self->end.end;
    return job_find_own(self, connection, end->id, end->account_id, end->test, err) &&
           connection->driver->jobs->end(connection, end, &self->changed, err) &&
           job_find(self, connection, end->id, err) && end_workflow(self, connection, err) &&
           end_event(self, connection, err);
}

static void end_free(struct store_task *task) {
    free(job_of(task)->end.result);
    free(job_of(task)->end.event);
    job_free(task);
}

void store_job_end(struct store *store, const struct store_job_end *end, store_job_told *told, void *context) {
    static const struct store_task_kind kind = {.write = end_write, .answer = job_answer, .free = end_free};
    struct job_task *self = job_new(&kind, told, context);
    self->end.end = *end;
    self->end.result = copy_of(&self->end.end.result);
    self->end.event = copy_of(&self->end.end.event);
    if (end->scope_sha256 != NULL) {
        memcpy(self->end.scope_sha256, end->scope_sha256, DIGEST_SHA256_SIZE);
        self->end.end.scope_sha256 = self->end.scope_sha256;
    }
    store_task_run(store, &self->task);
}

/* --- Forgetting --- */

static bool forget_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct job_task *self = job_of(task);
    return job_find_own(self, connection, self->one.id, self->one.account_id, self->one.test, err) &&
           connection->driver->jobs->forget(connection, self->one.id, &self->changed, err) &&
           (self->changed || err_set(err, ERR_CONFLICT,
                                     "This job has not ended. Cancel it first (DELETE without "
                                     "forget)"));
}

void store_job_forget(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                      void *context) {
    static const struct store_task_kind kind = {.write = forget_write, .answer = job_answer, .free = job_free};
    struct job_task *self = job_new(&kind, told, context);
    (void)str_copy(self->one.account_id, sizeof(self->one.account_id), str_from(account_id));
    (void)str_copy(self->one.id, sizeof(self->one.id), str_from(id));
    self->one.test = test;
    store_task_run(store, &self->task);
}

/* --- Lists --- */

struct list_task {
    struct store_task task; /* first */
    struct store_job_query query;
    struct store_job *jobs; /* owned */
    size_t count;
    bool more;
    void (*told)(void *context, const struct store_job *jobs, size_t count, bool more, const struct err *err);
    void *context;
};

static bool list_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct list_task *self = (struct list_task *)task;
    return connection->driver->jobs->list(connection, &self->query, &self->jobs, &self->count, &self->more, err);
}

static void list_answer(struct store_task *task, const struct err *err) {
    const struct list_task *self = (struct list_task *)task;
    self->told(self->context, self->jobs, err == NULL ? self->count : 0, self->more, err);
}

static void list_free(struct store_task *task) {
    free(((struct list_task *)task)->jobs);
    free(task);
}

void store_job_list(struct store *store, const struct store_job_query *query,
                    void (*told)(void *context, const struct store_job *jobs, size_t count, bool more,
                                 const struct err *err),
                    void *context) {
    static const struct store_task_kind kind = {
        .read = list_read, .list = true, .answer = list_answer, .free = list_free};
    struct list_task *self = MEM_NEW(struct list_task);
    self->task.kind = &kind;
    self->query = *query;
    self->told = told;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- Those whose time is over --- */

struct purge_task {
    struct store_task task; /* first */
    int64_t before_ms;
    bool more;
    void (*told)(void *context, bool more);
    void *context;
};

static bool purge_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct purge_task *self = (struct purge_task *)task;
    return connection->driver->jobs->purge(connection, self->before_ms, JOBS_PURGE_AT_ONCE, &self->more, err);
}

static void purge_answer(struct store_task *task, const struct err *err) {
    const struct purge_task *self = (struct purge_task *)task;
    self->told(self->context, err == NULL && self->more);
}

void store_job_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more), void *context) {
    static const struct store_task_kind kind = {.write = purge_write, .answer = purge_answer};
    struct purge_task *self = MEM_NEW(struct purge_task);
    self->task.kind = &kind;
    self->before_ms = before_ms;
    self->told = told;
    self->context = context;
    store_task_run(store, &self->task);
}
