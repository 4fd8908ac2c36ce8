/* What a model wrote between "Action:" or "Answer:" of a think and the next label. Pure. */
#ifndef NATARIS_WORKFLOW_THINK_H
#define NATARIS_WORKFLOW_THINK_H

#include "base/str.h"

#include <stdbool.h>

struct think_parts {
    bool action;
    struct str text; /* the answer; of an action what was thought before it */
    struct str name, argument;
    bool escaped; /* the argument was a string of JSON */
};
struct think_parts think_read(struct str output);
/* A call without a label, which counts only when there is such a tool: "name[argument]" alone in the first line, or an
 * object that begins a line, bare, in a fence or between tags. False: there is no more behind *at, which moves on. */
bool think_read_bare(struct str output, size_t *at, struct think_parts *parts);

#endif
