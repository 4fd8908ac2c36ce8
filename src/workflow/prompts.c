#include "workflow/prompts.h"

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

static const struct prompt_step think = {
    .system = STR("You solve tasks with tools:\n"),
    .inputs = {HISTORY, TASK, {PROMPT_ACTIONS, STR("Done so far:\n")}},
    .ask = STR("If you need a tool, write one line:\nAction: name[argument]\nIf you know the answer, write:\nAnswer: "
               "the answer"),
};

static const struct prompt_step think_last = {
    .system = STR("You answer questions."),
    .inputs = {HISTORY, TASK, {PROMPT_ACTIONS, STR("Done so far:\n")}},
    .ask = STR("Now write:\nAnswer: the answer"),
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
        [CORE_STEP_THINK] = {&think, &think_last},
        [CORE_STEP_MAP] = {&map, &map},
        [CORE_STEP_REDUCE] = {&reduce, &reduce},
    };
    return steps[name][again];
}

const struct str PROMPT_INPUT_END = STR("\n\n");
const struct str PROMPT_TOOL_CALCULATOR = STR("- calculator[2*(3+4)]: arithmetic\n");
const struct str PROMPT_TOOL_TIME = STR("- time[]: date and time now\n");
const struct str PROMPT_TOOL_SEARCH = STR("- search[words]: earlier messages\n");
const struct str PROMPT_TOOL_OTHER = STR("- ");
const struct str PROMPT_TOOL_STOP = STR("\nObservation:");
const struct str PROMPT_QUESTION_NONE = STR("Summarize the text.");
