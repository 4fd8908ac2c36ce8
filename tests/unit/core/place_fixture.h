/* Devices as placement sees them, for the tests of what goes by it. */
#ifndef NATARIS_TESTS_UNIT_CORE_PLACE_FIXTURE_H
#define NATARIS_TESTS_UNIT_CORE_PLACE_FIXTURE_H

#include "unit/core/core_fixture.h"

#include <string.h>

struct device { /* zero: warm, one slot, context 4096, 20 tokens/s, nominal, on mains, reliable */
    enum core_model_state state;
    bool cold, too_large, paused, draining, verified, takes_wants, on_battery;
    enum core_heat heat;
    int32_t battery_percent;
    uint32_t slots, context_length, load_ms, success;
    float prefill_per_s, decode_per_s;
    const char *region;
    uint64_t ram_bytes, storage_free_bytes;
    bool without;            /* the model */
    bool untrusted;          /* what it says is a claim */
    uint32_t audits, earned; /* of its record */
    uint64_t owner;
    uint8_t abilities; /* enum core_ability */
};

static inline struct core_device_state device_state(const struct device *device) {
    return (struct core_device_state){
        .heat = device->heat,
        .battery_percent = device->on_battery ? device->battery_percent : -1,
        .paused = device->paused,
        .takes_wants = device->takes_wants,
        .storage_free_bytes = device->storage_free_bytes,
    };
}

static inline void device_report(struct fixture *f, uint64_t provider, const struct device *device) {
    struct core_offer offer = {
        .model = STR("m"),
        .state = device->cold         ? CORE_MODEL_COLD
                 : device->state == 0 ? CORE_MODEL_WARM
                                      : device->state,
        .slots = device->slots == 0 ? 1 : device->slots,
        .abilities = device->abilities,
        .context_length = device->context_length == 0 ? 4096 : device->context_length,
        .load_ms = device->load_ms,
        .too_large = device->too_large,
    };
    fixture_step(
        f, (struct core_event){
               .kind = CORE_EVENT_PROVIDER_STATUS,
               .provider = provider,
               .status = {.offers = &offer, .offer_count = device->without ? 0 : 1, .device = device_state(device)}});
}

static inline struct core_offering *device_offering(const struct fixture *f, uint64_t provider) {
    struct core_link *link = core_list_first(&fixture_provider_of(f, provider)->offerings);
    return link == NULL ? NULL : CORE_OF(link, struct core_offering, provider_link);
}

/* As if it had been measured. */
static inline void device_set_speed(struct fixture *f, uint64_t provider, float prefill_per_s, float decode_per_s) {
    struct core_offering *offering = device_offering(f, provider);
    offering->prefill_per_s = prefill_per_s;
    offering->decode_per_s = decode_per_s;
    core_belief_measured(offering);
    core_offering_sort(f->core, offering);
}

static inline uint64_t device_join(struct fixture *f, uint64_t user, const struct device *device) {
    struct core_event joined = {.kind = CORE_EVENT_PROVIDER_JOINED,
                                .joined = {.user = user,
                                           .verified = device->verified,
                                           .trusted = !device->untrusted,
                                           .owner = device->owner,
                                           .ram_bytes = device->ram_bytes}};
    core_record_init(&joined.joined.record);
    joined.joined.record.success = device->success == 0 ? 1000 : device->success;
    joined.joined.record.audits = device->audits;
    joined.joined.record.earned = device->earned;
    (void)str_copy(joined.joined.region, CORE_REGION_SIZE, str_from(device->region));
    fixture_step(f, joined);
    uint64_t provider = f->effects.items[0].provider;
    device_report(f, provider, device);
    if (!device->without && !device->draining) {
        device_set_speed(f, provider, device->prefill_per_s > 0 ? device->prefill_per_s : 200.0F,
                         device->decode_per_s > 0 ? device->decode_per_s : 20.0F);
    }
    if (device->draining) {
        fixture_plain(f, CORE_EVENT_PROVIDER_DRAINING, 0, provider);
    }
    return provider;
}

struct wish { /* a generation: zero: any device, 256 tokens for 300 bytes */
    uint32_t prompt_bytes, max_tokens;
    const char *region;
    bool verified;
    uint64_t prefix, leaves_prefix, only_provider;
    bool steered;
};

static inline uint64_t device_request(struct fixture *f, const struct wish *wish) {
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.model = STR("m"),
                                           .prompt_tokens_max = wish->prompt_bytes == 0 ? 300 : wish->prompt_bytes,
                                           .max_tokens = wish->max_tokens == 0 ? 256 : wish->max_tokens,
                                           .verified = wish->verified,
                                           .steered = wish->steered,
                                           .prefix = wish->prefix,
                                           .leaves_prefix = wish->leaves_prefix,
                                           .only_provider = wish->only_provider}};
    (void)str_copy(event.request.region, CORE_REGION_SIZE, str_from(wish->region));
    fixture_step(f, event);
    const struct core_effect *admitted = fixture_effect(f, CORE_EFFECT_ADMITTED);
    return admitted == NULL ? CORE_NO_HANDLE : admitted->generation;
}

static inline void device_text(struct fixture *f, uint64_t generation, uint64_t provider, const char *text,
                               uint32_t tokens) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_DELTA,
                                        .generation = generation,
                                        .provider = provider,
                                        .delta = {.text = str_from(text), .tokens = tokens}});
}

/* Accepted, one piece of text, done, durable. */
static inline void device_answer(struct fixture *f, uint64_t generation, uint64_t provider) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = generation,
                                        .provider = provider,
                                        .accept = {.prompt_tokens = 80}});
    device_text(f, generation, provider, "text", 1);
    fixture_done(f, generation, provider, 80, 1);
    fixture_committed(f, generation, true);
}

#endif
