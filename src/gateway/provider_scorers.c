#include "gateway/provider_scorers.h"

#include "base/mem.h"
#include "gateway/providers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { PER_FILE = 2 }; /* places: of this file, and of any */

static void key_of(uint64_t model, const uint8_t *sha256, struct provider_scorers *out) {
    memset(out->key, 0, sizeof(out->key));
    memcpy(out->key, &model, sizeof(model));
    if (sha256 != NULL) {
        memcpy(out->key + sizeof(model), sha256, DIGEST_SHA256_SIZE);
    }
}

static size_t count_of(const struct gateway_provider *provider) {
    size_t count = 0;
    for (size_t i = 0; provider->is_trusted && i < provider->files.count; i++) {
        count += provider->files.items[i].scores;
    }
    return PER_FILE * count;
}

/* Devices tell what they have every few seconds, mostly the same. */
static bool is_as_told(const struct gateway_provider *provider) {
    const struct provider_scorer *place = provider->scorings;
    if (provider->scoring_count != count_of(provider)) {
        return false;
    }
    for (size_t i = 0; provider->is_trusted && i < provider->files.count; i++) {
        struct provider_scorers told;
        if (!provider->files.items[i].scores) {
            continue;
        }
        key_of(provider->files.items[i].model, provider->files.items[i].sha256, &told);
        if (memcmp(place->scorers->key, told.key, sizeof(told.key)) != 0) {
            return false;
        }
        place += PER_FILE;
    }
    return true;
}

static void leave(struct gateway_provider *provider) {
    struct providers *providers = provider->providers;
    for (size_t i = 0; i < provider->scoring_count; i++) {
        struct provider_scorer *place = &provider->scorings[i];
        struct provider_scorers *scorers = place->scorers;
        DL_DELETE(scorers->list, place);
        if (scorers->list == NULL) {
            assert(providers->scorers != NULL); /* these are in it */
            HASH_DEL(providers->scorers, scorers);
            free(scorers);
        }
    }
    free(provider->scorings);
    provider->scorings = NULL;
    provider->scoring_count = 0;
}

static struct provider_scorers *find(const struct providers *providers, uint64_t model, const uint8_t *sha256) {
    struct provider_scorers wanted, *scorers = NULL;
    key_of(model, sha256, &wanted);
    HASH_FIND(hh, providers->scorers, wanted.key, sizeof(wanted.key), scorers);
    return scorers;
}

static void enter(struct gateway_provider *provider, uint64_t model, const uint8_t *sha256) {
    struct providers *providers = provider->providers;
    struct provider_scorers *scorers = find(providers, model, sha256);
    if (scorers == NULL) {
        scorers = MEM_NEW(struct provider_scorers);
        key_of(model, sha256, scorers);
        HASH_ADD(hh, providers->scorers, key, sizeof(scorers->key), scorers);
    }
    struct provider_scorer *place = &provider->scorings[provider->scoring_count++];
    *place = (struct provider_scorer){.provider = provider, .scorers = scorers};
    DL_APPEND(scorers->list, place);
}

void provider_scorers_tell(struct gateway_provider *provider) {
    if (is_as_told(provider)) {
        return;
    }
    const size_t count = count_of(provider);
    leave(provider);
    if (count == 0) {
        return;
    }
    provider->scorings = mem_calloc(count, sizeof(*provider->scorings));
    for (size_t i = 0; provider->is_trusted && i < provider->files.count; i++) {
        const struct provider_file *file = &provider->files.items[i];
        if (file->scores) {
            enter(provider, file->model, file->sha256);
            enter(provider, file->model, NULL);
        }
    }
}

const struct provider_scorer *provider_scorers_of(const struct providers *providers, struct str model,
                                                  const uint8_t *sha256) {
    const struct provider_scorers *scorers = find(providers, provider_files_model(model), sha256);
    return scorers == NULL ? NULL : scorers->list;
}
