/* The chain of samplers of one job. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SAMPLER_H
#define NATARIS_ENGINE_LLAMA_CHILD_SAMPLER_H

#include "base/compiler.h"
#include "base/err.h"
#include "wire/generation.h"

#include <llama.h>

/* Biases, penalties, top_k, top_p, temperature, seed; temperature 0 takes the most likely token. Free with
 * llama_sampler_free. */
struct llama_sampler *sampler_new(const struct llama_vocab *vocab, const struct gen_request *request);
/* Whether its biases are of tokens of this vocabulary, and none makes one likelier that spells nothing: an answer of
 * such tokens would have no text. ERR_INVALID. */
MUST_CHECK bool sampler_check_biases(const struct llama_vocab *vocab, const struct gen_request *request,
                                     struct err *err);
/* Parts of it, for where something else stands between: the biases and the penalties, each NULL where there are
 * none, and what follows top_k. */
struct llama_sampler *sampler_new_biases(const struct llama_vocab *vocab, const struct gen_request *request);
struct llama_sampler *sampler_new_penalties(const struct llama_vocab *vocab, const struct gen_request *request);
struct llama_sampler *sampler_new_rest(const struct gen_request *request);

#endif
