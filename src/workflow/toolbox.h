/* The tools of an agent by their names: ours first, then the caller's. Pure. */
#ifndef NATARIS_WORKFLOW_TOOLBOX_H
#define NATARIS_WORKFLOW_TOOLBOX_H

#include "format/orchestration.h"

enum workflow_tool { WORKFLOW_TOOL_CALCULATOR, WORKFLOW_TOOL_TIME, WORKFLOW_TOOL_SEARCH, WORKFLOW_TOOL_CALLER };

struct toolbox_tool {
    bool known;
    enum workflow_tool tool;
    const struct orchestration_tool *called; /* of WORKFLOW_TOOL_CALLER */
};
struct toolbox_tool toolbox_find(const struct orchestration *asked, struct str name);
/* Ours is hidden when the caller has one of the same name. */
bool toolbox_hides(const struct orchestration *asked, struct str name);

#endif
