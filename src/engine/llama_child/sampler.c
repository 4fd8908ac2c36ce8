#include "engine/llama_child/sampler.h"

enum { SAMPLER_PENALTY_TOKENS = 64, SAMPLER_PIECE_MAX = 512 };

/* Below it the likeliest token is all that is left; far below it, logits divided by it are no numbers any more. */
#define SAMPLER_TEMPERATURE_MIN 1e-5

static uint32_t fold_seed(const struct gen_request *request) {
    if (!request->seed_given) {
        return LLAMA_DEFAULT_SEED; /* llama.cpp's word for a random one */
    }
    uint32_t seed = (uint32_t)(request->seed ^ (request->seed >> 32));
    return seed == LLAMA_DEFAULT_SEED ? 0 : seed;
}

static struct llama_sampler *chain_new(void) {
    return llama_sampler_chain_init((struct llama_sampler_chain_params){.no_perf = true});
}

/* A sampler that changes nothing still costs a walk over the vocabulary for each token, so it is left out. */
struct llama_sampler *sampler_new_penalties(const struct llama_vocab *vocab, const struct gen_request *request) {
    if (request->repeat_penalty == 1.0 && request->frequency_penalty == 0.0 && request->presence_penalty == 0.0) {
        return NULL;
    }
    return llama_sampler_init_penalties(llama_vocab_n_tokens(vocab), SAMPLER_PENALTY_TOKENS,
                                        (float)request->repeat_penalty, (float)request->frequency_penalty,
                                        (float)request->presence_penalty);
}

static bool spells_nothing(const struct llama_vocab *vocab, llama_token token) {
    char piece[SAMPLER_PIECE_MAX];
    return !llama_vocab_is_eog(vocab, token) && llama_token_to_piece(vocab, token, piece, sizeof(piece), 0, false) == 0;
}

bool sampler_check_biases(const struct llama_vocab *vocab, const struct gen_request *request, struct err *err) {
    const uint32_t vocabulary = (uint32_t)llama_vocab_n_tokens(vocab);
    for (size_t i = 0; i < request->bias_count; i++) {
        const struct gen_bias *bias = &request->biases[i];
        if (bias->token >= vocabulary) {
            return err_set_field(err, ERR_INVALID, "logit_bias", "logit_bias names the token %u, but there are %u",
                                 bias->token, vocabulary);
        }
        if (bias->bias > 0 && spells_nothing(vocab, (llama_token)bias->token)) {
            return err_set_field(err, ERR_INVALID, "logit_bias", "logit_bias asks for the token %u, which has no text",
                                 bias->token);
        }
    }
    return true;
}

struct llama_sampler *sampler_new_biases(const struct llama_vocab *vocab, const struct gen_request *request) {
    llama_logit_bias biases[LIMIT_LOGIT_BIASES];
    if (request->bias_count == 0) {
        return NULL;
    }
    for (size_t i = 0; i < request->bias_count; i++) {
        biases[i] =
            (llama_logit_bias){.token = (llama_token)request->biases[i].token, .bias = (float)request->biases[i].bias};
    }
    return llama_sampler_init_logit_bias(llama_vocab_n_tokens(vocab), (int32_t)request->bias_count, biases);
}

static bool is_greedy(const struct gen_request *request) {
    return request->temperature < SAMPLER_TEMPERATURE_MIN;
}

static void add_rest(struct llama_sampler *chain, const struct gen_request *request) {
    if (is_greedy(request)) {
        llama_sampler_chain_add(chain, llama_sampler_init_greedy());
        return;
    }
    if (request->top_p < 1.0) {
        llama_sampler_chain_add(chain, llama_sampler_init_top_p((float)request->top_p, 1));
    }
    if (request->min_p > 0.0) {
        llama_sampler_chain_add(chain, llama_sampler_init_min_p((float)request->min_p, 1));
    }
    llama_sampler_chain_add(chain, llama_sampler_init_temp((float)request->temperature));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(fold_seed(request)));
}

struct llama_sampler *sampler_new_rest(const struct gen_request *request) {
    struct llama_sampler *chain = chain_new();
    add_rest(chain, request);
    return chain;
}

struct llama_sampler *sampler_new(const struct llama_vocab *vocab, const struct gen_request *request) {
    struct llama_sampler *chain = chain_new(), *penalties = sampler_new_penalties(vocab, request);
    struct llama_sampler *biases = sampler_new_biases(vocab, request);
    if (biases != NULL) {
        llama_sampler_chain_add(chain, biases);
    }
    if (penalties != NULL) {
        llama_sampler_chain_add(chain, penalties);
    }
    /* top_k first: what follows then works on a few candidates (4 times the tokens/s at 8 sequences). */
    if (!is_greedy(request) && request->top_k > 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_top_k((int32_t)request->top_k));
    }
    add_rest(chain, request);
    return chain;
}
