/* Numbers of the calculator: fractions as long as they are exact (GMP), else 192 bits (MPFR). Bounded in size, so that
 * no expression costs more than a bounded time and memory. Pure. */
#ifndef NATARIS_WORKFLOW_NUMBER_H
#define NATARIS_WORKFLOW_NUMBER_H

#include "base/err.h"

#include <gmp.h>
#include <mpfr.h>
#include <stdbool.h>

enum {
    NUMBER_DIGITS_MAX = 350, /* before the point */
    NUMBER_BITS_MAX = 4096,  /* of a fraction's numerator and denominator together */
};

struct number {
    bool exact;
    mpq_t fraction; /* while exact */
    mpfr_t real;    /* while not */
};

enum number_operator {
    NUMBER_ADD,
    NUMBER_SUBTRACT,
    NUMBER_MULTIPLY,
    NUMBER_DIVIDE,
    NUMBER_FLOOR_DIVIDE,
    NUMBER_REMAINDER, /* with the sign of the divisor, as in Python */
    NUMBER_POWER,
    NUMBER_GCD,
    NUMBER_LCM,
};

enum number_function {
    NUMBER_NEGATE,
    NUMBER_ABS,
    NUMBER_SQRT,
    NUMBER_CBRT,
    NUMBER_FACTORIAL,
    NUMBER_FLOOR,
    NUMBER_CEIL,
    NUMBER_ROUND, /* halves away from zero */
    NUMBER_TRUNC,
    NUMBER_EXP,
    NUMBER_LN,
    NUMBER_LOG2,
    NUMBER_LOG10,
    NUMBER_SIN,
    NUMBER_COS,
    NUMBER_TAN,
    NUMBER_ASIN,
    NUMBER_ACOS,
    NUMBER_ATAN,
    NUMBER_SINH,
    NUMBER_COSH,
    NUMBER_TANH,
    NUMBER_DEGREES, /* degrees into radians */
};

void number_init(struct number *number); /* 0 */
void number_clear(struct number *number);
void number_set(struct number *number, const struct number *from);
void number_set_long(struct number *number, long value);
void number_set_pi(struct number *number);
void number_set_e(struct number *number);
bool number_is_whole(const struct number *number); /* and exact */
void number_real_make(struct number *number);      /* not exact from now on */
/* False, with a sentence, when it is no number or larger than one may be: each result of the below was looked at. */
MUST_CHECK bool number_bounded(struct number *number, struct err *err);
bool number_too_large(struct err *err); /* sets the error, returns false */

/* Into `a`. False, with a sentence for the model: there is no result (a division by zero), or it is too large. */
MUST_CHECK bool number_operate(enum number_operator what, struct number *a, const struct number *b, struct err *err);
MUST_CHECK bool number_apply(enum number_function what, struct number *a, struct err *err);
int number_compare(const struct number *a, const struct number *b); /* as memcmp */

#endif
