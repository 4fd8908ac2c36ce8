/* Words by which sentences of many languages tell of the speaker, ask or order. In small letters, NFC. Pure. */
#ifndef NATARIS_TEXT_CUE_WORDS_H
#define NATARIS_TEXT_CUE_WORDS_H

#include "base/str.h"

/* Where a word must stand to count. */
enum cue_place { CUE_ANYWHERE, CUE_FIRST, CUE_LAST };

enum cue_kind {
    CUE_SPEAKER,      /* I, my, we, and verbs that say it in their ending */
    CUE_CHAT,         /* what speakers say of themselves that tells nothing of them */
    CUE_REMEMBER,     /* what the sentence says is to be kept in mind */
    CUE_ORDER,        /* an order that concerns a text or an answer */
    CUE_ORDER_VERB,   /* Chinese orders begin with one of these ... */
    CUE_ORDER_OBJECT, /* ... and have one of these */
    CUE_QUESTION,     /* questions have it there, with or without a mark */
    CUE_MAYBE,        /* questions have it, and other sentences too */
    CUE_POLITE,       /* it may stand before an order or a question */
    CUE_FAMILIAR, /* a small word of a language that has capital letters, and whose words for the speaker are known */
};

struct cue_list {
    enum cue_kind kind;
    enum cue_place place;
    struct str words; /* each with a | behind it */
};

enum { CUE_LISTS = 12 };
extern const struct cue_list CUE_WORDS[CUE_LISTS];

#endif
