/* What a model wrote between "Action:" or "Answer:" of a think and the next label. Pure. */
#ifndef NATARIS_WORKFLOW_THINK_H
#define NATARIS_WORKFLOW_THINK_H

#include "base/str.h"

#include <stdbool.h>

struct think_parts {
    bool action;
    struct str text; /* the answer; of an action what was thought before it */
    struct str name, argument;
};
struct think_parts think_read(struct str output);
/* The first line alone, when it is "name[argument]" and no more. */
bool think_read_bare(struct str output, struct think_parts *parts);

#endif
