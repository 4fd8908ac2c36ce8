/* What a line of a think is about: its label ("Action:", "答案：", "Réponse :"), behind marks such as "**", "#" or "1.".
 * Pure. */
#ifndef NATARIS_WORKFLOW_LABELS_H
#define NATARIS_WORKFLOW_LABELS_H

#include "base/str.h"

#include <stdbool.h>

enum label { LABEL_NONE, LABEL_ACTION, LABEL_INPUT, LABEL_ANSWER, LABEL_THOUGHT, LABEL_MADE_UP };

/* The label at the front of a line: *rest is what is behind it and its marks. "Action 2:" is one, too. */
enum label label_read(struct str line, struct str *rest);
/* The same inside of a line, behind a thought: "I need it. Action: calculator[2]". *start is where it begins. */
enum label label_find(struct str line, struct str *rest, size_t *start);
/* Blanks and the marks of Markdown at the front are skipped. */
struct str label_marks_skip(struct str text);
/* The bytes of a colon of any width at the front; 0: there is none. */
size_t label_colon(struct str text);

#endif
