#include "auth/key_filter.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILTER_BITS = 16, /* a key */
    FILTER_HASHES = 4,
    FILTER_KEYS_MIN = 4096,
    FILTER_KEYS_MAX = 1 << 26, /* 128 MiB; more keys only make it let more through */
};

void key_filter_init(struct key_filter *filter, uint64_t keys) {
    uint64_t bits = (uint64_t)FILTER_KEYS_MIN * FILTER_BITS;
    while (bits < keys * FILTER_BITS && bits < (uint64_t)FILTER_KEYS_MAX * FILTER_BITS) {
        bits *= 2;
    }
    filter->words = mem_calloc(bits / 64, sizeof(*filter->words));
    filter->mask = bits - 1;
}

void key_filter_clear(struct key_filter *filter) {
    free(filter->words);
    *filter = (struct key_filter){0};
}

/* A SHA-256 is hash enough for all of them: each takes eight bytes of its own. */
static uint64_t bit_of(const struct key_filter *filter, const uint8_t sha256[DIGEST_SHA256_SIZE], int hash) {
    uint64_t number;
    memcpy(&number, sha256 + (size_t)hash * sizeof(number), sizeof(number));
    return number & filter->mask;
}

void key_filter_add(struct key_filter *filter, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    for (int i = 0; filter->words != NULL && i < FILTER_HASHES; i++) {
        const uint64_t bit = bit_of(filter, sha256, i);
        filter->words[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

bool key_filter_may_hold(const struct key_filter *filter, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    for (int i = 0; filter->words != NULL && i < FILTER_HASHES; i++) {
        const uint64_t bit = bit_of(filter, sha256, i);
        if ((filter->words[bit / 64] >> bit % 64 & 1) == 0) {
            return false;
        }
    }
    return true;
}
