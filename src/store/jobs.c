/* The tasks of store_job.h: from the loop to a thread and back. */
#include "store/sqlite/jobs.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/workflows.h"
#include "store/webhooks.h"

#include <stdlib.h>

enum { ASYNC_PURGE_AT_ONCE = 256 };

struct async_task {
    struct store_task task; /* first */
    store_job_told *told;
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
        struct {
            int64_t before_ms;
            void (*told)(void *context, bool more);
        } purge;
    };
};

static struct async_task *async_of(struct store_task *task) {
    return (struct async_task *)task;
}

static struct async_task *async_new(store_job_told *told, void *context) {
    struct async_task *async = MEM_NEW(struct async_task);
    async->told = told;
    async->context = context;
    return async;
}

static void async_answer(struct async_task *async, const struct err *err) {
    if (async->told != NULL) {
        async->told(async->context, err == NULL ? &async->job : NULL, async->changed, err);
    }
    if (async->found) {
        sqlite_job_clear(&async->job);
    }
    free(async);
}

static char *copy_of(struct str *text) {
    char *copy = mem_strndup(text->len > 0 ? text->data : "", text->len);
    text->data = copy;
    return copy;
}

static bool async_find(struct async_task *async, struct sqlite_db *db, const char *id, struct err *err) {
    async->found = sqlite_job_find(db, id, &async->job, err);
    return async->found;
}

/* Another's job is none. */
static bool async_find_own(struct async_task *async, struct sqlite_db *db, const char *id, const char *account_id,
                           bool test, struct err *err) {
    if (!async_find(async, db, id, err)) {
        return false;
    }
    if (account_id[0] == '\0' ||
        (async->job.test == test && str_equal_cstr(str_from(async->job.account_id), account_id))) {
        return true;
    }
    return err_set_field(err, ERR_NOT_FOUND, "id", "There is no such job");
}

/* --- Adding --- */

static bool add_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct async_task *async = async_of(task);
    char existing[STORE_ID_MAX];
    if (!sqlite_job_add(ledger, &async->add.asked, existing, err)) {
        return false;
    }
    async->changed = existing[0] == '\0';
    return async_find(async, ledger->db, async->changed ? async->add.asked.job.id : existing, err);
}

static void add_answer(struct store_task *task, const struct err *err) {
    free(async_of(task)->add.body);
    async_answer(async_of(task), err);
}

void store_job_add(struct store *store, const struct store_job_new *asked, store_job_told *told, void *context) {
    struct async_task *async = async_new(told, context);
    async->task = (struct store_task){.write = add_write, .answer = add_answer};
    async->add.asked = *asked;
    async->add.body = copy_of(&async->add.asked.job.body);
    if (asked->scope_sha256 != NULL) {
        memcpy(async->add.scope_sha256, asked->scope_sha256, DIGEST_SHA256_SIZE);
        async->add.asked.scope_sha256 = async->add.scope_sha256;
    }
    store_task_run(store, &async->task);
}

/* --- One job --- */

static bool find_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct async_task *async = async_of(task);
    return async_find_own(async, db, async->one.id, async->one.account_id, async->one.test, err);
}

static void plain_answer(struct store_task *task, const struct err *err) {
    async_answer(async_of(task), err);
}

void store_job_find(struct store *store, const char *account_id, bool test, const char *id, store_job_told *told,
                    void *context) {
    struct async_task *async = async_new(told, context);
    async->task = (struct store_task){.read = find_read, .answer = plain_answer};
    str_copy(async->one.account_id, sizeof(async->one.account_id), str_from(account_id));
    str_copy(async->one.id, sizeof(async->one.id), str_from(id));
    async->one.test = test;
    store_task_run(store, &async->task);
}

static bool move_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    const struct async_task *async = async_of(task);
    return sqlite_job_move(ledger->db, async->one.id, async->one.state, async->one.now_ms, err);
}

void store_job_move(struct store *store, const char *id, enum store_job_state state, int64_t now_ms) {
    struct async_task *async = async_new(NULL, NULL);
    async->task = (struct store_task){.write = move_write, .answer = plain_answer};
    str_copy(async->one.id, sizeof(async->one.id), str_from(id));
    async->one.state = state;
    async->one.now_ms = now_ms;
    store_task_run(store, &async->task);
}

/* --- The end --- */

static bool end_event(const struct async_task *async, struct ledger *ledger, struct err *err) {
    const struct store_job_end *end = &async->end.end;
    if (!async->changed || end->event.len == 0) {
        return true;
    }
    const struct store_event event = {.account_id = async->job.account_id,
                                      .kind = end->state == STORE_JOB_COMPLETED ? STORE_EVENT_JOB_COMPLETED
                                                                                : STORE_EVENT_JOB_FAILED,
                                      .created_ms = end->ended_ms,
                                      .data = end->event};
    return store_event_add(ledger, &event, err);
}

/* In the same transaction: a workflow whose job was cancelled must not go on by itself after a crash. */
static bool end_workflow(const struct async_task *async, struct ledger *ledger, struct err *err) {
    const struct store_job_end *asked = &async->end.end;
    struct workflow_row row = {0};
    struct err missing = {0};
    bool changed;
    if (asked->workflow_id[0] == '\0' || !async->changed) {
        return true;
    }
    if (!sqlite_workflow_find(ledger->db, async->job.account_id, async->job.test, asked->workflow_id, &row, &missing)) {
        sqlite_workflow_clear(&row);
        return missing.code == ERR_NOT_FOUND || err_set(err, ERR_INTERNAL, "%s", missing.message);
    }
    struct store_workflow_end end = {.status = asked->workflow_status, .ended_ms = asked->ended_ms};
    end.text = end.error = end.extra = end.event = STR("");
    str_copy(end.id, sizeof(end.id), str_from(asked->workflow_id));
    const bool ok = sqlite_workflow_end(ledger, &end, &row, &changed, err);
    sqlite_workflow_clear(&row);
    return ok;
}

static bool end_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct async_task *async = async_of(task);
    const struct store_job_end *end = &async->end.end;
    if (!async_find_own(async, ledger->db, end->id, end->account_id, end->test, err)) {
        return false;
    }
    sqlite_job_clear(&async->job);
    async->found = false;
    return sqlite_job_end(ledger, end, &async->changed, err) && async_find(async, ledger->db, end->id, err) &&
           end_workflow(async, ledger, err) && end_event(async, ledger, err);
}

static void end_answer(struct store_task *task, const struct err *err) {
    free(async_of(task)->end.result);
    free(async_of(task)->end.event);
    async_answer(async_of(task), err);
}

void store_job_end(struct store *store, const struct store_job_end *end, store_job_told *told, void *context) {
    struct async_task *async = async_new(told, context);
    async->task = (struct store_task){.write = end_write, .answer = end_answer};
    async->end.end = *end;
    async->end.result = copy_of(&async->end.end.result);
    async->end.event = copy_of(&async->end.end.event);
    if (end->scope_sha256 != NULL) {
        memcpy(async->end.scope_sha256, end->scope_sha256, DIGEST_SHA256_SIZE);
        async->end.end.scope_sha256 = async->end.scope_sha256;
    }
    store_task_run(store, &async->task);
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

static bool list_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct list_task *list = (struct list_task *)task;
    return sqlite_job_list(db, &list->query, &list->jobs, &list->count, &list->more, err);
}

static void list_answer(struct store_task *task, const struct err *err) {
    struct list_task *list = (struct list_task *)task;
    list->told(list->context, list->jobs, err == NULL ? list->count : 0, list->more, err);
    free(list->jobs);
    free(list);
}

void store_job_list(struct store *store, const struct store_job_query *query,
                    void (*told)(void *context, const struct store_job *jobs, size_t count, bool more,
                                 const struct err *err),
                    void *context) {
    struct list_task *list = MEM_NEW(struct list_task);
    list->task = (struct store_task){.read = list_read, .answer = list_answer};
    list->query = *query;
    list->told = told;
    list->context = context;
    store_task_run(store, &list->task);
}

/* --- Those whose time is over --- */

static bool purge_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct async_task *async = async_of(task);
    return sqlite_job_purge(ledger->db, async->purge.before_ms, ASYNC_PURGE_AT_ONCE, &async->changed, err);
}

static void purge_answer(struct store_task *task, const struct err *err) {
    struct async_task *async = async_of(task);
    async->purge.told(async->context, err == NULL && async->changed);
    free(async);
}

void store_job_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more), void *context) {
    struct async_task *async = async_new(NULL, context);
    async->task = (struct store_task){.write = purge_write, .answer = purge_answer};
    async->purge.before_ms = before_ms;
    async->purge.told = told;
    store_task_run(store, &async->task);
}
