/* Titles of what was said: what a model wrote as one, or a message's first words. Pure. */
#ifndef NATARIS_TEXT_TITLE_H
#define NATARIS_TEXT_TITLE_H

#include "base/str.h"

#include <stdbool.h>

enum {
    TITLE_SIZE = 256, /* bytes, with the NUL */
    TITLE_CHARS = 80, /* characters of Unicode; a title that is longer ends between graphemes */
};

/* The first line that says something, without what models put around a title: thinking, markdown, tags, a label
 * ("Title:", in any of many languages), quotation marks of all kinds, a full stop, marks of direction and control. What
 * belongs to it stays: C#, __init__, a "quoted" word in it. False: nothing of use. */
bool title_tidy(struct str text, char out[TITLE_SIZE]);
/* The first words of a message; in scripts without blanks as many characters as they have about. False: it has none. */
bool title_from_words(struct str message, char out[TITLE_SIZE]);

#endif
