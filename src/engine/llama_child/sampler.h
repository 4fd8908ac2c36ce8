/* The chain of samplers of one job. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SAMPLER_H
#define NATARIS_ENGINE_LLAMA_CHILD_SAMPLER_H

#include "wire/generation.h"

#include <llama.h>

/* Penalties, top_k, top_p, temperature, seed; temperature 0 takes the most likely token. Free with
 * llama_sampler_free. */
struct llama_sampler *sampler_new(const struct llama_vocab *vocab, const struct gen_request *request);

#endif
