#include "workflow/estimate.h"

#include "call/counting.h"
#include "call/models.h"
#include "call/price.h"
#include "workflow/budget.h"
#include "workflow/compose.h"
#include "workflow/stored.h"
#include "workflow/task.h"

#include <string.h>

enum {
    SAMPLES_MIN = 5,               /* of a step's name, before its history is believed */
    OUTPUT_BYTES = 512,            /* of a step, as long as nobody knows */
    LOW_PERCENT = 70,              /* of what is likely: text that is easy on the tokenizer */
    ARENA_BYTES = 8 * 1024 * 1024, /* of one prompt */
    STEPS_MAX = 2 * CORE_WORKFLOW_PARTS_MAX + CORE_WORKFLOW_STEPS_MAX, /* planned, not run */
};

/* --- The play --- */

struct play {
    struct estimate *estimate;
    struct core_workflow *workflow;
    struct workflow_scene scene;
    struct tokens_rates likely; /* those of the scene have a margin */
    struct str *outputs;
    uint32_t prompt_max; /* of any prompt: what the largest device can read; UINT32_MAX when nobody knows */
    /* Of the prompt that was made last, for the steps like it. */
    bool known;
    enum core_step_name name;
    uint32_t input_count;
    bool last;
    struct estimate_range prompt, completion;
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void range_order(struct estimate_range *range) {
    range->likely = least(range->likely, range->high);
    range->low = least(range->low, range->likely);
}

void estimate_range_add(struct estimate_range *sum, const struct estimate_range *range) {
    sum->low += range->low;
    sum->likely += range->likely;
    sum->high += range->high;
}

/* More than the prompt of this step can have, whatever the outputs are that it reads. */
static int64_t prompt_bound(const struct play *play, const struct core_step *step, const struct gen_request *made) {
    const struct workflow_scene *scene = &play->scene;
    const int64_t bytes = price_prompt_tokens_max(made);
    const int64_t fitted = scene->context_length; /* what is longer is refused, and made again */
    int64_t bound = bytes;
    if (step->name == CORE_STEP_MAP) { /* other chunks may be longer than this one */
        const struct str chunk = workflow_chunk(task_document(scene->request), &scene->chunks, step->part);
        bound += (int64_t)scene->chunks.bytes - (int64_t)chunk.len;
    } else if (step->input_count > 0 && fitted > bytes) {
        bound = fitted;
    }
    return least(bound, play->prompt_max);
}

static void measure(struct play *play, const struct core_step *step, const struct gen_request *made) {
    const int64_t likely = counting_request_tokens(&play->likely, made);
    play->prompt = (struct estimate_range){
        .low = likely * LOW_PERCENT / 100 + 1, .likely = likely, .high = prompt_bound(play, step, made)};
    play->completion = (struct estimate_range){
        .low = made->max_tokens / 8 + 1, .likely = made->max_tokens / 2 + 1, .high = made->max_tokens};
    range_order(&play->prompt);
    range_order(&play->completion);
}

/* A step that generates: its prompt is made unless it is like that of the one before. False: it is too large. */
static bool play_generation(struct play *play, uint32_t number) {
    const struct core_step *step = &play->workflow->steps[number];
    struct estimate_group *group = &play->estimate->groups[step->name];
    const bool last = core_workflow_is_last(play->workflow, number);
    bool made = true;
    if (!play->known || play->name != step->name || play->input_count != step->input_count || play->last != last) {
        struct gen_request generation;
        struct arena arena;
        arena_init(&arena, ARENA_BYTES);
        made = workflow_step_compose(&play->scene, number, &arena, &generation);
        if (made) {
            measure(play, step, &generation);
        }
        arena_clear(&arena);
        play->known = true;
        play->name = step->name;
        play->input_count = step->input_count;
        play->last = last;
    }
    group->count++;
    estimate_range_add(&group->prompt, &play->prompt);
    estimate_range_add(&group->completion, &play->completion);
    return made;
}

/* Every output is as long as it may be where that makes more steps (of reduce), and says nothing: a review approves, a
 * think answers. */
static bool play_all(struct play *play) {
    bool made = true;
    for (uint32_t number; made && (number = core_workflow_next(play->workflow)) != CORE_NO_STEP;) {
        const struct core_step *step = &play->workflow->steps[number];
        struct core_step_result result = {.outcome = CORE_OUTCOME_TEXT, .parts = 1};
        if (number >= STEPS_MAX || !core_workflow_begin(play->workflow, number, 0)) {
            break;
        }
        if (step->name == CORE_STEP_CHUNK) {
            play->scene.chunks =
                workflow_chunks_plan(play->scene.request, play->scene.context_length, &play->scene.rates);
            result.parts = play->scene.chunks.count;
        }
        if (!step->local) {
            made = play_generation(play, number);
            result.tokens = (uint32_t)play->completion.high;
        }
        core_workflow_done(play->workflow, number, &result);
    }
    return made;
}

bool estimate_play(const struct calls *calls, struct estimate *estimate, struct arena *arena) {
    struct gen_request *request = &estimate->input.request;
    const uint32_t context_length = models_context_length(calls, request->model);
    const struct core_workflow_config config = {.kind = estimate->kind,
                                                .max_steps = estimate->asked.max_steps,
                                                .max_cost_nano = -1,
                                                .reduce_tokens = budget_reduce_tokens(context_length)};
    uint32_t offered = 0;
    struct play play = {.estimate = estimate, .outputs = ARENA_ARRAY(arena, struct str, STEPS_MAX)};
    char *output = arena_alloc(arena, OUTPUT_BYTES);
    if (play.outputs == NULL || output == NULL) {
        return false;
    }
    memset(output, 'a', OUTPUT_BYTES);
    for (size_t i = 0; i < STEPS_MAX; i++) {
        play.outputs[i] = (struct str){.data = output, .len = OUTPUT_BYTES};
    }
    (void)calls->backend.availability(calls->backend.context, request->model, &offered);
    play.prompt_max = offered > 0 ? offered : UINT32_MAX;
    play.workflow = core_workflow_new(&config);
    play.scene = (struct workflow_scene){.request = request,
                                         .asked = &estimate->asked,
                                         .workflow = play.workflow,
                                         .outputs = play.outputs,
                                         .context_length = context_length,
                                         .rates = counting_rates(calls, request->model, TOKENS_MOST)};
    play.likely = counting_rates(calls, request->model, TOKENS_LIKELY);
    const bool made = play_all(&play);
    core_workflow_free(play.workflow);
    return made;
}

/* What was measured takes the place of the guesses; the bound stays. */
void estimate_take_history(struct estimate *estimate, const struct store_step_history *history, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct store_step_history *had = &history[i];
        struct estimate_group *group = &estimate->groups[workflow_core_step_name(had->name)];
        if (had->samples < SAMPLES_MIN || group->count == 0) {
            continue;
        }
        group->prompt.low = group->count * had->prompt_tokens_low;
        group->prompt.likely = group->count * had->prompt_tokens_likely;
        group->completion.low = group->count * had->completion_tokens_low;
        group->completion.likely = group->count * had->completion_tokens_likely;
        range_order(&group->prompt);
        range_order(&group->completion);
        estimate->samples += had->samples;
    }
}
