/* Operators and functions as they are written in words and signs. A constant table. Pure. */
#ifndef NATARIS_WORKFLOW_FORMULA_WORDS_H
#define NATARIS_WORKFLOW_FORMULA_WORDS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct formula_word {
    struct str text;
    char what;         /* as in workflow/formula.h; 0: it is `name` */
    const char *name;  /* a function or constant of the calculator */
    const char *power; /* with '^': its exponent, where that is part of the word */
};
/* The longest one that stands at the front of the text as a whole word; NULL: none does. */
const struct formula_word *formula_word_find(struct str text);
/* A sign: `what` as above, '=' ',' '(' ')', ' ' for a blank, '$' for what says nothing (currencies, invisible marks);
 * *length is its bytes; 0: it is none. */
char formula_sign_find(struct str text, size_t *length);
/* The character at the front and its length in bytes; 0xfffd for broken bytes. */
uint32_t formula_character(struct str text, size_t *length);
/* A quick look at the first byte, before text/words.h folds both: false when the text surely does not begin with the
 * word, whose ASCII letters are small. */
bool formula_may_begin(struct str text, struct str word);
/* 0 to 9 for a digit of any script that writes decimal numbers; -1. */
int formula_digit(uint32_t character);
/* A letter of a script that has blanks between words. */
bool formula_is_letter(uint32_t character);

#endif
