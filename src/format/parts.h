/* The parts of answers that formats share. */
#ifndef NATARIS_FORMAT_PARTS_H
#define NATARIS_FORMAT_PARTS_H

#include "base/json_write.h"
#include "call/answer.h"

/* "stop" or "length". */
const char *parts_finish_word(enum gen_finish finish);
/* The same; "tool_calls" for an answer that is a call of the caller's tools. */
const char *parts_finish_reason(const struct answer *answer);
/* Each writes one member of the open object. */
void parts_write_usage(struct json_writer *writer, const struct gen_usage *usage);
void parts_write_provider(struct json_writer *writer, const struct call_result *result); /* inference's "provider" */
void parts_write_nataris(struct json_writer *writer, const struct answer *answer);
/* "nataris" with nothing but what was ignored, of which there is something. */
void parts_write_ignored(struct json_writer *writer, const struct answer *answer);

#endif
