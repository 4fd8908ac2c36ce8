/* Views of devices, for the operator and their owners. Part of core.h, which has the structs. */
#ifndef NATARIS_CORE_EXPLAIN_H
#define NATARIS_CORE_EXPLAIN_H

#include "core/core.h"

/* Weighs the devices that have the generation's model, for `generation explain`: up to `capacity`, the fit ones first,
 * by finish time. The total is returned; 0 for a generation that is gone. It looks at every one of them: not for the
 * hot path. */
size_t core_generation_explain(const struct core *core, uint64_t generation_handle, struct core_candidate *out,
                               size_t capacity);
/* One provider for the operator and its owner. False when the handle is stale. */
struct core_provider_view {
    uint64_t user;
    struct core_device_state device;
    bool draining, silent, quarantined;
    bool trusted;              /* the operator's own, or verified: believed from the start */
    bool settled;              /* it is not new: trusted, or CORE_AUDITS_FIRST audits are passed */
    uint64_t cooldown_ms;      /* what is left of it */
    uint32_t active;           /* generations */
    struct core_record record; /* as of now; to be kept when it leaves */
    size_t offer_count;
};
MUST_CHECK bool core_provider_view(const struct core *core, uint64_t handle, uint64_t now_ms,
                                   struct core_provider_view *out);
/* The record of the provider that left last, with what leaving did to it: the generations that it took along count
 * against it. False when `provider` was another one. */
MUST_CHECK bool core_provider_left(const struct core *core, uint64_t provider, struct core_record *out);
/* One of its models: what would gate a generation there right now, and its speeds as measured (0: not yet). */
struct core_offer_view {
    struct core_offer offer; /* strings are the core's, until the next step */
    enum core_gate gate;
    uint32_t active;
    /* RAMP or OWNER_SHARE: others that are free go before it at this moment (core_candidate.yields). */
    enum core_gate yields;
    uint32_t slots_claimed;             /* as it says; offer.slots are those that are believed */
    double prefill_per_s, decode_per_s; /* tokens per second */
    size_t rivals;                      /* other devices that could take a generation for it now */
    size_t waiting;                     /* generations that wait for the model */
};
MUST_CHECK bool core_provider_offer(const struct core *core, uint64_t handle, size_t index,
                                    struct core_offer_view *out);
/* The median of what its rivals decode, in tokens per second as measured, over the first CORE_RIVALS_MAX devices with
 * the model; 0: none of these has shown it. It looks at all of them: not for the hot path. */
enum { CORE_RIVALS_MAX = 128 };
double core_provider_rivals_per_s(const struct core *core, uint64_t handle, size_t index);
/* Bytes that all devices take in the core: themselves, what they offer, pools and handles. It walks over all of
 * them. */
size_t core_provider_bytes(const struct core *core);

#endif
