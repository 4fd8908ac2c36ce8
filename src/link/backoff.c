#include "link/backoff.h"

void link_backoff_init(struct link_backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint64_t seed) {
    *backoff = (struct link_backoff){.min_ms = min_ms, .max_ms = max_ms, .random = {.state = seed}};
}

uint64_t link_backoff_next(struct link_backoff *backoff) {
    uint64_t ceiling = backoff->min_ms;
    for (uint32_t i = 0; i < backoff->failures && ceiling < backoff->max_ms && ceiling > 0; i++) {
        ceiling *= 2;
    }
    if (ceiling > backoff->max_ms) {
        ceiling = backoff->max_ms;
    }
    if (backoff->failures < UINT32_MAX) {
        backoff->failures++;
    }
    return ceiling / 2 + random_below(&backoff->random, ceiling - ceiling / 2 + 1);
}

void link_backoff_reset(struct link_backoff *backoff) {
    backoff->failures = 0;
}
