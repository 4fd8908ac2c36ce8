/* The statistic of audits: what one token of an answer says, from the model's logits at its place. Pure arithmetic;
 * docs/AUDITS.md has the formulas, and what was measured with them. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SCORE_H
#define NATARIS_ENGINE_LLAMA_CHILD_SCORE_H

#include "wire/generation.h"
#include "wire/score.h"

#include <stddef.h>
#include <stdint.h>

enum { SCORE_RECENT_TOKENS = 64 /* of the answer, that penalties look at */ };

/* What was asked for: samplers in llama.cpp's order of penalties, top_k, top_p, min_p and temperature. */
struct score_rule {
    uint32_t top_k; /* 0: off */
    double top_p, min_p, temperature;
    double repeat_penalty, frequency_penalty, presence_penalty; /* off: 1, 0, 0 */
};
void score_rule_init(struct score_rule *rule, const struct gen_request *request);

struct score_maker;
/* For models of so many tokens. */
struct score_maker *score_maker_new(uint32_t vocabulary);
void score_maker_free(struct score_maker *maker);
/* The tokens of one place. */
struct score_place {
    const float *logits; /* of each token of the vocabulary; not changed */
    const uint32_t *ids; /* one that stands there; or several that are taken for one, as those that end a text */
    size_t count;
    const uint32_t *recent; /* the answer's last tokens before it, at most SCORE_RECENT_TOKENS */
    size_t recent_count;
};
void score_add(struct score_maker *maker, const struct score_rule *rule, const struct score_place *place,
               struct gen_score *score);

#endif
