/* What a user has told, kept word for word behind a summary: small models lose names and numbers when they sum up what
 * was summed up before. Sentences are found and weighed by rules that hold in any language (text/sentences.h,
 * text/cues.h); what is said of the user, with names and numbers, outlasts small talk. Pure. */
#ifndef NATARIS_CONVERSATION_FACTS_H
#define NATARIS_CONVERSATION_FACTS_H

#include "base/buf.h"
#include "base/str.h"

enum { CONVERSATION_FACTS_MAX = 128 };

struct conversation_facts {
    struct conversation_fact {
        struct str text; /* borrowed */
        uint32_t cost;
        uint8_t rank;
    } list[CONVERSATION_FACTS_MAX]; /* the oldest first */
    size_t count;
    uint64_t cost, cost_max;
};

/* Room for so much: a character costs 1, one that is not ASCII 2. */
void conversation_facts_init(struct conversation_facts *facts, size_t cost_max);
/* Those that conversation_facts_split gave; also as earlier builds wrote them, in one line. */
void conversation_facts_read(struct conversation_facts *facts, struct str stored);
/* Adds the sentences of a user's message that tell something. Questions and orders do not, nor does a message that is
 * longer than 2 KiB or has code: a text to work on. When there is no more room, those go that say least of the user;
 * of equals those that a later one has in other words, then those of the middle: the first half of the room keeps what
 * was said first, the rest what was said last. */
void conversation_facts_add(struct conversation_facts *facts, struct str message);
void conversation_facts_write(const struct conversation_facts *facts, struct buf *out);

/* The facts of a stored summary, and before them what a model wrote. */
struct str conversation_facts_split(struct str summary, struct str *prose);
/* What conversation_facts_split takes apart. */
void conversation_facts_join(struct str prose, struct str facts, struct buf *out);

#endif
