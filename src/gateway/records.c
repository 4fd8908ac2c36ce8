/* How reliable and how fast a device has been outlives its link and this process: kept in the store when it leaves and
 * every minute, read when it comes back. */
#include "base/clock.h"
#include "gateway/internal.h"

#include <utlist.h>

struct core_record gateway_record_from_store(const struct store_record *kept) {
    struct core_record record;
    core_record_init(&record);
    if (kept->kept_ms != 0) {
        record = (struct core_record){.jobs = kept->jobs,
                                      .failures = kept->failures,
                                      .success = kept->success,
                                      .uptime = kept->uptime,
                                      .prefill_factor = kept->prefill_factor,
                                      .decode_factor = kept->decode_factor,
                                      .reviews = kept->reviews};
    }
    return record;
}

static void keep(struct gateway_provider *provider, const struct core_record *now) {
    const struct store_record record = {.jobs = now->jobs,
                                        .failures = now->failures,
                                        .reviews = now->reviews,
                                        .success = now->success,
                                        .uptime = now->uptime,
                                        .prefill_factor = now->prefill_factor,
                                        .decode_factor = now->decode_factor,
                                        .kept_ms = clock_wall_ms()};
    provider->device.record = record;
    store_record_keep(provider->gateway->store, provider->device.id, &record);
}

void gateway_record_keep_left(struct gateway_provider *provider, uint64_t handle) {
    struct core_record record;
    if (core_provider_left(provider->gateway->core, handle, &record)) {
        keep(provider, &record);
    }
}

/* Uptime alone is no reason to write: it is told when the device leaves, and a gateway that dies loses little of it. */
static bool has_changed(const struct store_record *kept, const struct core_record *now) {
    return now->jobs != kept->jobs || now->reviews != kept->reviews;
}

void gateway_records_due(void *context) {
    struct gateway *gateway = context;
    struct gateway_provider *provider;
    DL_FOREACH (gateway->providers, provider) {
        struct core_provider_view view;
        if (core_provider_view(gateway->core, provider->handle, loop_now_ms(gateway->loop), &view) &&
            has_changed(&provider->device.record, &view.record)) {
            keep(provider, &view.record);
        }
    }
}
