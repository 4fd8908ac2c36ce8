/* The tools that an agent has without its caller's help. Pure, but for what is handed in. */
#ifndef NATARIS_WORKFLOW_TOOLS_H
#define NATARIS_WORKFLOW_TOOLS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

enum {
    WORKFLOW_OBSERVATION_BYTES = 2 * 1024,
    WORKFLOW_ARGUMENT_BYTES = 1024,
};

/* An expression such as "2 * (3 + 4)^2" or "sqrt(2)" into a number, or into words that say what is wrong with it: the
 * model reads them. At most WORKFLOW_ARGUMENT_BYTES; never more than a bounded time. */
void workflow_calculate(struct str expression, struct buf *out);
/* "2026-01-25T10:00:00Z, Sunday". */
void workflow_time(int64_t wall_ms, struct buf *out);
/* "Sunday, 25 January 2026, 10:00 UTC." */
void workflow_time_words(int64_t wall_ms, struct buf *out);
#endif
