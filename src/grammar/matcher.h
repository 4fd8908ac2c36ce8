/* How far a text has come in a grammar, byte by byte, and what may follow.
 *
 * All ways through the network are followed at once. Where a rule is entered at one place of the text by several ways,
 * they share what comes of it and part again behind it: a graph-structured stack (Tomita, "Efficient Parsing for
 * Natural Language", 1985). So a byte takes time by the size of the grammar, and at worst by the text's length;
 * llama.cpp's own reader keeps a stack for each way, of which eight lists of two kinds within each other have more than
 * it can ever look at. */
#ifndef NATARIS_GRAMMAR_MATCHER_H
#define NATARIS_GRAMMAR_MATCHER_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct matcher;

/* Of a grammar in GBNF, as network_read reads it; at the text's beginning. NULL with ERR_INVALID or ERR_TOO_LARGE. */
struct matcher *matcher_new(struct str gbnf, size_t steps_max, struct err *err);
void matcher_free(struct matcher *matcher);          /* NULL is fine */
size_t matcher_bytes(const struct matcher *matcher); /* that it takes; more after a text that nests deeply */

/* Steps that may be taken from now on, some 10 ns each; none at first. When they are used up, nothing is allowed. */
void matcher_set_budget(struct matcher *matcher, uint64_t steps);
uint64_t matcher_budget(const struct matcher *matcher); /* what is left of it */
bool matcher_is_spent(const struct matcher *matcher);

/* Whether the text may go on so; the empty text may always follow. Characters may be cut. */
bool matcher_allows(struct matcher *matcher, struct str bytes);
/* The text goes on so. False: it may not, and nothing has changed. */
MUST_CHECK bool matcher_accept(struct matcher *matcher, struct str bytes);
/* The text may end here. */
bool matcher_may_end(const struct matcher *matcher);

#endif
