/* Every way in which a job ends, and what it came to. */
#include "core/core_internal.h"

#include <string.h>

enum { SECOND_MS = 1000, RETRY_MAX_MS = 3600 * SECOND_MS };

static uint32_t cap_u32(uint64_t number) {
    return (uint32_t)(number < UINT32_MAX ? number : UINT32_MAX);
}

uint64_t core_job_warming_ms(const struct core *core, struct str model) {
    uint64_t ready_ms = core_warm_ready_in_ms(core, core_model_find(core, model), NULL);
    uint64_t back_ms = core_warm_back_in_ms(core, model);
    ready_ms = back_ms < ready_ms ? back_ms : ready_ms;
    if (ready_ms == UINT64_MAX || ready_ms == 0) {
        return (uint64_t)core->config.warming_retry_s * SECOND_MS;
    }
    return ready_ms >= RETRY_MAX_MS ? RETRY_MAX_MS : (ready_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS;
}

static uint64_t job_warming_ms(const struct core *core, const struct core_job *job) {
    return core_job_warming_ms(core, (struct str){.data = job->model->id, .len = job->model->id_len});
}

/* How every job ends: its slot is given back and a hold still open is voided; then follows the effect that tells, then
 * job_free. */
static struct core_effect *job_end(struct core *core, struct core_job *job, enum core_effect_kind kind,
                                   const char *why) {
    uint64_t provider = CORE_NO_HANDLE;
    if (job->attempt != NULL) {
        provider = job->attempt->provider_handle;
        core_attempt_release(core, job->attempt);
    }
    if (job->hold.open) {
        core_hold_close(&job->hold, 0);
    }
    core_job_move(core, job, CORE_JOB_NONE, why);
    struct core_effect *effect = core_effect_add_job(core, kind, job);
    effect->provider = provider;
    return effect;
}

/* The effects of this step may point to its parts, so its memory stays until the next one. */
static void job_free(struct core *core, struct core_job *job) {
    core_handles_remove(&core->jobs, job->handle);
    core_model_release(core, job->model);
    job->model = NULL;
    core_list_push_back(&core->ended, &job->link);
}

void core_jobs_forget_ended(struct core *core) {
    struct core_link *next;
    for (struct core_link *link = core_list_first(&core->ended); link != NULL; link = next) {
        next = core_list_next(&core->ended, link);
        struct core_job *job = CORE_OF(link, struct core_job, link);
        if (job->parts != job->few) {
            free(job->parts);
        }
        free(job);
    }
    core_list_init(&core->ended);
}

void core_job_fail(struct core *core, struct core_job *job, enum core_failure failure, const char *why) {
    struct core_effect *effect = job_end(core, job, CORE_EFFECT_FAIL, why);
    effect->fail.failure = failure;
    effect->fail.started = job->started;
    effect->fail.attempts = job->attempts;
    effect->fail.retry_after_ms = failure == CORE_FAILURE_WARMING ? job_warming_ms(core, job) : 0;
    job_free(core, job);
}

void core_job_reject(struct core *core, struct core_job *job, enum core_failure failure,
                     const struct core_event *event) {
    struct core_effect *effect = job_end(core, job, CORE_EFFECT_FAIL, "the request's fault");
    effect->fail.failure = failure;
    effect->fail.attempts = job->attempts;
    effect->fail.message = event->error.message;
    effect->fail.param = event->error.param;
    job_free(core, job);
}

/* The client went before a device had taken the job: there is nothing to pay, and no record of a price. */
static void job_cancel_unpaid(struct core *core, struct core_job *job) {
    struct core_effect *effect = job_end(core, job, CORE_EFFECT_CANCELLED, "client gone");
    effect->finish.finish = CORE_FINISH_CANCELLED;
    effect->finish.cancelled = true;
    effect->finish.attempts = job->attempts;
    effect->finish.latency_ms = cap_u32(core->now_ms - job->admitted_ms);
    job_free(core, job);
}

void core_job_add_part(struct core_job *job, uint32_t tokens) {
    if (job->part_count == job->part_capacity) {
        struct core_part *parts = mem_calloc((size_t)job->part_capacity * 2, sizeof(struct core_part));
        memcpy(parts, job->parts, job->part_count * sizeof(struct core_part));
        if (job->parts != job->few) {
            free(job->parts);
        }
        job->parts = parts;
        job->part_capacity *= 2;
    }
    uint32_t left = job->hold.completion_tokens_max - job->part_tokens;
    tokens = tokens < left ? tokens : left; /* whatever a device claims */
    job->part_tokens += tokens;
    job->parts[job->part_count++] = (struct core_part){
        .provider = job->attempt->provider_handle, .attempt = job->attempt->number, .tokens = tokens};
}

/* An effect of a job that has no attempt any more, with the provider of its last part. */
static void job_add_settled(struct core *core, enum core_effect_kind kind, const struct core_job *job) {
    struct core_effect *effect = core_effect_add_job(core, kind, job);
    effect->provider = job->parts[job->part_count - 1].provider;
    effect->finish = job->outcome;
}

void core_job_settle(struct core *core, struct core_job *job, const struct core_event *done, enum core_finish finish,
                     const char *why) {
    if (job->attempt != NULL) {
        core_job_add_part(job, done != NULL ? done->done.completion_tokens : job->delta_tokens);
        core_attempt_release(core, job->attempt);
    }
    uint32_t prompt_tokens = job->prompt_tokens;
    if (prompt_tokens == 0 && done != NULL) {
        prompt_tokens = done->done.prompt_tokens;
    }
    struct core_outcome *outcome = &job->outcome;
    *outcome = (struct core_outcome){
        .finish = finish,
        .cancelled = finish == CORE_FINISH_CANCELLED,
        .prompt_tokens = prompt_tokens,
        .completion_tokens = job->part_tokens,
        .cached_tokens = done != NULL ? done->done.cached_tokens : 0,
        .attempts = job->attempts,
        .ttft_ms = job->ttft_ms,
        .latency_ms = cap_u32(core->now_ms - job->admitted_ms),
        .parts = job->parts,
        .part_count = job->part_count,
    };
    core_hold_price(&job->hold, outcome);
    core_hold_split(&job->hold, outcome, job->parts, job->part_count);
    core_job_move(core, job, CORE_JOB_SETTLING, why);
    job_add_settled(core, CORE_EFFECT_SETTLE, job);
}

void core_job_committed(struct core *core, struct core_job *job, bool durable) {
    if (job->state != CORE_JOB_SETTLING) {
        return;
    }
    if (!durable) {
        core_job_fail(core, job, CORE_FAILURE_STORE, "not durable");
        return;
    }
    core_hold_close(&job->hold, job->outcome.charge_nano);
    core_job_move(core, job, CORE_JOB_NONE, "committed");
    job_add_settled(core, job->outcome.cancelled ? CORE_EFFECT_CANCELLED : CORE_EFFECT_FINISH, job);
    job_free(core, job);
}

/* The client has gone and no device has taken the job, or its continuation. */
static void job_cancel(struct core *core, struct core_job *job) {
    if (job->started) {
        core_job_settle(core, job, NULL, CORE_FINISH_CANCELLED, "client gone");
    } else {
        job_cancel_unpaid(core, job);
    }
}

/* Its slot stays taken until the device has confirmed. */
static void job_call_off(struct core *core, struct core_job *job) {
    core_record_ended(core, job->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
    core_attempt_abandon(core, job);
}

void core_job_client_gone(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_CANCELLING:
    case CORE_JOB_SETTLING:
        break;
    case CORE_JOB_SENT:
        job_call_off(core, job);
        job_cancel(core, job);
        break;
    case CORE_JOB_BACKOFF:
    case CORE_JOB_QUEUED:
        job_cancel(core, job);
        break;
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
        core_job_move(core, job, CORE_JOB_CANCELLING, "client gone");
        core_effect_add_job(core, CORE_EFFECT_CANCEL, job);
        break;
    }
}

void core_job_abort(struct core *core, struct core_job *job, enum core_failure failure) {
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_CANCELLING:
    case CORE_JOB_SETTLING:
        break;
    case CORE_JOB_SENT:
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
        job_call_off(core, job);
        core_job_fail(core, job, failure, "aborted");
        break;
    case CORE_JOB_BACKOFF:
    case CORE_JOB_QUEUED:
        core_job_fail(core, job, failure, "aborted");
        break;
    }
}

void core_job_drop(struct core *core, struct core_job *job) {
    job_end(core, job, CORE_EFFECT_CANCELLED, "core freed");
    job_free(core, job);
}
