#include "workflow/pump.h"

#include "workflow/end.h"
#include "workflow/step.h"
#include "workflow/step_run.h"
#include "workflow/stored.h"
#include "workflow/waits.h"

static size_t steps_in(const struct workflow *workflow, enum workflow_step_phase phase) {
    size_t count = 0;
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        count += workflow->steps[i]->phase == phase ? 1 : 0;
    }
    return count;
}

/* For one more generation beside those that run: what the account's tier allows at once; and the disk. */
static bool account_has_room(const struct workflow *workflow) {
    const struct call_backend *backend = &workflow->all->calls->backend;
    struct core_account_view view;
    if (calls_disk_is_low(workflow->all->calls)) {
        return false;
    }
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

/* Its waiter may leave in there. */
static void tell_disk(struct workflow *workflow) {
    const uint32_t next = core_workflow_next(workflow->core);
    const struct workflow_progress progress = {.id = workflow->row.id,
                                               .kind = workflow_core_kind(workflow->row.kind),
                                               .step = &workflow->core->steps[next],
                                               .number = next,
                                               .steps_executed = workflow->core->executed,
                                               .cost_nano = workflow->core->spent_nano,
                                               .waits = WAITING_DISK};
    workflow->told_disk = true;
    if (workflow->events != NULL && workflow->events->on_step != NULL) {
        workflow->events->on_step(workflow->context, &progress);
    }
}

void pump_workflow(struct workflow *workflow) {
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
        workflow->told_disk = false;
    }
    if (workflow->state != WORKFLOW_RUNNING) {
        return;
    }
    if (core_workflow_status(workflow->core) != CORE_WORKFLOW_RUNNING) {
        workflow_end(workflow);
    } else if (workflow->all->calls->draining && is_parked(workflow)) {
        workflow_park(workflow);
    } else if (workflow->wants_room) {
        workflow_wait(workflow);
        if (!workflow->told_disk && workflow_waits(workflow) == WAITING_DISK) {
            tell_disk(workflow);
        }
    }
}

bool pump_waits(const struct workflow *workflow) {
    if (workflow->state == WORKFLOW_ENDING) { /* the store had no room for its end */
        return workflow->asked_store == 0;
    }
    return workflow->state == WORKFLOW_RUNNING &&
           (workflow->wants_room || steps_in(workflow, STEP_WAITING) > 0 || steps_in(workflow, STEP_UNSTORED) > 0);
}

void pump_tick(struct workflow *workflow) {
    if (workflow->state == WORKFLOW_ENDING && workflow->asked_store == 0) { /* the store had no room for its end */
        workflow_end(workflow);
        return;
    }
    for (uint32_t i = 0; i < workflow->step_count && workflow->state == WORKFLOW_RUNNING; i++) {
        struct workflow_step *step = workflow->steps[i];
        if (!workflow_step_is_due(step)) {
            continue;
        }
        if (step->phase == STEP_UNSTORED) {
            workflow_step_store_end(step);
        } else {
            workflow_step_store_begin(step); /* which also tells whether it is to go on at all */
        }
    }
    if (workflow->wants_room) {
        pump_workflow(workflow);
    }
}
