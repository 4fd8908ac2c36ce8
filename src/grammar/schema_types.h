/* The types of values that a schema allows. */
#ifndef NATARIS_GRAMMAR_SCHEMA_TYPES_H
#define NATARIS_GRAMMAR_SCHEMA_TYPES_H

#include "grammar/schema_writer.h"

/* Types of JSON as a set: `type` of a schema. */
enum schema_type {
    SCHEMA_NULL = 1,
    SCHEMA_BOOLEAN = 2,
    SCHEMA_INTEGER = 4,
    SCHEMA_NUMBER = 8,
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64,
};

/* The set of "type", 0 when there is none. */
MUST_CHECK bool schema_types(struct schema_writer *writer, struct json_value schema, unsigned *out);
/* A schema without a type is of that which its keywords are about; 0: of none. */
unsigned schema_types_guess(struct json_value schema);
unsigned schema_type_of_value(struct json_value value);

#endif
