/* The core's life and the dispatch of its steps. */
#include "core/core_internal.h"

void core_config_init(struct core_config *config) {
    *config = (struct core_config){
        .max_jobs = 8192,
        .max_queue = 1024,
        .max_providers = 20000,
        .max_accounts = 1000000,
        .max_attempts = 6,
        .failover_ms = 15000,
        .continue_ms = 120000,
        .backoff_step_ms = 250,
        .retry_percent = 20,
        .retry_floor = 3,
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
        .load_ms = 5000,
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
    bound_u32(&config->retry_percent, 0, 100);
    bound_u32(&config->retry_floor, 1, UINT32_MAX); /* or no job could ever be tried again */
    uint32_t *times[] = {&config->queue_ms,    &config->accept_ms,  &config->first_token_ms, &config->failover_ms,
                         &config->continue_ms, &config->silence_ms, &config->whole_ms,       &config->cancel_ms};
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
    core_list_init(&core->ended);
    core_list_init(&core->starved);
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
    core_jobs_forget_ended(core);
    core_accounts_clear(core);
    core_affinity_clear(core);
    core_warm_clear(core);
    core_handles_clear(&core->jobs);
    core_handles_clear(&core->providers);
    free(core->deadlines.entries);
    free(core->offered);
    free(core->effects);
    free(core->candidates);
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
        core_provider_status(core, provider, event);
    } else if (event->kind == CORE_EVENT_PROVIDER_DRAINING) {
        core_provider_drain(core, provider);
    } else if (event->kind == CORE_EVENT_PROVIDER_SILENT || event->kind == CORE_EVENT_PROVIDER_ALIVE) {
        core_provider_set_silent(core, provider, event->kind == CORE_EVENT_PROVIDER_SILENT);
    } else if (event->kind == CORE_EVENT_REVIEW) {
        core_record_review(core, provider, event->review.review, event->job);
    } else {
        core_provider_leave(core, provider);
    }
}

/* The shell's word about a job, wherever it is. */
static void core_on_job(struct core *core, const struct core_event *event) {
    struct core_job *job = (struct core_job *)core_handles_get(&core->jobs, event->job);
    if (job == NULL) {
        return;
    }
    if (event->kind == CORE_EVENT_CLIENT_GONE) {
        core_job_client_gone(core, job);
    } else if (event->kind == CORE_EVENT_ABORT) {
        core_job_abort(core, job, event->abort.failure);
    } else {
        core_job_committed(core, job, event->committed.durable);
    }
}

static void core_on_event(struct core *core, const struct core_event *event) {
    struct core_job *job;
    switch (event->kind) {
    case CORE_EVENT_REQUEST:
        core_admit(core, event);
        break;
    case CORE_EVENT_CLIENT_GONE:
    case CORE_EVENT_ABORT:
    case CORE_EVENT_COMMITTED:
        core_on_job(core, event);
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
    case CORE_EVENT_REVIEW:
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
    core_jobs_forget_ended(core);
    core_on_event(core, event);
    core_deadlines_run(core); /* after the event: a device's word of this very millisecond is in time */
    core_queues_run(core);
    core_effect_wake(core);
    return (struct core_effects){.items = core->effects, .count = core->effect_count, .candidates = core->candidates};
}

struct core_counts core_counts(const struct core *core) {
    return (struct core_counts){
        .jobs = core->jobs.count,
        .queued = core->queued + core->stages[CORE_JOB_BACKOFF].count,
        .running = core->stages[CORE_JOB_SENT].count + core->stages[CORE_JOB_PREFILL].count +
                   core->stages[CORE_JOB_STREAMING].count,
        .cancelling = core->stages[CORE_JOB_CANCELLING].count,
        .settling = core->stages[CORE_JOB_SETTLING].count,
        .providers = core->providers.count,
        .models = core->offered_count,
    };
}
