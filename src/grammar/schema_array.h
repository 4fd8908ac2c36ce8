/* Arrays of schemas: how many items, and which. */
#ifndef NATARIS_GRAMMAR_SCHEMA_ARRAY_H
#define NATARIS_GRAMMAR_SCHEMA_ARRAY_H

#include "grammar/schema_writer.h"

MUST_CHECK bool schema_write_array(struct schema_writer *writer, struct json_value schema, struct buf *body);

#endif
