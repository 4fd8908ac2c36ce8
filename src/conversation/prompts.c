#include "conversation/prompts.h"

#include "text/graphemes.h"

const struct str PROMPT_TITLE = STR("You write titles. Answer with a title of two to six words and nothing else.");
const struct str PROMPT_TITLE_ASK = STR("\nWrite a short title for this conversation.");
const struct str PROMPT_SUMMARY =
    STR("You write short summaries of conversations. Keep names, numbers, facts, wishes and "
        "decisions. Answer with the summary and nothing else.");
const struct str PROMPT_SUMMARY_ASK = STR("\nWrite one summary of all this in a few sentences.");
const struct str PROMPT_SUMMARY_OLD = STR("Summary so far:\n");
const struct str PROMPT_SUMMARY_NEXT = STR("\nWhat was said then:\n");
const struct str PROMPT_SUMMARY_HEAD = STR("Summary of the conversation so far: ");

void prompt_append_message(struct buf *out, bool assistant, struct str text, size_t bytes_max) {
    if (text.len > bytes_max) {
        text = graphemes_prefix(text, bytes_max);
    }
    buf_append_str(out, assistant ? STR("Assistant: ") : STR("User: "));
    buf_append_str(out, text);
    buf_append_str(out, STR("\n"));
}
