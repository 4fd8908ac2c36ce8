/* Which trusted devices score answers of a model, by the file that they have: whether one is there is asked for many
 * answers, and devices may be thousands. */
#ifndef NATARIS_GATEWAY_PROVIDER_SCORERS_H
#define NATARIS_GATEWAY_PROVIDER_SCORERS_H

#include "base/digest.h"
#include "base/str.h"

#include <stdint.h>
#include <uthash.h>

struct gateway_provider;
struct providers;

/* Devices with one file of one model, or with any file of it: then the hash is zeros. */
struct provider_scorers {
    UT_hash_handle hh;
    uint8_t key[sizeof(uint64_t) + DIGEST_SHA256_SIZE]; /* the model, as struct provider_file has it, and the hash */
    struct provider_scorer *list;
};

struct provider_scorer {
    struct provider_scorer *prev, *next;
    struct gateway_provider *provider;
    struct provider_scorers *scorers;
};

/* What the device has told of its files, or whether it is trusted, has changed. */
void provider_scorers_tell(struct gateway_provider *provider);
/* The first of those that have told this file, NULL: any file, and score with it; NULL when there are none. Whether one
 * serves at this moment is for the caller to see. */
const struct provider_scorer *provider_scorers_of(const struct providers *providers, struct str model,
                                                  const uint8_t *sha256);

#endif
