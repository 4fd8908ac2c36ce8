/* The words of a workflow's steps. Short and plain: models of half a billion parameters must follow them. */
#ifndef NATARIS_WORKFLOW_PROMPTS_H
#define NATARIS_WORKFLOW_PROMPTS_H

#include "base/str.h"
#include "core/workflow.h"

#include <stdbool.h>

enum prompt_source {
    PROMPT_NOTHING, /* ends the inputs */
    PROMPT_HISTORY, /* what was said before the task */
    PROMPT_TASK,    /* the last message of the user; of a long text the question that is in it */
    PROMPT_RESEARCH_OUTPUT,
    PROMPT_ANALYZE_OUTPUT,
    PROMPT_PLAN_OUTPUT,
    PROMPT_IMPLEMENT_OUTPUT,
    PROMPT_REVIEW_OUTPUT,
    PROMPT_CHUNK,
    PROMPT_NOTES, /* outputs of map and reduce */
};
enum { PROMPT_INPUTS_MAX = 4 };
struct prompt_step {
    struct str system;
    struct prompt_input {
        enum prompt_source source;
        struct str label;
    } inputs[PROMPT_INPUTS_MAX]; /* those that are empty are left out, with their labels */
    struct str ask;
};
/* `again`: of an implement, after faults were found. NULL: a local step, or a think, whose words follow below. */
const struct prompt_step *prompt_of_step(enum core_step_name name, bool again);

extern const struct str PROMPT_INPUT_END;       /* behind each input */
extern const struct str PROMPT_TOOL_CALCULATOR; /* lines of an agent's tools */
extern const struct str PROMPT_TOOL_SEARCH;
extern const struct str PROMPT_TOOL_STOP; /* what a model would make up behind an action */
extern const struct str PROMPT_AGENT_SYSTEM, PROMPT_AGENT_TOOLS, PROMPT_AGENT_TIME;
extern const struct str PROMPT_AGENT_RESULT, PROMPT_AGENT_CLOCK; /* behind what a tool says */
extern const struct str PROMPT_AGENT_AGAIN, PROMPT_AGENT_ECHOED; /* behind the question */
extern const struct str PROMPT_QUESTION_NONE;                    /* the task of a long text that asks nothing */

/* Turns that show an agent how tools are called and questions answered. */
enum { PROMPT_AGENT_EXAMPLES = 7, PROMPT_AGENT_WORDS = 6 + 2 * PROMPT_AGENT_EXAMPLES };
struct prompt_example {
    struct str asked, said;
};
extern const struct prompt_example prompt_agent_examples[PROMPT_AGENT_EXAMPLES];
/* All that an agent is told by us, one by one: what is no answer. `index` below PROMPT_AGENT_WORDS. */
struct str prompt_agent_words(size_t index);

#endif
