/* Titles and summaries: written by the conversation's own model, in runs that cost its account the normal rate. One of
 * each at a time for a conversation. What one makes is stored in the transaction of its settlement; one that fails is
 * tried again after the next call, and the conversation goes on without it. */
#ifndef NATARIS_CONVERSATION_UPKEEP_H
#define NATARIS_CONVERSATION_UPKEEP_H

#include "conversation/conversations.h"

/* The title and the summary that are due after this call. `answer` is borrowed. */
void upkeep_start(const struct conversation *own, struct str answer);

#endif
