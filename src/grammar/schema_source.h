/* What a grammar is made of. Types only. */
#ifndef NATARIS_GRAMMAR_SCHEMA_SOURCE_H
#define NATARIS_GRAMMAR_SCHEMA_SOURCE_H

#include "base/json_read.h"

enum {
    SCHEMA_NODES_MAX = 2000,  /* subschemas of one grammar */
    SCHEMA_OPTIONAL_MAX = 64, /* properties of one object that may be left out: each is a choice for every token */
    SCHEMA_CHOICES_MAX = 500, /* of an enum, or of anyOf */
    SCHEMA_REFS_MAX = 128,
};

struct schema_source {
    struct json_value schema;
    const char *field; /* its place in the request: "response_format.json_schema.schema" */
    bool strict;       /* what cannot be expressed is refused */
    bool object;       /* it must be an object's, and is where it does not say */
};

#endif
