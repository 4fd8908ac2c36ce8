/* One model on one provider: which gate keeps generations out, whether it is in its model's pools, and what it adds to
 * its model's counts. */
#include "core/pool.h"

struct core_offering *core_offering_new(struct core *core, struct core_provider *provider, struct str model) {
    struct core_offering *offering = MEM_NEW_LINE(struct core_offering);
    offering->provider = provider;
    offering->model = core_model_acquire(core, model);
    offering->gate = CORE_GATE_MODEL;
    offering->model->gated[CORE_GATE_MODEL]++;
    core_list_push_back(&provider->offerings, &offering->provider_link);
    core_list_push_back(&offering->model->offerings, &offering->model_link);
    core_pool_join_all(offering);
    core_share_join(offering);
    return offering;
}

static void offering_set_hopeful(struct core *core, struct core_offering *offering, bool hopeful) {
    bool former = core_model_is_servable(offering->model), settled = offering->hopeful_settled;
    core_pool_set_hopeful(offering, hopeful);
    if (settled && !hopeful && offering->model->queue.count > 0) { /* it may have been the last that was waited for */
        core_model_mark_pending(core, offering->model);
    }
    if (core_model_is_servable(offering->model) != former) {
        core_warm_turned(core, offering->model, !former);
    }
}

void core_offering_set_abilities(struct core *core, struct core_offering *offering, uint8_t abilities) {
    if (offering->abilities == abilities) {
        return;
    }
    core_pool_take(offering);
    offering_set_hopeful(core, offering, false);
    core_pool_leave_all(offering);
    offering->abilities = abilities;
    core_pool_join_all(offering);
}

static void offering_free(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    core_pool_take(offering);
    offering_set_hopeful(core, offering, false);
    core_belief_forget(offering);
    core_share_leave(offering);
    model->gated[offering->gate]--;
    core_list_remove(&offering->provider->offerings, &offering->provider_link);
    core_list_remove(&model->offerings, &offering->model_link);
    core_model_release(core, model);
    free(offering);
}

struct core_offering *core_offering_find(const struct core_provider *provider, const struct core_model *model) {
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        if (offering->model == model) {
            return offering;
        }
    }
    return NULL;
}

/* Of the model's state alone. */
static enum core_gate offering_state_gate(const struct core_offering *offering) {
    switch (offering->state) {
    case CORE_MODEL_DOWNLOADING:
        return CORE_GATE_MODEL;
    case CORE_MODEL_LOADING:
        return CORE_GATE_LOADING;
    case CORE_MODEL_FAILED:
        return CORE_GATE_FAILED;
    case CORE_MODEL_COLD:
        return offering->too_large ? CORE_GATE_MEMORY : CORE_GATE_NONE;
    case CORE_MODEL_WARM:
        break;
    }
    return CORE_GATE_NONE;
}

/* What lasts comes first: the owner reads the reason that matters, and whether there is hope can be told by it. */
enum core_gate core_offering_gate_pinned(const struct core_offering *offering) {
    const struct core_provider *provider = offering->provider;
    if (!offering->listed) {
        return CORE_GATE_MODEL;
    }
    if (provider->draining) {
        return CORE_GATE_DRAINING;
    }
    enum core_gate gate = offering_state_gate(offering);
    if (gate != CORE_GATE_NONE && gate != CORE_GATE_LOADING) {
        return gate;
    }
    if (provider->device.paused) {
        return CORE_GATE_PAUSED;
    }
    if (provider->device.heat >= CORE_HEAT_SERIOUS) {
        return CORE_GATE_HEAT;
    }
    if (provider->silent) {
        return CORE_GATE_SILENT;
    }
    if (core_deadline_is_set(&provider->cooldown)) {
        return CORE_GATE_COOLDOWN;
    }
    if (gate == CORE_GATE_LOADING) {
        return gate;
    }
    if (!provider->settled && provider->active > 0) {
        return CORE_GATE_RAMP;
    }
    return offering->active < offering->slots ? CORE_GATE_NONE : CORE_GATE_SLOTS;
}

enum core_gate core_offering_gate(const struct core_offering *offering) {
    const struct core_provider *provider = offering->provider;
    return offering->listed && !provider->draining && provider->quarantined ? CORE_GATE_QUARANTINED
                                                                            : core_offering_gate_pinned(offering);
}

/* Whether it may well take a generation while that waits: what keeps it now passes by itself, in seconds. */
static bool gate_is_hopeful(enum core_gate gate) {
    switch (gate) {
    case CORE_GATE_NONE:
    case CORE_GATE_LOADING:
    case CORE_GATE_SLOTS:
    case CORE_GATE_SILENT:
    case CORE_GATE_COOLDOWN:
    case CORE_GATE_RAMP:
        return true;
    case CORE_GATE_MODEL:
    case CORE_GATE_FAILED:
    case CORE_GATE_MEMORY:
    case CORE_GATE_CONTEXT:
    case CORE_GATE_HEAT:
    case CORE_GATE_PAUSED:
    case CORE_GATE_QUARANTINED:
    case CORE_GATE_DRAINING:
    case CORE_GATE_REGION:
    case CORE_GATE_PRIVACY:
    case CORE_GATE_ABILITY:
    case CORE_GATE_TRIED:
    case CORE_GATE_PINNED:
    case CORE_GATE_OWNER_SHARE:
    case CORE_GATE_NOT_OWN:
        break;
    }
    return false;
}

void core_offering_sort(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    enum core_gate gate = core_offering_gate(offering), former = offering->gate;
    if (gate != former) {
        model->gated[former]--;
        model->gated[gate]++;
        offering->gate = gate;
        offering_set_hopeful(core, offering, gate_is_hopeful(gate));
    }
    if (gate != CORE_GATE_NONE) {
        core_pool_take(offering);
        return;
    }
    float share = core_place_decode_per_s(core, offering) / (float)(offering->active + 1);
    core_pool_put(offering, share * offering->weight);
    if (former != CORE_GATE_NONE && model->queue.count > 0) {
        core_model_mark_pending(core, model);
    }
}

bool core_offering_serves(const struct core_offering *offering) {
    return offering->gate == CORE_GATE_NONE || offering->gate == CORE_GATE_SLOTS || offering->gate == CORE_GATE_RAMP;
}

static uint32_t offering_serving_slots(const struct core_offering *offering) {
    bool serves = offering->state == CORE_MODEL_WARM && core_offering_serves(offering);
    return serves ? offering->slots : 0;
}

/* Its device takes no generations for longer than a generation waits. */
bool core_offering_rests(const struct core_offering *offering) {
    const struct core_device_state *device = &offering->provider->device;
    return offering->provider->quarantined || device->paused || device->heat >= CORE_HEAT_SERIOUS ||
           (offering->state == CORE_MODEL_COLD && offering->too_large);
}

static bool offering_is_counted_right(const struct core_offering *offering) {
    return offering->counted_state == offering->state && offering->counted_context == offering->context_length &&
           offering->counted_settled == offering->provider->settled &&
           offering->counted_trusted == offering->provider->trusted &&
           offering->counted_width == core_belief_width(offering->slots_claimed);
}

/* Puts it into its model's counts as it is now; true: what its model offers to generations has changed. */
static bool offering_recount(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    bool offers = offering->listed && !offering->provider->draining, rests = core_offering_rests(offering);
    bool counts = offers && !rests;
    if (offering->counted_resting != (offers && rests)) {
        core_model_count_resting(core, offering, offers && rests);
    }
    if (counts == offering->counted && (!counts || offering_is_counted_right(offering))) {
        return false;
    }
    if (offering->counted) {
        core_model_uncount(core, offering);
    }
    if (counts) {
        core_model_count(core, offering);
    }
    if (model->queue.count > 0) { /* the largest context may have changed, by which placement goes */
        core_model_mark_pending(core, model);
    }
    return true;
}

void core_offering_refresh(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    bool changed = offering_recount(core, offering);
    offering->weight = core_place_weight(offering->provider);
    core_offering_sort(core, offering);
    if (changed && offering->gate == CORE_GATE_NONE && model->queue.count > 0) {
        core_model_mark_pending(core, model); /* cold became warm, or its context larger: who waits may want it now */
    }
    uint32_t slots = offering_serving_slots(offering);
    model->serving_slots += slots;
    model->serving_slots -= offering->counted_slots;
    offering->counted_slots = slots;
}

void core_offering_unlist(struct core *core, struct core_offering *offering) {
    offering->listed = false;
    core_offering_refresh(core, offering);
    if (offering->active == 0) {
        offering_free(core, offering);
    }
}

static void offering_tell_provider(struct core *core, enum core_effect_kind kind,
                                   const struct core_offering *offering) {
    struct core_effect *effect = core_effect_add(core, kind);
    effect->provider = offering->provider->handle;
    effect->user = offering->provider->user;
}

/* One that is new takes one generation at a time, of whatever model. */
static void offering_sort_all(struct core *core, struct core_offering *offering) {
    const struct core_list *list = &offering->provider->offerings;
    if (offering->provider->settled) {
        core_offering_sort(core, offering);
        return;
    }
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        core_offering_sort(core, CORE_OF(link, struct core_offering, provider_link));
    }
}

void core_offering_take_slot(struct core *core, struct core_offering *offering) {
    offering->active++;
    if (offering->provider->active++ == 0) {
        offering_tell_provider(core, CORE_EFFECT_PROVIDER_BUSY, offering);
    }
    offering_sort_all(core, offering);
}

void core_offering_free_slot(struct core *core, struct core_offering *offering) {
    offering->active--;
    if (--offering->provider->active == 0 && !offering->provider->leaving) {
        offering_tell_provider(core, CORE_EFFECT_PROVIDER_IDLE, offering);
    }
    offering_sort_all(core, offering);
    if (offering->active == 0 && !offering->listed) {
        offering_free(core, offering);
    }
}
