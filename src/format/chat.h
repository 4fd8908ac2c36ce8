/* POST /v1/chat/completions, as OpenAI documents it. */
#ifndef NATARIS_FORMAT_CHAT_H
#define NATARIS_FORMAT_CHAT_H

#include "format/format.h"

extern const struct format FORMAT_CHAT;

/* Its body, also for those who need only what it asks for. As struct format's `read`. */
MUST_CHECK bool chat_read(struct json_value body, struct arena *arena, struct call_input *out, struct err *err);

#endif
