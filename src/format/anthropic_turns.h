/* "system" and "messages" of POST /v1/messages: texts, calls and results of tools, as the turns of a chat. */
#ifndef NATARIS_FORMAT_ANTHROPIC_TURNS_H
#define NATARIS_FORMAT_ANTHROPIC_TURNS_H

#include "format/anthropic_fields.h"

/* Into the request, texts in the arena. False: err->field names the place, such as "messages[2].content[0].type". */
MUST_CHECK bool anthropic_turns_read(struct anthropic_content *content, struct arena *arena,
                                     struct gen_request *request, struct err *err);

#endif
