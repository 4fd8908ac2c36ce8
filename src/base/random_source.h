/* A small seeded generator for jitter and ties. It asks nothing of the system, so the core may have one. */
#ifndef NATARIS_BASE_RANDOM_SOURCE_H
#define NATARIS_BASE_RANDOM_SOURCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SplitMix64: deterministic under its seed. */
struct random_source {
    uint64_t state;
};
uint64_t random_next(struct random_source *source);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(struct random_source *source, uint64_t bound);

#ifdef __cplusplus
}
#endif
#endif
