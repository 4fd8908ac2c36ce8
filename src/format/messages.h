/* "messages" of a chat. */
#ifndef NATARIS_FORMAT_MESSAGES_H
#define NATARIS_FORMAT_MESSAGES_H

#include "base/arena.h"
#include "base/json_read.h"
#include "wire/generation.h"

/* Into the request, texts in the arena. False: err->field names the place, such as "messages[2].content[0].type". */
MUST_CHECK bool messages_read(struct json_value array, struct arena *arena, struct gen_request *request,
                              struct err *err);

#endif
