/* Numbers within bounds, as parts of grammars: digit by digit. */
#ifndef NATARIS_GRAMMAR_NUMBER_H
#define NATARIS_GRAMMAR_NUMBER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { NUMBER_DIGITS_MAX = 15 }; /* of a whole number: a double tells apart all that have no more */

struct number_range {
    bool has_least, has_most;
    bool above_least, below_most; /* the bound itself is not within; for numbers that need not be whole */
    int64_t least, most;          /* at most NUMBER_DIGITS_MAX digits each */
};

/* Whether any whole number is within (bounds that are not within do not count as such). */
bool number_range_is_empty(const struct number_range *range);
/* Append to a rule's body (grammar/gbnf.h). The range is not empty. */
void number_append_integer(struct buf *body, const struct number_range *range);
/* Also numbers with a fraction; none is written with an exponent. */
void number_append_real(struct buf *body, const struct number_range *range);

#endif
