#include "engine/script_words.h"

#include "base/compiler.h"
#include "base/mem.h"
#include "base/random_source.h"
#include "wire/logprobs.h"

#include <math.h>
#include <stdlib.h>

/* Each with the blank that stands before it inside a text. */
static const char *const WORDS[] = {
    " the",   " a",     " device",  " answers", " with",  " words",  " from",   " its",   " own",    " list",
    " and",   " every", " request", " gets",    " some",  " of",     " them",   " in",    " order",  " so",
    " that",  " tests", " can",     " tell",    " what",  " came",   " first",  " small", " steps",  " lead",
    " to",    " large", " results", " rivers",  " carry", " stones", " slowly", " over",  " time",   " until",
    " hills", " turn",  " into",    " plains",  " where", " people", " build",  " their", " houses", " near",
    " water", " birds", " return",  " early",   " when",  " spring", " is",     " warm",  " enough", " for",
    " young", " trees", " grow",    " well",
};

enum { WORD_COUNT = COUNT_OF(WORDS), LOGIT_STEPS = 4096 };

/* Of the word that the script has; all others lie between 0 and LOGIT_OTHER. */
#define LOGIT_RIGHT 8.0
#define LOGIT_OTHER 4.0

struct script_bias {
    struct gen_bias items[LIMIT_LOGIT_BIASES];
    bool known[LIMIT_LOGIT_BIASES];
    size_t count;
    double words[2][WORD_COUNT]; /* of the list: within a text, and as its first word */
};

uint64_t script_hash(struct str text) {
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

uint32_t script_token_id(struct str token) {
    return (uint32_t)(script_hash(token) >> 33); /* 31 bits, as engines have it */
}

static struct str word_at(size_t index, bool first) {
    return str_from(first ? WORDS[index] + 1 : WORDS[index]);
}

struct str script_word(uint64_t seed, bool first) {
    struct random_source source = {.state = seed};
    return word_at(random_below(&source, WORD_COUNT), first);
}

static double other_logit(uint64_t seed, size_t index) {
    struct random_source source = {.state = seed * WORD_COUNT + index};
    return LOGIT_OTHER * (double)random_below(&source, LOGIT_STEPS) / LOGIT_STEPS;
}

/* What it adds to a token, which is known by that. */
static double bias_of(const struct script_bias *bias, struct str word) {
    const uint32_t id = script_token_id(word);
    for (size_t i = 0; i < bias->count; i++) {
        if (bias->items[i].token == id) {
            return bias->items[i].bias;
        }
    }
    return 0;
}

void script_bias_know(struct script_bias *bias, struct str word) {
    const uint32_t id = script_token_id(word);
    for (size_t i = 0; i < bias->count; i++) {
        bias->known[i] = bias->known[i] || bias->items[i].token == id;
    }
}

bool script_bias_all_known(const struct script_bias *bias) {
    for (size_t i = 0; i < bias->count; i++) {
        if (!bias->known[i]) {
            return false;
        }
    }
    return true;
}

struct script_bias *script_bias_new(const struct gen_request *request) {
    struct script_bias *bias = MEM_NEW(struct script_bias);
    for (; bias->count < request->bias_count && bias->count < LIMIT_LOGIT_BIASES; bias->count++) {
        bias->items[bias->count] = request->biases[bias->count];
    }
    for (size_t i = 0; i < WORD_COUNT; i++) {
        for (int first = 0; first < 2; first++) {
            const struct str word = word_at(i, first == 1);
            bias->words[first][i] = bias_of(bias, word);
            script_bias_know(bias, word);
        }
    }
    return bias;
}

void script_bias_free(struct script_bias *bias) {
    free(bias);
}

struct str script_bias_choose(const struct script_bias *bias, uint64_t seed, bool first, struct str right) {
    double best = LOGIT_RIGHT + bias_of(bias, right);
    struct str chosen = right;
    for (size_t i = 0; i < WORD_COUNT; i++) {
        const double logit = other_logit(seed, i) + bias->words[first][i];
        if (logit > best && !str_equal(word_at(i, first), right)) {
            best = logit;
            chosen = word_at(i, first);
        }
    }
    return chosen;
}

struct candidate {
    struct str word;
    double logit;
};

static int by_logit(const void *a, const void *b) {
    const struct candidate *x = a, *y = b;
    return (x->logit < y->logit) - (x->logit > y->logit);
}

static struct gen_logprob logprob_of(const struct candidate *candidate, double sum) {
    const double value = candidate->logit - sum;
    return (struct gen_logprob){
        .id = script_token_id(candidate->word), .logprob = value < 0 ? (float)value : 0.0F, .bytes = candidate->word};
}

void script_logprobs_append(struct buf *out, uint64_t seed, bool first, struct str right, struct str came,
                            uint32_t top) {
    struct candidate candidates[WORD_COUNT + 1] = {{.word = right, .logit = LOGIT_RIGHT}};
    struct candidate taken = candidates[0];
    struct gen_token_logprobs token = {.other_count = 0};
    double sum = exp(LOGIT_RIGHT);
    size_t count = 1;
    for (size_t i = 0; i < WORD_COUNT; i++) {
        const struct candidate candidate = {.word = word_at(i, first), .logit = other_logit(seed, i)};
        if (!str_equal(candidate.word, right)) {
            candidates[count++] = candidate;
            sum += exp(candidate.logit);
            taken = str_equal(candidate.word, came) ? candidate : taken;
        }
    }
    qsort(candidates, count, sizeof(candidates[0]), by_logit);
    token.taken = logprob_of(&taken, log(sum));
    for (; token.other_count < top && token.other_count < LIMIT_LOGPROB_OTHERS; token.other_count++) {
        token.others[token.other_count] = logprob_of(&candidates[token.other_count], log(sum));
    }
    gen_logprobs_append(out, &token);
}
