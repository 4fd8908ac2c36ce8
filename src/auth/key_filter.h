/* Which keys may be there: a Bloom filter over the hashes of all keys, so that made-up ones are told from those that
 * are worth a look into the store. It never says no to a key that was added. */
#ifndef NATARIS_AUTH_KEY_FILTER_H
#define NATARIS_AUTH_KEY_FILTER_H

#include "base/digest.h"

#include <stdbool.h>
#include <stdint.h>

struct key_filter {
    uint64_t *words; /* owned; NULL: it knows nothing yet, and any key may be there */
    uint64_t mask;   /* of a bit's number */
};
/* Room for so many keys: then it lets 1 in 400 made-up ones through; with twice as many 1 in 40. 2 bytes a key. */
void key_filter_init(struct key_filter *filter, uint64_t keys);
void key_filter_clear(struct key_filter *filter);
void key_filter_add(struct key_filter *filter, const uint8_t sha256[DIGEST_SHA256_SIZE]);
bool key_filter_may_hold(const struct key_filter *filter, const uint8_t sha256[DIGEST_SHA256_SIZE]);

#endif
