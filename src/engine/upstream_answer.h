/* What comes of one job at an upstream: its text without stop strings, its tokens, how it ended. */
#ifndef NATARIS_ENGINE_UPSTREAM_ANSWER_H
#define NATARIS_ENGINE_UPSTREAM_ANSWER_H

#include "base/buf.h"
#include "engine/stop_filter.h"
#include "engine/upstream_chunk.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a prompt that the upstream has not counted, this is said to be a token's length: longer than nearly all are, so
 * that nobody pays for tokens that were not there. */
enum { UPSTREAM_PROMPT_BYTES_PER_TOKEN = 8 };

struct upstream_answer {
    struct stop_filter filter;
    struct buf out;     /* that was not taken yet; its first `ready` bytes may be: they end with a token */
    size_t ready_bytes; /* see upstream_answer_ready */
    uint32_t ready_tokens, out_tokens;
    uint32_t max_tokens, counted; /* counted: tokens so far, as the upstream says, or one for each piece */
    uint32_t prompt_tokens, cached_tokens;
    size_t prompt_bytes, continued_bytes;
    bool cache_apart; /* what it has cached of others is not told: it would say what they have asked */
    bool thinking;    /* it is between <think> and </think> */
    bool told;        /* the upstream counts; so many, last: */
    uint32_t told_tokens;
    bool ended; /* with `finish`; nothing more is taken, except counts */
    enum gen_finish finish;
};

/* `cache_apart`: the upstream keeps the caches of scopes apart. */
void upstream_answer_init(struct upstream_answer *answer, const struct gen_request *request, bool cache_apart);
void upstream_answer_clear(struct upstream_answer *answer);
void upstream_answer_take(struct upstream_answer *answer, const struct upstream_chunk *chunk);
/* Nothing more comes: what was held back is text after all, and what tokens are left belong to it. */
void upstream_answer_finish(struct upstream_answer *answer);
/* What may be delivered now, with its tokens. upstream_answer_taken drops it. */
struct str upstream_answer_ready(const struct upstream_answer *answer, uint32_t *tokens);
void upstream_answer_taken(struct upstream_answer *answer);
/* As far as they are known. */
struct gen_usage upstream_answer_usage(const struct upstream_answer *answer);

#endif
