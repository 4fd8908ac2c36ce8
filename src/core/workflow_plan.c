#include "core/workflow_plan.h"

#include "base/mem.h"

#include <assert.h>

enum { CODE_ROUNDS = 2 }; /* faults send it back once */

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void add(struct core_workflow *workflow, struct core_step step) {
    if (workflow->step_count == workflow->step_capacity) {
        workflow->step_capacity = workflow->step_capacity == 0 ? 8 : 2 * workflow->step_capacity;
        workflow->steps = mem_realloc(workflow->steps, workflow->step_capacity * sizeof(*workflow->steps));
    }
    step.state = CORE_STEP_READY;
    step.local = step.name == CORE_STEP_CHUNK || step.name == CORE_STEP_ACT ||
                 (step.name == CORE_STEP_THINK && workflow->config.by_rule && workflow->step_count == 0);
    workflow->steps[workflow->step_count++] = step;
    workflow->ready++;
}

/* A generation that follows, once those before it are all DONE. Where no step is left for it, the workflow ends. */
static void add_next(struct core_workflow *workflow, enum core_step_name name, uint32_t round, uint32_t first_input,
                     uint32_t input_count) {
    if (workflow->executed >= workflow->config.max_steps) {
        workflow->ending = CORE_WORKFLOW_MAX_STEPS;
        return;
    }
    add(workflow,
        (struct core_step){.name = name, .round = round, .first_input = first_input, .input_count = input_count});
}

void core_workflow_plan_first(struct core_workflow *workflow) {
    static const enum core_step_name first[CORE_WORKFLOW_KINDS] = {
        [CORE_WORKFLOW_RESEARCH] = CORE_STEP_RESEARCH,
        [CORE_WORKFLOW_CODE] = CORE_STEP_PLAN,
        [CORE_WORKFLOW_AGENT] = CORE_STEP_THINK,
        [CORE_WORKFLOW_MAP_REDUCE] = CORE_STEP_CHUNK,
    };
    add(workflow, (struct core_step){.name = first[workflow->config.kind], .round = 1});
}

/* ---- one step after the other ---- */

static void plan_after_implement(struct core_workflow *workflow, uint32_t step) {
    uint32_t round = workflow->steps[step].round;
    if (round == CODE_ROUNDS) {
        workflow->ending = CORE_WORKFLOW_COMPLETED;
    } else {
        add_next(workflow, CORE_STEP_REVIEW, round, step, 1);
    }
}

static void plan_after_review(struct core_workflow *workflow, uint32_t step) {
    if (workflow->steps[step].outcome == CORE_OUTCOME_FAULTS) {
        add_next(workflow, CORE_STEP_IMPLEMENT, workflow->steps[step].round + 1, step - 1, 2);
    } else {
        workflow->ending = CORE_WORKFLOW_COMPLETED;
    }
}

static bool echoed_before(const struct core_workflow *workflow, uint32_t step) {
    for (uint32_t i = 0; i < step; i++) {
        if (workflow->steps[i].outcome == CORE_OUTCOME_ECHO) {
            return true;
        }
    }
    return false;
}

/* An action that no think could look at any more is not done. */
static void plan_after_think(struct core_workflow *workflow, uint32_t step) {
    const struct core_step *think = &workflow->steps[step];
    switch (think->outcome) {
    case CORE_OUTCOME_ACTION:
        add_next(workflow, CORE_STEP_ACT, think->round, step, 1);
        break;
    case CORE_OUTCOME_ECHO:
        if (echoed_before(workflow, step) || workflow->executed >= workflow->config.max_steps) {
            workflow->ending = workflow->config.by_rule ? CORE_WORKFLOW_COMPLETED : CORE_WORKFLOW_NO_ANSWER;
        } else {
            add_next(workflow, CORE_STEP_THINK, think->round + 1, 0, step + 1);
        }
        break;
    case CORE_OUTCOME_LOOP:
        workflow->ending = CORE_WORKFLOW_NO_ANSWER;
        break;
    case CORE_OUTCOME_TEXT:
    case CORE_OUTCOME_APPROVED:
    case CORE_OUTCOME_FAULTS:
    case CORE_OUTCOME_ANSWER:
    case CORE_OUTCOME_CALL:
    case CORE_OUTCOMES:
        workflow->ending = CORE_WORKFLOW_COMPLETED;
        break;
    }
}

/* ---- map and reduce ---- */

static void plan_maps(struct core_workflow *workflow, uint32_t step, uint32_t parts) {
    uint32_t limit = workflow->config.max_steps;
    workflow->parts = parts == 0 ? 1 : least(parts, CORE_WORKFLOW_PARTS_MAX);
    uint32_t maps = least(workflow->parts, limit > 1 ? limit - 1 : 1);
    workflow->part_cut = maps < workflow->parts;
    for (uint32_t part = 0; part < maps; part++) {
        add(workflow,
            (struct core_step){.name = CORE_STEP_MAP, .round = 1, .part = part, .first_input = step, .input_count = 1});
    }
}

/* Steps from `first` on that lie side by side and are of the same level: all maps, or all reduces of one round. */
static uint32_t level_count(const struct core_workflow *workflow, uint32_t first) {
    const struct core_step *steps = workflow->steps;
    uint32_t end = first;
    while (end < workflow->step_count && steps[end].name == steps[first].name &&
           steps[end].round == steps[first].round) {
        end++;
    }
    return end - first;
}

/* How many of `count` outputs from `first` on the next reduce reads. */
static uint32_t group_count(const struct core_workflow *workflow, uint32_t first, uint32_t count) {
    uint64_t tokens = 0;
    uint32_t size = 0;
    while (size < count) {
        tokens += workflow->steps[first + size].tokens;
        if (size >= 2 && tokens > workflow->config.reduce_tokens) {
            break;
        }
        size++;
    }
    if (count - size != 1) {
        return size;
    }
    return size > 2 ? size - 1 : count; /* none is left alone */
}

static uint32_t groups_of_level(const struct core_workflow *workflow, uint32_t first, uint32_t count) {
    uint32_t groups = 0;
    for (uint32_t taken = 0; taken < count; groups++) {
        taken += group_count(workflow, first + taken, count - taken);
    }
    return groups;
}

/* Every group has two steps at least, so that levels get shorter; and a level of several reduces leaves a step for the
 * next. */
static void plan_level(struct core_workflow *workflow, uint32_t first, uint32_t count, uint32_t round) {
    uint32_t left = workflow->config.max_steps - workflow->executed;
    if (left == 0) {
        workflow->ending = CORE_WORKFLOW_MAX_STEPS;
        return;
    }
    uint32_t groups = groups_of_level(workflow, first, count);
    bool squeezed = groups > 1 && groups >= left;
    workflow->part_cut = workflow->part_cut || squeezed;
    uint32_t part = 0;
    for (uint32_t taken = 0; taken < count; part++) {
        uint32_t size = squeezed ? count : group_count(workflow, first + taken, count - taken);
        add(workflow, (struct core_step){.name = CORE_STEP_REDUCE,
                                         .round = round,
                                         .part = part,
                                         .first_input = first + taken,
                                         .input_count = size});
        taken += size;
    }
}

/* The first step of the level that `step` is in: its parts are counted from 0 without a gap. */
static uint32_t level_first(const struct core_workflow *workflow, uint32_t step) {
    return step - workflow->steps[step].part;
}

static void plan_after_part(struct core_workflow *workflow, uint32_t step) {
    if (workflow->ready > 0 || workflow->running > 0) {
        return;
    }
    bool maps = workflow->steps[step].name == CORE_STEP_MAP;
    uint32_t first = level_first(workflow, step);
    uint32_t count = level_count(workflow, first);
    if (!maps && count == 1) {
        workflow->ending = workflow->part_cut ? CORE_WORKFLOW_MAX_STEPS : CORE_WORKFLOW_COMPLETED;
    } else {
        plan_level(workflow, first, count, maps ? 1 : workflow->steps[step].round + 1);
    }
}

/* ---- */

void core_workflow_plan_next(struct core_workflow *workflow, uint32_t step, uint32_t parts) {
    uint32_t round = workflow->steps[step].round;
    switch (workflow->steps[step].name) {
    case CORE_STEP_RESEARCH:
        add_next(workflow, CORE_STEP_ANALYZE, 1, step, 1);
        break;
    case CORE_STEP_ANALYZE:
        add_next(workflow, CORE_STEP_WRITE, 1, step - 1, 2);
        break;
    case CORE_STEP_WRITE:
        workflow->ending = CORE_WORKFLOW_COMPLETED;
        break;
    case CORE_STEP_PLAN:
        add_next(workflow, CORE_STEP_IMPLEMENT, 1, step, 1);
        break;
    case CORE_STEP_IMPLEMENT:
        plan_after_implement(workflow, step);
        break;
    case CORE_STEP_REVIEW:
        plan_after_review(workflow, step);
        break;
    case CORE_STEP_THINK:
        plan_after_think(workflow, step);
        break;
    case CORE_STEP_ACT:
        add_next(workflow, CORE_STEP_THINK, round + 1, 0, step + 1);
        break;
    case CORE_STEP_CHUNK:
        plan_maps(workflow, step, parts);
        break;
    case CORE_STEP_MAP:
    case CORE_STEP_REDUCE:
        plan_after_part(workflow, step);
        break;
    case CORE_STEP_NAMES:
        assert(false);
    }
}

bool core_workflow_is_last(const struct core_workflow *workflow, uint32_t step) {
    const struct core_step *it = &workflow->steps[step];
    switch (it->name) {
    case CORE_STEP_RESEARCH:
    case CORE_STEP_ANALYZE:
    case CORE_STEP_PLAN:
        return step + 1 == workflow->config.max_steps;
    case CORE_STEP_WRITE:
        return true;
    case CORE_STEP_IMPLEMENT:
        return it->round == CODE_ROUNDS || step + 1 == workflow->config.max_steps;
    case CORE_STEP_MAP:
        return workflow->config.max_steps == 1;
    case CORE_STEP_REDUCE:
        return level_count(workflow, level_first(workflow, step)) == 1;
    case CORE_STEP_REVIEW:
    case CORE_STEP_THINK:
    case CORE_STEP_ACT:
    case CORE_STEP_CHUNK:
    case CORE_STEP_NAMES:
        break;
    }
    return false;
}

/* ---- the best answer that there is ---- */

static void answer_last(const struct core_workflow *workflow, enum core_step_name name, uint32_t *first,
                        uint32_t *count) {
    for (uint32_t i = workflow->step_count; i > 0 && *count == 0; i--) {
        const struct core_step *step = &workflow->steps[i - 1];
        if (step->state == CORE_STEP_DONE && (name == CORE_STEP_NAMES || step->name == name)) {
            *first = i - 1;
            *count = 1;
        }
    }
}

/* The most DONE steps side by side, of `size` from `begin` on. */
static void answer_run(const struct core_workflow *workflow, uint32_t begin, uint32_t size, uint32_t *first,
                       uint32_t *count) {
    uint32_t length = 0;
    for (uint32_t i = begin; i < begin + size; i++) {
        length = workflow->steps[i].state == CORE_STEP_DONE ? length + 1 : 0;
        if (length > *count) {
            *first = i + 1 - length;
            *count = length;
        }
    }
}

static void answer_level(const struct core_workflow *workflow, uint32_t *first, uint32_t *count) {
    uint32_t begin = 1; /* behind the chunk step */
    while (begin < workflow->step_count) {
        uint32_t size = level_count(workflow, begin);
        uint32_t run_first = 0;
        uint32_t run_count = 0;
        answer_run(workflow, begin, size, &run_first, &run_count);
        if (begin == 1 || run_count == size) {
            *first = run_first;
            *count = run_count;
        }
        begin += size;
    }
}

void core_workflow_answer(const struct core_workflow *workflow, uint32_t *first, uint32_t *count) {
    *first = 0;
    *count = 0;
    switch (workflow->config.kind) {
    case CORE_WORKFLOW_RESEARCH:
        answer_last(workflow, CORE_STEP_NAMES, first, count);
        break;
    case CORE_WORKFLOW_CODE:
        answer_last(workflow, CORE_STEP_IMPLEMENT, first, count);
        answer_last(workflow, CORE_STEP_PLAN, first, count);
        break;
    case CORE_WORKFLOW_AGENT:
        answer_last(workflow, CORE_STEP_THINK, first, count);
        break;
    case CORE_WORKFLOW_MAP_REDUCE:
        answer_level(workflow, first, count);
        break;
    case CORE_WORKFLOW_KINDS:
        assert(false);
    }
}

/* ---- for an estimate ---- */

uint32_t core_workflow_outline(const struct core_workflow_config *config, uint32_t parts, uint32_t part_tokens,
                               struct core_step *steps, uint32_t capacity) {
    struct core_workflow *workflow = core_workflow_new(config);
    workflow->config.max_steps = UINT32_MAX;
    workflow->config.max_cost_nano = -1;
    /* TEXT from everyone: a review approves, a think answers. */
    const struct core_step_result result = {.outcome = CORE_OUTCOME_TEXT, .tokens = part_tokens, .parts = parts};
    uint32_t count = 0;
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        if (!workflow->steps[i].local && count++ < capacity) {
            steps[count - 1] = workflow->steps[i];
        }
        core_workflow_restore(workflow, i, 0);
        core_workflow_done(workflow, i, &result);
    }
    core_workflow_free(workflow);
    return count;
}
