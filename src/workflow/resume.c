#include "workflow/resume.h"

#include "base/log.h"
#include "workflow/agent.h"
#include "workflow/budget.h"
#include "workflow/request.h"
#include "workflow/step.h"
#include "workflow/step_run.h"
#include "workflow/stored.h"
#include "workflow/tools.h"

/* Whether its first step is to be made by rule: as it was, where it has begun. */
static bool by_rule(const struct workflow *workflow, const struct store_step *steps, size_t count) {
    struct buf output;
    if (count > 0) {
        return steps[0].local;
    }
    buf_init(&output, WORKFLOW_OBSERVATION_BYTES);
    const bool rule = agent_rule(&workflow->request, &workflow->asked, &output);
    buf_clear(&output);
    return rule;
}

void workflow_core_make(struct workflow *workflow, const struct store_step *steps, size_t count) {
    const struct core_workflow_config config = {.kind = workflow_core_kind(workflow->row.kind),
                                                .max_steps = workflow->row.max_steps,
                                                .max_cost_nano = workflow->row.max_cost_nano,
                                                .by_rule = by_rule(workflow, steps, count),
                                                .reduce_tokens = budget_reduce_tokens(workflow->context_length)};
    workflow->core = core_workflow_new(&config);
}

static bool step_take(struct workflow *workflow, const struct store_step *stored) {
    struct core_workflow *core = workflow->core;
    if (stored->number >= core->step_count || core->steps[stored->number].state != CORE_STEP_READY ||
        workflow_stored_step_name(core->steps[stored->number].name) != stored->name) {
        return false;
    }
    struct workflow_step *step = workflow_step_get(workflow, stored->number);
    step->record = *stored;
    step->finish = !stored->local && stored->max_tokens > 0 && stored->completion_tokens >= stored->max_tokens
                       ? GEN_FINISH_LENGTH
                       : GEN_FINISH_STOP;
    (void)buf_append_str(&step->output, stored->output);
    step->record.output = buf_str(&step->output);
    workflow->outputs[stored->number] = step->record.output;
    core_workflow_restore(core, stored->number, stored->hold_nano);
    if (stored->scale == 0 && !stored->local) {
        workflow_step_take_old(step);
    }
    if (stored->name == STORE_STEP_CHUNK && stored->state == STORE_STEP_DONE) {
        return workflow_chunks_read(workflow->all->parser, stored->output, &workflow->chunks);
    }
    return true;
}

/* Each has its state again; those that run are only marked. False: the steps are not those of this workflow. */
static bool steps_take(struct workflow *workflow, const struct store_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (steps[i].state == STORE_STEP_READY) {
            continue;
        }
        if (!step_take(workflow, &steps[i])) {
            return false;
        }
        if (steps[i].state == STORE_STEP_DONE) {
            const struct core_step_result done = {.outcome = workflow_core_outcome(steps[i].outcome),
                                                  .cost_nano = steps[i].cost_nano,
                                                  .tokens = steps[i].completion_tokens,
                                                  .parts = workflow->chunks.count};
            struct workflow_step *step = workflow->steps[steps[i].number];
            workflow_step_check_cut(step);
            core_workflow_done(workflow->core, steps[i].number, &done);
        } else if (steps[i].state == STORE_STEP_FAILED) {
            core_workflow_failed(workflow->core, steps[i].number, steps[i].cost_nano);
        } else {
            workflow->steps[steps[i].number]->phase = STEP_WAITING;
        }
    }
    return true;
}

static void identity_make(struct workflow *workflow) {
    const struct auth_identity *identity;
    struct err err;
    if (auth_find_key(workflow->all->calls->auth, workflow->row.key_id, &identity, &err)) {
        workflow->identity = *identity;
    } /* else its next step finds the same, and it fails */
}

/* It cannot go on: its end says why. */
static void replay_fails(struct workflow *workflow, const char *why) {
    LOG_ERROR_EVENT("workflow.unreadable", LOG_TEXT("workflow", workflow->row.id), LOG_TEXT("error", why));
    fault_set(&workflow->fault, FAULT_INTERNAL, "The stored workflow cannot be read.");
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        workflow_step_cancel(workflow->steps[i]);
    }
    core_workflow_stop(workflow->core, CORE_WORKFLOW_FAILED);
}

void workflow_replay(struct workflow *workflow, const struct store_workflow *row, const struct store_step *steps,
                     size_t count) {
    struct err err = {.message = "its steps are not those of this workflow"};
    const bool fresh = workflow->request.message_count == 0;
    workflow->row = *row;
    workflow->row.request = workflow->row.answer = workflow->row.error = workflow->row.extra = STR("");
    identity_make(workflow);
    buf_clear(&workflow->request_text);
    if (!fresh) { /* a job's, read anew: the arena keeps both */
        workflow->turn = (struct workflow_turn){0};
    }
    const bool read = workflow_request_read(workflow, row->request, &err);
    workflow_core_make(workflow, steps, count);
    workflow->state = WORKFLOW_RUNNING;
    if (!read || !steps_take(workflow, steps, count)) {
        replay_fails(workflow, err.message);
    }
    if (workflow->cancelled) {
        core_workflow_stop(workflow->core, CORE_WORKFLOW_CANCELLED);
        for (uint32_t i = 0; i < workflow->step_count; i++) {
            workflow_step_cancel(workflow->steps[i]);
        }
    }
    LOG_INFO_EVENT("workflow.resume", LOG_TEXT("workflow", workflow->row.id), LOG_INT("steps", count));
    for (uint32_t i = 0; i < count && workflow->state == WORKFLOW_RUNNING && i < workflow->step_count; i++) {
        if (workflow->steps[i]->phase == STEP_WAITING && !workflow->all->calls->draining) {
            workflow_step_resume(workflow->steps[i]);
        }
    }
    workflow_pump(workflow);
}
