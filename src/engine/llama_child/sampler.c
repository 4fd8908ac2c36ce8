#include "engine/llama_child/sampler.h"

enum { SAMPLER_PENALTY_TOKENS = 64 };

/* Below it the likeliest token is all that is left; far below it, logits divided by it are no numbers any more. */
#define SAMPLER_TEMPERATURE_MIN 1e-5

static uint32_t fold_seed(const struct gen_request *request) {
    if (!request->seed_given) {
        return LLAMA_DEFAULT_SEED; /* llama.cpp's word for a random one */
    }
    uint32_t seed = (uint32_t)(request->seed ^ (request->seed >> 32));
    return seed == LLAMA_DEFAULT_SEED ? 0 : seed;
}

struct llama_sampler *sampler_new(const struct llama_vocab *vocab, const struct gen_request *request) {
    struct llama_sampler *chain = llama_sampler_chain_init((struct llama_sampler_chain_params){.no_perf = true});
    /* A sampler that changes nothing still costs a walk over the vocabulary for each token, so it is left out. */
    if (request->repeat_penalty != 1.0 || request->frequency_penalty != 0.0 || request->presence_penalty != 0.0) {
        llama_sampler_chain_add(chain, llama_sampler_init_penalties(llama_vocab_n_tokens(vocab), SAMPLER_PENALTY_TOKENS,
                                                                    (float)request->repeat_penalty,
                                                                    (float)request->frequency_penalty,
                                                                    (float)request->presence_penalty));
    }
    if (request->temperature < SAMPLER_TEMPERATURE_MIN) {
        llama_sampler_chain_add(chain, llama_sampler_init_greedy());
        return chain;
    }
    /* top_k first: what follows then works on a few candidates (4 times the tokens/s at 8 sequences). */
    if (request->top_k > 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_top_k((int32_t)request->top_k));
    }
    if (request->top_p < 1.0) {
        llama_sampler_chain_add(chain, llama_sampler_init_top_p((float)request->top_p, 1));
    }
    if (request->min_p > 0.0) {
        llama_sampler_chain_add(chain, llama_sampler_init_min_p((float)request->min_p, 1));
    }
    llama_sampler_chain_add(chain, llama_sampler_init_temp((float)request->temperature));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(fold_seed(request)));
    return chain;
}
