/* The question in a long text: what its writer asks to be done with it. Pure. */
#ifndef NATARIS_WORKFLOW_QUESTION_H
#define NATARIS_WORKFLOW_QUESTION_H

#include "base/str.h"

/* It stands at the text's beginning or its end: in a paragraph or lines of its own, or in the sentences before or
 * behind the rest. Found by marks and words of many languages (text/cues.h). Both ends may have one; where a line only
 * may be one, out[1] is the neutral task; where nothing is, out[0] is that. */
void question_find(struct str text, struct str out[2]);

#endif
