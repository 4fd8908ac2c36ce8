/* Whether any value of a schema ends. */
#ifndef NATARIS_GRAMMAR_SCHEMA_FINITE_H
#define NATARIS_GRAMMAR_SCHEMA_FINITE_H

#include "grammar/schema_writer.h"

/* One that requires itself has none. */
bool schema_is_finite(struct schema_writer *writer, struct json_value schema);

#endif
