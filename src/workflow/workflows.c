/* The workflows that are alive: who waits for them, and when their steps may begin. */
#include "workflow/workflows.h"

#include "api/respond.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "workflow/internal.h"

#include <stdlib.h>
#include <string.h>

struct workflow_account_key {
    char id[STORE_ID_MAX];
    bool test;
};

struct workflow_account {
    struct workflow_account_key key; /* zeroed behind its strings */
    UT_hash_handle hh;
    size_t open;
};

/* --- Room --- */

static struct workflow_account *account_get(struct workflows *workflows, const char *id, bool test) {
    struct workflow_account *account;
    struct workflow_account_key key;
    memset(&key, 0, sizeof(key));
    str_copy(key.id, sizeof(key.id), str_from(id));
    key.test = test;
    HASH_FIND(hh, workflows->accounts, &key, sizeof(key), account);
    if (account == NULL) {
        account = MEM_NEW(struct workflow_account);
        memcpy(&account->key, &key, sizeof(key));
        HASH_ADD(hh, workflows->accounts, key, sizeof(key), account);
    }
    return account;
}

static void account_put(struct workflows *workflows, struct workflow_account *account) {
    if (--account->open == 0) {
        HASH_DEL(workflows->accounts, account);
        free(account);
    }
}

bool workflows_have_room(struct workflows *workflows, const struct auth_identity *identity, struct fault *error) {
    if (workflows->api->draining) {
        fault_set(error, FAULT_UNAVAILABLE, "The gateway is restarting. You were not charged.");
        error->retry_after_ms = 4 * WORKFLOW_RETRY_MIN_MS;
        return false;
    }
    if (workflows->total >= WORKFLOWS_TOTAL_MAX) {
        fault_set(error, FAULT_UNAVAILABLE, "Too many workflows run. Retry later.");
        error->retry_after_ms = WORKFLOW_RETRY_MAX_MS;
        return false;
    }
    struct workflow_account_key key;
    const struct workflow_account *account;
    memset(&key, 0, sizeof(key));
    str_copy(key.id, sizeof(key.id), str_from(identity->account_id));
    key.test = identity->kind == STORE_KEY_TEST;
    HASH_FIND(hh, workflows->accounts, &key, sizeof(key), account);
    if (account != NULL && account->open >= WORKFLOWS_OPEN_MAX) {
        fault_set(error, FAULT_RATE_LIMIT_EXCEEDED,
                  "%d workflows of this account have not ended yet. Retry when some have.", WORKFLOWS_OPEN_MAX);
        error->retry_after_ms = 4 * WORKFLOW_RETRY_MIN_MS;
        return false;
    }
    return true;
}

/* --- Life of one --- */

struct workflow *workflow_find(struct workflows *workflows, const char *id) {
    struct workflow *workflow;
    HASH_FIND_STR(workflows->list, id, workflow);
    return workflow;
}

struct workflow *workflow_new(struct workflows *workflows, const char *id, const char *account_id, bool test) {
    struct workflow *workflow = MEM_NEW(struct workflow);
    workflow->all = workflows;
    workflow->account = account_get(workflows, account_id, test);
    workflow->account->open++;
    workflows->total++;
    str_copy(workflow->row.id, sizeof(workflow->row.id), str_from(id));
    str_copy(workflow->row.account_id, sizeof(workflow->row.account_id), str_from(account_id));
    workflow->row.test = test;
    arena_init(&workflow->arena, WORKFLOW_ARENA_BYTES);
    buf_init(&workflow->request_text, WORKFLOW_REQUEST_BYTES);
    buf_init(&workflow->text, LIMIT_ANSWER_BYTES);
    buf_init(&workflow->calls, WORKFLOW_REQUEST_BYTES);
    HASH_ADD_KEYPTR(hh, workflows->list, workflow->row.id, strlen(workflow->row.id), workflow);
    return workflow;
}

static void workflow_free(struct workflow *workflow) {
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        workflow_step_free(workflow->steps[i]);
    }
    free(workflow->steps);
    free(workflow->outputs);
    core_workflow_free(workflow->core);
    arena_clear(&workflow->arena);
    buf_clear(&workflow->request_text);
    buf_clear(&workflow->text);
    buf_clear(&workflow->calls);
    free(workflow);
}

void workflow_drop(struct workflow *workflow) {
    struct workflows *workflows = workflow->all;
    workflow->state = WORKFLOW_ENDED;
    HASH_DEL(workflows->list, workflow);
    account_put(workflows, workflow->account);
    workflows->total--;
    if (workflow->asked_store == 0) {
        workflow_free(workflow);
    }
}

bool workflow_answered(struct workflow *workflow) {
    workflow->asked_store--;
    if (workflow->state != WORKFLOW_ENDED) {
        return true;
    }
    if (workflow->asked_store == 0) {
        workflow_free(workflow);
    }
    return false;
}

void workflow_tell_failed(struct workflow *workflow, const struct fault *error) {
    const struct workflow_events *events = workflow->events;
    workflow->events = NULL;
    if (events != NULL) {
        events->on_failed(workflow->context, workflow->row.id, error);
    }
}

void workflow_lost(struct workflow *workflow, const struct err *err) {
    struct fault error;
    if (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND) {
        workflow_error_cancelled(&error);
    } else {
        fault_from_err(&error, err);
    }
    LOG_WARN_EVENT("workflow.lost", LOG_TEXT("workflow", workflow->row.id), LOG_TEXT("error", err->message));
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        struct workflow_step *step = workflow->steps[i];
        if (step->phase == STEP_UNDER_WAY) {
            run_cancel(step->run);
            step->run = NULL;
        }
        step->phase = STEP_IDLE;
    }
    workflow_tell_failed(workflow, &error);
    workflow_drop(workflow);
}

/* --- Steps begin --- */

static size_t steps_in(const struct workflow *workflow, enum workflow_step_phase phase) {
    size_t count = 0;
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        count += workflow->steps[i]->phase == phase ? 1 : 0;
    }
    return count;
}

/* For one more generation beside those that run: what the account's tier allows at once. */
static bool account_has_room(const struct workflow *workflow) {
    const struct api_backend *backend = &workflow->all->api->backend;
    struct core_account_view view;
    if (workflow->core->running == 0) {
        return true;
    }
    return workflow->core->running < WORKFLOWS_PARALLEL_MAX &&
           (workflow->row.test || !backend->account_view(backend->context, &workflow->identity, &view) ||
            view.concurrent == 0 || view.active + steps_in(workflow, STEP_BEGINNING) < view.concurrent);
}

static bool is_parked(const struct workflow *workflow) {
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        if (workflow->steps[i]->phase != STEP_IDLE && !workflow_step_is_parked(workflow->steps[i])) {
            return false;
        }
    }
    return true;
}

/* The next gateway goes on with it. */
static void workflow_park(struct workflow *workflow) {
    struct fault error;
    fault_set(&error, FAULT_UNAVAILABLE,
              "The gateway is restarting. The workflow %s goes on by itself; GET /v1/workflows/%s tells how far "
              "it is.",
              workflow->row.id, workflow->row.id);
    error.retry_after_ms = 4 * WORKFLOW_RETRY_MIN_MS;
    workflow_tell_failed(workflow, &error);
}

void workflow_pump(struct workflow *workflow) {
    if (workflow->state != WORKFLOW_RUNNING) {
        return;
    }
    uint32_t next;
    workflow->wants_room = false;
    while (!workflow->all->api->draining && workflow->state == WORKFLOW_RUNNING &&
           (next = core_workflow_next(workflow->core)) != CORE_NO_STEP) {
        if (!account_has_room(workflow) || !workflow_step_begin(workflow, next)) {
            workflow->wants_room = core_workflow_next(workflow->core) != CORE_NO_STEP;
            break;
        }
    }
    if (workflow->state != WORKFLOW_RUNNING) {
        return;
    }
    if (core_workflow_status(workflow->core) != CORE_WORKFLOW_RUNNING) {
        workflow_end(workflow);
    } else if (workflow->all->api->draining && is_parked(workflow)) {
        workflow_park(workflow);
    } else if (workflow->wants_room) {
        workflow_wait(workflow);
    }
}

void workflow_wait(struct workflow *workflow) {
    struct workflows *workflows = workflow->all;
    if (!workflows->ticking) {
        workflows->ticking = true;
        loop_timer_start(workflows->tick, WORKFLOWS_TICK_MS, WORKFLOWS_TICK_MS);
    }
}

static bool workflow_waits(const struct workflow *workflow) {
    return workflow->state == WORKFLOW_RUNNING &&
           (workflow->wants_room || steps_in(workflow, STEP_WAITING) > 0 || steps_in(workflow, STEP_UNSTORED) > 0);
}

static void workflow_tick(struct workflow *workflow, uint64_t now_ms) {
    if (workflow->state == WORKFLOW_ENDING && workflow->asked_store == 0) { /* the store had no room for its end */
        workflow_end(workflow);
        return;
    }
    for (uint32_t i = 0; i < workflow->step_count && workflow->state == WORKFLOW_RUNNING; i++) {
        workflow_step_due(workflow->steps[i], now_ms);
    }
    if (workflow->wants_room) {
        workflow_pump(workflow);
    }
}

static void tick_due(void *context) {
    struct workflows *workflows = context;
    const uint64_t now = loop_now_ms(workflows->api->loop);
    struct workflow *workflow, *next;
    bool waits = false;
    HASH_ITER (hh, workflows->list, workflow, next) {
        const bool unended = workflow->state == WORKFLOW_ENDING && workflow->asked_store == 0;
        if (unended || workflow_waits(workflow)) {
            waits = true;
            /* A callback may end any workflow, also the next: those wait for the store first, so `next` stays. */
            workflow_tick(workflow, now);
        }
    }
    if (!waits || workflows->api->draining) {
        workflows->ticking = false;
        loop_timer_stop(workflows->tick);
    }
}

/* --- All of them --- */

static void on_purged(void *context, bool more) {
    const struct workflows *workflows = context;
    loop_timer_start(workflows->purge, more ? WORKFLOW_RETRY_MIN_MS : WORKFLOWS_PURGE_MS, 0);
}

static void purge_due(void *context) {
    struct workflows *workflows = context;
    store_workflow_purge(workflows->api->store, clock_wall_ms() - STORE_WORKFLOW_KEPT_MS, on_purged, workflows);
}

struct workflows *workflows_new(struct api *api) {
    struct workflows *workflows = MEM_NEW(struct workflows);
    workflows->api = api;
    workflows->parser = json_parser_new(WORKFLOW_REQUEST_BYTES, LIMIT_JSON_DEPTH);
    workflows->tick = loop_timer_new(api->loop, tick_due, workflows);
    workflows->purge = loop_timer_new(api->loop, purge_due, workflows);
    return workflows;
}

void workflows_free(struct workflows *workflows) {
    if (workflows == NULL) {
        return;
    }
    struct workflow *workflow, *next;
    HASH_ITER (hh, workflows->list, workflow, next) {
        workflow->asked_store = 0;
        workflow_drop(workflow);
    }
    json_parser_free(workflows->parser);
    loop_timer_free(workflows->tick);
    loop_timer_free(workflows->purge);
    free(workflows);
}

static void on_found(void *context, const struct store_workflow *row, const struct store_step *steps, size_t count,
                     bool changed, const struct err *err) {
    struct workflow *workflow = context;
    (void)changed;
    if (!workflow_answered(workflow)) {
        return;
    }
    if (err != NULL) {
        workflow_lost(workflow, err);
    } else {
        workflow_go_on(workflow, row, steps, count);
    }
}

void workflow_read(struct workflow *workflow) {
    const struct store_workflow *row = &workflow->row;
    workflow->state = WORKFLOW_READING;
    workflow->asked_store++;
    store_workflow_find(workflow->all->api->store, row->account_id, row->test, row->id, on_found, workflow);
}

static void on_open(void *context, const struct store_workflow_open *open, size_t count, const struct err *err) {
    struct workflows *workflows = context;
    if (err != NULL) {
        LOG_ERROR_EVENT("workflows.not_read", LOG_TEXT("error", err->message));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (workflow_find(workflows, open[i].id) == NULL) { /* else it came in this moment */
            workflow_read(workflow_new(workflows, open[i].id, open[i].account_id, open[i].test));
        }
    }
    LOG_INFO_EVENT("workflows.open", LOG_INT("workflows", count));
}

void workflows_open(struct workflows *workflows) {
    store_workflows_open(workflows->api->store, on_open, workflows);
    purge_due(workflows);
}

void workflows_drain(struct workflows *workflows) {
    struct workflow *workflow, *next;
    HASH_ITER (hh, workflows->list, workflow, next) {
        workflow_pump(workflow);
    }
}
