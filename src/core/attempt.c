/* Attempts: a generation on a provider, from dispatch until the slot is free again. */
#include "core/core_internal.h"
#include "core/own.h"

uint64_t core_attempt_load_ms(const struct core *core, const struct core_attempt *attempt) {
    return attempt->cold ? 2 * (uint64_t)core_place_load_ms(core, attempt->offering) : 0;
}

void core_attempt_start(struct core *core, struct core_generation *generation, struct core_offering *offering,
                        uint32_t first_candidate, uint32_t candidate_count) {
    struct core_provider *provider = offering->provider;
    struct core_attempt *attempt = MEM_NEW(struct core_attempt);
    attempt->generation = generation;
    attempt->generation_handle = generation->handle;
    attempt->provider_handle = provider->handle;
    attempt->offering = offering;
    attempt->number = ++generation->attempts;
    attempt->max_tokens = core_generation_tokens_left(generation);
    attempt->sent_ms = core->now_ms;
    attempt->cold = offering->state == CORE_MODEL_COLD;
    attempt->self_made = core_own_is_self_made(generation, provider);
    attempt->deadline.kind = CORE_DEADLINE_GHOST;
    core_list_push_back(&provider->attempts, &attempt->link);
    core_offering_take_slot(core, offering);
    /* What the network asks by itself, or an owner of the own device, is no share of the demand. */
    if (generation->only_provider == CORE_NO_HANDLE && !attempt->self_made) {
        core_share_place(offering);
    }

    generation->attempt = attempt;
    generation->round++;
    generation->tried[generation->tried_count++] = provider->handle;
    if (generation->failover_due_ms == 0) {
        generation->failover_due_ms = core->now_ms + core->config.failover_ms + core_attempt_load_ms(core, attempt);
    }
    core_generation_move(core, generation, CORE_GENERATION_SENT, "dispatched");
    struct core_effect *effect = core_effect_add_generation(core, CORE_EFFECT_DISPATCH, generation);
    effect->dispatch.attempt = attempt->number;
    effect->dispatch.continues = generation->started;
    effect->dispatch.max_tokens = attempt->max_tokens;
    effect->dispatch.first_candidate = first_candidate;
    effect->dispatch.candidate_count = candidate_count;
}

void core_attempt_release(struct core *core, struct core_attempt *attempt) {
    struct core_provider *provider = attempt->offering->provider;
    if (attempt->generation != NULL) {
        attempt->generation->attempt = NULL;
        core_list_remove(&provider->attempts, &attempt->link);
    } else {
        core_list_remove(&provider->ghosts, &attempt->link);
        core->ghosts--;
    }
    core_deadline_unset(core, &attempt->deadline);
    core_offering_free_slot(core, attempt->offering);
    free(attempt);
}

void core_attempt_abandon(struct core *core, struct core_generation *generation) {
    struct core_attempt *attempt = generation->attempt;
    struct core_provider *provider = attempt->offering->provider;
    core_effect_add_generation(core, CORE_EFFECT_CANCEL, generation);
    if (core->ghosts >= core->config.max_generations) {
        core_attempt_release(core, attempt); /* too many to remember: the device has to refuse if it is full */
        return;
    }
    core_list_remove(&provider->attempts, &attempt->link);
    core_list_push_back(&provider->ghosts, &attempt->link);
    core->ghosts++;
    attempt->generation = NULL;
    generation->attempt = NULL;
    core_deadline_set(core, &attempt->deadline, core->now_ms + core->config.cancel_ms);
}

static struct core_attempt *attempt_find_ghost(const struct core *core, uint64_t provider_handle,
                                               uint64_t generation_handle) {
    const struct core_provider *provider =
        (const struct core_provider *)core_handles_get(&core->providers, provider_handle);
    if (provider == NULL) {
        return NULL;
    }
    const struct core_list *list = &provider->ghosts;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_attempt *attempt = CORE_OF(link, struct core_attempt, link);
        if (attempt->generation_handle == generation_handle) {
            return attempt;
        }
    }
    return NULL;
}

void core_attempt_ghost_word(struct core *core, const struct core_event *event) {
    struct core_attempt *attempt = attempt_find_ghost(core, event->provider, event->generation);
    if (attempt == NULL) {
        return;
    }
    if (event->kind == CORE_EVENT_ERROR) {
        core_provider_blame(core, attempt->offering, event->error.failure, false);
    }
    core_attempt_release(core, attempt);
}
