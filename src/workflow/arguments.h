/* The arguments of a call as a JSON object, in whatever shape a model has written them. Pure. */
#ifndef NATARIS_WORKFLOW_ARGUMENTS_H
#define NATARIS_WORKFLOW_ARGUMENTS_H

#include "base/buf.h"
#include "base/json_read.h"
#include "format/tools.h"

/* A JSON object as it is; one with other quotation marks, names without them, commas at its end or words of Python, as
 * JSON; "city=Paris, days=3" and "city: Paris" by the names of the tool's parameters; values alone in their order, when
 * there are as many as parameters; else the whole text under the only parameter's name, or under "input". */
void arguments_write(struct json_parser *parser, const struct orchestration_tool *tool, struct str text,
                     struct buf *out);

#endif
