/* POST /v1/messages, as Anthropic documents it (https://docs.anthropic.com/en/api/messages). */
#ifndef NATARIS_FORMAT_ANTHROPIC_H
#define NATARIS_FORMAT_ANTHROPIC_H

#include "format/format.h"

extern const struct format FORMAT_MESSAGES;

/* A body whose prompt is only to be counted: as the format reads it, but max_tokens may be absent. */
MUST_CHECK bool anthropic_read_counted(struct json_value body, struct arena *arena, struct call_input *out,
                                       struct err *err);

#endif
