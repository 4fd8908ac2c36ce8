/* The bodies of POST /api/chat and POST /api/generate. */
#ifndef NATARIS_FORMAT_OLLAMA_BODY_H
#define NATARIS_FORMAT_OLLAMA_BODY_H

#include "base/arena.h"
#include "base/json_read.h"
#include "call/input.h"

/* As a format's read (format/format.h); `generate`: with a prompt in place of messages. err->field is a field of the
 * body as it came. */
MUST_CHECK bool ollama_body_read(struct json_value body, bool generate, struct arena *arena, struct call_input *out,
                                 struct err *err);

#endif
