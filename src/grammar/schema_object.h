/* Objects of schemas: which properties, in which order, and what else. */
#ifndef NATARIS_GRAMMAR_SCHEMA_OBJECT_H
#define NATARIS_GRAMMAR_SCHEMA_OBJECT_H

#include "grammar/schema_writer.h"

/* An object of which all `parts` are true. */
MUST_CHECK bool schema_write_object(struct schema_writer *writer, const struct json_value *parts, size_t count,
                                    struct buf *body);

#endif
