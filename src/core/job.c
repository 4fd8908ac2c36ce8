/* Jobs: one generation each, from admission until exactly one of FINISH, FAIL and CANCELLED.
 *
 * A job is in one state, and the state is the list it is in. core_job_move is the only way from one to another; each
 * move is traced and sets the deadline of the new state. No state but CANCELLING outlasts the whole deadline.
 *
 * state       list          deadline     what happens            then
 * ----------  ------------  -----------  ----------------------  ------------------------------------------------------
 * QUEUED      model->queue  queue        a provider is free      SENT, DISPATCH
 *                                        deadline                FAIL: WARMING when nobody has or loads the model,
 *                                                                else TIMEOUT
 *                                        client gone             CANCELLED
 * SENT        stages[]      accept       ACCEPT, any DELTA       PREFILL (ACCEPTED, once for the job)
 * PREFILL     stages[]      first token  DELTA with content      STREAMING, DELIVER
 * SENT,                                  DONE                    FINISH
 * PREFILL                                ERROR, the client's     FAIL with the device's words
 *                                        ERROR, left             a further attempt: QUEUED, in front;
 *                                                                FAIL ATTEMPTS when there is none
 *                                        deadline                CANCEL, cooldown; likewise, but FAIL TIMEOUT
 * STREAMING   stages[]      silence      DELTA with content      DELIVER, and the deadline starts again
 *                                        DONE                    FINISH
 *                                        ERROR, left             FAIL LOST
 *                                        deadline                CANCEL, cooldown; FAIL LOST
 * SENT to                                whole deadline          CANCEL; FAIL TIMEOUT
 * STREAMING                              client gone             CANCELLING, CANCEL
 * CANCELLING  stages[]      cancel       DONE, ERROR, left,      CANCELLED
 *                                        deadline
 *
 * A delta with neither text nor tokens is a sign of life, not content. DONE with finish CANCELLED that nobody asked for
 * is an ERROR of the engine. An attempt that its job has given up lives on as a ghost (attempt.c). */
#include "core/core_internal.h"

static const char *const state_names[CORE_JOB_STATE_COUNT] = {
    [CORE_JOB_NONE] = "none",       [CORE_JOB_QUEUED] = "queued",       [CORE_JOB_SENT] = "sent",
    [CORE_JOB_PREFILL] = "prefill", [CORE_JOB_STREAMING] = "streaming", [CORE_JOB_CANCELLING] = "cancelling",
};

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint32_t cap_u32(uint64_t number) {
    return (uint32_t)min_u64(number, UINT32_MAX);
}

/* What a device says about tokens is a claim: it cannot be above what the request allows. */
static uint32_t cap_claim(uint64_t claim, uint32_t bound) {
    return (uint32_t)min_u64(claim, bound > 0 ? bound : UINT32_MAX);
}

static uint64_t job_due(const struct core *core, const struct core_job *job) {
    const struct core_config *config = &core->config;
    uint64_t phase_ms = 0;
    switch (job->state) {
    case CORE_JOB_NONE:
        break;
    case CORE_JOB_QUEUED:
        phase_ms = config->queue_ms;
        break;
    case CORE_JOB_SENT:
        phase_ms = config->accept_ms;
        break;
    case CORE_JOB_PREFILL:
        phase_ms =
            config->first_token_ms + (uint64_t)job->prompt_tokens * config->first_token_per_prompt_token_us / 1000;
        break;
    case CORE_JOB_STREAMING:
        phase_ms = config->silence_ms;
        break;
    case CORE_JOB_CANCELLING:
        return core->now_ms + config->cancel_ms;
    }
    return min_u64(core->now_ms + phase_ms, job->whole_due_ms);
}

static void job_leave(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
        break;
    case CORE_JOB_QUEUED:
        core_queue_leave(core, job);
        break;
    case CORE_JOB_SENT:
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
    case CORE_JOB_CANCELLING:
        core_list_remove(&core->stages[job->state], &job->link);
        break;
    }
}

void core_job_move(struct core *core, struct core_job *job, enum core_job_state state, const char *why) {
    if (core->config.trace) {
        struct core_effect *effect = core_effect_add_job(core, CORE_EFFECT_TRACE, job);
        effect->trace.from = state_names[job->state];
        effect->trace.to = state_names[state];
        effect->trace.why = why;
    }
    job_leave(core, job);
    job->state = state;
    switch (state) {
    case CORE_JOB_NONE:
        core_deadline_unset(core, &job->deadline);
        return;
    case CORE_JOB_QUEUED:
        core_queue_enter(core, job);
        break;
    case CORE_JOB_SENT:
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
    case CORE_JOB_CANCELLING:
        core_list_push_back(&core->stages[state], &job->link);
        break;
    }
    core_deadline_set(core, &job->deadline, job_due(core, job));
}

/* How every job ends: its slot is given back, then follows the effect that tells, then job_free. */
static struct core_effect *job_end(struct core *core, struct core_job *job, enum core_effect_kind kind,
                                   const char *why) {
    uint64_t provider = CORE_NO_HANDLE;
    if (job->attempt != NULL) {
        provider = job->attempt->provider_handle;
        core_attempt_release(core, job->attempt);
    }
    core_job_move(core, job, CORE_JOB_NONE, why);
    struct core_effect *effect = core_effect_add_job(core, kind, job);
    effect->provider = provider;
    return effect;
}

static void job_free(struct core *core, struct core_job *job) {
    core_handles_remove(&core->jobs, job->handle);
    core_model_release(core, job->model);
    free(job);
}

static void job_fail(struct core *core, struct core_job *job, enum core_failure failure, const char *why) {
    bool started = job->state == CORE_JOB_STREAMING;
    struct core_effect *effect = job_end(core, job, CORE_EFFECT_FAIL, why);
    effect->fail.failure = failure;
    effect->fail.started = started;
    effect->fail.attempts = job->attempts;
    effect->fail.retry_after_s = failure == CORE_FAILURE_WARMING ? core->config.warming_retry_s : 0;
    job_free(core, job);
}

/* FINISH and CANCELLED; `done` is the device's event, NULL when it has not given its word. */
static void job_conclude(struct core *core, struct core_job *job, enum core_effect_kind kind,
                         const struct core_event *done, const char *why) {
    struct core_effect *effect = job_end(core, job, kind, why);
    effect->finish.finish = kind == CORE_EFFECT_CANCELLED ? CORE_FINISH_CANCELLED : done->done.finish;
    uint32_t prompt_tokens = done != NULL ? done->done.prompt_tokens : job->prompt_tokens;
    uint32_t completion_tokens = done != NULL ? done->done.completion_tokens : job->delta_tokens;
    effect->finish.prompt_tokens = cap_claim(prompt_tokens, job->max_prompt_tokens);
    effect->finish.completion_tokens = cap_claim(completion_tokens, job->max_tokens);
    effect->finish.cached_tokens =
        done != NULL ? (uint32_t)min_u64(done->done.cached_tokens, effect->finish.prompt_tokens) : 0;
    effect->finish.attempts = job->attempts;
    effect->finish.ttft_ms = job->ttft_ms;
    effect->finish.latency_ms = cap_u32(core->now_ms - job->admitted_ms);
    job_free(core, job);
}

/* The job has no attempt any more, or is about to lose it. `last_word` is the failure when no further one is allowed.
 */
static void job_retry(struct core *core, struct core_job *job, enum core_failure last_word, const char *why) {
    if (job->state == CORE_JOB_STREAMING) {
        job_fail(core, job, CORE_FAILURE_LOST, why);
    } else if (job->attempts >= core->config.max_attempts) {
        job_fail(core, job, last_word, why);
    } else {
        if (job->attempt != NULL) {
            core_attempt_release(core, job->attempt);
        }
        core_job_move(core, job, CORE_JOB_QUEUED, why);
    }
}

static void job_refuse(struct core *core, uint64_t user, enum core_failure failure, uint32_t retry_after_s) {
    struct core_effect *effect = core_effect_add(core, CORE_EFFECT_FAIL);
    effect->user = user;
    effect->fail.failure = failure;
    effect->fail.retry_after_s = retry_after_s;
}

static void job_admit(struct core *core, const struct core_event *event) {
    struct core_job *job = MEM_NEW(struct core_job);
    job->deadline.kind = CORE_DEADLINE_JOB;
    job->user = event->request.user;
    job->model = core_model_acquire(core, event->request.model);
    job->max_tokens = event->request.max_tokens;
    job->max_prompt_tokens = event->request.max_prompt_tokens;
    job->admitted_ms = core->now_ms;
    job->whole_due_ms =
        core->now_ms + core->config.whole_ms + (uint64_t)core->config.whole_per_token_ms * job->max_tokens;
    job->handle = core_handles_add(&core->jobs, job);
    core_effect_add_job(core, CORE_EFFECT_ADMITTED, job);
    core_job_move(core, job, CORE_JOB_QUEUED, "admitted");
}

void core_job_request(struct core *core, const struct core_event *event) {
    enum { SOON_S = 1 };
    const struct core_model *model = core_model_find(core, event->request.model);
    if (core->draining) {
        /* A gateway that drains is as good as one without providers, but its successor is about to be there. */
        job_refuse(core, event->request.user, CORE_FAILURE_WARMING, SOON_S);
    } else if (model == NULL || !core_model_is_servable(model)) {
        job_refuse(core, event->request.user, CORE_FAILURE_WARMING, core->config.warming_retry_s);
    } else if (core->jobs.count >= core->config.max_jobs ||
               (model->ready.count == 0 && core->queued >= core->config.max_queue)) {
        /* Jobs that come back from a failed attempt may fill the queue beyond max_queue; they are in already. */
        job_refuse(core, event->request.user, CORE_FAILURE_QUEUE_FULL, SOON_S);
    } else {
        job_admit(core, event);
    }
}

void core_job_client_gone(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_CANCELLING:
        break;
    case CORE_JOB_QUEUED:
        job_conclude(core, job, CORE_EFFECT_CANCELLED, NULL, "client gone");
        break;
    case CORE_JOB_SENT:
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
        core_job_move(core, job, CORE_JOB_CANCELLING, "client gone");
        core_effect_add_job(core, CORE_EFFECT_CANCEL, job);
        break;
    }
}

void core_job_accept(struct core *core, struct core_job *job, uint32_t prompt_tokens) {
    if (job->state == CORE_JOB_SENT || job->state == CORE_JOB_CANCELLING) { /* then for the usage only */
        job->prompt_tokens = cap_claim(prompt_tokens, job->max_prompt_tokens);
    }
    if (job->state != CORE_JOB_SENT) {
        return;
    }
    core_job_move(core, job, CORE_JOB_PREFILL, "accepted");
    if (!job->accepted) {
        job->accepted = true;
        core_effect_add_job(core, CORE_EFFECT_ACCEPTED, job);
    }
}

void core_job_delta(struct core *core, struct core_job *job, struct str text, uint32_t tokens) {
    if (job->state == CORE_JOB_SENT) {
        core_job_accept(core, job, job->prompt_tokens);
    }
    if (text.len == 0 && tokens == 0) {
        return;
    }
    job->delta_tokens = cap_u32((uint64_t)job->delta_tokens + tokens);
    if (job->state == CORE_JOB_CANCELLING) {
        return;
    }
    if (job->state == CORE_JOB_STREAMING) {
        core_deadline_set(core, &job->deadline, job_due(core, job));
    } else {
        job->ttft_ms = cap_u32(core->now_ms - job->admitted_ms);
        core_job_move(core, job, CORE_JOB_STREAMING, "first token");
    }
    struct core_effect *effect = core_effect_add_job(core, CORE_EFFECT_DELIVER, job);
    effect->deliver.text = text;
    effect->deliver.tokens = tokens;
}

void core_job_done(struct core *core, struct core_job *job, const struct core_event *event) {
    if (job->state == CORE_JOB_CANCELLING) {
        job_conclude(core, job, CORE_EFFECT_CANCELLED, event, "device confirmed");
    } else if (event->done.finish == CORE_FINISH_CANCELLED) {
        core_provider_blame(core, job->attempt->offering, CORE_ATTEMPT_ENGINE, true);
        job_retry(core, job, CORE_FAILURE_ATTEMPTS, "device cancelled it unasked");
    } else {
        core_job_accept(core, job, event->done.prompt_tokens);
        job_conclude(core, job, CORE_EFFECT_FINISH, event, "done");
    }
}

static const char *failure_name(enum core_attempt_failure failure) {
    switch (failure) {
    case CORE_ATTEMPT_BAD_REQUEST:
        return "bad request";
    case CORE_ATTEMPT_CONTEXT_LENGTH:
        return "context length";
    case CORE_ATTEMPT_OVERLOADED:
        return "device overloaded";
    case CORE_ATTEMPT_MODEL_MISSING:
        return "model missing";
    case CORE_ATTEMPT_ENGINE:
        return "engine failed";
    case CORE_ATTEMPT_DRAINING:
        return "device draining";
    }
    return "unknown";
}

/* The request itself is at fault: the client gets the device's words. */
static void job_reject(struct core *core, struct core_job *job, enum core_failure failure,
                       const struct core_event *event) {
    struct core_effect *effect = job_end(core, job, CORE_EFFECT_FAIL, failure_name(event->error.failure));
    effect->fail.failure = failure;
    effect->fail.attempts = job->attempts;
    effect->fail.message = event->error.message;
    effect->fail.param = event->error.param;
    job_free(core, job);
}

void core_job_error(struct core *core, struct core_job *job, const struct core_event *event) {
    enum core_attempt_failure failure = event->error.failure;
    bool cancelling = job->state == CORE_JOB_CANCELLING;
    core_provider_blame(core, job->attempt->offering, failure, !cancelling);
    if (cancelling) {
        job_conclude(core, job, CORE_EFFECT_CANCELLED, NULL, failure_name(failure));
    } else if (failure == CORE_ATTEMPT_BAD_REQUEST && job->state != CORE_JOB_STREAMING) {
        job_reject(core, job, CORE_FAILURE_BAD_REQUEST, event);
    } else if (failure == CORE_ATTEMPT_CONTEXT_LENGTH && job->state != CORE_JOB_STREAMING) {
        job_reject(core, job, CORE_FAILURE_CONTEXT_LENGTH, event);
    } else {
        job_retry(core, job, CORE_FAILURE_ATTEMPTS, failure_name(failure));
    }
}

void core_job_lost(struct core *core, struct core_job *job) {
    if (job->state == CORE_JOB_CANCELLING) {
        job_conclude(core, job, CORE_EFFECT_CANCELLED, NULL, "provider left");
    } else {
        job_retry(core, job, CORE_FAILURE_ATTEMPTS, "provider left");
    }
}

static void job_running_overdue(struct core *core, struct core_job *job) {
    struct core_provider *provider = job->attempt->offering->provider;
    core_attempt_abandon(core, job);
    if (core->now_ms >= job->whole_due_ms) {
        job_fail(core, job, CORE_FAILURE_TIMEOUT, "whole deadline");
    } else {
        core_provider_cool_down(core, provider);
        job_retry(core, job, CORE_FAILURE_TIMEOUT, "device silent");
    }
}

void core_job_overdue(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
        break;
    case CORE_JOB_QUEUED:
        job_fail(core, job, core_model_is_servable(job->model) ? CORE_FAILURE_TIMEOUT : CORE_FAILURE_WARMING,
                 "queue deadline");
        break;
    case CORE_JOB_SENT:
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
        job_running_overdue(core, job);
        break;
    case CORE_JOB_CANCELLING:
        job_conclude(core, job, CORE_EFFECT_CANCELLED, NULL, "cancel deadline");
        break;
    }
}

void core_job_drop(struct core *core, struct core_job *job) {
    job_end(core, job, CORE_EFFECT_CANCELLED, "core freed");
    job_free(core, job);
}
