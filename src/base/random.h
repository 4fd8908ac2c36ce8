/* Randomness from the operating system's CSPRNG (through OpenSSL), and a small seeded generator for jitter and ties. */
#ifndef NATARIS_BASE_RANDOM_H
#define NATARIS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ends the process when the system has no randomness: nothing safe can go on without it. */
void random_bytes(void *out, size_t len);
/* `length` random base62 characters and a NUL; `out` has length + 1 bytes. Unbiased. */
void random_base62(char *out, size_t length);

/* SplitMix64: deterministic under its seed. The core and the simulator take one of these. */
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
