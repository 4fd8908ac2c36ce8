/* What a sentence does, as far as a rule can tell in any language: it asks or orders, or it tells; and whether it tells
 * of the speaker. By its marks, and by words of some sixty languages (text/cue_words.h). Pure. */
#ifndef NATARIS_TEXT_CUES_H
#define NATARIS_TEXT_CUES_H

#include "base/str.h"

struct cues {
    bool asks;       /* a question, or an order that concerns a text or an answer */
    bool mark;       /* it asks by a mark */
    bool maybe_asks; /* it has a word of questions and no mark, or ends with a colon */
    bool speaker;    /* it says I, my, we, or asks to remember */
    bool chat;       /* ... but only what it thinks or understands: "I see." */
    bool remember;   /* it asks to remember: no order otherwise */
    bool name;       /* a number, or a capital letter that does not begin it */
    bool familiar;   /* in a language with capital letters, whose words for the speaker are known */
    bool cased;      /* in letters that have capitals */
};

/* Of one sentence, its first 2 KiB. */
struct cues cues_read(struct str sentence);

#endif
