/* Brackets and quotation marks as models write them, of any width and form. Pure. */
#ifndef NATARIS_WORKFLOW_BRACKETS_H
#define NATARIS_WORKFLOW_BRACKETS_H

#include "base/str.h"

#include <stdbool.h>

enum bracket { BRACKET_NONE, BRACKET_SQUARE, BRACKET_ROUND, BRACKET_BRACE };

/* An opening (or closing) bracket at the front; *length is its bytes. */
enum bracket bracket_open(struct str text, size_t *length);
enum bracket bracket_close(struct str text, size_t *length);
/* Behind the bracket that closes the one at the front; 0: none does. Brackets in quotes do not count. *inside is what
 * is between the two. */
size_t bracket_end(struct str text, struct str *inside);
/* The bytes of a quotation mark at the front; 0: there is none. *closes: which one ends it. */
size_t quote_open(struct str text, struct str *closes);
/* What is between the quotation mark at the front and the one that ends it, a backslash before which keeps it; *length
 * is all of it with both marks. False: it does not end. */
bool quote_read(struct str text, struct str *inside, size_t *length);
/* Without a pair of quotation marks around the whole text, and blanks inside them. */
struct str quotes_trim(struct str text);

#endif
