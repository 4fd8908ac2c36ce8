/* How likely the model itself held a token, and those that might have come in its place: a softmax of the logits as
 * they are, before biases, penalties, a grammar, temperature and all that leaves tokens out. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_LOGPROBS_H
#define NATARIS_ENGINE_LLAMA_CHILD_LOGPROBS_H

#include "base/buf.h"

#include <llama.h>
#include <stdint.h>

/* Appends those of one token (wire/logprobs.h), with the `top` likeliest ones. */
void logprobs_append(struct buf *out, const struct llama_vocab *vocab, const float *logits, llama_token taken,
                     uint32_t top);

#endif
