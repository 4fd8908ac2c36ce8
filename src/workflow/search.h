/* The search of an agent in its conversation. Pure. */
#ifndef NATARIS_WORKFLOW_SEARCH_H
#define NATARIS_WORKFLOW_SEARCH_H

#include "base/buf.h"
#include "store/conversations.h"

/* The messages that answer the words best (text/find.h), the newest first among equals, at most five, each with its
 * role and cut to a few hundred bytes; or that there is none. */
void workflow_search(const struct store_message *messages, size_t count, struct str words, struct buf *out);

#endif
