/* Providers: joining, what they offer, draining, cooling down, leaving. */
#include "core/core_internal.h"

void core_provider_join(struct core *core, uint64_t user) {
    struct core_provider *provider = MEM_NEW(struct core_provider);
    provider->user = user;
    provider->cooldown.kind = CORE_DEADLINE_COOLDOWN;
    core_list_init(&provider->offerings);
    core_list_init(&provider->attempts);
    core_list_init(&provider->ghosts);
    provider->handle = core_handles_add(&core->providers, provider);

    bool admitted = provider->handle != CORE_NO_HANDLE;
    struct core_effect *effect =
        core_effect_add(core, admitted ? CORE_EFFECT_PROVIDER_ADMITTED : CORE_EFFECT_PROVIDER_REFUSED);
    effect->provider = provider->handle;
    effect->user = user;
    if (!admitted) {
        free(provider);
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
    offering->listed = true;
    offering->state = offer->state;
    offering->slots = offer->slots;
    offering->context_length = offer->context_length;
    core_offering_refresh(core, offering);
}

void core_provider_status(struct core *core, struct core_provider *provider, const struct core_offer *offers,
                          size_t count) {
    provider->status_serial++;
    for (size_t i = 0; i < count && i < CORE_OFFERS_MAX; i++) {
        provider_take_offer(core, provider, &offers[i]);
    }
    struct core_link *next;
    for (struct core_link *link = core_list_first(&provider->offerings); link != NULL; link = next) {
        next = core_list_next(&provider->offerings, link);
        struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        if (offering->listed && offering->status_serial != provider->status_serial) {
            core_offering_unlist(core, offering);
        }
    }
}

static void provider_refresh(struct core *core, const struct core_provider *provider) {
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        core_offering_refresh(core, CORE_OF(link, struct core_offering, provider_link));
    }
}

void core_provider_drain(struct core *core, struct core_provider *provider) {
    provider->draining = true;
    provider_refresh(core, provider);
}

void core_provider_cool_down(struct core *core, struct core_provider *provider) {
    if (core->config.cooldown_ms > 0) {
        core_deadline_set(core, &provider->cooldown, core->now_ms + core->config.cooldown_ms);
        provider_refresh(core, provider);
    }
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
            core_offering_sort(core, offering);
        }
        break;
    case CORE_ATTEMPT_MODEL_MISSING:
        offering->state = CORE_MODEL_FAILED;
        core_offering_refresh(core, offering);
        break;
    case CORE_ATTEMPT_ENGINE:
        if (penalty) {
            core_provider_cool_down(core, offering->provider);
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
    core_provider_drain(core, provider); /* so that nothing below finds it fit for a job */
    struct core_attempt *attempt;
    while ((attempt = provider_first(&provider->attempts)) != NULL) {
        struct core_job *job = attempt->job;
        core_attempt_release(core, attempt);
        core_job_lost(core, job);
    }
    while ((attempt = provider_first(&provider->ghosts)) != NULL) {
        core_attempt_release(core, attempt);
    }
    struct core_link *link;
    while ((link = core_list_first(&provider->offerings)) != NULL) {
        core_offering_unlist(core, CORE_OF(link, struct core_offering, provider_link));
    }
    core_deadline_unset(core, &provider->cooldown);
    core_handles_remove(&core->providers, provider->handle);
    free(provider);
}
