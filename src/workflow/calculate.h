/* The calculator: what an expression comes to, exactly where that is possible. Bounded in time and memory. Pure. */
#ifndef NATARIS_WORKFLOW_CALCULATE_H
#define NATARIS_WORKFLOW_CALCULATE_H

#include "base/buf.h"
#include "base/err.h"
#include "workflow/formula.h"

/* The tokens from `first` to before `end` as one expression: its result's text into `out`. False, with a sentence for
 * the model: it is no expression, or has no result. */
MUST_CHECK bool calculate(const struct formula *formula, size_t first, size_t end, struct buf *out, struct err *err);
/* For formula_read: the names of functions and constants, and which functions have several arguments. */
bool calculate_is_name(struct str name);
bool calculate_has_arguments(struct str name);

#endif
