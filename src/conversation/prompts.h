/* Every text that the network itself writes for a model, in one place. Short and plain: models of half a billion parameters
 * must follow them. */
#ifndef NATARIS_CONVERSATION_PROMPTS_H
#define NATARIS_CONVERSATION_PROMPTS_H

#include "base/buf.h"
#include "base/str.h"
#include "core/workflow.h"

#include <stdbool.h>

extern const struct str PROMPT_TITLE;        /* system: what a title is */
extern const struct str PROMPT_TITLE_ASK;    /* ends the user's message, behind the exchange */
extern const struct str PROMPT_SUMMARY;      /* system: what a summary is */
extern const struct str PROMPT_SUMMARY_ASK;  /* ends the user's message, behind the messages */
extern const struct str PROMPT_SUMMARY_OLD;  /* before the summary so far */
extern const struct str PROMPT_SUMMARY_NEXT; /* before the messages that followed it */
extern const struct str PROMPT_SUMMARY_HEAD; /* before the summary in the system text of a call */

/* "User: ..." or "Assistant: ..." and a newline, of the text at most `bytes_max` bytes, cut between characters. */
void prompt_append_message(struct buf *out, bool assistant, struct str text, size_t bytes_max);

enum { PROMPT_TITLE_SIZE = 256, PROMPT_TITLE_CHARS = 80 };
/* What a model wrote, as a title: its first line that says something, without quotes, marks and "Title:", at most
 * PROMPT_TITLE_CHARS characters. False: nothing of use. */
bool prompt_title_clean(struct str text, char out[PROMPT_TITLE_SIZE]);
/* A title without a model: the first words of a message. */
bool prompt_title_words(struct str message, char out[PROMPT_TITLE_SIZE]);

/* The prompts of a workflow's steps: workflow/prompts.c. */
enum prompt_source {
    PROMPT_NOTHING, /* ends the inputs */
    PROMPT_HISTORY, /* what was said before the task */
    PROMPT_TASK,    /* the last message of the user; of a long text the question that is in it */
    PROMPT_RESEARCH_OUTPUT,
    PROMPT_ANALYZE_OUTPUT,
    PROMPT_PLAN_OUTPUT,
    PROMPT_IMPLEMENT_OUTPUT,
    PROMPT_REVIEW_OUTPUT,
    PROMPT_ACTIONS, /* of an agent, with their observations */
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
/* `again`: of an implement, after faults were found; of a think, when it is the last that may be. NULL: a local step. */
const struct prompt_step *prompt_of_step(enum core_step_name name, bool again);

extern const struct str PROMPT_INPUT_END;       /* behind each input */
extern const struct str PROMPT_TOOL_CALCULATOR; /* lines of a think's system text ... */
extern const struct str PROMPT_TOOL_TIME;
extern const struct str PROMPT_TOOL_SEARCH; /* ... and before each tool of the caller: PROMPT_TOOL_OTHER */
extern const struct str PROMPT_TOOL_OTHER;
extern const struct str PROMPT_TOOL_STOP;     /* what a model would make up behind an action */
extern const struct str PROMPT_QUESTION_NONE; /* the task of a long text that asks nothing */

#endif
