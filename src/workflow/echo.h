/* Answers that only repeat what was asked or told. Pure. */
#ifndef NATARIS_WORKFLOW_ECHO_H
#define NATARIS_WORKFLOW_ECHO_H

#include "base/buf.h"

#include <stdbool.h>

/* The letters and digits of a text, in one case: what is compared. */
void echo_fold(struct str text, struct buf *out);
/* The answer to this question is empty, or the question again, or a large part of it, or words of an agent's
 * instructions and examples. A greeting may be answered by the same greeting, and who asks to hear something again gets
 * it. */
bool echo_is(struct str answer, struct str question);
/* The answer has a digit, or a word of some length that is not in the question. "The day is today." says no more than
 * "What day is it?". */
bool echo_says_more(struct str answer, struct str question);

#endif
