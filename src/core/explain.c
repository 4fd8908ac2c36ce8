/* Why things are as they are, for the operator and the owners of devices. Nothing here is on the way of a request. */
#include "core/explain.h"

#include "core/pool.h"

static const char *const gate_names[CORE_GATE_COUNT] = {
    [CORE_GATE_NONE] = "none",
    [CORE_GATE_MODEL] = "model",
    [CORE_GATE_LOADING] = "loading",
    [CORE_GATE_FAILED] = "failed",
    [CORE_GATE_MEMORY] = "memory",
    [CORE_GATE_CONTEXT] = "context",
    [CORE_GATE_SLOTS] = "slots",
    [CORE_GATE_HEAT] = "heat",
    [CORE_GATE_PAUSED] = "paused",
    [CORE_GATE_DRAINING] = "draining",
    [CORE_GATE_COOLDOWN] = "cooldown",
    [CORE_GATE_SILENT] = "silent",
    [CORE_GATE_REGION] = "region",
    [CORE_GATE_PRIVACY] = "privacy",
    [CORE_GATE_ABILITY] = "ability",
    [CORE_GATE_TRIED] = "tried",
    [CORE_GATE_PINNED] = "pinned",
    [CORE_GATE_RAMP] = "ramp",
    [CORE_GATE_OWNER_SHARE] = "owner_share",
    [CORE_GATE_NOT_OWN] = "not_own",
    [CORE_GATE_QUARANTINED] = "quarantined",
};

const char *core_gate_name(enum core_gate gate) {
    return gate_names[gate];
}

static bool candidate_precedes(const struct core_candidate *a, const struct core_candidate *b) {
    if ((a->gate == CORE_GATE_NONE) != (b->gate == CORE_GATE_NONE)) {
        return a->gate == CORE_GATE_NONE;
    }
    if ((a->yields == CORE_GATE_NONE) != (b->yields == CORE_GATE_NONE)) {
        return a->yields == CORE_GATE_NONE;
    }
    return a->finish_ms < b->finish_ms;
}

/* Keeps the first `capacity` of all that were handed in, in order. */
static void candidates_insert(struct core_candidate *out, size_t *count, size_t capacity,
                              const struct core_candidate *candidate) {
    size_t position = *count;
    while (position > 0 && candidate_precedes(candidate, &out[position - 1])) {
        position--;
    }
    if (position == capacity) {
        return;
    }
    *count += *count < capacity;
    for (size_t i = *count - 1; i > position; i--) {
        out[i] = out[i - 1];
    }
    out[position] = *candidate;
}

size_t core_generation_explain(const struct core *core, uint64_t generation_handle, struct core_candidate *out,
                               size_t capacity) {
    const struct core_generation *generation =
        (const struct core_generation *)core_handles_get(&core->generations, generation_handle);
    if (generation == NULL) {
        return 0;
    }
    uint32_t tokens = 0;
    const struct core_offering *cached = core_affinity_find(core, generation, &tokens);
    const struct core_list *list = &generation->model->offerings;
    const struct core_place_work work = core_place_work(core, generation);
    size_t count = 0;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        struct core_candidate candidate = {.provider = offering->provider->handle, .user = offering->provider->user};
        enum core_gate gate = core_place_gate(generation, offering);
        bool holder = generation->attempt != NULL && generation->attempt->offering == offering;
        if (gate == CORE_GATE_NONE) {
            core_place_weigh(core, &work, offering, offering == cached ? tokens : 0, &candidate);
            candidate.yields = core_place_yields(core, &generation->demand, offering);
        }
        candidate.gate = gate;
        candidate.chosen = holder;
        if (capacity > 0) {
            candidates_insert(out, &count, capacity, &candidate);
        }
    }
    return list->count;
}

bool core_provider_view(const struct core *core, uint64_t handle, uint64_t now_ms, struct core_provider_view *out) {
    const struct core_provider *provider = (const struct core_provider *)core_handles_get(&core->providers, handle);
    if (provider == NULL) {
        return false;
    }
    now_ms = now_ms > core->now_ms ? now_ms : core->now_ms;
    *out = (struct core_provider_view){
        .user = provider->user,
        .device = provider->device,
        .draining = provider->draining,
        .silent = provider->silent,
        .trusted = provider->trusted,
        .settled = provider->settled,
        .quarantined = provider->quarantined,
        .active = provider->active,
        .record = provider->record,
        .offer_count = provider->offerings.count,
    };
    if (core_deadline_is_set(&provider->cooldown) && provider->cooldown.due_ms > now_ms) {
        out->cooldown_ms = provider->cooldown.due_ms - now_ms;
    }
    core_record_uptime(&out->record, now_ms - provider->uptime_ms, !provider->silent);
    return true;
}

bool core_provider_left(const struct core *core, uint64_t provider, struct core_record *out) {
    bool same = provider != CORE_NO_HANDLE && provider == core->left_handle;
    if (same) {
        *out = core->left_record;
    }
    return same;
}

/* NULL: there is none. */
static const struct core_offering *offering_at(const struct core *core, uint64_t handle, size_t index) {
    const struct core_provider *provider = (const struct core_provider *)core_handles_get(&core->providers, handle);
    if (provider == NULL || index >= provider->offerings.count) {
        return NULL;
    }
    struct core_link *link = core_list_first(&provider->offerings);
    for (size_t i = 0; i < index; i++) {
        link = core_list_next(&provider->offerings, link);
    }
    return CORE_OF(link, struct core_offering, provider_link);
}

static size_t insert_speed(float *speeds, size_t count, float speed) {
    size_t position = count;
    for (; position > 0 && speeds[position - 1] > speed; position--) {
        speeds[position] = speeds[position - 1];
    }
    speeds[position] = speed;
    return count + 1;
}

double core_provider_rivals_per_s(const struct core *core, uint64_t handle, size_t index) {
    const struct core_offering *own = offering_at(core, handle, index);
    if (own == NULL) {
        return 0;
    }
    float speeds[CORE_RIVALS_MAX];
    size_t count = 0, seen = 0;
    const struct core_list *list = &own->model->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL && seen < CORE_RIVALS_MAX;
         link = core_list_next(list, link), seen++) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        if (offering != own && offering->gate == CORE_GATE_NONE && offering->decode_per_s > 0) {
            count = insert_speed(speeds, count, offering->decode_per_s);
        }
    }
    return count == 0 ? 0 : (double)(speeds[(count - 1) / 2] + speeds[count / 2]) / 2;
}

bool core_provider_offer(const struct core *core, uint64_t handle, size_t index, struct core_offer_view *out) {
    const struct core_offering *offering = offering_at(core, handle, index);
    if (offering == NULL) {
        return false;
    }
    const struct core_model *model = offering->model;
    *out = (struct core_offer_view){
        .offer = {.model = {.data = model->id, .len = model->id_len},
                  .state = offering->state,
                  .slots = offering->slots,
                  .context_length = offering->context_length,
                  .load_ms = offering->load_ms,
                  .too_large = offering->too_large,
                  .bytes_left = offering->bytes_left,
                  .bytes_per_s = offering->bytes_per_s},
        .gate = offering->gate,
        .yields = core_place_yields(core, &CORE_DEMAND_ANY, offering),
        .slots_claimed = offering->slots_claimed,
        .active = offering->active,
        .prefill_per_s = (double)offering->prefill_per_s,
        .decode_per_s = (double)offering->decode_per_s,
        .rivals = model->gated[CORE_GATE_NONE] - (offering->gate == CORE_GATE_NONE),
        .waiting = model->queue.count,
    };
    return true;
}

size_t core_provider_bytes(const struct core *core) {
    size_t bytes = core->providers.capacity * sizeof(struct core_handle_entry);
    for (size_t i = 0; i < core->providers.used; i++) {
        const struct core_provider *provider = (const struct core_provider *)core_handles_at(&core->providers, i);
        bytes += provider == NULL ? 0 : sizeof(*provider) + provider->offerings.count * sizeof(struct core_offering);
    }
    for (const struct core_model *model = core->models; model != NULL;
         model = (const struct core_model *)model->hh.next) {
        bytes += core_pools_bytes(&model->pools) + HASH_COUNT(model->placed.shares) * sizeof(struct core_share);
    }
    return bytes;
}
