#include "workflow/step.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "workflow/stored.h"
#include "workflow/waits.h"

#include <string.h>

/* --- The steps --- */

struct workflow_step *workflow_step_get(struct workflow *workflow, uint32_t number) {
    while (workflow->step_count <= number) {
        struct workflow_step *step = MEM_NEW(struct workflow_step);
        const size_t count = workflow->step_count + 1;
        step->workflow = workflow;
        step->number = workflow->step_count;
        step->record.scale = 1;
        buf_init(&step->output, LIMIT_ANSWER_BYTES);
        workflow->steps = mem_realloc(workflow->steps, count * sizeof(struct workflow_step *));
        workflow->outputs = mem_realloc(workflow->outputs, count * sizeof(struct str));
        workflow->steps[workflow->step_count] = step;
        workflow->outputs[workflow->step_count] = STR("");
        workflow->step_count++;
    }
    return workflow->steps[number];
}

bool workflow_step_is_parked(const struct workflow_step *step) {
    return step->phase == STEP_WAITING || step->phase == STEP_UNSTORED;
}

void workflow_step_tell(const struct workflow_step *step) {
    const struct workflow *workflow = step->workflow;
    const struct workflow_progress progress = {.id = workflow->row.id,
                                               .kind = workflow_core_kind(workflow->row.kind),
                                               .step = workflow_step_core(step),
                                               .number = step->number,
                                               .steps_executed = workflow->core->executed,
                                               .cost_nano = workflow->core->spent_nano,
                                               .waits = workflow_step_waits(step)};
    if (workflow->events != NULL && workflow->events->on_step != NULL) {
        workflow->events->on_step(workflow->context, &progress);
    }
}

void workflow_step_wait(struct workflow_step *step, enum workflow_step_phase phase, uint64_t wait_ms) {
    step->phase = phase;
    patience_pause(&step->patience, loop_now_ms(workflow_step_calls(step)->loop), wait_ms);
    workflow_wait(step->workflow);
}

/* --- Its end --- */

void workflow_step_check_cut(const struct workflow_step *step) {
    const struct core_workflow *core = step->workflow->core;
    if (step->record.shrunk && step->finish == GEN_FINISH_LENGTH &&
        (core_workflow_is_last(core, step->number) || step->record.outcome == STORE_STEP_ANSWER)) {
        core_workflow_stop(step->workflow->core, CORE_WORKFLOW_BUDGET_EXCEEDED);
    }
}

static void on_end_stored(void *context, const struct err *err) {
    struct workflow_step *step = context;
    struct workflow *workflow = step->workflow;
    if (!workflow_answered(workflow)) {
        return;
    }
    if (step->phase != STEP_STORING) { /* it was cancelled */
        workflow_pump(workflow);
        return;
    }
    if (err != NULL && (err->code == ERR_UNAVAILABLE || err->code == ERR_IN_DOUBT)) { /* once more, which is safe */
        workflow_step_wait(step, STEP_UNSTORED, WORKFLOW_RETRY_MIN_MS);
        return;
    }
    if (err != NULL) {
        workflow_lost(workflow, err);
        return;
    }
    const struct store_step *record = &step->record;
    struct core_step_result result = {.outcome = workflow_core_outcome(record->outcome),
                                      .cost_nano = record->cost_nano,
                                      .tokens = record->completion_tokens,
                                      .parts = workflow->chunks.count};
    step->phase = STEP_IDLE;
    workflow_step_check_cut(step);
    core_workflow_done(workflow->core, step->number, &result);
    workflow_step_tell(step);
    workflow_pump(workflow);
}

void workflow_step_store_end(struct workflow_step *step) {
    struct workflow *workflow = step->workflow;
    uint8_t scope[DIGEST_SHA256_SIZE];
    const bool kept = !step->record.local && !workflow->row.test;
    run_scope(step->record.run_id, scope);
    step->phase = STEP_STORING;
    workflow->asked_store++;
    store_step_put(workflow_step_calls(step)->store, workflow->row.id, &step->record, kept ? scope : NULL,
                   on_end_stored, step);
}

/* Its output is there. */
void workflow_step_ends(struct workflow_step *step) {
    struct workflow *workflow = step->workflow;
    step->record.state = STORE_STEP_DONE;
    step->record.ended_ms = clock_wall_ms();
    step->record.output = buf_str(&step->output);
    workflow->outputs[step->number] = step->record.output;
    workflow_step_store_end(step);
}

static void on_failed_stored(void *context, const struct err *err) {
    (void)context;
    (void)err;
}

/* It is told to the store without waiting: the end of the workflow follows, and says the same. */
static void store_failed(struct workflow_step *step) {
    step->record.state = STORE_STEP_FAILED;
    step->record.ended_ms = clock_wall_ms();
    step->record.output = STR("");
    store_step_put(workflow_step_calls(step)->store, step->workflow->row.id, &step->record, NULL, on_failed_stored,
                   NULL);
}

void workflow_step_cancel(struct workflow_step *step) {
    switch (step->phase) {
    case STEP_IDLE:
    case STEP_STORING: /* its output was paid for, and is told */
        return;
    case STEP_UNDER_WAY:
        run_cancel(step->run);
        step->run = NULL;
        break;
    case STEP_BEGINNING:
    case STEP_READING:
    case STEP_WAITING:
    case STEP_UNSTORED:
        break;
    }
    step->phase = STEP_IDLE;
    store_failed(step);
    core_workflow_failed(step->workflow->core, step->number, 0);
}

/* The others that run may end: they are paid for. Those that wait need not begin any more. */
void workflow_step_fails(struct workflow_step *step, const struct fault *fault) {
    struct workflow *workflow = step->workflow;
    if (workflow->fault.message[0] == '\0') {
        workflow->fault = *fault;
    }
    step->phase = STEP_IDLE;
    store_failed(step);
    core_workflow_failed(workflow->core, step->number, 0);
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        if (workflow->steps[i]->phase == STEP_WAITING) {
            workflow_step_cancel(workflow->steps[i]);
        }
    }
    workflow_step_tell(step);
    workflow_pump(workflow);
}

bool workflow_step_is_due(const struct workflow_step *step) {
    const struct calls *calls = workflow_step_calls(step);
    if (step->phase != STEP_UNSTORED && calls_disk_is_low(calls)) {
        return false; /* what has ended is stored in any case */
    }
    return workflow_step_is_parked(step) && !workflow_step_calls(step)->draining &&
           patience_is_due(&step->patience, workflow_step_calls(step), str_from(step->workflow->row.model));
}
