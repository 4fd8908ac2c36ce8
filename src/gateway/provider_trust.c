#include "gateway/provider_trust.h"

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

bool provider_trust_any(const struct providers *providers, struct str model, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    const struct gateway_provider *provider;
    DL_FOREACH2(providers->trusted, provider, trusted_next) {
        if (provider_trust_has_file(provider, model, sha256)) {
            return true;
        }
    }
    return false;
}
