/* The question in a long text: what its writer asks to be done with it. Pure. */
#ifndef NATARIS_WORKFLOW_QUESTION_H
#define NATARIS_WORKFLOW_QUESTION_H

#include "base/str.h"

enum { QUESTION_PARTS = 3 };

/* It stands at the text's beginning or its end: in a paragraph or lines of its own, or in the sentences before or
 * behind the rest. Found by marks and words of many languages (text/cues.h). Both ends may have one. Where they only
 * may have, the neutral task stands behind; where nothing is, it stands alone. Those that are left are empty. */
void question_find(struct str text, struct str out[QUESTION_PARTS]);

#endif
