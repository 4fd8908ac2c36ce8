/* Grammars in GBNF, the form that llama.cpp reads (its grammars/README.md): rules are appended one after another, and
 * refer to each other by number. Texts stand in them as JSON has them, for all our grammars are of JSON. */
#ifndef NATARIS_GRAMMAR_GBNF_H
#define NATARIS_GRAMMAR_GBNF_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GBNF_BYTES_MAX = 256 * 1024, /* of a whole grammar */
    GBNF_REPEAT_MAX = 1000,      /* of one thing; llama.cpp reads up to 1999 */
};

/* Rules that many grammars need, written once into those that do. */
enum gbnf_common {
    GBNF_CHAR, /* of a string: a character, or an escape sequence */
    GBNF_STRING,
    GBNF_INTEGER,
    GBNF_NUMBER,
    GBNF_BOOLEAN,
    GBNF_NULL,
    GBNF_VALUE,
    GBNF_OBJECT,
    GBNF_ARRAY,
    GBNF_COMMONS,
};

struct gbnf {
    struct buf text; /* owned; an overflow sticks */
    uint32_t rules;
    bool uses[GBNF_COMMONS];
};

void gbnf_init(struct gbnf *gbnf);
void gbnf_clear(struct gbnf *gbnf);
/* The number of a rule that is written later: rules may refer to it before, and to themselves. */
uint32_t gbnf_reserve_rule(struct gbnf *gbnf);
void gbnf_write_rule(struct gbnf *gbnf, uint32_t rule, const struct buf *body);
/* Both at once. */
uint32_t gbnf_add_rule(struct gbnf *gbnf, const struct buf *body);
/* Writes the rule that everything begins with and the common rules that are used. False: the grammar is too large. */
bool gbnf_finish(struct gbnf *gbnf, const struct buf *root);

/* Parts of a rule's body, each with a blank before it. */
void gbnf_append_rule(struct buf *body, uint32_t rule);
void gbnf_append_common(struct gbnf *gbnf, struct buf *body, enum gbnf_common common);
/* These bytes as they stand in the answer. */
void gbnf_append_literal(struct buf *body, struct str bytes);
/* A string of JSON: quoted and escaped. */
void gbnf_append_string(struct buf *body, struct str text);
/* What may stand behind ':' and ',': a blank, or nothing. No line feeds: they would be tokens that say nothing, without
 * end. */
void gbnf_append_blank(struct buf *body);
/* "{least,most}" behind the last part; most UINT32_MAX: without end. */
void gbnf_append_times(struct buf *body, uint32_t least, uint32_t most);

#endif
