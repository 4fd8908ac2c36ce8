#include "workflow/prompts.h"

#include "base/compiler.h"

/* Told to models of half a billion parameters: one role, what there is, one thing to do. A small context has room for a
 * few hundred of these words only, so each has to earn its place. */

#define TASK                                                                                                           \
    { PROMPT_TASK, STR("Task:\n") }
#define HISTORY                                                                                                        \
    { PROMPT_HISTORY, STR("Conversation so far:\n") }

static const struct prompt_step research = {
    .system = STR("You are a careful researcher."),
    .inputs = {HISTORY, TASK},
    .ask = STR("List the most important facts about this task as short numbered points, with names and numbers."),
};

static const struct prompt_step analyze = {
    .system = STR("You are a careful analyst."),
    .inputs = {TASK, {PROMPT_RESEARCH_OUTPUT, STR("Facts:\n")}},
    .ask = STR("What do these facts mean for the task? List causes, gains and risks as short points."),
};

static const struct prompt_step write_answer = {
    .system = STR("You are a clear writer."),
    .inputs = {TASK, {PROMPT_RESEARCH_OUTPUT, STR("Facts:\n")}, {PROMPT_ANALYZE_OUTPUT, STR("Analysis:\n")}},
    .ask = STR("Use the facts and the analysis. Write the complete answer to the task in clear paragraphs."),
};

static const struct prompt_step plan = {
    .system = STR("You are an experienced programmer."),
    .inputs = {HISTORY, TASK},
    .ask = STR("Write a short plan for this task as numbered steps. No code yet."),
};

static const struct prompt_step implement = {
    .system = STR("You are an experienced programmer."),
    .inputs = {HISTORY, TASK, {PROMPT_PLAN_OUTPUT, STR("Plan:\n")}},
    .ask = STR("Write the complete code for this task in one code block. Then say in one sentence how to use it."),
};

static const struct prompt_step implement_again = {
    .system = STR("You are an experienced programmer."),
    .inputs = {TASK,
               {PROMPT_IMPLEMENT_OUTPUT, STR("Code so far:\n")},
               {PROMPT_REVIEW_OUTPUT, STR("Faults found in it:\n")}},
    .ask = STR("Write the complete code again without these faults in one code block. Then say in one sentence how to "
               "use it."),
};

static const struct prompt_step review = {
    .system = STR("You review code."),
    .inputs = {TASK, {PROMPT_IMPLEMENT_OUTPUT, STR("Code:\n")}},
    .ask = STR("Does the code do the task? If it does, write only APPROVED. If not, write FAULTS and list them."),
};

static const struct prompt_step map = {
    .system = STR("You read one part of a long text."),
    .inputs = {TASK, {PROMPT_CHUNK, STR("Part of the text:\n")}},
    .ask = STR("Write down briefly what this part says that matters for the task. Use only this part."),
};

static const struct prompt_step reduce = {
    .system = STR("You join notes on the parts of a long text."),
    .inputs = {TASK, {PROMPT_NOTES, STR("Notes:\n")}},
    .ask = STR("Do the task from these notes. Keep names and numbers, leave out repetitions."),
};

const struct prompt_step *prompt_of_step(enum core_step_name name, bool again) {
    static const struct prompt_step *const steps[CORE_STEP_NAMES][2] = {
        [CORE_STEP_RESEARCH] = {&research, &research},
        [CORE_STEP_ANALYZE] = {&analyze, &analyze},
        [CORE_STEP_WRITE] = {&write_answer, &write_answer},
        [CORE_STEP_PLAN] = {&plan, &plan},
        [CORE_STEP_IMPLEMENT] = {&implement, &implement_again},
        [CORE_STEP_REVIEW] = {&review, &review},
        [CORE_STEP_MAP] = {&map, &map},
        [CORE_STEP_REDUCE] = {&reduce, &reduce},
    };
    return steps[name][again];
}

const struct str PROMPT_INPUT_END = STR("\n\n");
const struct str PROMPT_TOOL_CALCULATOR = STR("- calculator: sums, percentages, roots, units\n");
const struct str PROMPT_TOOL_SEARCH = STR("- search: earlier messages\n");
const struct str PROMPT_TOOL_STOP = STR("\nObservation:");
const struct str PROMPT_AGENT_SYSTEM = STR("You are a helpful assistant.\n");
const struct str PROMPT_AGENT_TOOLS = STR("Answer, or call one of these tools:\n");
const struct str PROMPT_AGENT_TIME = STR("Now it is ");
const struct str PROMPT_AGENT_AGAIN = STR("\nYou have called that already. Answer with what you know.");
const struct str PROMPT_AGENT_ECHOED = STR("\nDo not repeat the question; give the answer itself.");

const struct str PROMPT_AGENT_RESULT = STR(". Tell the user the result.");
const struct str PROMPT_AGENT_CLOCK = STR(". Tell the user what was asked.");

/* A small model copies what it is shown. So no placeholders stand here, and no dates: they would be its answers. */
const struct prompt_example prompt_agent_examples[PROMPT_AGENT_EXAMPLES] = {
    {STR("What is 512 + 89?"), STR("Action: calculator[512+89]")},
    {STR("How much is 35% of 620?"), STR("Action: calculator[620*35/100]")},
    {STR("How many centimeters are 14 inches?"), STR("Action: calculator[14*2.54]")},
    {STR("A crate holds 36 jars. How many jars are in 7 crates?"), STR("Action: calculator[36*7]")},
    {STR("What is the square root of 6889?"), STR("Action: calculator[sqrt(6889)]")},
    {STR("Which planet has the Great Red Spot?"), STR("Answer: Jupiter has the Great Red Spot.")},
    {STR("Give me a word that rhymes with mouse."), STR("Answer: A word that rhymes with mouse is house.")},
};

struct str prompt_agent_words(size_t index) {
    static const struct str *const own[] = {&PROMPT_AGENT_TOOLS,  &PROMPT_TOOL_CALCULATOR, &PROMPT_AGENT_AGAIN,
                                            &PROMPT_AGENT_ECHOED, &PROMPT_AGENT_RESULT,    &PROMPT_AGENT_CLOCK};
    if (index < COUNT_OF(own)) {
        return *own[index];
    }
    index -= COUNT_OF(own);
    return index % 2 == 0 ? prompt_agent_examples[index / 2].asked : prompt_agent_examples[index / 2].said;
}
const struct str PROMPT_QUESTION_NONE = STR("Summarize the text.");
