#include "workflow/meaning.h"

#include "text/words.h"
#include "workflow/agent.h"
#include "workflow/review.h"
#include "workflow/think.h"

/* A call that was made twice already is not made again; an answer that only repeats what it was told is none. */
static struct workflow_meaning think_meaning(const struct workflow_scene *scene, uint32_t step, struct str output) {
    struct workflow_meaning meaning = action_read(scene->asked, output);
    struct str earlier;
    if (meaning.outcome == CORE_OUTCOME_ANSWER) {
        meaning.outcome = agent_echoes(scene, step, meaning.text) ? CORE_OUTCOME_ECHO : CORE_OUTCOME_ANSWER;
        return meaning;
    }
    const size_t before = agent_called_before(scene, step, &meaning, &earlier);
    if (before >= AGENT_CALLS_MAX - 1) {
        meaning.outcome = CORE_OUTCOME_LOOP;
    } else if (before > 0) {
        meaning.outcome = CORE_OUTCOME_ACTION; /* of a caller's tool, too: it is told what came of it */
    }
    return meaning;
}

struct workflow_meaning workflow_step_meaning(const struct workflow_scene *scene, uint32_t step, struct str output) {
    const enum core_step_name name = scene->workflow->steps[step].name;
    struct workflow_meaning meaning = {
        .outcome = CORE_OUTCOME_TEXT, .text = output, .tool_name = STR(""), .argument = STR("")};
    if (name == CORE_STEP_THINK) {
        return think_meaning(scene, step, output);
    }
    if (name == CORE_STEP_REVIEW) {
        meaning.outcome = review_passes(output) ? CORE_OUTCOME_APPROVED : CORE_OUTCOME_FAULTS;
    }
    return meaning;
}

struct str workflow_answer_text(enum core_step_name name, struct str output) {
    static const struct str names[] = {STR("final answer:"), STR("answer:")};
    if (name == CORE_STEP_THINK) {
        return think_read(output).text;
    }
    output = words_trim(output);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (words_begin(output, names[i])) {
            return words_trim(words_rest(output, names[i].len));
        }
    }
    return output;
}
