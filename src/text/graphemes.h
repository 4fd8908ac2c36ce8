/* Graphemes: what a reader sees as one character, by the rules of UAX 29 as ICU has them. Beyond its version, a
 * consonant also joins to a virama before it (UAX 29 GB9c, which came later; scripts with stacked consonants too).
 * Pure. */
#ifndef NATARIS_TEXT_GRAPHEMES_H
#define NATARIS_TEXT_GRAPHEMES_H

#include "base/str.h"

/* One that is longer, such as a letter under a million marks, is cut between its characters. Longer than any that is
 * written: the longest emoji have 35 bytes, stacks of marks ("Zalgo") some hundred. */
enum { GRAPHEMES_BYTES_MAX = 256 };

/* The last place that is no later than `at` (or the first no earlier) where a grapheme begins or the text ends. */
size_t graphemes_back(struct str text, size_t at);
size_t graphemes_forward(struct str text, size_t at);
/* The beginning of a text, of at most so many bytes. */
struct str graphemes_prefix(struct str text, size_t bytes_max);

#endif
