/* Calls of a client's tools as a grammar: {"name": "get_weather", "arguments": {...}}, with a name of one of the tools
 * and arguments that its parameters allow. llama.cpp's own grammar for "required" does not force a call with all
 * templates. */
#ifndef NATARIS_GRAMMAR_CALLS_H
#define NATARIS_GRAMMAR_CALLS_H

#include "base/err.h"
#include "base/json_read.h"
#include "grammar/gbnf.h"

struct calls_tool {
    struct str name;
    struct json_value parameters; /* a JSON schema; one of type JSON_NULL: it takes none */
    bool strict;
    char field[ERR_FIELD_MAX]; /* the place of the parameters in the request */
};

/* Appends a part that is one call. Errors are those of schema_append. */
MUST_CHECK bool calls_append(const struct calls_tool *tools, size_t count, struct gbnf *gbnf, struct buf *body,
                             struct err *err);

#endif
