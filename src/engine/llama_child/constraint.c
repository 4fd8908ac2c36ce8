#include "engine/llama_child/constraint.h"

#include "base/mem.h"
#include "engine/llama_child/sampler.h"
#include "grammar/matcher.h"
#include "grammar/network.h"

#include <stdlib.h>

enum {
    /* The grammar looks at the likeliest tokens, as top_k leaves them (or so many of them, where it is off); at eight
     * times as many when it allows none of these, and so on up to the whole vocabulary: to hold 150,000 tokens against
     * it takes longer than to compute one, and a model that was told what to write mostly wants what is allowed. */
    CANDIDATES = 256,
    WIDER_TIMES = 8,
    /* Of the matcher, for one token: some 20 ms. Grammars that have a meaning take a thousandth of it. */
    STEPS_A_TOKEN = 1 << 21,
    PIECE_BYTES = 256, /* longer ones are of no vocabulary that we know, and are not written under a grammar */
};

struct constraint {
    const struct llama_vocab *vocab;
    struct llama_sampler *biases, *penalties, *rest;
    struct matcher *matcher;
    llama_token_data *candidates; /* room for the vocabulary */
    uint32_t vocabulary, top_k;
};

struct constraint *constraint_new(const struct llama_vocab *vocab, const struct gen_request *request, struct err *err) {
    struct matcher *matcher = matcher_new(request->grammar, NETWORK_STEPS_MAX, err);
    if (matcher == NULL) {
        return NULL;
    }
    struct constraint *constraint = MEM_NEW(struct constraint);
    constraint->vocab = vocab;
    constraint->vocabulary = (uint32_t)llama_vocab_n_tokens(vocab);
    constraint->candidates = mem_calloc(constraint->vocabulary, sizeof(*constraint->candidates));
    constraint->biases = sampler_new_biases(vocab, request);
    constraint->penalties = sampler_new_penalties(vocab, request);
    constraint->top_k = request->top_k > 0 ? request->top_k : CANDIDATES;
    constraint->rest = sampler_new_rest(request);
    constraint->matcher = matcher;
    return constraint;
}

static void sampler_drop(struct llama_sampler *sampler) {
    if (sampler != NULL) {
        llama_sampler_free(sampler);
    }
}

void constraint_free(struct constraint *constraint) {
    if (constraint == NULL) {
        return;
    }
    sampler_drop(constraint->biases);
    sampler_drop(constraint->penalties);
    sampler_drop(constraint->rest);
    matcher_free(constraint->matcher);
    free(constraint->candidates);
    free(constraint);
}

/* Control tokens have no text. */
static struct str piece_of(const struct constraint *constraint, llama_token token, char room[PIECE_BYTES]) {
    const int32_t length = llama_token_to_piece(constraint->vocab, token, room, PIECE_BYTES, 0, false);
    return (struct str){room, length > 0 ? (size_t)length : 0};
}

bool constraint_accept(struct constraint *constraint, llama_token token) {
    char room[PIECE_BYTES];
    if (constraint->penalties != NULL) {
        llama_sampler_accept(constraint->penalties, token);
    }
    matcher_set_budget(constraint->matcher, STEPS_A_TOKEN);
    return matcher_accept(constraint->matcher, piece_of(constraint, token, room));
}

static bool allows(const struct constraint *constraint, llama_token token) {
    char room[PIECE_BYTES];
    if (llama_vocab_is_eog(constraint->vocab, token)) {
        return matcher_may_end(constraint->matcher);
    }
    const struct str piece = piece_of(constraint, token, room);
    return piece.len > 0 && matcher_allows(constraint->matcher, piece);
}

/* The likeliest tokens with their logits, behind the biases and the penalties. */
static llama_token_data_array likeliest(const struct constraint *constraint, const float *logits, uint32_t count) {
    llama_token_data_array tokens = {
        .data = constraint->candidates, .size = constraint->vocabulary, .selected = -1, .sorted = false};
    for (uint32_t i = 0; i < constraint->vocabulary; i++) {
        constraint->candidates[i] = (llama_token_data){.id = (llama_token)i, .logit = logits[i]};
    }
    if (constraint->biases != NULL) {
        llama_sampler_apply(constraint->biases, &tokens);
    }
    if (constraint->penalties != NULL) {
        llama_sampler_apply(constraint->penalties, &tokens);
    }
    struct llama_sampler *top = llama_sampler_init_top_k((int32_t)count);
    llama_sampler_apply(top, &tokens);
    llama_sampler_free(top);
    return tokens;
}

/* Leaves those that the grammar allows, and at most `most` of them. */
static bool keep_allowed(const struct constraint *constraint, llama_token_data_array *tokens, uint32_t most) {
    size_t kept = 0;
    for (size_t i = 0; i < tokens->size && kept < most; i++) {
        if (allows(constraint, tokens->data[i].id)) {
            tokens->data[kept++] = tokens->data[i];
        }
    }
    tokens->size = kept;
    return kept > 0;
}

bool constraint_pick(struct constraint *constraint, struct llama_context *context, int32_t row, llama_token *out) {
    const float *logits = llama_get_logits_ith(context, row);
    llama_token_data_array tokens;
    uint64_t count = constraint->top_k < constraint->vocabulary ? constraint->top_k : constraint->vocabulary;
    matcher_set_budget(constraint->matcher, STEPS_A_TOKEN);
    for (;;) {
        tokens = likeliest(constraint, logits, (uint32_t)count);
        if (keep_allowed(constraint, &tokens, constraint->top_k)) {
            break;
        }
        if (count == constraint->vocabulary || matcher_is_spent(constraint->matcher)) {
            return false;
        }
        count = count * WIDER_TIMES < constraint->vocabulary ? count * WIDER_TIMES : constraint->vocabulary;
    }
    llama_sampler_apply(constraint->rest, &tokens);
    if (tokens.selected < 0 || (size_t)tokens.selected >= tokens.size) {
        return false;
    }
    *out = tokens.data[tokens.selected].id;
    return llama_vocab_is_eog(constraint->vocab, *out) || constraint_accept(constraint, *out);
}
