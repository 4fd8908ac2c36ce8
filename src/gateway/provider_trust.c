#include "gateway/provider_trust.h"

#include "catalog/catalog.h"
#include "gateway/provider_scorers.h"
#include "gateway/providers.h"

#include <string.h>

void provider_trust_join(struct gateway_provider *provider) {
    struct providers *providers = provider->providers;
    const struct store_device *device = &provider->device;
    provider->is_trusted = device->verified || providers->all_trusted ||
                           (providers->owner_id[0] != '\0' && strcmp(device->account_id, providers->owner_id) == 0);
    provider_scorers_tell(provider);
}

void provider_trust_leave(struct gateway_provider *provider) {
    provider->is_trusted = false;
    provider_scorers_tell(provider);
}

void provider_trust_told(struct gateway_provider *provider) {
    provider_scorers_tell(provider);
}

static bool serves(const struct gateway_provider *provider) {
    return provider->peer != NULL && provider->device.standing == STORE_STANDING_SERVING;
}

bool provider_trust_has_file(const struct gateway_provider *provider, struct str model,
                             const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    return serves(provider) && file != NULL && file->scores && memcmp(file->sha256, sha256, sizeof(file->sha256)) == 0;
}

bool provider_trust_may_score(const struct gateway_provider *scorer, const char *account_id) {
    return strcmp(scorer->device.account_id, account_id) != 0;
}

/* Whether some trusted device scores answers of the model; sha256 NULL: with whatever file. */
static bool some_scores(const struct gateway_provider *device, struct str model, const uint8_t *sha256) {
    const struct provider_scorer *scorer = provider_scorers_of(device->providers, model, sha256);
    for (; scorer != NULL; scorer = scorer->next) {
        if (serves(scorer->provider) && provider_trust_may_score(scorer->provider, device->device.account_id)) {
            return true;
        }
    }
    return false;
}

enum provider_judged provider_trust_judged(const struct gateway_provider *provider, struct str model) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    if (provider->is_trusted ||
        (file != NULL && file->tells_ids && provider_trust_any(provider, model, file->sha256))) {
        return PROVIDER_JUDGED;
    }
    return some_scores(provider, model, NULL) ? PROVIDER_JUDGED_EVADED : PROVIDER_JUDGED_BY_NONE;
}

bool provider_trust_is_catalogs(const struct gateway_provider *provider, struct str model) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    const struct catalog_model *known = catalog_find(model);
    uint8_t sha256[DIGEST_SHA256_SIZE];
    return file != NULL && known != NULL && digest_from_hex(str_from(known->sha256), sha256, sizeof(sha256)) &&
           memcmp(file->sha256, sha256, sizeof(sha256)) == 0;
}

bool provider_trust_any(const struct gateway_provider *device, struct str model,
                        const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    return some_scores(device, model, sha256);
}
