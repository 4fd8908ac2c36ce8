/* The words of reviews. Constant tables. Pure. */
#ifndef NATARIS_WORKFLOW_REVIEW_WORDS_H
#define NATARIS_WORKFLOW_REVIEW_WORDS_H

#include "base/str.h"

enum review_words {
    REVIEW_APPROVAL,
    REVIEW_FILLER,  /* words that say nothing by themselves */
    REVIEW_REQUEST, /* what begins with an approval and asks for a change */
};
struct review_list {
    const struct str *phrases; /* a blank in one stands for any blanks and marks between its words */
    size_t count;
};
struct review_list review_words(enum review_words which);

#endif
