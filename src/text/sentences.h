/* Sentences, by UAX 29 as ICU has it, and by the ways in which people type: a full stop ends one before a small letter
 * too, a title ("Dr.") does not. Pure. */
#ifndef NATARIS_TEXT_SENTENCES_H
#define NATARIS_TEXT_SENTENCES_H

#include "base/str.h"

/* The sentences of a text with their marks, without blanks around them, at most `max`; none is empty or spans lines.
 * Returns their number. */
size_t sentences_split(struct str text, struct str *out, size_t max);

#endif
