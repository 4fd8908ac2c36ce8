/* Words in texts: whole ones, in any case, of any script. Pure. */
#ifndef NATARIS_TEXT_WORDS_H
#define NATARIS_TEXT_WORDS_H

#include "base/str.h"

enum { WORDS_NONE = -1 };

bool words_is_byte(char c); /* a letter, a digit or _ of ASCII, or part of a character beyond it */
bool words_is_blank(char c);
/* Without the blanks and line ends at both ends, those of Unicode too. */
struct str words_trim(struct str text);
struct str words_rest(struct str text, size_t from); /* from there on; its end, empty, behind the end */
/* Where `phrase` stands as whole words; WORDS_NONE: nowhere. Letters of scripts that have no blanks between words, and
 * letters beside those of such a script, are words by themselves. Case is folded, and apostrophes are alike. */
int64_t words_find(struct str text, struct str phrase);
bool words_find_any(struct str text, const struct str *phrases, size_t count);
/* The text begins with it, in any case; whatever follows. */
bool words_begin(struct str text, struct str prefix);
/* A word may begin or end between the two characters around `at`. */
bool words_is_edge(struct str text, size_t at);

#endif
