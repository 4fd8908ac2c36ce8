/* The core's life and the dispatch of its steps. */
#include "core/core_internal.h"

struct core *core_new(const struct core_config *config) {
    struct core *core = MEM_NEW(struct core);
    core->config = *config;
    core_config_bound(&core->config, CORE_HANDLE_LIMIT, CORE_ATTEMPTS_MAX);
    core->random.state = config->seed;
    core->deadlines.armed_ms = UINT64_MAX;
    core_handles_init(&core->generations, core->config.max_generations);
    core_handles_init(&core->providers, core->config.max_providers);
    core_list_init(&core->pending);
    core_list_init(&core->ended);
    core_list_init(&core->starved);
    core_list_init(&core->wanters);
    for (size_t i = 0; i < COUNT_OF(core->stages); i++) {
        core_list_init(&core->stages[i]);
    }
    return core;
}

void core_free(struct core *core) {
    if (core == NULL) {
        return;
    }
    for (size_t i = 0; i < core->generations.used; i++) {
        struct core_generation *generation = (struct core_generation *)core_handles_at(&core->generations, i);
        if (generation != NULL) {
            core_generation_drop(core, generation);
        }
    }
    for (size_t i = 0; i < core->providers.used; i++) {
        struct core_provider *provider = (struct core_provider *)core_handles_at(&core->providers, i);
        if (provider != NULL) {
            core_provider_leave(core, provider); /* frees the models with it */
        }
    }
    core_generations_forget_ended(core);
    core_accounts_clear(core);
    core_affinity_clear(core);
    core_warm_clear(core);
    core_handles_clear(&core->generations);
    core_handles_clear(&core->providers);
    free(core->deadlines.entries);
    free(core->offered);
    free(core->effects);
    free(core->candidates);
    free(core);
}

/* The generation of a device's event, if this provider holds it. */
static struct core_generation *core_generation_held(const struct core *core, const struct core_event *event) {
    struct core_generation *generation =
        (struct core_generation *)core_handles_get(&core->generations, event->generation);
    return generation != NULL && generation->attempt != NULL && generation->attempt->provider_handle == event->provider
               ? generation
               : NULL;
}

static void core_on_device(struct core *core, const struct core_event *event, struct core_generation *generation) {
    if (event->kind == CORE_EVENT_DELTA) {
        core_generation_delta(core, generation, event);
    } else if (event->kind == CORE_EVENT_ACCEPT) {
        core_generation_accept(core, generation, event->accept.prompt_tokens);
    } else if (event->kind == CORE_EVENT_PROGRESS) {
        core_generation_progress(core, generation, event->progress.done_tokens);
    } else if (event->kind == CORE_EVENT_DONE) {
        core_generation_done(core, generation, event);
    } else {
        core_generation_error(core, generation, event);
    }
}

static void core_on_provider(struct core *core, const struct core_event *event) {
    struct core_provider *provider = (struct core_provider *)core_handles_get(&core->providers, event->provider);
    if (provider == NULL) {
        return;
    }
    if (event->kind == CORE_EVENT_PROVIDER_STATUS) {
        core_provider_status(core, provider, event);
    } else if (event->kind == CORE_EVENT_PROVIDER_DRAINING) {
        core_provider_drain(core, provider);
    } else if (event->kind == CORE_EVENT_PROVIDER_SILENT || event->kind == CORE_EVENT_PROVIDER_ALIVE) {
        core_provider_set_silent(core, provider, event->kind == CORE_EVENT_PROVIDER_SILENT);
    } else if (event->kind == CORE_EVENT_PROVIDER_QUARANTINED || event->kind == CORE_EVENT_PROVIDER_RELEASED) {
        core_provider_quarantine(core, provider, event->kind == CORE_EVENT_PROVIDER_QUARANTINED);
    } else if (event->kind == CORE_EVENT_REVIEW) {
        core_record_review(core, provider, event->review.review, event->generation);
    } else if (event->kind == CORE_EVENT_AUDITED) {
        core_provider_audited(core, provider, event->audited.passed);
    } else if (event->kind == CORE_EVENT_ESCROW) {
        provider->escrow = event->escrow.on;
    } else {
        core_provider_leave(core, provider);
    }
}

/* The shell's word about a generation, wherever it is. */
static void core_on_generation(struct core *core, const struct core_event *event) {
    struct core_generation *generation =
        (struct core_generation *)core_handles_get(&core->generations, event->generation);
    if (generation == NULL) {
        return;
    }
    if (event->kind == CORE_EVENT_CLIENT_GONE) {
        core_generation_client_gone(core, generation);
    } else if (event->kind == CORE_EVENT_ABORT) {
        core_generation_abort(core, generation, event->abort.failure);
    } else if (event->kind == CORE_EVENT_COUNTED) {
        core_generation_counted(core, generation, event->counted.prompt_tokens);
    } else {
        core_generation_committed(core, generation, event);
    }
}

static void core_on_event(struct core *core, const struct core_event *event) {
    struct core_generation *generation;
    switch (event->kind) {
    case CORE_EVENT_REQUEST:
        core_admit(core, event);
        break;
    case CORE_EVENT_CLIENT_GONE:
    case CORE_EVENT_ABORT:
    case CORE_EVENT_COUNTED:
    case CORE_EVENT_COMMITTED:
        core_on_generation(core, event);
        break;
    case CORE_EVENT_PROVIDER_JOINED:
        core_provider_join(core, event);
        break;
    case CORE_EVENT_MODEL:
        core_warm_facts(core, event);
        break;
    case CORE_EVENT_PROVIDER_STATUS:
    case CORE_EVENT_PROVIDER_DRAINING:
    case CORE_EVENT_PROVIDER_SILENT:
    case CORE_EVENT_PROVIDER_ALIVE:
    case CORE_EVENT_PROVIDER_QUARANTINED:
    case CORE_EVENT_PROVIDER_RELEASED:
    case CORE_EVENT_REVIEW:
    case CORE_EVENT_AUDITED:
    case CORE_EVENT_ESCROW:
    case CORE_EVENT_PROVIDER_LEFT:
        core_on_provider(core, event);
        break;
    case CORE_EVENT_ACCEPT:
    case CORE_EVENT_PROGRESS:
    case CORE_EVENT_DELTA:
    case CORE_EVENT_DONE:
    case CORE_EVENT_ERROR:
        generation = core_generation_held(core, event);
        if (generation != NULL) {
            core_on_device(core, event, generation);
        } else if (event->kind == CORE_EVENT_DONE || event->kind == CORE_EVENT_ERROR) {
            core_attempt_ghost_word(core, event);
        }
        break;
    case CORE_EVENT_ACCOUNT:
        core_account_set(core, event);
        break;
    case CORE_EVENT_CREDIT:
        core_account_credit(core, event);
        break;
    case CORE_EVENT_KEY:
        core_key_set(core, event);
        break;
    case CORE_EVENT_TIMER:
        core->deadlines.armed_ms = UINT64_MAX;
        break;
    case CORE_EVENT_DRAIN:
        core->draining = true;
        break;
    }
}

struct core_effects core_step(struct core *core, uint64_t now_ms, const struct core_event *event) {
    if (now_ms > core->now_ms) {
        core->now_ms = now_ms;
    }
    core->effect_count = 0;
    core->candidate_count = 0;
    core_generations_forget_ended(core);
    core_on_event(core, event);
    core_deadlines_run(core); /* after the event: a device's word of this very millisecond is in time */
    core_queues_run(core);
    core_effect_wake(core);
    return (struct core_effects){.items = core->effects, .count = core->effect_count, .candidates = core->candidates};
}

struct core_counts core_counts(const struct core *core) {
    return (struct core_counts){
        .generations = core->generations.count,
        .queued = core->queued + core->stages[CORE_GENERATION_BACKOFF].count,
        .running = core->stages[CORE_GENERATION_SENT].count + core->stages[CORE_GENERATION_PREFILL].count +
                   core->stages[CORE_GENERATION_STREAMING].count,
        .cancelling = core->stages[CORE_GENERATION_CANCELLING].count,
        .settling = core->stages[CORE_GENERATION_SETTLING].count,
        .providers = core->providers.count,
        .models = core->offered_count,
    };
}
