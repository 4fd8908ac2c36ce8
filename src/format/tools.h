/* "tools" of a chat: the functions that the caller offers to an agent. */
#ifndef NATARIS_FORMAT_TOOLS_H
#define NATARIS_FORMAT_TOOLS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ORCHESTRATION_TOOLS_MAX = 32,
    ORCHESTRATION_TOOL_BYTES = 4 * 1024, /* name, description and parameters of one */
};

/* A function that the caller offers: an agent may call it, the caller runs it. */
struct orchestration_tool {
    struct str name;        /* letters, digits, _ and -, at most 64 */
    struct str description; /* may be empty */
    struct str parameters;  /* the names of its parameters, "a, b"; may be empty */
    struct str only;        /* the name of its only parameter; empty when it has none or more */
};

/* "tools" as in OpenAI's API: [{"type": "function", "function": {"name", "description", "parameters"}}]. Into the
 * arena. False: err->field is such as "tools[2].function.name". */
MUST_CHECK bool tools_read(struct json_value value, struct arena *arena, const struct orchestration_tool **tools,
                           size_t *count, struct err *err);

#endif
