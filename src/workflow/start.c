#include "workflow/start.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/counting.h"
#include "call/models.h"
#include "workflow/choose.h"
#include "workflow/end.h"
#include "workflow/resume.h"
#include "workflow/step.h"
#include "workflow/stored.h"
#include "workflow/task.h"

#include <stdlib.h>
#include <string.h>

/* --- A new one --- */

static void workflow_store(struct workflow *workflow, bool replaces);

/* One is there already under its idempotency key. */
static void on_twin(struct workflow *workflow, const struct store_workflow *twin) {
    struct fault fault;
    if (memcmp(twin->body_sha256, workflow->idempotency.body_sha256, sizeof(twin->body_sha256)) != 0) {
        idempotency_set_other_body(&fault);
        workflow_tell_failed(workflow, &fault);
    } else if (twin->status == STORE_WORKFLOW_RUNNING) {
        idempotency_set_running(&fault);
        workflow_tell_failed(workflow, &fault);
    } else if (twin->status == STORE_WORKFLOW_FAILED || twin->status == STORE_WORKFLOW_CANCELLED) {
        workflow_store(workflow, true); /* as a call that failed: it is tried again */
        return;
    } else {
        workflow_tell_stored(workflow, twin);
    }
    workflow_drop(workflow);
}

/* What the store has of it: on with it, or its end is told. */
static void workflow_go_on(struct workflow *workflow, const struct store_workflow *stored,
                           const struct store_step *steps, size_t count) {
    if (strcmp(stored->id, workflow->row.id) != 0) {
        on_twin(workflow, stored);
    } else if (stored->status == STORE_WORKFLOW_RUNNING) {
        workflow_replay(workflow, stored, steps, count);
    } else {
        workflow_tell_stored(workflow, stored);
        workflow_drop(workflow);
    }
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
    store_workflow_find(workflow->all->calls->store, row->account_id, row->test, row->id, on_found, workflow);
}

static void on_added(void *context, const struct store_workflow *stored, const struct store_step *steps, size_t count,
                     bool changed, const struct err *err) {
    struct workflow *workflow = context;
    struct fault fault;
    if (!workflow_answered(workflow)) {
        return;
    }
    if (err != NULL && err->code == ERR_IN_DOUBT) { /* if it is there, it goes on by itself, as after a restart */
        fault_from_err(&fault, err);
        workflow_tell_failed(workflow, &fault);
        workflow_read(workflow);
    } else if (err != NULL) {
        fault_from_err(&fault, err);
        workflow_tell_failed(workflow, &fault);
        workflow_drop(workflow);
    } else if (!changed && workflow->cancelled) {
        workflow_fault_cancelled(&fault);
        workflow_tell_failed(workflow, &fault);
        workflow_drop(workflow);
    } else if (!changed) {
        workflow_go_on(workflow, stored, steps, count);
    } else {
        buf_clear(&workflow->request_text);
        LOG_INFO_EVENT("workflow.begin", LOG_TEXT("workflow", workflow->row.id),
                       LOG_TEXT("kind", core_workflow_kind_name(workflow_core_kind(workflow->row.kind))),
                       LOG_TEXT("account", workflow->row.account_id), LOG_INT("chosen", workflow->row.chosen));
        workflow->state = WORKFLOW_RUNNING;
        workflow_core_make(workflow, NULL, 0);
        if (workflow->cancelled) {
            core_workflow_stop(workflow->core, CORE_WORKFLOW_CANCELLED);
        }
        workflow_pump(workflow);
    }
}

static void workflow_store(struct workflow *workflow, bool replaces) {
    const struct idempotency *idempotency = &workflow->idempotency;
    struct store_workflow_new new = {.workflow = workflow->row,
                                     .scope_since_ms =
                                         workflow->row.created_ms - idempotency_kept_ms(idempotency->kind),
                                     .replaces = replaces};
    if (idempotency->kind != IDEMPOTENCY_NONE) {
        new.scope_sha256 = idempotency->scope_sha256;
    }
    new.workflow.request = buf_str(&workflow->request_text);
    workflow->state = WORKFLOW_ADDING;
    workflow->asked_store++;
    store_workflow_add(workflow->all->calls->store, &new, on_added, workflow);
}

static void row_fill(struct workflow *workflow, const struct workflow_request *asked) {
    struct store_workflow *row = &workflow->row;
    (void)str_copy(row->key_id, sizeof(row->key_id), str_from(asked->identity->key_id));
    row->chosen = asked->asked->automatic;
    row->kind = workflow_stored_kind(
        row->chosen ? workflow_choose(asked->generation, asked->asked, workflow->context_length, &workflow->rates)
                    : asked->asked->kind);
    (void)str_copy(row->model, sizeof(row->model), asked->generation->model);
    task_copy(asked->generation, row->task, sizeof(row->task));
    row->max_steps = asked->asked->max_steps;
    row->max_cost_nano = asked->asked->max_cost_nano;
    (void)str_copy(row->conversation_id, sizeof(row->conversation_id), str_from(asked->conversation_id));
    row->created_ms = clock_wall_ms();
    row->request = row->answer = row->error = row->extra = STR("");
    memcpy(row->body_sha256, workflow->idempotency.body_sha256, sizeof(row->body_sha256));
}

static struct workflow *workflow_make(struct workflows *workflows, const struct workflow_request *asked,
                                      struct fault *fault) {
    char id[ID_SIZE];
    struct err err;
    id_make("wf_", clock_wall_ms(), id);
    struct workflow *workflow = workflow_new(workflows, asked->id != NULL ? asked->id : id, asked->identity->account_id,
                                             asked->identity->kind == STORE_KEY_TEST);
    workflow->identity = *asked->identity;
    workflow->context_length = models_context_length(workflows->calls, asked->generation->model);
    workflow->rates = counting_rates(workflows->calls, asked->generation->model, TOKENS_MOST);
    if (asked->idempotency != NULL) {
        workflow->idempotency = *asked->idempotency;
    }
    row_fill(workflow, asked);
    if (!workflow_request_write(asked, workflow->context_length, &workflow->rates, &workflow->request_text) ||
        !workflow_request_read(workflow, buf_str(&workflow->request_text), &err)) {
        fault_set_too_large(fault);
        workflow_drop(workflow);
        return NULL;
    }
    return workflow;
}

struct workflow *workflow_start(struct workflows *workflows, const struct workflow_request *asked,
                                const struct workflow_events *events, void *context, struct fault *fault) {
    struct workflow *workflow = asked->id != NULL ? workflow_find(workflows, asked->id) : NULL;
    *fault = (struct fault){.code = FAULT_INTERNAL};
    if (workflow != NULL && (workflow->events != NULL || workflow->cancelled)) {
        idempotency_set_running(fault);
        return NULL;
    }
    if (workflow == NULL) {
        if (!workflow_has_room(workflows, asked->identity, fault) ||
            (workflow = workflow_make(workflows, asked, fault)) == NULL) {
            return NULL;
        }
        workflow_store(workflow, workflow->idempotency.kind == IDEMPOTENCY_SDK_FIRST);
    }
    workflow->events = events;
    workflow->context = context;
    return workflow;
}

/* --- Cancel --- */

/* What runs is cancelled; then it ends as soon as the store has it. */
static void workflow_stop(struct workflow *workflow) {
    switch (workflow->state) {
    case WORKFLOW_ADDING:
    case WORKFLOW_READING:
        workflow->cancelled = true;
        break;
    case WORKFLOW_RUNNING:
        core_workflow_stop(workflow->core, CORE_WORKFLOW_CANCELLED);
        for (uint32_t i = 0; i < workflow->step_count; i++) {
            workflow_step_cancel(workflow->steps[i]);
        }
        break;
    case WORKFLOW_ENDING:
    case WORKFLOW_ENDED:
        break;
    }
}

void workflow_leave(struct workflow *workflow, bool cancel) {
    workflow->events = NULL;
    if (cancel) {
        workflow_stop(workflow);
        workflow_pump(workflow);
    }
}

struct cancelling {
    struct workflows *workflows;
    char id[STORE_ID_MAX];
    store_workflow_told *told;
    void *context;
};

static void on_cancelled(void *context, const struct store_workflow *stored, const struct store_step *steps,
                         size_t count, bool changed, const struct err *err) {
    struct cancelling *cancelling = context;
    struct workflow *workflow = workflow_find(cancelling->workflows, cancelling->id);
    if (changed && workflow != NULL && workflow->state == WORKFLOW_RUNNING) {
        struct fault fault;
        workflow_fault_cancelled(&fault);
        workflow_tell_failed(workflow, &fault);
        workflow_drop(workflow);
    } else if (workflow != NULL) { /* it ends by itself, if it was stopped */
        workflow_pump(workflow);
    }
    cancelling->told(cancelling->context, stored, steps, count, changed, err);
    free(cancelling);
}

void workflow_cancel(struct workflows *workflows, const struct auth_identity *identity, const char *id,
                     store_workflow_told *told, void *context) {
    struct cancelling *cancelling = MEM_NEW(struct cancelling);
    const bool test = identity->kind == STORE_KEY_TEST;
    struct workflow *workflow = workflow_find(workflows, id);
    cancelling->workflows = workflows;
    cancelling->told = told;
    cancelling->context = context;
    (void)str_copy(cancelling->id, sizeof(cancelling->id), str_from(id));
    if (workflow != NULL && workflow->row.test == test && strcmp(workflow->row.account_id, identity->account_id) == 0) {
        workflow_stop(workflow);
    }
    struct store_workflow_end end = {.test = test,
                                     .status = STORE_WORKFLOW_CANCELLED,
                                     .ended_ms = clock_wall_ms(),
                                     .text = STR(""),
                                     .error = STR(""),
                                     .extra = STR(""),
                                     .event = STR("")};
    (void)str_copy(end.id, sizeof(end.id), str_from(id));
    (void)str_copy(end.account_id, sizeof(end.account_id), str_from(identity->account_id));
    store_workflow_end(workflows->calls->store, &end, on_cancelled, cancelling);
}
