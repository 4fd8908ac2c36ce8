/* A call of a tool as an object, in JSON or nearly so: {"name": "calculator", "arguments": {"expression": "6*7"}}, with
 * any quotation marks, names without them, "tool" or "function" for the name, "args" or "input" for the arguments.
 * Pure. */
#ifndef NATARIS_WORKFLOW_CALL_TEXT_H
#define NATARIS_WORKFLOW_CALL_TEXT_H

#include "base/str.h"

#include <stdbool.h>

struct call_text {
    struct str name, argument; /* parts of the object */
    bool escaped;              /* the argument was a JSON string */
};
/* `object` begins with a brace. `sure`: something says that it is a call; else it must have both a name and arguments,
 * and {"calculator": "6*7"} is none. False: it names no tool. */
bool call_text_read(struct str object, bool sure, struct call_text *out);

/* The members of an object, one after the other: `inside` is what its braces hold. */
struct call_member {
    struct str key, value; /* without quotation marks */
    bool quoted;           /* the value had some */
};
/* *at moves behind the member and its comma. False: there are no more, or it is no member. */
bool call_member_next(struct str inside, size_t *at, struct call_member *out);
/* The same for a list of values. */
bool call_value_next(struct str inside, size_t *at, struct str *value, bool *quoted);

#endif
