/* The core's life and the dispatch of its steps. */
#include "core/core_internal.h"

void core_config_init(struct core_config *config) {
    *config = (struct core_config){
        .max_jobs = 8192,
        .max_queue = 1024,
        .max_providers = 20000,
        .max_accounts = 1000000,
        .max_attempts = 2,
        .queue_ms = 15000,
        .accept_ms = 2000,
        .first_token_ms = 15000,
        .first_token_per_prompt_token_us = 20000,
        .silence_ms = 15000,
        .whole_ms = 60000,
        .whole_per_token_ms = 250,
        .cancel_ms = 5000,
        .cooldown_ms = 10000,
        .warming_retry_s = 300,
    };
}

static void bound_u32(uint32_t *number, uint32_t low, uint32_t high) {
    if (*number < low) {
        *number = low;
    } else if (*number > high) {
        *number = high;
    }
}

/* Whatever was configured, handles fit and no deadline is due in the step that sets it. */
static void config_bound(struct core_config *config) {
    bound_u32(&config->max_jobs, 1, CORE_HANDLE_LIMIT);
    bound_u32(&config->max_providers, 1, CORE_HANDLE_LIMIT);
    bound_u32(&config->max_attempts, 1, CORE_ATTEMPTS_MAX);
    uint32_t *times[] = {&config->queue_ms,   &config->accept_ms, &config->first_token_ms,
                         &config->silence_ms, &config->whole_ms,  &config->cancel_ms};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        bound_u32(times[i], 1, UINT32_MAX);
    }
}

struct core *core_new(const struct core_config *config) {
    struct core *core = MEM_NEW(struct core);
    core->config = *config;
    config_bound(&core->config);
    core->random.state = config->seed;
    core->deadlines.armed_ms = UINT64_MAX;
    core_handles_init(&core->jobs, core->config.max_jobs);
    core_handles_init(&core->providers, core->config.max_providers);
    core_list_init(&core->pending);
    for (size_t i = 0; i < COUNT_OF(core->stages); i++) {
        core_list_init(&core->stages[i]);
    }
    return core;
}

void core_free(struct core *core) {
    if (core == NULL) {
        return;
    }
    for (size_t i = 0; i < core->jobs.used; i++) {
        struct core_job *job = (struct core_job *)core_handles_at(&core->jobs, i);
        if (job != NULL) {
            core_job_drop(core, job);
        }
    }
    for (size_t i = 0; i < core->providers.used; i++) {
        struct core_provider *provider = (struct core_provider *)core_handles_at(&core->providers, i);
        if (provider != NULL) {
            core_provider_leave(core, provider); /* frees the models with it */
        }
    }
    core_accounts_clear(core);
    core_handles_clear(&core->jobs);
    core_handles_clear(&core->providers);
    free(core->deadlines.entries);
    free(core->offered);
    free(core->effects);
    free(core);
}

/* The job of a device's event, if this provider holds it. */
static struct core_job *core_job_held(const struct core *core, const struct core_event *event) {
    struct core_job *job = (struct core_job *)core_handles_get(&core->jobs, event->job);
    return job != NULL && job->attempt != NULL && job->attempt->provider_handle == event->provider ? job : NULL;
}

static void core_on_device(struct core *core, const struct core_event *event, struct core_job *job) {
    if (event->kind == CORE_EVENT_DELTA) {
        core_job_delta(core, job, event->delta.text, event->delta.tokens);
    } else if (event->kind == CORE_EVENT_ACCEPT) {
        core_job_accept(core, job, event->accept.prompt_tokens);
    } else if (event->kind == CORE_EVENT_DONE) {
        core_job_done(core, job, event);
    } else {
        core_job_error(core, job, event);
    }
}

static void core_on_provider(struct core *core, const struct core_event *event) {
    struct core_provider *provider = (struct core_provider *)core_handles_get(&core->providers, event->provider);
    if (provider == NULL) {
        return;
    }
    if (event->kind == CORE_EVENT_PROVIDER_STATUS) {
        core_provider_status(core, provider, event->status.offers, event->status.offer_count);
    } else if (event->kind == CORE_EVENT_PROVIDER_DRAINING) {
        core_provider_drain(core, provider);
    } else {
        core_provider_leave(core, provider);
    }
}

static void core_on_event(struct core *core, const struct core_event *event) {
    struct core_job *job;
    switch (event->kind) {
    case CORE_EVENT_REQUEST:
        core_admit(core, event);
        break;
    case CORE_EVENT_CLIENT_GONE:
        job = (struct core_job *)core_handles_get(&core->jobs, event->job);
        if (job != NULL) {
            core_job_client_gone(core, job);
        }
        break;
    case CORE_EVENT_ABORT:
        job = (struct core_job *)core_handles_get(&core->jobs, event->job);
        if (job != NULL) {
            core_job_abort(core, job, event->abort.failure);
        }
        break;
    case CORE_EVENT_PROVIDER_JOINED:
        core_provider_join(core, event->joined.user);
        break;
    case CORE_EVENT_PROVIDER_STATUS:
    case CORE_EVENT_PROVIDER_DRAINING:
    case CORE_EVENT_PROVIDER_LEFT:
        core_on_provider(core, event);
        break;
    case CORE_EVENT_ACCEPT:
    case CORE_EVENT_DELTA:
    case CORE_EVENT_DONE:
    case CORE_EVENT_ERROR:
        job = core_job_held(core, event);
        if (job != NULL) {
            core_on_device(core, event, job);
        } else if (event->kind == CORE_EVENT_DONE || event->kind == CORE_EVENT_ERROR) {
            core_attempt_ghost_word(core, event);
        }
        break;
    case CORE_EVENT_COMMITTED:
        job = (struct core_job *)core_handles_get(&core->jobs, event->job);
        if (job != NULL) {
            core_job_committed(core, job, event->committed.durable);
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
    core_on_event(core, event);
    core_deadlines_run(core); /* after the event: a device's word of this very millisecond is in time */
    core_queues_run(core);
    core_effect_wake(core);
    return (struct core_effects){.items = core->effects, .count = core->effect_count};
}

struct core_counts core_counts(const struct core *core) {
    return (struct core_counts){
        .jobs = core->jobs.count,
        .queued = core->queued,
        .running = core->stages[CORE_JOB_SENT].count + core->stages[CORE_JOB_PREFILL].count +
                   core->stages[CORE_JOB_STREAMING].count,
        .cancelling = core->stages[CORE_JOB_CANCELLING].count,
        .settling = core->stages[CORE_JOB_SETTLING].count,
        .providers = core->providers.count,
        .models = core->offered_count,
    };
}
