/* "tools" of a chat: the functions that the caller offers to an agent. */
#ifndef NATARIS_FORMAT_TOOLS_H
#define NATARIS_FORMAT_TOOLS_H

#include "format/orchestration.h"

/* "tools" as in OpenAI's API: [{"type": "function", "function": {"name", "description", "parameters"}}]. Sets the tools only. */
MUST_CHECK bool tools_read(struct json_value value, struct arena *arena, struct orchestration *out, struct err *err);

#endif
