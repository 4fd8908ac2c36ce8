/* The tools that an agent has without its caller's help. Pure, but for what is handed in. */
#ifndef NATARIS_WORKFLOW_TOOLS_H
#define NATARIS_WORKFLOW_TOOLS_H

#include "base/buf.h"
#include "base/str.h"
#include "store/conversations.h"

#include <stdint.h>

/* An expression such as "2 * (3 + 4)^2" or "sqrt(2)" into a number, or into words that say what is wrong with it: the model
 * reads them. At most WORKFLOW_ARGUMENT_BYTES; never more than a bounded time. */
void workflow_calculate(struct str expression, struct buf *out);
/* "2026-01-25T10:00:00Z, Sunday". */
void workflow_time(int64_t wall_ms, struct buf *out);
/* The messages that share most words with the query, the newest first among equals, at most five, each with its role and cut to
 * a few hundred bytes; or that there is none. */
void workflow_search(const struct store_message *messages, size_t count, struct str query, struct buf *out);

#endif
