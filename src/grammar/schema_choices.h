/* Several schemas for one value; `set` are the types that the schema around them has. */
#ifndef NATARIS_GRAMMAR_SCHEMA_CHOICES_H
#define NATARIS_GRAMMAR_SCHEMA_CHOICES_H

#include "grammar/schema_writer.h"

MUST_CHECK bool schema_write_any_of(struct schema_writer *writer, struct json_value choices, unsigned set,
                                    struct buf *body);
MUST_CHECK bool schema_write_one_of(struct schema_writer *writer, struct json_value choices, unsigned set,
                                    struct buf *body);
/* `all` is the allOf of `schema`. */
MUST_CHECK bool schema_write_all_of(struct schema_writer *writer, struct json_value schema, struct json_value all,
                                    unsigned set, struct buf *body);

#endif
