/* Questions that a tool answers by rule, without asking a model whether it wants one: plain arithmetic, the date, the
 * time. Pure. */
#ifndef NATARIS_WORKFLOW_TOOL_QUESTION_H
#define NATARIS_WORKFLOW_TOOL_QUESTION_H

#include "base/str.h"

enum tool_question_kind { TOOL_QUESTION_OTHER, TOOL_QUESTION_ARITHMETIC, TOOL_QUESTION_TIME };
struct tool_question {
    enum tool_question_kind kind;
    struct str expression; /* of arithmetic: the part of the question that is the expression */
};
/* Arithmetic: one expression in digits, of which the calculator knows the result, with not much around it that asks for
 * something else, in any language ("What is 17 times 23?", "25 × 4 是多少？"). Ranges, dates and fractions in names
 * ("2020-2021", "24/7") count only behind words that ask for a result. Time: a question for the time or the date of now
 * and here, in the words of many languages. */
struct tool_question tool_question_read(struct str text);

#endif
