/* Items of POST /v1/responses, as OpenAI documents them: messages, calls of functions, and what these gave. */
#ifndef NATARIS_FORMAT_RESPONSES_ITEMS_H
#define NATARIS_FORMAT_RESPONSES_ITEMS_H

#include "base/arena.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "format/history.h"
#include "format/ignored.h"
#include "wire/id.h"

/* "input": a text, which is one message of the user's, or an array of items. Into the arena; reasoning is left out, and
 * names of members that change nothing are added to `ignored`. False: err->field is such as
 * "input[2].content[0].text". */
MUST_CHECK bool responses_items_read(struct json_value input, struct arena *arena, struct ignored *ignored,
                                     const struct history_item **items, size_t *count, struct err *err);

/* One that stood before an answer, as it came; `id` for one that has none. */
void responses_write_input(struct json_writer *writer, const struct history_item *item, const char *id);
/* The name of an item of an answer: by the answer's, and its place in the output. */
void responses_item_id(const char *answer_id, bool call, size_t place, char out[ID_SIZE]);
/* One as a value; `status` is "in_progress", "completed" or "incomplete". A message in progress has no content yet. */
void responses_write_message(struct json_writer *writer, const char *id, const char *status, struct str text);
void responses_write_call(struct json_writer *writer, const char *id, const char *status,
                          const struct gen_tool_call *call);
/* The one part of a message. */
void responses_write_part(struct json_writer *writer, struct str text);

#endif
