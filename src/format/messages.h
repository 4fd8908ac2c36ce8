/* "messages" of a chat. */
#ifndef NATARIS_FORMAT_MESSAGES_H
#define NATARIS_FORMAT_MESSAGES_H

#include "base/arena.h"
#include "base/json_read.h"
#include "format/ignored.h"
#include "wire/generation.h"

/* Into the request, texts in the arena; the names of members that change nothing are added to `ignored`. False:
 * err->field names the place, such as "messages[2].content[0].type". */
MUST_CHECK bool messages_read(struct json_value array, struct arena *arena, struct gen_request *request,
                              struct ignored *ignored, struct err *err);

#endif
