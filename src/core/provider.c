/* Providers: joining, what they offer, silence, draining, cooling down, leaving. */
#include "core/coming.h"
#include "core/core_internal.h"
#include "core/pool.h"

#include <string.h>

static bool provider_join_admitted(struct core *core, struct core_provider *provider) {
    provider->handle = core_handles_add(&core->providers, provider);
    bool admitted = provider->handle != CORE_NO_HANDLE;
    struct core_effect *effect =
        core_effect_add(core, admitted ? CORE_EFFECT_PROVIDER_ADMITTED : CORE_EFFECT_PROVIDER_REFUSED);
    effect->provider = provider->handle;
    effect->user = provider->user;
    return admitted;
}

void core_provider_join(struct core *core, const struct core_event *event) {
    struct core_provider *provider = MEM_NEW_LINE(struct core_provider);
    provider->user = event->joined.user;
    memcpy(provider->region, event->joined.region, sizeof(provider->region));
    provider->region[CORE_REGION_SIZE - 1] = '\0';
    provider->verified = event->joined.verified;
    provider->trusted = event->joined.trusted || event->joined.verified;
    provider->owner = event->joined.owner;
    provider->quarantined = event->joined.quarantined;
    provider->escrow = event->joined.escrow;
    provider->operated = event->joined.operated;
    provider->ram_bytes = event->joined.ram_bytes;
    provider->record = event->joined.record;
    provider->settled = core_belief_is_settled(provider->trusted, &provider->record);
    core_record_uptime(&provider->record, event->joined.away_ms, false);
    provider->uptime_ms = core->now_ms;
    provider->device.battery_percent = -1;
    provider->cooldown.kind = CORE_DEADLINE_COOLDOWN;
    core_list_init(&provider->offerings);
    core_list_init(&provider->attempts);
    core_list_init(&provider->ghosts);
    if (!provider_join_admitted(core, provider)) {
        free(provider);
    }
}

static void provider_refresh(struct core *core, const struct core_provider *provider) {
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        core_offering_refresh(core, CORE_OF(link, struct core_offering, provider_link));
    }
}

static void provider_end_cooldown(struct core *core, struct core_provider *provider) {
    core_deadline_unset(core, &provider->cooldown);
    provider_refresh(core, provider);
}

static void offering_take_state(struct core *core, struct core_offering *offering, enum core_model_state state) {
    if (offering->state == state && offering->listed) {
        return;
    }
    /* Loaded again since it failed: the engine is a fresh one. */
    bool fresh = offering->engine_failed && offering->state == CORE_MODEL_LOADING && state == CORE_MODEL_WARM;
    offering->state = state;
    offering->state_ms = core->now_ms;
    if (fresh) {
        offering->engine_failed = false;
        provider_end_cooldown(core, offering->provider);
    }
}

static void provider_take_offer(struct core *core, struct core_provider *provider, const struct core_offer *offer) {
    if (!core_model_id_is_valid(offer->model)) {
        return;
    }
    const struct core_model *model = core_model_find(core, offer->model);
    struct core_offering *offering = model == NULL ? NULL : core_offering_find(provider, model);
    if (offering == NULL) {
        offering = core_offering_new(core, provider, offer->model);
    } else if (offering->status_serial == provider->status_serial) {
        return; /* named twice: the first counts */
    }
    offering->status_serial = provider->status_serial;
    core_offering_set_abilities(core, offering, offer->abilities);
    offering_take_state(core, offering, core_coming_state(core, offering, offer));
    offering->listed = true;
    offering->slots_claimed = offer->state == CORE_MODEL_COLD && offer->slots == 0 ? 1 : offer->slots;
    offering->slots = core_belief_slots(offering, offering->slots_claimed);
    offering->context_length = core_belief_context(core, offering, offer->context_length);
    bool loaded = offer->load_ms > 0 && offer->load_ms != offering->load_ms;
    offering->load_ms = offer->load_ms;
    if (loaded && core_belief_teaches(offering)) {
        core_record_load(offering->model, core_place_load_ms(core, offering)); /* as much of it as is believed */
    }
    offering->too_large = offer->too_large;
    offering->bytes_left = offer->bytes_left;
    offering->bytes_per_s = offer->bytes_per_s;
    core_offering_refresh(core, offering);
}

void core_provider_status(struct core *core, struct core_provider *provider, const struct core_event *event) {
    provider->status_serial++;
    provider->device = event->status.device;
    core_warm_set_wanter(core, provider, provider->device.takes_wants);
    for (size_t i = 0; i < event->status.offer_count && i < CORE_OFFERS_MAX; i++) {
        provider_take_offer(core, provider, &event->status.offers[i]);
    }
    struct core_link *next;
    for (struct core_link *link = core_list_first(&provider->offerings); link != NULL; link = next) {
        next = core_list_next(&provider->offerings, link);
        struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        if (offering->listed && offering->status_serial != provider->status_serial) {
            core_offering_unlist(core, offering);
        }
    }
    provider_refresh(core, provider); /* those that are gone, but still at work, too */
}

void core_provider_drain(struct core *core, struct core_provider *provider) {
    provider->draining = true;
    provider_refresh(core, provider);
}

void core_provider_quarantine(struct core *core, struct core_provider *provider, bool quarantined) {
    if (provider->quarantined != quarantined) {
        provider->quarantined = quarantined;
        provider_refresh(core, provider);
    }
}

void core_provider_set_silent(struct core *core, struct core_provider *provider, bool silent) {
    if (provider->silent == silent) {
        return;
    }
    core_record_uptime(&provider->record, core->now_ms - provider->uptime_ms, !provider->silent);
    provider->uptime_ms = core->now_ms;
    provider->silent = silent;
    if (!silent) {
        /* A cooldown that this very silence began has lost its reason; an older one goes on. */
        if (core_deadline_is_set(&provider->cooldown) &&
            provider->cooldown.due_ms - core->config.cooldown_ms >= provider->silent_ms) {
            core_deadline_unset(core, &provider->cooldown);
        }
        provider_refresh(core, provider);
        return;
    }
    provider->silent_ms = core->now_ms;
    provider_refresh(core, provider);
    struct core_link *next;
    for (struct core_link *link = core_list_first(&provider->attempts); link != NULL; link = next) {
        next = core_list_next(&provider->attempts, link);
        core_generation_silent(core, CORE_OF(link, struct core_attempt, link)->generation);
    }
}

void core_provider_cool_down(struct core *core, struct core_provider *provider) {
    if (core->config.cooldown_ms == 0) {
        return;
    }
    core_deadline_set(core, &provider->cooldown, core->now_ms + core->config.cooldown_ms);
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        CORE_OF(link, struct core_offering, provider_link)->engine_failed = false;
    }
    provider_refresh(core, provider);
}

void core_provider_audited(struct core *core, struct core_provider *provider, bool passed) {
    struct core_record *record = &provider->record;
    record->audits = passed ? record->audits + (record->audits < UINT32_MAX) : 0;
    bool settled = core_belief_is_settled(provider->trusted, record);
    if (provider->settled == settled) {
        return;
    }
    provider->settled = settled;
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        core_belief_measured(offering);
        core_pool_set_hopeful(offering, offering->hopeful);
        offering->slots = core_belief_slots(offering, offering->slots_claimed);
    }
    provider_refresh(core, provider);
}

void core_provider_recovered(struct core *core, struct core_provider *provider) {
    provider_refresh(core, provider);
}

void core_provider_blame(struct core *core, struct core_offering *offering, enum core_attempt_failure failure,
                         bool penalty) {
    switch (failure) {
    case CORE_ATTEMPT_BAD_REQUEST:
    case CORE_ATTEMPT_CONTEXT_LENGTH:
        break;
    case CORE_ATTEMPT_OVERLOADED:
        /* It has no more slots than those that the other attempts take, whatever it said before; its next status
         * corrects this. Otherwise the whole queue would be sent there and come back. */
        if (offering->slots >= offering->active) {
            offering->slots = offering->active - 1;
            core_offering_refresh(core, offering);
        }
        break;
    case CORE_ATTEMPT_MODEL_MISSING:
        offering->state = CORE_MODEL_FAILED;
        core_offering_refresh(core, offering);
        break;
    case CORE_ATTEMPT_ENGINE:
        if (penalty) {
            core_provider_cool_down(core, offering->provider);
            offering->engine_failed = true;
        }
        break;
    case CORE_ATTEMPT_DRAINING:
        core_provider_drain(core, offering->provider);
        break;
    }
}

static struct core_attempt *provider_first(const struct core_list *attempts) {
    struct core_link *link = core_list_first(attempts);
    return link == NULL ? NULL : CORE_OF(link, struct core_attempt, link);
}

void core_provider_leave(struct core *core, struct core_provider *provider) {
    provider->leaving = true;
    core_provider_drain(core, provider); /* so that nothing below finds it fit for a generation */
    struct core_attempt *attempt;
    while ((attempt = provider_first(&provider->attempts)) != NULL) {
        core_generation_lost(core, attempt->generation);
    }
    while ((attempt = provider_first(&provider->ghosts)) != NULL) {
        core_attempt_release(core, attempt);
    }
    struct core_link *link;
    while ((link = core_list_first(&provider->offerings)) != NULL) {
        core_offering_unlist(core, CORE_OF(link, struct core_offering, provider_link));
    }
    core_deadline_unset(core, &provider->cooldown);
    core_warm_set_wanter(core, provider, false);
    core->left_handle = provider->handle;
    core->left_record = provider->record;
    core_record_uptime(&core->left_record, core->now_ms - provider->uptime_ms, !provider->silent);
    core_handles_remove(&core->providers, provider->handle);
    free(provider);
}
