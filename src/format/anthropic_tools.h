/* "tools", "tool_choice" and "output_config" of POST /v1/messages. */
#ifndef NATARIS_FORMAT_ANTHROPIC_TOOLS_H
#define NATARIS_FORMAT_ANTHROPIC_TOOLS_H

#include "format/anthropic_fields.h"

/* Into out->tools and out->request.grammar. False: err->field names the place, such as "tools[0].input_schema". */
MUST_CHECK bool anthropic_tools_read(struct anthropic_content *content, struct arena *arena, struct call_input *out,
                                     struct err *err);

#endif
