/* Sets of characters, as classes in regular expressions have them. */
#ifndef NATARIS_GRAMMAR_CHARSET_H
#define NATARIS_GRAMMAR_CHARSET_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHARSET_RANGES = 64, CHARSET_LAST = 0x10FFFF };

/* In order, and none touches the next. */
struct charset {
    struct charset_range {
        uint32_t first, last;
    } ranges[CHARSET_RANGES];
    size_t count;
};

/* The character at the front of a text that is UTF-8 and not empty; *used is its length. */
uint32_t charset_decode(struct str text, size_t *used);
/* False: it would be of too many ranges. */
MUST_CHECK bool charset_add(struct charset *set, uint32_t first, uint32_t last);
/* All characters that were not in it; surrogates are none. */
MUST_CHECK bool charset_complement(struct charset *set);
/* Appends to a rule's body (grammar/gbnf.h) how any of them stands in a string of JSON. */
void charset_append(const struct charset *set, struct buf *body);

#endif
