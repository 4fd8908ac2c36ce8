/* The body of POST /v1/messages: all but what the messages say (format/anthropic_turns.h). */
#ifndef NATARIS_FORMAT_ANTHROPIC_FIELDS_H
#define NATARIS_FORMAT_ANTHROPIC_FIELDS_H

#include "base/arena.h"
#include "base/json_read.h"
#include "call/input.h"
#include "format/ignored.h"

/* As they stand in the document; a zeroed value when absent. */
struct anthropic_content {
    struct json_value system, messages, tools, tool_choice, output_config, output_format;
    struct ignored ignored;
};

/* Reads the fields into *out. Only a request that is counted needs no max_tokens. On false err->field names the field
 * at fault: ERR_INVALID, ERR_UNSUPPORTED, or ERR_TOO_LARGE. */
MUST_CHECK bool anthropic_fields_read(struct json_value body, bool counted, struct arena *arena, struct call_input *out,
                                      struct anthropic_content *content, struct err *err);

#endif
