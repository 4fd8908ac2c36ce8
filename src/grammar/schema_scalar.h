/* Strings and numbers of schemas. */
#ifndef NATARIS_GRAMMAR_SCHEMA_SCALAR_H
#define NATARIS_GRAMMAR_SCHEMA_SCALAR_H

#include "grammar/schema_writer.h"

MUST_CHECK bool schema_write_string(struct schema_writer *writer, struct json_value schema, struct buf *body);
/* `whole`: an integer. */
MUST_CHECK bool schema_write_number(struct schema_writer *writer, struct json_value schema, bool whole,
                                    struct buf *body);

#endif
