#include "gateway/provider_commands.h"

#include "base/log.h"
#include "gateway/providers.h"
#include "link/peer.h"
#include "wire/limits.h"

void provider_commands_cancel(const struct providers *providers, uint64_t handle, uint64_t generation) {
    const struct gateway_provider *provider = providers_find(providers, handle);
    if (provider != NULL && provider->peer != NULL) {
        link_peer_send_cancel(provider->peer, generation);
    }
}

void provider_commands_watch(const struct providers *providers, uint64_t handle, bool watched) {
    const struct gateway_provider *provider = providers_find(providers, handle);
    if (provider == NULL || provider->peer == NULL) {
        return;
    }
    link_peer_watch(provider->peer, watched);
    if (!watched && provider->relink) {
        link_peer_close(provider->peer, PROVIDERS_RELINK_REASON);
    }
}

void provider_commands_want(const struct providers *providers, uint64_t handle, struct str model) {
    const struct gateway_provider *provider = providers_find(providers, handle);
    if (provider != NULL && provider->peer != NULL) {
        char name[LIMIT_MODEL_ID_BYTES + 1];
        (void)str_copy(name, sizeof(name), model);
        LOG_INFO_EVENT("provider.want", LOG_TEXT("provider_id", provider->device.id), LOG_TEXT("model", name));
        providers->counts->wants++;
        link_peer_send_want(provider->peer, model);
    }
}
