/* How many tokens of prompts a step may read, so that it takes as long as it should: by what the last steps took. Pure
 * arithmetic. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_PACE_H
#define NATARIS_ENGINE_LLAMA_CHILD_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Nobody answers: as large as computes well. A new prompt waits for a step's end, and its device must tell at times
     * that it works. */
    PACE_ALONE_MS = 2000,
    PACE_SHARED_MS = 500, /* likewise, while several prompts are being read */
    PACE_BESIDE_MS = 90,  /* while answers go on: their readers see a gap so long, and 150 ms are noticed */
    PACE_LEAST = 2,       /* tokens in a step, however slow the machine */
    /* From so many of one prompt on, llama.cpp computes attention in tiles, half as fast again as below. */
    PACE_TILE = 64,
};

struct pace {
    /* Tokens of prompts in a millisecond, smoothed: in steps of their own, and in steps in which answers go on. */
    double alone_per_ms, beside_per_ms;
    double answers_ms; /* what a step takes that only goes on with answers, smoothed; 0: none was seen */
};

/* What the steps now have to do. */
struct pace_load {
    uint32_t prompts; /* being read */
    uint32_t answers; /* going on */
};

void pace_init(struct pace *pace, double tokens_per_ms);
/* Tokens of all prompts together that the next step should read. */
uint32_t pace_tokens(const struct pace *pace, const struct pace_load *load);
/* Tokens of one prompt below which it had better wait for a later step. */
uint32_t pace_least(const struct pace_load *load);
/* A step has read so many tokens of prompts, gone on with so many answers, and taken so long. */
void pace_learn(struct pace *pace, uint32_t prompt_tokens, uint32_t answers, uint64_t spent_us);

#endif
