/* Characters of Unicode in UTF-8: reading them, and what they are. A malformed part is read as U+FFFD, byte by byte.
 * Pure; the properties are those of ICU. */
#ifndef NATARIS_TEXT_CHARS_H
#define NATARIS_TEXT_CHARS_H

#include "base/str.h"

enum { CHARS_END = -1 };

/* The character at *at, which moves behind it; CHARS_END at the end. */
int32_t chars_next(struct str text, size_t *at);
/* The character before *at, which moves to its beginning; CHARS_END at the beginning. */
int32_t chars_before(struct str text, size_t *at);
/* The beginning of the character that `at` is in; the length of the text behind its end. */
size_t chars_back(struct str text, size_t at);
size_t chars_count(struct str text);

bool chars_is_blank(int32_t c); /* White_Space, and the blanks without width */
bool chars_is_mark(int32_t c);  /* it stands on the character before it */
bool chars_is_word(int32_t c);  /* a letter, a mark on one, a digit, or _ */
bool chars_is_ideograph(int32_t c);
bool chars_is_unseen(int32_t c); /* a control, of the direction too, or another character that shows nothing */
/* Of a script that writes words without blanks between them, or with endings that have none (Korean). */
bool chars_is_joined(int32_t c);

#endif
