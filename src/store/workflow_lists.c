/* The tasks of store_workflows.h about many workflows. */
#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/workflows.h"

#include <stdlib.h>

enum { WORKFLOW_PURGE_AT_ONCE = 16 }; /* with up to a thousand steps each */

/* --- Pages --- */

struct list_task {
    struct store_task task; /* first */
    struct store_workflow_query query;
    struct workflow_page page;
    void (*told)(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                 const struct err *err);
    void *context;
};

/* The page and the total are of one state of the database. */
static bool list_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct list_task *list = (struct list_task *)task;
    if (!sqlite_run(db, SQL_BEGIN_READ, err)) {
        return false;
    }
    const bool ok = sqlite_workflow_list(db, &list->query, &list->page, err);
    sqlite_db_rollback(db); /* nothing was written */
    return ok;
}

static void list_answer(struct store_task *task, const struct err *err) {
    struct list_task *list = (struct list_task *)task;
    const struct workflow_page *page = &list->page;
    if (err == NULL) {
        list->told(list->context, page->rows, page->count, page->more, page->total, NULL);
    } else {
        list->told(list->context, NULL, 0, false, 0, err);
    }
    free(list);
}

void store_workflow_list(struct store *store, const struct store_workflow_query *query,
                         void (*told)(void *context, const struct store_workflow *workflows, size_t count, bool more,
                                      int64_t total, const struct err *err),
                         void *context) {
    struct list_task *list = MEM_NEW(struct list_task);
    list->task = (struct store_task){.read = list_read, .answer = list_answer};
    list->query = *query;
    list->told = told;
    list->context = context;
    store_task_run(store, &list->task);
}

/* --- Those that have not ended --- */

struct open_task {
    struct store_task task;           /* first */
    struct store_workflow_open *open; /* owned */
    size_t count;
    void (*told)(void *context, const struct store_workflow_open *open, size_t count, const struct err *err);
    void *context;
};

static bool open_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct open_task *open = (struct open_task *)task;
    return sqlite_workflows_open(db, &open->open, &open->count, err);
}

static void open_answer(struct store_task *task, const struct err *err) {
    struct open_task *open = (struct open_task *)task;
    open->told(open->context, open->open, err == NULL ? open->count : 0, err);
    free(open->open);
    free(open);
}

void store_workflows_open(struct store *store,
                          void (*told)(void *context, const struct store_workflow_open *open, size_t count,
                                       const struct err *err),
                          void *context) {
    struct open_task *open = MEM_NEW(struct open_task);
    open->task = (struct store_task){.read = open_read, .answer = open_answer};
    open->told = told;
    open->context = context;
    store_task_run(store, &open->task);
}

/* --- What steps took --- */

struct history_task {
    struct store_task task; /* first */
    struct step_history_query query;
    struct store_step_history history[STORE_STEP_NAMES_MAX];
    size_t count;
    void (*told)(void *context, const struct store_step_history *history, size_t count, const struct err *err);
    void *context;
};

static bool history_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct history_task *history = (struct history_task *)task;
    return sqlite_step_history(db, &history->query, history->history, &history->count, err);
}

static void history_answer(struct store_task *task, const struct err *err) {
    struct history_task *history = (struct history_task *)task;
    history->told(history->context, history->history, err == NULL ? history->count : 0, err);
    free(history);
}

void store_step_history_read(struct store *store, const char *account_id, bool test, int kind, const char *model,
                             void (*told)(void *context, const struct store_step_history *history, size_t count,
                                          const struct err *err),
                             void *context) {
    struct history_task *history = MEM_NEW(struct history_task);
    history->task = (struct store_task){.read = history_read, .answer = history_answer};
    str_copy(history->query.account_id, sizeof(history->query.account_id), str_from(account_id));
    str_copy(history->query.model, sizeof(history->query.model), str_from(model));
    history->query.test = test;
    history->query.kind = kind;
    history->told = told;
    history->context = context;
    store_task_run(store, &history->task);
}

/* --- Those whose time is over --- */

struct purge_task {
    struct store_task task; /* first */
    int64_t before_ms;
    bool more;
    void (*told)(void *context, bool more);
    void *context;
};

static bool purge_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct purge_task *purge = (struct purge_task *)task;
    return sqlite_workflow_purge(ledger->db, purge->before_ms, WORKFLOW_PURGE_AT_ONCE, &purge->more, err);
}

static void purge_answer(struct store_task *task, const struct err *err) {
    struct purge_task *purge = (struct purge_task *)task;
    purge->told(purge->context, err == NULL && purge->more);
    free(purge);
}

void store_workflow_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more),
                          void *context) {
    struct purge_task *purge = MEM_NEW(struct purge_task);
    purge->task = (struct store_task){.write = purge_write, .answer = purge_answer};
    purge->before_ms = before_ms;
    purge->told = told;
    purge->context = context;
    store_task_run(store, &purge->task);
}
