#include "workflow/workflow.h"

#include "base/log.h"
#include "base/mem.h"
#include "workflow/end.h"
#include "workflow/step.h"
#include "workflow/step_run.h"

#include <stdlib.h>

/* --- Life --- */

struct workflow *workflow_new(struct workflows *workflows, const char *id, const char *account_id, bool test) {
    struct workflow *workflow = MEM_NEW(struct workflow);
    workflow->all = workflows;
    (void)str_copy(workflow->row.id, sizeof(workflow->row.id), str_from(id));
    (void)str_copy(workflow->row.account_id, sizeof(workflow->row.account_id), str_from(account_id));
    workflow->row.test = test;
    arena_init(&workflow->arena, WORKFLOW_ARENA_BYTES);
    buf_init(&workflow->request_text, WORKFLOW_REQUEST_BYTES);
    buf_init(&workflow->text, LIMIT_ANSWER_BYTES);
    buf_init(&workflow->calls, WORKFLOW_REQUEST_BYTES);
    workflows_add(workflows, workflow);
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
    workflow->state = WORKFLOW_ENDED;
    workflows_remove(workflow->all, workflow);
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

void workflow_tell_failed(struct workflow *workflow, const struct fault *fault) {
    const struct workflow_events *events = workflow->events;
    workflow->events = NULL;
    if (events != NULL) {
        events->on_failed(workflow->context, workflow->row.id, fault);
    }
}

void workflow_fault_cancelled(struct fault *fault) {
    fault_set(fault, FAULT_INVALID_REQUEST, "The workflow was cancelled.");
}

void workflow_lost(struct workflow *workflow, const struct err *err) {
    struct fault fault;
    if (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND) {
        workflow_fault_cancelled(&fault);
    } else {
        fault_from_err(&fault, err);
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
    workflow_tell_failed(workflow, &fault);
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
    const struct call_backend *backend = &workflow->all->calls->backend;
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
    struct fault fault;
    fault_set(&fault, FAULT_UNAVAILABLE,
              "The gateway is restarting. The workflow %s goes on by itself; GET /v1/workflows/%s tells how far "
              "it is.",
              workflow->row.id, workflow->row.id);
    fault.retry_after_ms = 4 * WORKFLOW_RETRY_MIN_MS;
    workflow_tell_failed(workflow, &fault);
}

void workflow_pump(struct workflow *workflow) {
    if (workflow->state != WORKFLOW_RUNNING) {
        return;
    }
    uint32_t next;
    workflow->wants_room = false;
    while (!workflow->all->calls->draining && workflow->state == WORKFLOW_RUNNING &&
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
    } else if (workflow->all->calls->draining && is_parked(workflow)) {
        workflow_park(workflow);
    } else if (workflow->wants_room) {
        workflows_wake(workflow->all);
    }
}

bool workflow_waits(const struct workflow *workflow) {
    if (workflow->state == WORKFLOW_ENDING) { /* the store had no room for its end */
        return workflow->asked_store == 0;
    }
    return workflow->state == WORKFLOW_RUNNING &&
           (workflow->wants_room || steps_in(workflow, STEP_WAITING) > 0 || steps_in(workflow, STEP_UNSTORED) > 0);
}

void workflow_tick(struct workflow *workflow) {
    if (workflow->state == WORKFLOW_ENDING && workflow->asked_store == 0) { /* the store had no room for its end */
        workflow_end(workflow);
        return;
    }
    for (uint32_t i = 0; i < workflow->step_count && workflow->state == WORKFLOW_RUNNING; i++) {
        workflow_step_due(workflow->steps[i]);
    }
    if (workflow->wants_room) {
        workflow_pump(workflow);
    }
}
