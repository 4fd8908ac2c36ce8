/* Log-probabilities as OpenAI's chats have them, and how they are asked for. */
#ifndef NATARIS_FORMAT_LOGPROBS_H
#define NATARIS_FORMAT_LOGPROBS_H

#include "base/compiler.h"
#include "base/json_write.h"
#include "call/input.h"
#include "format/fields.h"

/* Reads "logprobs" and "top_logprobs" of a chat into its request. Where the answer is no text of one model's tokens
 * (tools that may be called, a workflow) they are refused by name. After tools and orchestration were read. */
MUST_CHECK bool logprobs_read_chat(struct fields_content *content, struct call_input *out, struct err *err);
/* The object {"content": [...], "refusal": null} of these tokens (wire/logprobs.h). */
void logprobs_write_chat(struct json_writer *writer, struct str logprobs);

#endif
