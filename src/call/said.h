/* A whole answer as it was read (call/reply.h): its text, and the calls in it. */
#ifndef NATARIS_CALL_SAID_H
#define NATARIS_CALL_SAID_H

#include "base/buf.h"
#include "call/tools.h"
#include "wire/generation.h"
#include "wire/id.h"

enum { SAID_ID_SIZE = ID_SIZE };

struct said;
/* `id` is that of the call, from which those of the tool calls follow. Never NULL. */
struct said *said_read(const struct call_tools *tools, const char *id, struct str raw);
void said_free(struct said *said); /* NULL is fine */
/* Borrowed until it is freed. */
struct str said_text(const struct said *said);
const struct gen_tool_call *said_calls(const struct said *said, size_t *count);

/* "call_" and what names it within its answer: the same whoever reads it, and whenever. Letters and digits. */
void said_call_id(const char *id, size_t index, char out[SAID_ID_SIZE]);

#endif
