/* Finding texts by the words of a query, in any script. A query's words are whole words of a text, the beginnings of
 * longer ones (so that endings do not matter), or, in scripts without blanks between words, stand anywhere; pairs of
 * characters help there where a dictionary's words do not meet. Pure. */
#ifndef NATARIS_TEXT_FIND_H
#define NATARIS_TEXT_FIND_H

#include "base/buf.h"
#include "base/str.h"

enum { FIND_WORDS_MAX = 48, FIND_QUERY_BYTES = 2048 /* what is longer is not read */ };

struct find_word {
    size_t start, len; /* in `folded` */
    size_t stem;       /* bytes of it with which a longer word may begin; 0: none */
    bool pair;         /* two characters of a text without blanks */
};

struct find_query {
    struct buf folded, text; /* the words; a text that is looked at */
    struct find_word words[FIND_WORDS_MAX];
    size_t count, pairs;
};

void find_query_init(struct find_query *query, struct str words);
void find_query_clear(struct find_query *query);
/* How well the text answers: 0 not at all. *first, unless NULL, is the place in the text of the first word found. */
size_t find_score(struct find_query *query, struct str text, size_t *first);

#endif
