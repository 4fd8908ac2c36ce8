/* An expression or a whole question taken apart into numbers, operators and words, in the spellings of people and
 * models: digits of all scripts, thousands separators, signs such as "×" and "％", and operators in words of many
 * languages ("times", "geteilt durch", "乘以"). Pure. */
#ifndef NATARIS_WORKFLOW_FORMULA_H
#define NATARIS_WORKFLOW_FORMULA_H

#include "base/str.h"

#include <stdbool.h>

enum {
    FORMULA_BYTES = 1024,
    FORMULA_TOKENS_MAX = 400,
    FORMULA_DIGITS_BYTES = FORMULA_BYTES + 2 * FORMULA_TOKENS_MAX,
};

enum formula_kind {
    FORMULA_NUMBER,
    FORMULA_OPERATOR,
    FORMULA_OPEN,
    FORMULA_CLOSE,
    FORMULA_COMMA,  /* between arguments */
    FORMULA_EQUALS, /* also "is" as a sign */
    FORMULA_NAME,   /* of a function or a constant */
    FORMULA_WORD,   /* any other word */
    FORMULA_MARK,   /* any other character */
};

/* Operators beside + - * / ^ ! and % (which is a remainder before an operand and percent else). */
enum {
    FORMULA_FLOOR_DIVIDE = 'f',
    FORMULA_REMAINDER = 'm',
    FORMULA_PERCENT = 'p', /* in words: never a remainder */
    FORMULA_OF = 'o',      /* "15% of 80" */
    FORMULA_ROOT = 'r',    /* behind its number: "144的平方根" */
    FORMULA_DEGREES = 'd',
};

struct formula_token {
    enum formula_kind kind;
    char what;       /* the operator */
    bool worded;     /* it was a word, not a sign */
    bool tight;      /* no blank stands before it */
    struct str text; /* of a number its digits as number_read has them; of a name as it was written */
    size_t start, end;
};

struct formula {
    struct formula_token tokens[FORMULA_TOKENS_MAX];
    size_t count;
    char digits[FORMULA_DIGITS_BYTES];
    size_t used;
};

/* False: it is longer than FORMULA_BYTES or has too many parts. `arguments_of`: whether a name is a function in whose
 * brackets commas separate arguments, and are not part of numbers. The text is borrowed by `out`. */
bool formula_read(struct str text, bool (*is_name)(struct str name), bool (*arguments_of)(struct str name),
                  struct formula *out);

#endif
