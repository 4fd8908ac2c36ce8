#include "engine/llama_child/pace.h"

/* A step that took longer than expected counts at once, one that was quicker bit by bit: a gap is noticed, a step that
 * could have been larger is not. */
#define PACE_SLOWER 0.6
#define PACE_QUICKER 0.25
/* However long the answers take by themselves, prompts have this part of a step: nobody waits for ever. */
#define PACE_PROMPTS_SHARE 0.25

void pace_init(struct pace *pace, double tokens_per_ms) {
    *pace = (struct pace){.alone_per_ms = tokens_per_ms, .beside_per_ms = tokens_per_ms};
}

static uint32_t tokens_in(double ms, double per_ms) {
    double tokens = ms * per_ms;
    return tokens < PACE_LEAST ? PACE_LEAST : tokens < 1e6 ? (uint32_t)tokens : 1000 * 1000;
}

uint32_t pace_tokens(const struct pace *pace, const struct pace_load *load) {
    if (load->answers == 0) {
        uint32_t tokens = tokens_in(load->prompts > 1 ? PACE_SHARED_MS : PACE_ALONE_MS, pace->alone_per_ms);
        /* Worth a longer step, unless the machine is too slow for that as well. */
        uint32_t most = tokens_in(PACE_ALONE_MS, pace->alone_per_ms);
        uint32_t tile = most < PACE_TILE ? most : PACE_TILE;
        return tokens < tile ? tile : tokens;
    }
    double left_ms = PACE_BESIDE_MS - pace->answers_ms, least_ms = PACE_BESIDE_MS * PACE_PROMPTS_SHARE;
    return tokens_in(left_ms > least_ms ? left_ms : least_ms, pace->beside_per_ms);
}

uint32_t pace_least(const struct pace_load *load) {
    return load->answers == 0 ? PACE_TILE : PACE_LEAST;
}

static void move(double *value, double sample, bool slower) {
    *value = *value > 0 ? *value + (sample - *value) * (slower ? PACE_SLOWER : PACE_QUICKER) : sample;
}

void pace_learn(struct pace *pace, uint32_t prompt_tokens, uint32_t answers, uint64_t spent_us) {
    double spent_ms = (double)(spent_us > 0 ? spent_us : 1) / 1000.0;
    if (prompt_tokens == 0) {
        move(&pace->answers_ms, spent_ms, spent_ms > pace->answers_ms);
        return;
    }
    if (prompt_tokens < PACE_LEAST) {
        return; /* the end of a prompt: it tells little */
    }
    double *per_ms = answers > 0 ? &pace->beside_per_ms : &pace->alone_per_ms;
    double answers_ms = answers > 0 ? pace->answers_ms : 0;
    double least_ms = spent_ms * PACE_PROMPTS_SHARE;
    double now = prompt_tokens / (spent_ms - answers_ms > least_ms ? spent_ms - answers_ms : least_ms);
    move(per_ms, now, now < *per_ms);
}
