/* Where to cut a long text: behind a paragraph, a line, a sentence, a word (a place where a line may be broken by UAX
 * 14, which knows scripts without blanks), and never inside a grapheme. Pure. */
#ifndef NATARIS_TEXT_CUT_H
#define NATARIS_TEXT_CUT_H

#include "base/str.h"

/* The best place from `low` to `high`, the last of equals; where there is none, the last grapheme's end before
 * `high`. */
size_t cut_back(struct str text, size_t low, size_t high);
/* The first place from `from` to `limit` where a word begins; where there is none, a grapheme, which may be later. */
size_t cut_forward(struct str text, size_t from, size_t limit);

#endif
