/* Text as a search compares it: NFKC_Casefold (Unicode 3.13: full-width and other forms of a letter, case, characters
 * that show nothing), and without the marks that writers of Latin, Greek, Cyrillic, Arabic and Hebrew leave out as they
 * like (accents, vowel points). Marks that make another letter of it (voiced kana, vowels of Indic scripts) stay.
 * Pure. */
#ifndef NATARIS_TEXT_FOLD_H
#define NATARIS_TEXT_FOLD_H

#include "base/buf.h"
#include "base/str.h"

/* Appends the folded text; what passes the buffer's limit is left out. */
void fold_append(struct str text, struct buf *out);
/* The place in `text` that its folded form has reached after so many bytes, or one at most 128 bytes before it. */
size_t fold_source(struct str text, size_t folded_bytes);

#endif
