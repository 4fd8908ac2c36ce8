/* Whole numbers that are multiples of another one, as parts of grammars. */
#ifndef NATARIS_GRAMMAR_MULTIPLE_H
#define NATARIS_GRAMMAR_MULTIPLE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "grammar/number.h"

#include <stdbool.h>
#include <stdint.h>

enum { MULTIPLE_LISTED_MAX = 512 }; /* numbers, or ends of numbers, that are written out */

/* Appends to a rule's body (grammar/gbnf.h) the multiples of `step`, which is at least 2, within the range. False, and
 * nothing is appended: they are neither few nor told by their last digits (as those of 5, 20 or 100 are), or the range
 * is another one than all numbers, those from 0 on, or those above. The range is not empty; bounds are within it. */
MUST_CHECK bool multiple_append(struct buf *body, int64_t step, const struct number_range *range);
/* Whether any is within. */
bool multiple_is_within(int64_t step, const struct number_range *range);

#endif
