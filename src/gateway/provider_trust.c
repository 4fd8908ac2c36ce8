#include "gateway/provider_trust.h"

#include "catalog/catalog.h"
#include "gateway/providers.h"

#include <string.h>
#include <utlist.h>

void provider_trust_join(struct gateway_provider *provider) {
    struct providers *providers = provider->providers;
    const struct store_device *device = &provider->device;
    provider->is_trusted = device->verified || providers->all_trusted ||
                           (providers->owner_id[0] != '\0' && strcmp(device->account_id, providers->owner_id) == 0);
    if (provider->is_trusted) {
        DL_APPEND2(providers->trusted, provider, trusted_prev, trusted_next);
    }
}

void provider_trust_leave(struct gateway_provider *provider) {
    if (provider->is_trusted) {
        DL_DELETE2(provider->providers->trusted, provider, trusted_prev, trusted_next);
        provider->is_trusted = false;
    }
}

bool provider_trust_has_file(const struct gateway_provider *provider, struct str model,
                             const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    return provider->peer != NULL && provider->device.standing == STORE_STANDING_SERVING && file != NULL &&
           file->scores && memcmp(file->sha256, sha256, sizeof(file->sha256)) == 0;
}

/* Whether some trusted device scores answers of the model, with whatever file. */
static bool some_scores(const struct providers *providers, struct str model) {
    const struct gateway_provider *provider;
    DL_FOREACH2(providers->trusted, provider, trusted_next) {
        const struct provider_file *file = provider_files_find(&provider->files, model);
        if (file != NULL && provider_trust_has_file(provider, model, file->sha256)) {
            return true;
        }
    }
    return false;
}

enum provider_judged provider_trust_judged(const struct gateway_provider *provider, struct str model) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    if (provider->is_trusted ||
        (file != NULL && file->tells_ids && provider_trust_any(provider->providers, model, file->sha256))) {
        return PROVIDER_JUDGED;
    }
    return some_scores(provider->providers, model) ? PROVIDER_JUDGED_EVADED : PROVIDER_JUDGED_BY_NONE;
}

bool provider_trust_is_catalogs(const struct gateway_provider *provider, struct str model) {
    const struct provider_file *file = provider_files_find(&provider->files, model);
    const struct catalog_model *known = catalog_find(model);
    uint8_t sha256[DIGEST_SHA256_SIZE];
    return file != NULL && known != NULL && digest_from_hex(str_from(known->sha256), sha256, sizeof(sha256)) &&
           memcmp(file->sha256, sha256, sizeof(sha256)) == 0;
}

bool provider_trust_any(const struct providers *providers, struct str model, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    const struct gateway_provider *provider;
    DL_FOREACH2(providers->trusted, provider, trusted_next) {
        if (provider_trust_has_file(provider, model, sha256)) {
            return true;
        }
    }
    return false;
}
