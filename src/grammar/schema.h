/* JSON schemas as grammars: every answer that keeps to the grammar is valid under the schema. The other way round it is
 * narrower, as a model does not need more: properties come in the schema's order, none that the schema does not name
 * stand beside those that it does, there are no line feeds, and numbers have at most 15 digits.
 *
 * Schemas are of draft 2020-12 (https://json-schema.org/draft/2020-12/schema), with the forms of older drafts that
 * are in use. What a grammar cannot say (not, if, uniqueItems, ...) is refused with its place; or left out, so that the
 * grammar allows more than the schema, where the client did not ask for strictness. */
#ifndef NATARIS_GRAMMAR_SCHEMA_H
#define NATARIS_GRAMMAR_SCHEMA_H

#include "base/err.h"
#include "grammar/gbnf.h"
#include "grammar/schema_source.h"

/* Appends the rules that it needs to the grammar, and to `body` the part that is a value of the schema. False:
 * ERR_INVALID
 * (no schema, or one that nothing fits), ERR_UNSUPPORTED (when strict), ERR_TOO_LARGE; err->field is the place. */
MUST_CHECK bool schema_append(const struct schema_source *source, struct gbnf *gbnf, struct buf *body, struct err *err);

#endif
