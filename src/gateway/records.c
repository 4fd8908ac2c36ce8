#include "gateway/records.h"

#include "base/clock.h"

struct core_record record_from_store(const struct store_record *kept) {
    struct core_record record;
    core_record_init(&record);
    if (kept->kept_ms != 0) {
        record = (struct core_record){.generations = kept->generations,
                                      .failures = kept->failures,
                                      .success = kept->success,
                                      .uptime = kept->uptime,
                                      .prefill_factor = kept->prefill_factor,
                                      .decode_factor = kept->decode_factor,
                                      .reviews = kept->reviews,
                                      .audits = kept->audits,
                                      .earned = kept->earned};
    }
    return record;
}

bool record_has_changed(const struct store_record *kept, const struct core_record *now) {
    return now->generations != kept->generations || now->reviews != kept->reviews || now->audits != kept->audits;
}

void record_keep(struct store *store, struct store_device *device, const struct core_record *now) {
    device->record = (struct store_record){.generations = now->generations,
                                           .failures = now->failures,
                                           .reviews = now->reviews,
                                           .success = now->success,
                                           .uptime = now->uptime,
                                           .prefill_factor = now->prefill_factor,
                                           .decode_factor = now->decode_factor,
                                           .audits = now->audits,
                                           .earned = now->earned,
                                           .kept_ms = clock_wall_ms()};
    store_record_keep(store, device->id, &device->record);
}
