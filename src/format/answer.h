/* The plain answer of a call, and the parts that streams share with it. */
#ifndef NATARIS_FORMAT_ANSWER_H
#define NATARIS_FORMAT_ANSWER_H

#include "api/api.h"
#include "base/json_write.h"

/* Writes the whole answer, with the text gathered in call->answer. */
void answer_write(const struct call *call, const struct call_result *result, struct buf *out);

/* "stop" or "length"; and of a call, whose workflow may have ended with "tool_calls". */
const char *answer_finish_reason(enum gen_finish finish);
const char *answer_call_finish_reason(const struct call *call, const struct call_result *result);
/* JSON array: the calls of the caller's tools that the answer is; empty: it is a text. */
struct str answer_tool_calls(const struct call *call);
/* Each writes one member of the open object. */
void answer_write_usage(struct json_writer *writer, const struct gen_usage *usage);
void answer_write_provider(struct json_writer *writer, const struct call_result *result); /* inference's "provider" */
void answer_write_nataris(struct json_writer *writer, const struct call *call, const struct call_result *result);

#endif
