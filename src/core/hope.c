/* Whether a device is there, busy or not, that a generation may still go to. */
#include "core/own.h"
#include "core/pool.h"

bool core_place_was_tried(const struct core_generation *generation, const struct core_provider *provider) {
    for (uint32_t i = 0; i < generation->tried_count; i++) {
        if (generation->tried[i] == provider->handle) {
            return true;
        }
    }
    return core_refusal_was_heard(generation, provider);
}

bool core_place_has_untried(const struct core *core, const struct core_generation *generation, bool failed_ones) {
    if (generation->only_owner != 0) {
        return core_own_has_untried(generation, failed_ones);
    }
    struct core_pool *pool = core_pool_of(generation->model, &generation->demand);
    size_t left = pool == NULL ? 0 : pool->hopeful;
    for (uint32_t i = 0; i < generation->tried_count && left > 0; i++) {
        const struct core_provider *provider =
            (const struct core_provider *)core_handles_get(&core->providers, generation->tried[i]);
        bool twice = false;
        for (uint32_t j = 0; j < i; j++) {
            twice |= generation->tried[j] == generation->tried[i];
        }
        if (provider == NULL || twice || (failed_ones && !core_place_stayed_silent(generation, provider))) {
            continue;
        }
        const struct core_offering *offering = core_offering_find(provider, generation->model);
        left -= offering != NULL && offering->hopeful && core_demand_admits(&generation->demand, offering);
    }
    return left > 0;
}

bool core_place_stayed_silent(const struct core_generation *generation, const struct core_provider *provider) {
    for (uint32_t i = 0; i < generation->tried_count; i++) {
        if (generation->tried[i] == provider->handle && (generation->tried_silent >> i & 1) != 0) {
            return true;
        }
    }
    return false;
}

bool core_place_has_hope(const struct core *core, const struct core_generation *generation) {
    if (generation->only_provider != CORE_NO_HANDLE) {
        const struct core_provider *provider =
            (const struct core_provider *)core_handles_get(&core->providers, generation->only_provider);
        const struct core_offering *offering =
            provider == NULL ? NULL : core_offering_find(provider, generation->model);
        return offering != NULL && offering->hopeful && !core_place_was_tried(generation, provider);
    }
    return core_place_has_untried(core, generation, true);
}
