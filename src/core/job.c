/* Jobs: one generation each, from admission (admit.c) until exactly one of FINISH, FAIL and CANCELLED.
 *
 * A job is in one state, and the state is the list it is in. core_job_move is the only way from one to another; each
 * move is traced and sets the deadline of the new state. Only CANCELLING and SETTLING outlast the whole deadline.
 *
 * state       list          deadline     what happens            then
 * ----------  ------------  -----------  ----------------------  -----------------------------------------------------
 * QUEUED      model->queue  queue        a provider is free      SENT, DISPATCH
 *                                        deadline                FAIL: WARMING when nobody has or loads the model,
 *                                                                else TIMEOUT
 *                                        client gone             CANCELLED
 * SENT        stages[]      accept       ACCEPT, any DELTA       PREFILL (ACCEPTED, once for the job)
 *                                        client gone             CANCEL; CANCELLED
 * PREFILL     stages[]      first token  DELTA with content      STREAMING, DELIVER
 *                                        client gone             CANCELLING, CANCEL
 * SENT and                               DONE                    SETTLING, SETTLE
 * PREFILL                                ERROR, the client's     FAIL with the device's words
 *                                        ERROR, left             a further attempt: QUEUED, in front;
 *                                                                FAIL ATTEMPTS when there is none
 *                                        deadline                CANCEL, cooldown; likewise, but FAIL TIMEOUT
 * STREAMING   stages[]      silence      DELTA with content      DELIVER, and the deadline starts again
 *                                        DONE                    SETTLING, SETTLE
 *                                        ERROR, left             FAIL LOST
 *                                        deadline                CANCEL, cooldown; FAIL LOST
 *                                        client gone             CANCELLING, CANCEL
 * SENT to                                whole deadline          CANCEL; FAIL TIMEOUT
 * STREAMING                              abort                   CANCEL; FAIL with the shell's word
 * QUEUED                                 abort                   FAIL with the shell's word
 * CANCELLING  stages[]      cancel       DONE, ERROR, left,      SETTLING, SETTLE for what was produced
 *                                        deadline
 * SETTLING    stages[]      none         COMMITTED, durable      FINISH; CANCELLED if it was cancelled
 *                                        COMMITTED, not durable  FAIL STORE
 *
 * The hold (hold.c) is opened with the job. COMMITTED settles it, every other end voids it. The slot is free as soon as
 * the job is SETTLING; that its client goes then, or an abort comes, changes nothing; nor does an abort while CANCELLING.
 * A delta with neither text nor tokens is a sign of life, not content. DONE with finish CANCELLED that nobody asked for
 * is an ERROR of the engine. An attempt that its job has given up lives on as a ghost (attempt.c). */
#include "core/core_internal.h"

static const char *const state_names[CORE_JOB_STATE_COUNT] = {
    [CORE_JOB_NONE] = "none",         [CORE_JOB_QUEUED] = "queued",       [CORE_JOB_SENT] = "sent",
    [CORE_JOB_PREFILL] = "prefill",   [CORE_JOB_STREAMING] = "streaming", [CORE_JOB_CANCELLING] = "cancelling",
    [CORE_JOB_SETTLING] = "settling",
};

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint32_t cap_u32(uint64_t number) {
    return (uint32_t)min_u64(number, UINT32_MAX);
}

static uint64_t job_due(const struct core *core, const struct core_job *job) {
    const struct core_config *config = &core->config;
    uint64_t phase_ms = 0;
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_SETTLING:
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
    case CORE_JOB_SETTLING:
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
    case CORE_JOB_SETTLING:
        core_list_push_back(&core->stages[state], &job->link);
        core_deadline_unset(core, &job->deadline);
        return;
    }
    core_deadline_set(core, &job->deadline, job_due(core, job));
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

static void job_free(struct core *core, struct core_job *job) {
    core_handles_remove(&core->jobs, job->handle);
    core_model_release(core, job->model);
    free(job);
}

static void job_fail(struct core *core, struct core_job *job, enum core_failure failure, const char *why) {
    struct core_effect *effect = job_end(core, job, CORE_EFFECT_FAIL, why);
    effect->fail.failure = failure;
    effect->fail.started = job->started;
    effect->fail.attempts = job->attempts;
    effect->fail.retry_after_ms = failure == CORE_FAILURE_WARMING ? (uint64_t)core->config.warming_retry_s * 1000 : 0;
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

/* An effect of a job that has no attempt any more, with the provider of the last one. */
static struct core_effect *job_add_settled(struct core *core, enum core_effect_kind kind, const struct core_job *job) {
    struct core_effect *effect = core_effect_add_job(core, kind, job);
    effect->provider = job->tried[job->attempts - 1];
    effect->finish = job->outcome;
    return effect;
}

/* The device has said its last word: `done` is the event, NULL when it has not given its counts. */
static void job_settle(struct core *core, struct core_job *job, const struct core_event *done, const char *why) {
    bool cancelled = job->state == CORE_JOB_CANCELLING;
    struct core_outcome *outcome = &job->outcome;
    *outcome = (struct core_outcome){
        .finish = cancelled ? CORE_FINISH_CANCELLED : done->done.finish,
        .cancelled = cancelled,
        .prompt_tokens = done != NULL ? done->done.prompt_tokens : job->prompt_tokens,
        .completion_tokens = done != NULL ? done->done.completion_tokens : job->delta_tokens,
        .cached_tokens = done != NULL ? done->done.cached_tokens : 0,
        .attempts = job->attempts,
        .ttft_ms = job->ttft_ms,
        .latency_ms = cap_u32(core->now_ms - job->admitted_ms),
    };
    core_hold_price(&job->hold, outcome);
    if (job->attempt != NULL) {
        core_attempt_release(core, job->attempt);
    }
    core_job_move(core, job, CORE_JOB_SETTLING, why);
    (void)job_add_settled(core, CORE_EFFECT_SETTLE, job);
}

void core_job_committed(struct core *core, struct core_job *job, bool durable) {
    if (job->state != CORE_JOB_SETTLING) {
        return;
    }
    if (!durable) {
        job_fail(core, job, CORE_FAILURE_STORE, "not durable");
        return;
    }
    core_hold_close(&job->hold, job->outcome.charge_nano);
    core_job_move(core, job, CORE_JOB_NONE, "committed");
    (void)job_add_settled(core, job->outcome.cancelled ? CORE_EFFECT_CANCELLED : CORE_EFFECT_FINISH, job);
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

void core_job_start(struct core *core, const struct core_event *event, const struct core_hold *hold) {
    struct core_job *job = MEM_NEW(struct core_job);
    job->deadline.kind = CORE_DEADLINE_JOB;
    job->user = event->request.user;
    job->model = core_model_acquire(core, event->request.model);
    job->admitted_ms = core->now_ms;
    job->whole_due_ms =
        core->now_ms + core->config.whole_ms + (uint64_t)core->config.whole_per_token_ms * event->request.max_tokens;
    job->handle = core_handles_add(&core->jobs, job);
    job->hold = *hold;
    core_hold_open(&job->hold);
    core_effect_add_job(core, CORE_EFFECT_ADMITTED, job);
    core_job_move(core, job, CORE_JOB_QUEUED, "admitted");
}

void core_job_client_gone(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_CANCELLING:
    case CORE_JOB_SETTLING:
        break;
    case CORE_JOB_SENT:
        core_attempt_abandon(core, job); /* its slot stays taken until the device has confirmed */
        job_cancel_unpaid(core, job);
        break;
    case CORE_JOB_QUEUED:
        job_cancel_unpaid(core, job);
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
        core_attempt_abandon(core, job);
        job_fail(core, job, failure, "aborted");
        break;
    case CORE_JOB_QUEUED:
        job_fail(core, job, failure, "aborted");
        break;
    }
}

void core_job_accept(struct core *core, struct core_job *job, uint32_t prompt_tokens) {
    if (job->state != CORE_JOB_SENT) {
        return;
    }
    if (prompt_tokens > 0) { /* no more than the request can hold: a claim sets a deadline, too */
        job->prompt_tokens = prompt_tokens < job->hold.prompt_tokens_max ? prompt_tokens : job->hold.prompt_tokens_max;
    }
    core_hold_lower(&job->hold, prompt_tokens);
    core_job_move(core, job, CORE_JOB_PREFILL, "accepted");
    if (!job->accepted) {
        job->accepted = true;
        core_effect_add_job(core, CORE_EFFECT_ACCEPTED, job);
    }
}

void core_job_delta(struct core *core, struct core_job *job, struct str text, uint32_t tokens) {
    if (job->state == CORE_JOB_SENT) {
        core_job_accept(core, job, 0); /* not counted yet */
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
        job->started = true;
        job->ttft_ms = cap_u32(core->now_ms - job->admitted_ms);
        core_job_move(core, job, CORE_JOB_STREAMING, "first token");
    }
    struct core_effect *effect = core_effect_add_job(core, CORE_EFFECT_DELIVER, job);
    effect->deliver.text = text;
    effect->deliver.tokens = tokens;
}

void core_job_done(struct core *core, struct core_job *job, const struct core_event *event) {
    if (job->state == CORE_JOB_CANCELLING) {
        job_settle(core, job, event, "device confirmed");
    } else if (event->done.finish == CORE_FINISH_CANCELLED) {
        core_provider_blame(core, job->attempt->offering, CORE_ATTEMPT_ENGINE, true);
        job_retry(core, job, CORE_FAILURE_ATTEMPTS, "device cancelled it unasked");
    } else {
        core_job_accept(core, job, event->done.prompt_tokens);
        job_settle(core, job, event, "done");
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
        job_settle(core, job, NULL, failure_name(failure));
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
        job_settle(core, job, NULL, "provider left");
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
    case CORE_JOB_SETTLING:
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
        job_settle(core, job, NULL, "cancel deadline");
        break;
    }
}

void core_job_drop(struct core *core, struct core_job *job) {
    job_end(core, job, CORE_EFFECT_CANCELLED, "core freed");
    job_free(core, job);
}
