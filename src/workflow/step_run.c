#include "workflow/step_run.h"

#include "base/clock.h"
#include "store/quota.h"
#include "workflow/act.h"
#include "workflow/budget.h"
#include "workflow/compose.h"
#include "workflow/meaning.h"
#include "workflow/step.h"
#include "workflow/stored.h"

/* --- Its run --- */

static void on_begun(void *context) {
    struct workflow_step *step = context;
    step->begun = true;
}

static void on_text(void *context, struct str text) {
    struct workflow_step *step = context;
    struct workflow *workflow = step->workflow;
    step->streamed = true;
    if (workflow->events != NULL) {
        workflow->events->on_text(workflow->context, text);
    }
}

static void on_end(void *context, const struct answer *answer) {
    struct workflow_step *step = context;
    struct workflow *workflow = step->workflow;
    const struct workflow_scene scene = workflow_scene_of(workflow, step->record.scale);
    struct store_step *record = &step->record;
    step->run = NULL;
    buf_reset(&step->output);
    (void)buf_append_str(&step->output, answer->text); /* a run's text has the same limit */
    record->outcome =
        workflow_stored_outcome(workflow_step_meaning(&scene, step->number, buf_str(&step->output)).outcome);
    record->prompt_tokens = answer->result->usage.prompt_tokens;
    record->completion_tokens = answer->result->usage.completion_tokens;
    record->cost_nano = answer->result->cost_nano;
    (void)str_copy(record->provider_id, sizeof(record->provider_id), str_from(answer->result->provider_id));
    step->cached_tokens = answer->result->usage.cached_tokens;
    step->finish = answer->result->finish;
    workflow_step_ends(step);
}

/* Whether time may heal it; then the patience says when it is tried again. */
static bool passes(struct workflow_step *step, const struct fault *fault) {
    const struct patience_terms terms = {.tries_max = WORKFLOWS_STEP_TRIES_MAX,
                                         .refusals_ms = step->workflow->events != NULL ? WORKFLOWS_WAIT_MAX_MS
                                                                                       : WORKFLOWS_WAIT_ALONE_MS};
    if (fault->code == FAULT_NO_MATCHING_PROVIDER && step->workflow->events != NULL) {
        return false; /* a client that waits is told at once, as without a workflow */
    }
    return !step->streamed && patience_after(&step->patience, &terms, fault,
                                             loop_now_ms(workflow_step_calls(step)->loop)) != PATIENCE_OVER;
}

static bool compose(struct workflow_step *step, struct arena *arena, struct gen_request *out);

/* The device's tokens are shorter than was thought: less of the inputs. What it may cost stays within its hold. */
static bool compose_smaller(struct workflow_step *step) {
    struct gen_request generation;
    struct arena arena;
    arena_init(&arena, WORKFLOW_ARENA_BYTES);
    step->record.scale *= 2;
    const bool composed = compose(step, &arena, &generation) &&
                          run_cost_enough(workflow_step_calls(step), &generation) <= step->record.hold_nano;
    if (composed) {
        workflow_prompt_digest(&generation, step->record.prompt_sha256);
    }
    arena_clear(&arena);
    return composed;
}

static void on_failed(void *context, const struct fault *fault) {
    struct workflow_step *step = context;
    step->run = NULL;
    step->again = true;
    if (workflow_step_calls(step)->draining && fault->code == FAULT_UNAVAILABLE) {
        step->phase = STEP_WAITING; /* the next gateway goes on with it */
        workflow_pump(step->workflow);
    } else if (fault->code == FAULT_CONTEXT_LENGTH && !step->streamed && step->record.scale < WORKFLOW_SCALE_MAX &&
               compose_smaller(step)) {
        workflow_step_store_begin(step);
    } else if (passes(step, fault)) {
        step->phase = STEP_WAITING;
        workflow_wait(step->workflow);
        workflow_step_tell(step); /* its waiter may leave in there, which cancels the step */
    } else {
        workflow_step_fails(step, fault);
    }
}

static const struct run_events whole_events = {.on_begun = on_begun, .on_end = on_end, .on_failed = on_failed};
static const struct run_events stream_events = {
    .on_begun = on_begun, .on_text = on_text, .on_end = on_end, .on_failed = on_failed};

/* A think says "Answer:" before its answer: its text is not the answer as it comes. */
static bool may_stream(const struct workflow_step *step) {
    const struct workflow *workflow = step->workflow;
    return workflow->events != NULL && workflow->events->on_text != NULL &&
           workflow_step_core(step)->name != CORE_STEP_THINK && core_workflow_is_last(workflow->core, step->number);
}

/* As it was stored: with what it may say then. */
static bool compose(struct workflow_step *step, struct arena *arena, struct gen_request *out) {
    const struct workflow_scene scene = workflow_scene_of(step->workflow, step->record.scale);
    if (!workflow_step_compose(&scene, step->number, arena, out)) {
        return false;
    }
    out->model = str_from(step->workflow->row.model);
    if (step->record.max_tokens > 0 && step->record.max_tokens < out->max_tokens) {
        out->max_tokens = step->record.max_tokens;
    }
    return true;
}

static bool key_is_good(const struct workflow *workflow, struct fault *fault) {
    const struct auth_identity *identity;
    struct err err;
    if (auth_find_key(workflow->all->calls->auth, workflow->row.key_id, &identity, &err)) {
        return true;
    }
    fault_from_err(fault, &err);
    return false;
}

static void step_run(struct workflow_step *step) {
    struct workflow *workflow = step->workflow;
    struct gen_request generation;
    struct fault fault;
    struct arena arena;
    arena_init(&arena, WORKFLOW_ARENA_BYTES);
    if (!key_is_good(workflow, &fault)) {
        workflow_step_fails(step, &fault);
    } else if (!compose(step, &arena, &generation)) {
        fault_set_too_large(&fault);
        workflow_step_fails(step, &fault);
    } else {
        const struct run_request asked = {.id = step->record.run_id,
                                          .purpose = RUN_STEP,
                                          .kind = STORE_GENERATION_CHAT,
                                          .identity = &workflow->identity,
                                          .generation = &generation,
                                          .label = workflow->label,
                                          .region = workflow->region,
                                          .verified = workflow->verified,
                                          .keep = true,
                                          .again = step->again,
                                          .cost_max_nano = step->record.hold_nano};
        step->phase = STEP_UNDER_WAY;
        step->begun = false;
        step->run =
            run_start(workflow_step_calls(step), &asked, may_stream(step) ? &stream_events : &whole_events, step);
    }
    arena_clear(&arena);
}

/* --- Its beginning --- */

static void on_begin_stored(void *context, const struct err *err) {
    struct workflow_step *step = context;
    struct workflow *workflow = step->workflow;
    struct fault fault;
    if (!workflow_answered(workflow)) {
        return;
    }
    if (step->phase != STEP_BEGINNING) { /* it was cancelled */
        workflow_pump(workflow);
    } else if (err != NULL &&
               (err->code == ERR_UNAVAILABLE || err->code == ERR_IN_DOUBT)) { /* once more, which is safe */
        workflow_step_wait(step, STEP_WAITING, WORKFLOW_RETRY_MIN_MS);
    } else if (err != NULL && store_quota_is_past(err)) { /* what it has made so far is all that it may */
        fault_from_err(&fault, err);
        workflow_step_fails(step, &fault);
    } else if (err != NULL) {
        workflow_lost(workflow, err);
    } else if (workflow_step_calls(step)->draining) {
        step->phase = STEP_WAITING;
        workflow_pump(workflow);
    } else {
        if (step->patience.tries == 0 && step->patience.since_ms == 0) {
            workflow_step_tell(step); /* its waiter may leave in there, which cancels the step */
        }
        if (step->phase == STEP_BEGINNING) {
            step_run(step);
        }
    }
}

void workflow_step_store_begin(struct workflow_step *step) {
    step->phase = STEP_BEGINNING;
    step->workflow->asked_store++;
    store_step_put(workflow_step_calls(step)->store, step->workflow->row.id, &step->record, NULL, on_begin_stored,
                   step);
}

static void record_fill(struct workflow_step *step) {
    const struct core_step *core = workflow_step_core(step);
    step->record = (struct store_step){.number = step->number,
                                       .name = workflow_stored_step_name(core->name),
                                       .state = STORE_STEP_RUNNING,
                                       .local = core->local,
                                       .round = core->round,
                                       .part = core->part,
                                       .scale = 1,
                                       .started_ms = clock_wall_ms(),
                                       .output = STR("")};
    step->finish = GEN_FINISH_STOP;
}

/* The most that it may cost, within what is left of the budget: where that is too little, what is enough for its
 * prompt; and where that is too little for all of its answer, less of it; but not as long as others run, which may
 * leave some of what is held for them. False: it does not begin. */
static bool hold(struct workflow_step *step, struct gen_request *generation) {
    struct core_workflow *core = step->workflow->core;
    const uint32_t least =
        generation->max_tokens < WORKFLOW_ANSWER_TOKENS_MIN ? generation->max_tokens : WORKFLOW_ANSWER_TOKENS_MIN;
    const int64_t left = core_workflow_left_nano(core);
    const struct calls *calls = workflow_step_calls(step);
    int64_t cost = run_cost_max(generation);
    cost = cost > left ? run_cost_enough(calls, generation) : cost;
    if (cost > left && core->running > 0) {
        return false;
    }
    if (cost > left) {
        const uint32_t asked = generation->max_tokens;
        generation->max_tokens = 0;
        const int64_t prompt_nano = run_cost_enough(calls, generation);
        const int64_t token_nano = (cost - prompt_nano) / (asked > 0 ? asked : 1);
        const int64_t tokens = token_nano > 0 ? (left - prompt_nano) / token_nano : 0;
        if (left < prompt_nano || tokens < least || tokens <= 0) {
            core_workflow_stop(core, CORE_WORKFLOW_BUDGET_EXCEEDED);
            return false;
        }
        generation->max_tokens = (uint32_t)tokens;
        cost = prompt_nano + tokens * token_nano;
        step->record.shrunk = true;
    }
    if (!core_workflow_begin(core, step->number, cost)) {
        core_workflow_stop(core, CORE_WORKFLOW_BUDGET_EXCEEDED);
        return false;
    }
    step->record.hold_nano = cost;
    step->record.max_tokens = generation->max_tokens;
    return true;
}

static void refuse(struct workflow *workflow, const struct fault *fault) {
    if (workflow->fault.message[0] == '\0') {
        workflow->fault = *fault;
    }
    core_workflow_stop(workflow->core, CORE_WORKFLOW_FAILED);
}

static bool begin_generation(struct workflow_step *step) {
    struct workflow *workflow = step->workflow;
    struct gen_request generation;
    struct fault fault;
    struct arena arena;
    bool begun = false;
    arena_init(&arena, WORKFLOW_ARENA_BYTES);
    if (!key_is_good(workflow, &fault)) {
        refuse(workflow, &fault);
    } else if (!compose(step, &arena, &generation)) {
        fault_set_too_large(&fault);
        refuse(workflow, &fault);
    } else if (hold(step, &generation)) {
        workflow_prompt_digest(&generation, step->record.prompt_sha256);
        run_id_make(RUN_STEP, step->record.run_id);
        workflow_step_store_begin(step);
        begun = true;
    }
    arena_clear(&arena);
    return begun;
}

bool workflow_step_begin(struct workflow *workflow, uint32_t number) {
    struct workflow_step *step = workflow_step_get(workflow, number);
    record_fill(step);
    if (!workflow_step_core(step)->local) {
        return begin_generation(step);
    }
    if (!core_workflow_begin(workflow->core, number, 0)) {
        return false;
    }
    workflow_step_local(step);
    return true;
}

/* --- Again --- */

/* As at first. If that does not fit a device, it says so again, and the prompt is made smaller as it was then. */
void workflow_step_take_old(struct workflow_step *step) {
    struct store_step *record = &step->record;
    const struct workflow_scene scene = workflow_scene_of(step->workflow, 1);
    struct gen_request generation;
    struct arena arena;
    arena_init(&arena, WORKFLOW_ARENA_BYTES);
    record->scale = 1;
    if (workflow_step_compose(&scene, step->number, &arena, &generation)) {
        record->shrunk = record->max_tokens < generation.max_tokens;
    }
    arena_clear(&arena);
    if (record->state == STORE_STEP_RUNNING && compose(step, &arena, &generation)) {
        workflow_prompt_digest(&generation, record->prompt_sha256);
    }
    arena_clear(&arena);
}

void workflow_step_resume(struct workflow_step *step) {
    if (step->record.local) {
        workflow_step_local(step);
        return;
    }
    step->again = true;
    step_run(step);
}
