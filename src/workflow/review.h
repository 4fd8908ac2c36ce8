/* Whether a review lets the code pass. Pure. */
#ifndef NATARIS_WORKFLOW_REVIEW_H
#define NATARIS_WORKFLOW_REVIEW_H

#include "base/str.h"

#include <stdbool.h>

/* It passes only when it says nothing else than that: each sentence is made of words of approval ("APPROVED", "no
 * faults found", "looks good", "没有问题", "keine Fehler", ...) and words that say nothing by themselves ("the code is").
 * Any other word sends it back, so do a question that is not answered by a yes, and a block of code. An empty review
 * names nothing to mend and passes. */
bool review_passes(struct str output);

#endif
