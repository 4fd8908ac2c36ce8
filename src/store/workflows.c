#include "store/workflows.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

enum { WORKFLOW_PURGE_AT_ONCE = 16 }; /* with up to a thousand steps each */

void store_workflow_found_clear(struct store_workflow_found *found) {
    free(found->steps);
    arena_clear(&found->texts);
    *found = (struct store_workflow_found){0};
}

struct workflow_task {
    struct store_task task; /* first */
    store_workflow_told *told;
    void *context;
    struct arena given; /* copies of what was asked */
    struct store_workflow_found row;
    bool changed;
    union {
        struct store_workflow_new asked;
        struct {
            char id[STORE_ID_MAX], account_id[STORE_ID_MAX];
            bool test;
        } find;
        struct {
            struct store_workflow_end end;
            struct store_answer stored;
            struct store_turn *turn; /* owned; or NULL */
        };
    };
};

static struct workflow_task *workflow_of(struct store_task *task) {
    return (struct workflow_task *)task;
}

static struct workflow_task *workflow_new(const struct store_task_kind *kind, store_workflow_told *told,
                                          void *context) {
    struct workflow_task *workflow = MEM_NEW(struct workflow_task);
    workflow->task.kind = kind;
    workflow->told = told;
    workflow->context = context;
    arena_init(&workflow->given, SIZE_MAX);
    return workflow;
}

static void workflow_answer(struct store_task *task, const struct err *err) {
    const struct workflow_task *workflow = workflow_of(task);
    const struct store_workflow_found *row = &workflow->row;
    if (workflow->told != NULL && err == NULL) {
        workflow->told(workflow->context, &row->workflow, row->steps, row->step_count, workflow->changed, NULL);
    } else if (workflow->told != NULL) {
        workflow->told(workflow->context, NULL, NULL, 0, false, err);
    }
}

static void workflow_free(struct store_task *task) {
    struct workflow_task *workflow = workflow_of(task);
    store_workflow_found_clear(&workflow->row);
    arena_clear(&workflow->given);
    free(workflow);
}

/* `scope` may be NULL. */
static const uint8_t *scope_copy(struct arena *arena, const uint8_t *scope) {
    return scope == NULL
               ? NULL
               : (const uint8_t *)arena_copy(arena, (struct str){(const char *)scope, DIGEST_SHA256_SIZE}).data;
}

/* --- Adding --- */

static bool add_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    const struct store_workflow *asked = &workflow->asked.workflow;
    char existing[STORE_ID_MAX];
    if (!connection->driver->workflows->add(connection, &workflow->asked, existing, err)) {
        return false;
    }
    workflow->changed = existing[0] == '\0';
    if (workflow->changed) {
        workflow->row.workflow = *asked;
        return true;
    }
    return connection->driver->workflows->find(connection, asked->account_id, asked->test, existing, &workflow->row,
                                               err);
}

void store_workflow_add(struct store *store, const struct store_workflow_new *asked, store_workflow_told *told,
                        void *context) {
    static const struct store_task_kind kind = {.write = add_write, .answer = workflow_answer, .free = workflow_free};
    struct workflow_task *workflow = workflow_new(&kind, told, context);
    struct store_workflow *copy = &workflow->asked.workflow;
    workflow->asked = *asked;
    workflow->asked.scope_sha256 = scope_copy(&workflow->given, asked->scope_sha256);
    copy->request = arena_copy(&workflow->given, asked->workflow.request);
    copy->answer = copy->error = copy->extra = STR("");
    copy->status = STORE_WORKFLOW_RUNNING;
    copy->ended_ms = copy->cost_nano = 0;
    copy->steps_executed = copy->prompt_tokens = copy->completion_tokens = 0;
    store_task_run(store, &workflow->task);
}

/* --- Finding --- */

static bool find_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    return connection->driver->workflows->find(connection, workflow->find.account_id, workflow->find.test,
                                               workflow->find.id, &workflow->row, err);
}

void store_workflow_find(struct store *store, const char *account_id, bool test, const char *id,
                         store_workflow_told *told, void *context) {
    /* Hundreds of steps, each with a long text: it may take as long as a list. */
    static const struct store_task_kind kind = {
        .read = find_read, .list = true, .answer = workflow_answer, .free = workflow_free};
    struct workflow_task *workflow = workflow_new(&kind, told, context);
    (void)str_copy(workflow->find.account_id, sizeof(workflow->find.account_id), str_from(account_id));
    (void)str_copy(workflow->find.id, sizeof(workflow->find.id), str_from(id));
    workflow->find.test = test;
    store_task_run(store, &workflow->task);
}

static bool forget_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    return find_read(task, connection, err) &&
           connection->driver->workflows->forget(connection, workflow->find.id, &workflow->changed, err) &&
           (workflow->changed || err_set(err, ERR_CONFLICT,
                                         "This workflow has not ended. Cancel it first (DELETE "
                                         "without forget)"));
}

void store_workflow_forget(struct store *store, const char *account_id, bool test, const char *id,
                           store_workflow_told *told, void *context) {
    static const struct store_task_kind kind = {
        .write = forget_write, .answer = workflow_answer, .free = workflow_free};
    struct workflow_task *workflow = workflow_new(&kind, told, context);
    (void)str_copy(workflow->find.account_id, sizeof(workflow->find.account_id), str_from(account_id));
    (void)str_copy(workflow->find.id, sizeof(workflow->find.id), str_from(id));
    workflow->find.test = test;
    store_task_run(store, &workflow->task);
}

/* --- The end --- */

static bool end_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    return connection->driver->workflows->end(connection, &workflow->end, &workflow->row, &workflow->changed, err);
}

static void end_free(struct store_task *task) {
    free(workflow_of(task)->turn);
    workflow_free(task);
}

void store_workflow_end(struct store *store, const struct store_workflow_end *end, store_workflow_told *told,
                        void *context) {
    static const struct store_task_kind kind = {.write = end_write, .answer = workflow_answer, .free = end_free};
    struct workflow_task *workflow = workflow_new(&kind, told, context);
    struct store_workflow_end *copy = &workflow->end;
    struct arena *given = &workflow->given;
    *copy = *end;
    copy->text = arena_copy(given, end->text);
    copy->error = arena_copy(given, end->error);
    copy->extra = arena_copy(given, end->extra);
    copy->event = arena_copy(given, end->event);
    if (end->turn != NULL) {
        workflow->turn = store_turn_copy(end->turn);
        copy->turn = workflow->turn;
    }
    if (end->stored != NULL) {
        workflow->stored = *end->stored;
        workflow->stored.content = arena_copy(given, end->stored->content);
        copy->stored = &workflow->stored;
    }
    store_writer_tell_time(&store->writer, end->ended_ms);
    store_task_run(store, &workflow->task);
}

/* --- Steps --- */

struct step_task {
    struct store_task task; /* first */
    struct arena given;
    char workflow_id[STORE_ID_MAX];
    struct store_step step;
    const uint8_t *answer_scope;
    void (*on_durable)(void *context, const struct err *err);
    void *context;
};

static bool step_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct step_task *step = (struct step_task *)task;
    return connection->driver->workflows->step_put(connection, step->workflow_id, &step->step, step->answer_scope, err);
}

static void step_answer(struct store_task *task, const struct err *err) {
    const struct step_task *step = (struct step_task *)task;
    if (step->on_durable != NULL) {
        step->on_durable(step->context, err);
    }
}

static void step_free(struct store_task *task) {
    arena_clear(&((struct step_task *)task)->given);
    free(task);
}

void store_step_put(struct store *store, const char *workflow_id, const struct store_step *step,
                    const uint8_t *answer_scope, void (*on_durable)(void *context, const struct err *err),
                    void *context) {
    static const struct store_task_kind kind = {.write = step_write, .answer = step_answer, .free = step_free};
    struct step_task *put = MEM_NEW(struct step_task);
    put->task.kind = &kind;
    arena_init(&put->given, SIZE_MAX);
    (void)str_copy(put->workflow_id, sizeof(put->workflow_id), str_from(workflow_id));
    put->step = *step;
    put->step.output = arena_copy(&put->given, step->output);
    put->answer_scope = scope_copy(&put->given, answer_scope);
    put->on_durable = on_durable;
    put->context = context;
    store_task_run(store, &put->task);
}

/* --- Pages --- */

struct list_task {
    struct store_task task; /* first */
    struct store_workflow_query query;
    struct store_workflow_page page;
    void (*told)(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                 const struct err *err);
    void *context;
};

static bool list_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct list_task *list = (struct list_task *)task;
    return connection->driver->workflows->list(connection, &list->query, &list->page, err);
}

static void list_answer(struct store_task *task, const struct err *err) {
    const struct list_task *list = (struct list_task *)task;
    const struct store_workflow_page *page = &list->page;
    if (err == NULL) {
        list->told(list->context, page->rows, page->count, page->more, page->total, NULL);
    } else {
        list->told(list->context, NULL, 0, false, 0, err);
    }
}

void store_workflow_list(struct store *store, const struct store_workflow_query *query,
                         void (*told)(void *context, const struct store_workflow *workflows, size_t count, bool more,
                                      int64_t total, const struct err *err),
                         void *context) {
    static const struct store_task_kind kind = {.read = list_read, .list = true, .answer = list_answer};
    struct list_task *list = MEM_NEW(struct list_task);
    list->task.kind = &kind;
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

static bool open_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct open_task *open = (struct open_task *)task;
    return connection->driver->workflows->open(connection, &open->open, &open->count, err);
}

static void open_answer(struct store_task *task, const struct err *err) {
    const struct open_task *open = (struct open_task *)task;
    open->told(open->context, open->open, err == NULL ? open->count : 0, err);
}

static void open_free(struct store_task *task) {
    free(((struct open_task *)task)->open);
    free(task);
}

void store_workflows_open(struct store *store,
                          void (*told)(void *context, const struct store_workflow_open *open, size_t count,
                                       const struct err *err),
                          void *context) {
    static const struct store_task_kind kind = {
        .read = open_read, .list = true, .answer = open_answer, .free = open_free};
    struct open_task *open = MEM_NEW(struct open_task);
    open->task.kind = &kind;
    open->told = told;
    open->context = context;
    store_task_run(store, &open->task);
}

/* --- What steps took --- */

struct history_task {
    struct store_task task; /* first */
    struct store_step_history_query query;
    struct store_step_history history[STORE_STEP_NAMES];
    size_t count;
    void (*told)(void *context, const struct store_step_history *history, size_t count, const struct err *err);
    void *context;
};

static bool history_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct history_task *history = (struct history_task *)task;
    return connection->driver->workflows->step_history(connection, &history->query, history->history, &history->count,
                                                       err);
}

static void history_answer(struct store_task *task, const struct err *err) {
    const struct history_task *history = (struct history_task *)task;
    history->told(history->context, history->history, err == NULL ? history->count : 0, err);
}

void store_step_history_read(struct store *store, const char *account_id, bool test, enum store_workflow_kind kind,
                             const char *model,
                             void (*told)(void *context, const struct store_step_history *history, size_t count,
                                          const struct err *err),
                             void *context) {
    static const struct store_task_kind task_kind = {.read = history_read, .list = true, .answer = history_answer};
    struct history_task *history = MEM_NEW(struct history_task);
    history->task.kind = &task_kind;
    (void)str_copy(history->query.account_id, sizeof(history->query.account_id), str_from(account_id));
    (void)str_copy(history->query.model, sizeof(history->query.model), str_from(model));
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

static bool purge_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct purge_task *purge = (struct purge_task *)task;
    return connection->driver->workflows->purge(connection, purge->before_ms, WORKFLOW_PURGE_AT_ONCE, &purge->more,
                                                err);
}

static void purge_answer(struct store_task *task, const struct err *err) {
    const struct purge_task *purge = (struct purge_task *)task;
    purge->told(purge->context, err == NULL && purge->more);
}

void store_workflow_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more),
                          void *context) {
    static const struct store_task_kind kind = {.write = purge_write, .answer = purge_answer};
    struct purge_task *purge = MEM_NEW(struct purge_task);
    purge->task.kind = &kind;
    purge->before_ms = before_ms;
    purge->told = told;
    purge->context = context;
    store_task_run(store, &purge->task);
}
