#include "base/random_source.h"

uint64_t random_next(struct random_source *source) {
    /* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
    source->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = source->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random_source *source, uint64_t bound) {
    /* Numbers below (2^64 mod bound) would make the first values likelier. */
    uint64_t unfair = (0 - bound) % bound;
    uint64_t number;
    do {
        number = random_next(source);
    } while (number < unfair);
    return number % bound;
}
