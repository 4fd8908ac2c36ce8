#include "core/workflow.h"

#include "base/mem.h"
#include "core/workflow_plan.h"

#include <assert.h>
#include <stdlib.h>

const char *core_workflow_kind_name(enum core_workflow_kind kind) {
    static const char *const names[CORE_WORKFLOW_KINDS] = {
        [CORE_WORKFLOW_RESEARCH] = "research",
        [CORE_WORKFLOW_CODE] = "code",
        [CORE_WORKFLOW_AGENT] = "agent",
        [CORE_WORKFLOW_MAP_REDUCE] = "map_reduce",
    };
    assert(kind < CORE_WORKFLOW_KINDS);
    return names[kind];
}

const char *core_workflow_status_name(enum core_workflow_status status) {
    static const char *const names[CORE_WORKFLOW_STATUSES] = {
        [CORE_WORKFLOW_RUNNING] = "RUNNING",
        [CORE_WORKFLOW_COMPLETED] = "COMPLETED",
        [CORE_WORKFLOW_FAILED] = "FAILED",
        [CORE_WORKFLOW_CANCELLED] = "CANCELLED",
        [CORE_WORKFLOW_BUDGET_EXCEEDED] = "BUDGET_EXCEEDED",
        [CORE_WORKFLOW_MAX_STEPS] = "MAX_STEPS",
        [CORE_WORKFLOW_NO_ANSWER] = "NO_ANSWER",
    };
    assert(status < CORE_WORKFLOW_STATUSES);
    return names[status];
}

const char *core_step_name_text(enum core_step_name name) {
    static const char *const names[CORE_STEP_NAMES] = {
        [CORE_STEP_RESEARCH] = "research",   [CORE_STEP_ANALYZE] = "analyze",
        [CORE_STEP_WRITE] = "write",         [CORE_STEP_PLAN] = "plan",
        [CORE_STEP_IMPLEMENT] = "implement", [CORE_STEP_REVIEW] = "review",
        [CORE_STEP_THINK] = "think",         [CORE_STEP_ACT] = "act",
        [CORE_STEP_CHUNK] = "chunk",         [CORE_STEP_MAP] = "map",
        [CORE_STEP_REDUCE] = "reduce",
    };
    assert(name < CORE_STEP_NAMES);
    return names[name];
}

struct core_workflow *core_workflow_new(const struct core_workflow_config *config) {
    struct core_workflow *workflow = MEM_NEW(struct core_workflow);
    workflow->config = *config;
    if (config->max_steps == 0) {
        workflow->config.max_steps = 1;
    } else if (config->max_steps > CORE_WORKFLOW_STEPS_MAX) {
        workflow->config.max_steps = CORE_WORKFLOW_STEPS_MAX;
    }
    core_workflow_plan_first(workflow);
    return workflow;
}

void core_workflow_free(struct core_workflow *workflow) {
    if (workflow != NULL) {
        free(workflow->steps);
        free(workflow);
    }
}

uint32_t core_workflow_next(const struct core_workflow *workflow) {
    if (workflow->ending != CORE_WORKFLOW_RUNNING || workflow->ready == 0) {
        return CORE_NO_STEP;
    }
    uint32_t step = 0;
    while (workflow->steps[step].state != CORE_STEP_READY) {
        step++;
    }
    return step;
}

/* ---- money: sums stay at the top of their type ---- */

static int64_t sum(int64_t a, int64_t b) {
    int64_t result = 0;
    return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

int64_t core_workflow_left_nano(const struct core_workflow *workflow) {
    if (workflow->config.max_cost_nano < 0) {
        return INT64_MAX;
    }
    int64_t taken = sum(workflow->spent_nano, workflow->held_nano);
    return taken < workflow->config.max_cost_nano ? workflow->config.max_cost_nano - taken : 0;
}

/* ---- the life of a step ---- */

static struct core_step *step_in(const struct core_workflow *workflow, uint32_t step, enum core_step_state state) {
    assert(step < workflow->step_count && workflow->steps[step].state == state);
    (void)state;
    return &workflow->steps[step];
}

bool core_workflow_begin(struct core_workflow *workflow, uint32_t step, int64_t hold_nano) {
    if (workflow->ending != CORE_WORKFLOW_RUNNING || hold_nano > core_workflow_left_nano(workflow)) {
        return false;
    }
    core_workflow_restore(workflow, step, hold_nano);
    return true;
}

void core_workflow_restore(struct core_workflow *workflow, uint32_t step, int64_t hold_nano) {
    struct core_step *it = step_in(workflow, step, CORE_STEP_READY);
    int64_t room = INT64_MAX - workflow->held_nano; /* what is held is given back exactly */
    it->hold_nano = hold_nano < 0 ? 0 : hold_nano > room ? room : hold_nano;
    it->state = CORE_STEP_RUNNING;
    workflow->held_nano += it->hold_nano;
    workflow->ready--;
    workflow->running++;
    workflow->executed += it->local ? 0 : 1;
}

static struct core_step *end_step(struct core_workflow *workflow, uint32_t step, enum core_step_state state,
                                  int64_t cost_nano) {
    struct core_step *it = step_in(workflow, step, CORE_STEP_RUNNING);
    workflow->held_nano -= it->hold_nano;
    workflow->running--;
    it->hold_nano = 0;
    it->cost_nano = cost_nano < 0 ? 0 : cost_nano;
    it->state = state;
    workflow->spent_nano = sum(workflow->spent_nano, it->cost_nano);
    return it;
}

void core_workflow_done(struct core_workflow *workflow, uint32_t step, const struct core_step_result *result) {
    struct core_step *it = end_step(workflow, step, CORE_STEP_DONE, result->cost_nano);
    it->outcome = result->outcome;
    it->tokens = result->tokens;
    if (workflow->ending == CORE_WORKFLOW_RUNNING) {
        core_workflow_plan_next(workflow, step, result->parts);
    }
}

void core_workflow_failed(struct core_workflow *workflow, uint32_t step, int64_t cost_nano) {
    end_step(workflow, step, CORE_STEP_FAILED, cost_nano);
    core_workflow_stop(workflow, CORE_WORKFLOW_FAILED);
}

void core_workflow_stop(struct core_workflow *workflow, enum core_workflow_status status) {
    assert(status != CORE_WORKFLOW_RUNNING && status < CORE_WORKFLOW_STATUSES);
    if (workflow->ending == CORE_WORKFLOW_RUNNING) {
        workflow->ending = status;
    }
}

enum core_workflow_status core_workflow_status(const struct core_workflow *workflow) {
    return workflow->running > 0 ? CORE_WORKFLOW_RUNNING : workflow->ending;
}

/* ---- what must hold ---- */

static const char *check_step(const struct core_workflow *workflow, uint32_t number) {
    const struct core_step *step = &workflow->steps[number];
    if (step->first_input > number || step->input_count > number - step->first_input) {
        return "a step reads a later one";
    }
    for (uint32_t i = 0; i < step->input_count; i++) {
        if (workflow->steps[step->first_input + i].state != CORE_STEP_DONE) {
            return "a step reads one that is not done";
        }
    }
    if (step->state != CORE_STEP_RUNNING && step->hold_nano != 0) {
        return "a hold for a step that does not run";
    }
    if (step->state == CORE_STEP_READY && step->cost_nano != 0) {
        return "a cost before the beginning";
    }
    return NULL;
}

static const char *check_sums(const struct core_workflow *workflow, const struct core_workflow *sums) {
    if (sums->ready != workflow->ready || sums->running != workflow->running) {
        return "steps by state are miscounted";
    }
    if (sums->executed != workflow->executed) {
        return "executed steps are miscounted";
    }
    if (sums->held_nano != workflow->held_nano || sums->spent_nano != workflow->spent_nano) {
        return "money is miscounted";
    }
    return NULL;
}

static const char *check_limits(const struct core_workflow *workflow, uint32_t generations) {
    int64_t cap = workflow->config.max_cost_nano;
    if (cap >= 0 && sum(workflow->spent_nano, workflow->held_nano) > cap) {
        return "the budget is exceeded";
    }
    if (generations > workflow->config.max_steps) {
        return "more steps than may be";
    }
    if (workflow->ending == CORE_WORKFLOW_RUNNING && workflow->ready == 0 && workflow->running == 0) {
        return "it neither goes on nor ends";
    }
    return NULL;
}

const char *core_workflow_check(const struct core_workflow *workflow) {
    struct core_workflow sums = {0};
    uint32_t generations = 0;
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        const struct core_step *step = &workflow->steps[i];
        const char *wrong = check_step(workflow, i);
        if (wrong != NULL) {
            return wrong;
        }
        generations += step->local ? 0 : 1;
        sums.ready += step->state == CORE_STEP_READY ? 1 : 0;
        sums.running += step->state == CORE_STEP_RUNNING ? 1 : 0;
        sums.executed += step->local || step->state == CORE_STEP_READY ? 0 : 1;
        sums.held_nano = sum(sums.held_nano, step->hold_nano);
        sums.spent_nano = sum(sums.spent_nano, step->cost_nano);
    }
    const char *wrong = check_sums(workflow, &sums);
    return wrong != NULL ? wrong : check_limits(workflow, generations);
}
