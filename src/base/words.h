/* Words in texts: whole ones, in any case of ASCII letters. Bytes over 0x7f are letters. Pure. */
#ifndef NATARIS_BASE_WORDS_H
#define NATARIS_BASE_WORDS_H

#include "base/str.h"

enum { WORDS_NONE = -1 };

bool words_is_byte(char c); /* a letter, a digit or _ */
bool words_is_blank(char c);
/* Blanks and line ends at both ends. */
struct str words_trim(struct str text);
struct str words_rest(struct str text, size_t from); /* from there on; its end, empty, behind the end */
/* Where `phrase` stands as whole words; WORDS_NONE: nowhere. */
int64_t words_find(struct str text, struct str phrase);
bool words_find_any(struct str text, const struct str *phrases, size_t count);
/* The text begins with it, in any case; whatever follows. */
bool words_begin(struct str text, struct str prefix);
/* The next word behind *at, which is moved behind it; false: there is none. */
bool words_next(struct str text, size_t *at, struct str *word);

#endif
