/* What a model is told to write titles and summaries. Short and plain: models of
 * half a billion parameters must follow it. (Those of steps: workflow/prompts.h.) */
#ifndef NATARIS_CONVERSATION_PROMPTS_H
#define NATARIS_CONVERSATION_PROMPTS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

extern const struct str PROMPT_TITLE;        /* system: what a title is */
extern const struct str PROMPT_TITLE_ASK;    /* ends the user's message, behind the exchange */
extern const struct str PROMPT_SUMMARY;      /* system: what a summary is */
extern const struct str PROMPT_SUMMARY_ASK;  /* ends the user's message, behind the messages */
extern const struct str PROMPT_SUMMARY_OLD;  /* before the summary so far */
extern const struct str PROMPT_SUMMARY_NEXT; /* before the messages that followed it */
extern const struct str PROMPT_SUMMARY_HEAD; /* before the summary in the system text of a call */

/* "User: ..." or "Assistant: ..." and a newline, of the text at most `bytes_max` bytes, cut between graphemes. */
void prompt_append_message(struct buf *out, bool assistant, struct str text, size_t bytes_max);

#endif
