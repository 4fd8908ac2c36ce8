/* The tasks of store_workflows.h about one workflow: from the loop to a thread and back. */
#include "store/workflows.h"

#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/workflows.h"

#include <stdlib.h>
#include <string.h>

struct workflow_task {
    struct store_task task; /* first */
    store_workflow_told *told;
    void *context;
    struct arena given; /* copies of what was asked */
    struct workflow_row row;
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

static struct workflow_task *workflow_new(store_workflow_told *told, void *context) {
    struct workflow_task *workflow = MEM_NEW(struct workflow_task);
    workflow->told = told;
    workflow->context = context;
    arena_init(&workflow->given, SIZE_MAX);
    return workflow;
}

static void workflow_answer(struct store_task *task, const struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    const struct workflow_row *row = &workflow->row;
    if (workflow->told != NULL && err == NULL) {
        workflow->told(workflow->context, &row->workflow, row->steps, row->step_count, workflow->changed, NULL);
    } else if (workflow->told != NULL) {
        workflow->told(workflow->context, NULL, NULL, 0, false, err);
    }
    sqlite_workflow_clear(&workflow->row);
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

static bool add_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    const struct store_workflow *asked = &workflow->asked.workflow;
    char existing[STORE_ID_MAX];
    if (!sqlite_workflow_add(ledger, &workflow->asked, existing, err)) {
        return false;
    }
    workflow->changed = existing[0] == '\0';
    if (workflow->changed) {
        workflow->row.workflow = *asked;
        return true;
    }
    return sqlite_workflow_find(ledger->db, asked->account_id, asked->test, existing, &workflow->row, err);
}

void store_workflow_add(struct store *store, const struct store_workflow_new *asked, store_workflow_told *told,
                        void *context) {
    struct workflow_task *workflow = workflow_new(told, context);
    struct store_workflow *copy = &workflow->asked.workflow;
    workflow->task = (struct store_task){.write = add_write, .answer = workflow_answer};
    workflow->asked = *asked;
    workflow->asked.scope_sha256 = scope_copy(&workflow->given, asked->scope_sha256);
    copy->request = arena_copy(&workflow->given, asked->workflow.request);
    copy->answer = copy->error = copy->extra = STR("");
    copy->status = 0;
    copy->ended_ms = copy->cost_nano = 0;
    copy->steps_executed = copy->prompt_tokens = copy->completion_tokens = 0;
    store_task_run(store, &workflow->task);
}

/* --- Finding --- */

/* The workflow and its steps are of one state of the database. */
static bool find_read(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    if (!sqlite_run(db, SQL_BEGIN_READ, err)) {
        return false;
    }
    const bool ok = sqlite_workflow_find(db, workflow->find.account_id, workflow->find.test, workflow->find.id,
                                         &workflow->row, err);
    sqlite_db_rollback(db); /* nothing was written */
    return ok;
}

void store_workflow_find(struct store *store, const char *account_id, bool test, const char *id,
                         store_workflow_told *told, void *context) {
    struct workflow_task *workflow = workflow_new(told, context);
    workflow->task = (struct store_task){.read = find_read, .answer = workflow_answer};
    str_copy(workflow->find.account_id, sizeof(workflow->find.account_id), str_from(account_id));
    str_copy(workflow->find.id, sizeof(workflow->find.id), str_from(id));
    workflow->find.test = test;
    store_task_run(store, &workflow->task);
}

/* --- The end --- */

static bool end_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    struct workflow_task *workflow = workflow_of(task);
    const struct store_workflow_end *end = &workflow->end;
    return sqlite_workflow_find(ledger->db, end->account_id, end->test, end->id, &workflow->row, err) &&
           sqlite_workflow_end(ledger, end, &workflow->row, &workflow->changed, err);
}

static void end_answer(struct store_task *task, const struct err *err) {
    free(workflow_of(task)->turn);
    workflow_answer(task, err);
}

void store_workflow_end(struct store *store, const struct store_workflow_end *end, store_workflow_told *told,
                        void *context) {
    struct workflow_task *workflow = workflow_new(told, context);
    struct store_workflow_end *copy = &workflow->end;
    struct arena *given = &workflow->given;
    workflow->task = (struct store_task){.write = end_write, .answer = end_answer};
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
    store_tell_time(store, end->ended_ms);
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

static bool step_write(struct store_task *task, struct ledger *ledger, struct err *err) {
    const struct step_task *step = (struct step_task *)task;
    return sqlite_step_put(ledger->db, step->workflow_id, &step->step, step->answer_scope, err);
}

static void step_answer(struct store_task *task, const struct err *err) {
    struct step_task *step = (struct step_task *)task;
    if (step->on_durable != NULL) {
        step->on_durable(step->context, err);
    }
    arena_clear(&step->given);
    free(step);
}

void store_step_put(struct store *store, const char *workflow_id, const struct store_step *step,
                    const uint8_t *answer_scope, void (*on_durable)(void *context, const struct err *err),
                    void *context) {
    struct step_task *put = MEM_NEW(struct step_task);
    put->task = (struct store_task){.write = step_write, .answer = step_answer};
    arena_init(&put->given, SIZE_MAX);
    str_copy(put->workflow_id, sizeof(put->workflow_id), str_from(workflow_id));
    put->step = *step;
    put->step.output = arena_copy(&put->given, step->output);
    put->answer_scope = scope_copy(&put->given, answer_scope);
    put->on_durable = on_durable;
    put->context = context;
    store_task_run(store, &put->task);
}
