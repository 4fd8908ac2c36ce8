/* What a user has told, kept word for word behind a summary: small models lose names and numbers when they sum up what
 * was summed up before. Pure. */
#ifndef NATARIS_CONVERSATION_FACTS_H
#define NATARIS_CONVERSATION_FACTS_H

#include "base/buf.h"
#include "base/str.h"

/* The facts of a stored summary, and before them what a model wrote. */
struct str conversation_facts_split(struct str summary, struct str *prose);
/* Adds the sentences of a user's message that state something about the user, or something with a name or a number in
 * it, each once. When they do not fit `bytes_max` any more, the first ones have stayed. */
void conversation_facts_add(struct buf *facts, struct str message, size_t bytes_max);
/* What conversation_facts_split takes apart. */
void conversation_facts_join(struct str prose, struct str facts, struct buf *out);

#endif
