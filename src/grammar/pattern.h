/* Regular expressions of JSON schemas ("pattern": the dialect of ECMA-262) as parts of grammars. What a grammar has no
 * word for is refused: looking around, references back, boundaries of words, properties of characters, and repeating
 * what may be empty. */
#ifndef NATARIS_GRAMMAR_PATTERN_H
#define NATARIS_GRAMMAR_PATTERN_H

#include "base/err.h"
#include "grammar/gbnf.h"

enum { PATTERN_BYTES_MAX = 512 };

/* Appends what a string of JSON that matches has between its quotes. ERR_INVALID: no regular expression (or too long);
 * ERR_UNSUPPORTED: one that a grammar cannot say. Messages go on behind the name of a field: "cannot ...". */
MUST_CHECK bool pattern_append(struct gbnf *gbnf, struct buf *body, struct str pattern, struct err *err);

#endif
