/* A fake of the store's workflows: a few, in memory; answers come at the end of the iteration. */
#ifndef NATARIS_TESTS_SUPPORT_API_WORKFLOWS_H
#define NATARIS_TESTS_SUPPORT_API_WORKFLOWS_H

#include "core/workflow.h"
#include "store/workflows.h"
#include "support/api_jobs.h"

enum { API_WORKFLOWS_MAX = 8, API_WORKFLOW_STEPS_MAX = 32 };

/* What may fail: the next of that kind, once; nothing is written then. */
enum api_workflows_question {
    API_WORKFLOWS_ADD,
    API_WORKFLOWS_FIND,
    API_WORKFLOWS_STEP,
    API_WORKFLOWS_END,
    API_WORKFLOWS_OPEN,
    API_WORKFLOWS_QUESTIONS,
};

static struct {
    struct store_workflow rows[API_WORKFLOWS_MAX]; /* their texts are owned, likewise the steps' */
    struct store_step steps[API_WORKFLOWS_MAX][API_WORKFLOW_STEPS_MAX];
    size_t step_counts[API_WORKFLOWS_MAX], count;
    bool doubts;                              /* of every other write that is done nobody can tell */
    unsigned writes, in_doubt;                /* since then, and how many it were */
    struct store_workflow_query listed;       /* what was asked last */
    const struct store_step_history *history; /* borrowed */
    size_t history_count;
    enum err_code fails[API_WORKFLOWS_QUESTIONS]; /* ERR_NONE: it does not */
} api_workflows;

static void api_workflows_drop(struct str *text) {
    free((void *)(uintptr_t)text->data);
    *text = STR("");
}

UNUSED static void api_workflows_clear(void) {
    for (size_t i = 0; i < api_workflows.count; i++) {
        struct store_workflow *row = &api_workflows.rows[i];
        for (size_t j = 0; j < api_workflows.step_counts[i]; j++) {
            api_workflows_drop(&api_workflows.steps[i][j].output);
        }
        api_workflows_drop(&row->request);
        api_workflows_drop(&row->answer);
        api_workflows_drop(&row->error);
        api_workflows_drop(&row->extra);
    }
    memset(&api_workflows, 0, sizeof(api_workflows));
}

static void api_workflows_own(struct store_workflow *row) {
    row->request = api_jobs_copy(row->request);
    row->answer = api_jobs_copy(row->answer);
    row->error = api_jobs_copy(row->error);
    row->extra = api_jobs_copy(row->extra);
}

/* Its place; API_WORKFLOWS_MAX: there is none. */
static size_t api_workflows_find(const char *id) {
    for (size_t i = 0; i < api_workflows.count; i++) {
        if (strcmp(api_workflows.rows[i].id, id) == 0) {
            return i;
        }
    }
    return API_WORKFLOWS_MAX;
}

UNUSED static struct store_workflow *api_workflows_add(const struct store_workflow *workflow) {
    assert_true(api_workflows.count < API_WORKFLOWS_MAX);
    struct store_workflow *row = &api_workflows.rows[api_workflows.count++];
    *row = *workflow;
    api_workflows_own(row);
    return row;
}

struct api_workflows_answer {
    struct loop_deferred deferred;
    store_workflow_told *told;
    void (*durable)(void *context, const struct err *err);
    void *context;
    size_t place;
    bool changed;
    struct err err;
};

static void api_workflows_tell(struct loop_deferred *deferred) {
    struct api_workflows_answer *answer = (struct api_workflows_answer *)deferred;
    const struct err *err = answer->err.code != ERR_NONE ? &answer->err : NULL;
    const size_t at = answer->place;
    if (answer->durable != NULL) {
        answer->durable(answer->context, err);
    } else if (err != NULL) {
        answer->told(answer->context, NULL, NULL, 0, false, err);
    } else {
        answer->told(answer->context, &api_workflows.rows[at], api_workflows.steps[at], api_workflows.step_counts[at],
                     answer->changed, NULL);
    }
    free(answer);
}

static struct api_workflows_answer *api_workflows_later(struct store *store, store_workflow_told *told, void *context) {
    struct api_workflows_answer *answer = MEM_NEW(struct api_workflows_answer);
    answer->deferred.run = api_workflows_tell;
    answer->told = told;
    answer->context = context;
    loop_defer(store->loop, &answer->deferred);
    return answer;
}

static bool api_workflows_fail(enum api_workflows_question question, struct err *err) {
    const enum err_code code = api_workflows.fails[question];
    api_workflows.fails[question] = ERR_NONE;
    return code != ERR_NONE && !err_set(err, code, "it is said so");
}

static bool api_workflows_look(struct api_workflows_answer *answer, const char *account_id, bool test, const char *id) {
    answer->place = api_workflows_find(id);
    const struct store_workflow *row = answer->place < API_WORKFLOWS_MAX ? &api_workflows.rows[answer->place] : NULL;
    if (row != NULL && (account_id[0] == '\0' || (strcmp(row->account_id, account_id) == 0 && row->test == test))) {
        return true;
    }
    return err_set(&answer->err, ERR_NOT_FOUND, "There is no such workflow");
}

/* What was asked is done. */
static void api_workflows_done(struct api_workflows_answer *answer) {
    if (api_workflows.doubts && (api_workflows.writes++ & 1) == 0) {
        api_workflows.in_doubt++;
        err_set(&answer->err, ERR_IN_DOUBT, "nobody knows");
    }
}

void store_workflow_add(struct store *store, const struct store_workflow_new *asked, store_workflow_told *told,
                        void *context) {
    struct api_workflows_answer *answer = api_workflows_later(store, told, context);
    if (api_workflows_fail(API_WORKFLOWS_ADD, &answer->err)) {
        return;
    }
    answer->place = api_workflows_find(asked->workflow.id);
    if (answer->place == API_WORKFLOWS_MAX) {
        answer->place = api_workflows.count;
        answer->changed = true;
        (void)api_workflows_add(&asked->workflow);
    }
    api_workflows_done(answer);
}

void store_workflow_find(struct store *store, const char *account_id, bool test, const char *id,
                         store_workflow_told *told, void *context) {
    struct api_workflows_answer *answer = api_workflows_later(store, told, context);
    if (!api_workflows_fail(API_WORKFLOWS_FIND, &answer->err)) {
        (void)api_workflows_look(answer, account_id, test, id);
    }
}

void store_step_put(struct store *store, const char *workflow_id, const struct store_step *step,
                    const uint8_t *answer_scope, void (*on_durable)(void *context, const struct err *err),
                    void *context) {
    struct api_workflows_answer *answer = api_workflows_later(store, NULL, context);
    (void)answer_scope;
    answer->durable = on_durable;
    if (api_workflows_fail(API_WORKFLOWS_STEP, &answer->err) || !api_workflows_look(answer, "", false, workflow_id)) {
        return;
    }
    struct store_workflow *row = &api_workflows.rows[answer->place];
    assert_true(step->number < API_WORKFLOW_STEPS_MAX && step->number <= api_workflows.step_counts[answer->place]);
    struct store_step *place = &api_workflows.steps[answer->place][step->number];
    if (row->status != STORE_WORKFLOW_RUNNING) {
        err_set(&answer->err, ERR_CONFLICT, "The workflow has ended");
        return;
    }
    if (step->number == api_workflows.step_counts[answer->place]) {
        api_workflows.step_counts[answer->place]++;
        row->steps_executed += !step->local;
    } else {
        api_workflows_drop(&place->output);
    }
    *place = *step;
    place->output = api_jobs_copy(step->output);
    if (step->state >= STORE_STEP_DONE) {
        row->cost_nano += step->cost_nano;
        row->prompt_tokens += step->prompt_tokens;
        row->completion_tokens += step->completion_tokens;
    }
    api_workflows_done(answer);
}

void store_workflow_end(struct store *store, const struct store_workflow_end *end, store_workflow_told *told,
                        void *context) {
    struct api_workflows_answer *answer = api_workflows_later(store, told, context);
    if (api_workflows_fail(API_WORKFLOWS_END, &answer->err) ||
        !api_workflows_look(answer, end->account_id, end->test, end->id)) {
        return;
    }
    struct store_workflow *row = &api_workflows.rows[answer->place];
    answer->changed = row->status == STORE_WORKFLOW_RUNNING ||
                      (row->status == end->status && row->ended_ms == end->ended_ms); /* told once more */
    if (row->status == STORE_WORKFLOW_RUNNING) {
        row->status = end->status;
        row->ended_ms = end->ended_ms;
        api_workflows_drop(&row->request);
        api_workflows_drop(&row->answer);
        api_workflows_drop(&row->error);
        api_workflows_drop(&row->extra);
        row->answer = end->text;
        row->error = end->error;
        row->extra = end->extra;
        row->request = STR("");
        api_workflows_own(row);
    }
    api_workflows_done(answer);
}

/* One that is forgotten is nobody's any more. */
void store_workflow_forget(struct store *store, const char *account_id, bool test, const char *id,
                           store_workflow_told *told, void *context) {
    struct api_workflows_answer *answer = api_workflows_later(store, told, context);
    if (!api_workflows_look(answer, account_id, test, id)) {
        return;
    }
    struct store_workflow *row = &api_workflows.rows[answer->place];
    if (row->status == STORE_WORKFLOW_RUNNING) {
        err_set(&answer->err, ERR_CONFLICT, "This workflow has not ended");
        return;
    }
    row->account_id[0] = '\0';
    answer->changed = true;
}

/* --- Reads of many --- */

struct api_workflows_read {
    struct loop_deferred deferred;
    void (*listed)(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                   const struct err *err);
    void (*open)(void *context, const struct store_workflow_open *open, size_t count, const struct err *err);
    void (*history)(void *context, const struct store_step_history *history, size_t count, const struct err *err);
    void *context;
};

static void api_workflows_read_tell(struct loop_deferred *deferred) {
    struct api_workflows_read *read = (struct api_workflows_read *)deferred;
    struct store_workflow_open open[API_WORKFLOWS_MAX];
    struct err err;
    size_t count = 0;
    if (read->open != NULL && api_workflows_fail(API_WORKFLOWS_OPEN, &err)) {
        read->open(read->context, NULL, 0, &err);
    } else if (read->listed != NULL) {
        read->listed(read->context, api_workflows.rows, api_workflows.count, false, (int64_t)api_workflows.count, NULL);
    } else if (read->history != NULL) {
        read->history(read->context, api_workflows.history, api_workflows.history_count, NULL);
    } else {
        for (size_t i = 0; i < api_workflows.count; i++) {
            const struct store_workflow *row = &api_workflows.rows[i];
            if (row->status == STORE_WORKFLOW_RUNNING) {
                memcpy(open[count].id, row->id, sizeof(open[count].id));
                memcpy(open[count].account_id, row->account_id, sizeof(open[count].account_id));
                open[count++].test = row->test;
            }
        }
        read->open(read->context, open, count, NULL);
    }
    free(read);
}

static struct api_workflows_read *api_workflows_read_later(struct store *store, void *context) {
    struct api_workflows_read *read = MEM_NEW(struct api_workflows_read);
    read->deferred.run = api_workflows_read_tell;
    read->context = context;
    loop_defer(store->loop, &read->deferred);
    return read;
}

void store_workflow_list(struct store *store, const struct store_workflow_query *query,
                         void (*told)(void *context, const struct store_workflow *workflows, size_t count, bool more,
                                      int64_t total, const struct err *err),
                         void *context) {
    api_workflows.listed = *query;
    api_workflows_read_later(store, context)->listed = told;
}

void store_workflows_open(struct store *store,
                          void (*told)(void *context, const struct store_workflow_open *open, size_t count,
                                       const struct err *err),
                          void *context) {
    api_workflows_read_later(store, context)->open = told;
}

void store_step_history_read(struct store *store, const char *account_id, bool test, enum store_workflow_kind kind,
                             const char *model,
                             void (*told)(void *context, const struct store_step_history *history, size_t count,
                                          const struct err *err),
                             void *context) {
    (void)account_id;
    (void)test;
    (void)kind;
    (void)model;
    api_workflows_read_later(store, context)->history = told;
}

void store_workflow_purge(struct store *store, int64_t before_ms, void (*told)(void *context, bool more),
                          void *context) {
    (void)store;
    (void)before_ms;
    (void)told;
    (void)context;
}

#endif
