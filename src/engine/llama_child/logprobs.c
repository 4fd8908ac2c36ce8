#include "engine/llama_child/logprobs.h"

#include "wire/logprobs.h"

#include <math.h>

struct pieces { /* what tokens spell, while they are written */
    char bytes[LIMIT_LOGPROB_OTHERS + 1][LIMIT_LOGPROB_TOKEN_BYTES];
};

/* Logarithm of the sum of exp(logit); logits that are no numbers count for nothing. */
static double log_sum(const float *logits, int32_t count) {
    float largest = -INFINITY;
    double sum = 0;
    for (int32_t i = 0; i < count; i++) {
        largest = logits[i] > largest ? logits[i] : largest;
    }
    for (int32_t i = 0; i < count; i++) {
        const float distance = logits[i] - largest;
        sum += distance <= 0 ? (double)expf(distance) : 0;
    }
    return (double)largest + log(sum);
}

/* Whatever a damaged model computes, what is told is a log-probability. */
static float logprob_of(float logit, double sum) {
    const double value = (double)logit - sum;
    if (!(value >= (double)GEN_LOGPROB_LEAST)) {
        return GEN_LOGPROB_LEAST;
    }
    return value < 0 ? (float)value : 0.0F;
}

/* The likeliest tokens, in falling order; of equal ones the first. */
static uint32_t find_likeliest(const float *logits, int32_t count, uint32_t top, llama_token *out) {
    uint32_t found = 0;
    for (int32_t i = 0; i < count && top > 0; i++) {
        if (found == top && !(logits[i] > logits[out[found - 1]])) {
            continue;
        }
        uint32_t at = found < top ? found++ : found - 1;
        for (; at > 0 && logits[i] > logits[out[at - 1]]; at--) {
            out[at] = out[at - 1];
        }
        out[at] = i;
    }
    return found;
}

/* Of a token of the answer what stands in the text; control tokens have no text there, but a name among the others. */
static struct str spell(const struct llama_vocab *vocab, llama_token token, bool named, char *bytes) {
    const int32_t len = llama_token_to_piece(vocab, token, bytes, LIMIT_LOGPROB_TOKEN_BYTES, 0, named);
    return (struct str){bytes, len > 0 ? (size_t)len : 0};
}

void logprobs_append(struct buf *out, const struct llama_vocab *vocab, const float *logits, llama_token taken,
                     uint32_t top) {
    const int32_t count = llama_vocab_n_tokens(vocab);
    const double sum = log_sum(logits, count);
    llama_token likeliest[LIMIT_LOGPROB_OTHERS];
    struct pieces pieces;
    struct gen_token_logprobs token = {
        .taken = {.id = (uint32_t)taken,
                  .logprob = logprob_of(logits[taken], sum),
                  .bytes = spell(vocab, taken, false, pieces.bytes[LIMIT_LOGPROB_OTHERS])},
        .other_count =
            find_likeliest(logits, count, top < LIMIT_LOGPROB_OTHERS ? top : LIMIT_LOGPROB_OTHERS, likeliest)};
    for (size_t i = 0; i < token.other_count; i++) {
        token.others[i] = (struct gen_logprob){.id = (uint32_t)likeliest[i],
                                               .logprob = logprob_of(logits[likeliest[i]], sum),
                                               .bytes = spell(vocab, likeliest[i], true, pieces.bytes[i])};
    }
    gen_logprobs_append(out, &token);
}
