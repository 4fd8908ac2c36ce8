/* Jobs: one generation each, from admission (admit.c) until exactly one of FINISH, FAIL and CANCELLED (job_end.c).
 *
 * A job is in one state, and the state is the list it is in. core_job_move is the only way from one to another; each
 * move is traced and sets the deadline of the new state. Only CANCELLING and SETTLING outlast the whole deadline.
 *
 * state       list          deadline     what happens            then
 * ----------  ------------  -----------  ----------------------  -----------------------------------------------------
 * BACKOFF     stages[]      backoff      deadline                QUEUED
 *                                        client gone             as in QUEUED
 * QUEUED      model->queue  queue,       a device is free        SENT, DISPATCH
 *                           failover     deadline                waits on, continue_ms at most, when text has been
 *                                                                delivered and a device may take it before long
 *                                                                (core_place_has_hope), else FAIL:
 *                                                                LOST with text, WARMING when nobody has or loads the
 *                                                                model, else TIMEOUT
 *                                        client gone             CANCELLED; with text delivered SETTLING, SETTLE
 * SENT        stages[]      accept,      ACCEPT, any DELTA       PREFILL (ACCEPTED, once for the job)
 *                           and load     client gone             CANCEL; as in QUEUED
 * PREFILL     stages[]      first token  DELTA with content      STREAMING, DELIVER; attempts are counted anew
 *                                        client gone             CANCELLING, CANCEL
 *                           hurry        a faster one is free    CANCEL; again, without a cooldown (core_job_hurries)
 * SENT and                               DONE                    SETTLING, SETTLE
 * PREFILL                                ERROR, the client's     FAIL with the device's words; with text delivered it
 *                                                                counts as the engine's
 *                                        ERROR, left             again (job_again.c): QUEUED, or BACKOFF before it;
 *                                                                FAIL ATTEMPTS, or LOST with text delivered and no
 *                                                                hope, when all attempts are used up or the failover
 *                                                                time is over
 *                                        deadline, silent        CANCEL, cooldown; likewise, but FAIL TIMEOUT
 * STREAMING   stages[]      silence      DELTA with content      DELIVER, and the deadline starts again
 *                                        DONE                    SETTLING, SETTLE
 *                                        ERROR, left             what came is a part; QUEUED, in front, to be
 *                                                                continued;
 *                                                                SETTLING with finish LENGTH when no token is left;
 *                                                                FAIL LOST past CORE_PARTS_MAX parts
 *                                        deadline, silent        CANCEL, cooldown; likewise
 *                                        client gone             CANCELLING, CANCEL
 * SENT to                                whole deadline          CANCEL; FAIL TIMEOUT
 * STREAMING                              abort                   CANCEL; FAIL with the shell's word
 * BACKOFF,                               whole deadline          FAIL TIMEOUT, or WARMING as above
 * QUEUED                                 abort                   FAIL with the shell's word
 * CANCELLING  stages[]      cancel       DONE, ERROR, left,      SETTLING, SETTLE for what was produced
 *                                        deadline
 * SETTLING    stages[]      none         COMMITTED, durable      FINISH; CANCELLED if it was cancelled
 *                                        COMMITTED, not durable  FAIL STORE
 *
 * A canary (only_provider) has one attempt, and FAIL UNPLACEABLE when its device cannot take it in the step it comes.
 * The hold (hold.c) is opened with the job. COMMITTED settles it, every other end voids it. The slot is free as soon as
 * the job is SETTLING; that its client goes then, or an abort comes, changes nothing; nor does an abort while
 * CANCELLING. A delta with neither text nor tokens is a sign of life, not content. DONE with finish CANCELLED that
 * nobody asked for is an ERROR of the engine. An attempt that its job has given up lives on as a ghost (attempt.c). */
#include "core/core_internal.h"

#include <string.h>

static const char *const state_names[CORE_JOB_STATE_COUNT] = {
    [CORE_JOB_NONE] = "none",
    [CORE_JOB_BACKOFF] = "backoff",
    [CORE_JOB_QUEUED] = "queued",
    [CORE_JOB_SENT] = "sent",
    [CORE_JOB_PREFILL] = "prefill",
    [CORE_JOB_STREAMING] = "streaming",
    [CORE_JOB_CANCELLING] = "cancelling",
    [CORE_JOB_SETTLING] = "settling",
};

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* How long a job waits for a device: where the model has to be loaded or fetched first, twice what that should take. */
static uint64_t job_queue_ms(const struct core *core, const struct core_job *job) {
    uint64_t wait_ms = core->config.queue_ms;
    if (job->model->counts[CORE_MODEL_WARM] == 0) {
        uint64_t ready_ms = core_warm_ready_in_ms(core, job->model, NULL);
        if (ready_ms < UINT32_MAX && 2 * ready_ms > wait_ms) {
            wait_ms = 2 * ready_ms;
        }
    }
    return wait_ms;
}

uint64_t core_job_prefill_ms(const struct core *core, const struct core_job *job) {
    return ((uint64_t)job->prompt_tokens + job->part_tokens) * core->config.first_token_per_prompt_token_us / 1000;
}

static uint64_t job_due(const struct core *core, const struct core_job *job) {
    const struct core_config *config = &core->config;
    uint64_t due_ms = core->now_ms;
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_SETTLING:
        break;
    case CORE_JOB_BACKOFF:
        due_ms += core_job_backoff_ms(core, job);
        break;
    case CORE_JOB_QUEUED:
        due_ms += job_queue_ms(core, job);
        due_ms = job->failover_due_ms == 0 ? due_ms : min_u64(due_ms, job->failover_due_ms);
        break;
    case CORE_JOB_SENT:
        due_ms += config->accept_ms + core_attempt_load_ms(core, job->attempt);
        break;
    case CORE_JOB_PREFILL:
        due_ms = min_u64(job->first_due_ms, due_ms + core_job_hurry_ms(core, job));
        break;
    case CORE_JOB_STREAMING:
        due_ms += config->silence_ms;
        break;
    case CORE_JOB_CANCELLING:
        return due_ms + config->cancel_ms;
    }
    return min_u64(due_ms, job->whole_due_ms);
}

static void job_leave(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
        break;
    case CORE_JOB_QUEUED:
        core_queue_leave(core, job);
        break;
    case CORE_JOB_BACKOFF:
    case CORE_JOB_SENT:
    case CORE_JOB_PREFILL:
    case CORE_JOB_STREAMING:
    case CORE_JOB_CANCELLING:
    case CORE_JOB_SETTLING:
        core_list_remove(&core->stages[job->state], &job->link);
        break;
    }
}

/* What the retry budget counts. */
static void job_count(struct core *core, struct core_job *job) {
    bool runs = job->state == CORE_JOB_SENT || job->state == CORE_JOB_PREFILL;
    bool waits = job->state == CORE_JOB_QUEUED || job->state == CORE_JOB_BACKOFF;
    bool fresh = !job->started && (runs || waits);
    bool retrying = fresh && runs && job->round > 1;
    core->fresh = core->fresh + fresh - job->fresh;
    core->retrying = core->retrying + retrying - job->retrying;
    job->fresh = fresh;
    job->retrying = retrying;
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
    job_count(core, job);
    if (state == CORE_JOB_PREFILL) {
        job->first_due_ms = core->now_ms + core->config.first_token_ms + core_job_prefill_ms(core, job);
    }
    switch (state) {
    case CORE_JOB_NONE:
        core_deadline_unset(core, &job->deadline);
        return;
    case CORE_JOB_QUEUED:
        job->queue_due_ms = job_due(core, job);
        core_queue_enter(core, job);
        break;
    case CORE_JOB_BACKOFF:
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

void core_job_describe(struct core_job *job, struct core_model *model, const struct core_event *event) {
    job->model = model;
    memcpy(job->region, event->request.region, sizeof(job->region));
    job->verified = event->request.verified;
    job->only_provider = event->request.only_provider;
    job->prefix = event->request.prefix;
    job->leaves_prefix = event->request.leaves_prefix;
    job->prompt_tokens_max = event->request.prompt_tokens_max;
    job->max_tokens = event->request.max_tokens;
}

void core_job_start(struct core *core, const struct core_event *event, const struct core_hold *hold) {
    struct core_job *job = MEM_NEW(struct core_job);
    job->deadline.kind = CORE_DEADLINE_JOB;
    job->user = event->request.user;
    job->account = event->request.account;
    core_job_describe(job, core_model_acquire(core, event->request.model), event);
    job->parts = job->few;
    job->part_capacity = CORE_PARTS_FIRST;
    job->admitted_ms = core->now_ms;
    job->whole_due_ms =
        core->now_ms + core->config.whole_ms + (uint64_t)core->config.whole_per_token_ms * event->request.max_tokens;
    job->handle = core_handles_add(&core->jobs, job);
    job->hold = *hold;
    core_hold_open(&job->hold);
    core_effect_add_job(core, CORE_EFFECT_ADMITTED, job);
    core_job_move(core, job, CORE_JOB_QUEUED, "admitted");
}

uint32_t core_job_tokens_left(const struct core_job *job) {
    return job->max_tokens > job->part_tokens ? job->max_tokens - job->part_tokens : 0;
}

void core_job_accept(struct core *core, struct core_job *job, uint32_t prompt_tokens) {
    if (job->state != CORE_JOB_SENT) {
        return;
    }
    if (prompt_tokens > 0 && job->prompt_tokens == 0) {
        /* No more than the request can hold: a claim sets a deadline, too. */
        job->prompt_tokens = prompt_tokens < job->hold.prompt_tokens_max ? prompt_tokens : job->hold.prompt_tokens_max;
        core_hold_lower(&job->hold, prompt_tokens);
        if (job->failover_due_ms != 0) {
            /* A device lost over a long prompt is no less worth a further one. */
            job->failover_due_ms += core_job_prefill_ms(core, job);
        }
    }
    core_record_accepted(core, job->attempt, prompt_tokens);
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
    uint64_t sum = (uint64_t)job->delta_tokens + tokens;
    job->delta_tokens = (uint32_t)min_u64(sum, UINT32_MAX);
    core_record_content(core, job->attempt, text, tokens);
    if (job->state == CORE_JOB_CANCELLING) {
        return;
    }
    if (job->state == CORE_JOB_STREAMING) {
        core_deadline_set(core, &job->deadline, job_due(core, job));
    } else {
        if (!job->started) {
            job->started = true;
            job->ttft_ms = (uint32_t)min_u64(core->now_ms - job->admitted_ms, UINT32_MAX);
        }
        core_job_content_came(job);
        core_job_move(core, job, CORE_JOB_STREAMING, "first token");
    }
    struct core_effect *effect = core_effect_add_job(core, CORE_EFFECT_DELIVER, job);
    effect->deliver.text = text;
    effect->deliver.tokens = tokens;
}

void core_job_done(struct core *core, struct core_job *job, const struct core_event *event) {
    if (job->state == CORE_JOB_CANCELLING) {
        core_record_ended(core, job->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
        core_job_settle(core, job, event, CORE_FINISH_CANCELLED, "device confirmed");
    } else if (event->done.finish == CORE_FINISH_CANCELLED) {
        core_provider_blame(core, job->attempt->offering, CORE_ATTEMPT_ENGINE, true);
        core_record_ended(core, job->attempt, CORE_ATTEMPT_END_FAILED, NULL);
        core_job_again(core, job, CORE_JOB_FAULT_FAILED, "device cancelled it unasked");
    } else {
        core_job_accept(core, job, event->done.prompt_tokens);
        core_record_ended(core, job->attempt, CORE_ATTEMPT_END_DONE, event);
        core_affinity_store(core, job, job->attempt->offering->provider);
        core_job_settle(core, job, event, event->done.finish, "done");
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

void core_job_error(struct core *core, struct core_job *job, const struct core_event *event) {
    enum core_attempt_failure failure = event->error.failure;
    const char *why = failure_name(failure);
    bool request_fault = failure == CORE_ATTEMPT_BAD_REQUEST || failure == CORE_ATTEMPT_CONTEXT_LENGTH;
    if (request_fault && job->started) {
        failure = CORE_ATTEMPT_ENGINE; /* a request of which text has come is a good one */
        request_fault = false;
    }
    bool cancelling = job->state == CORE_JOB_CANCELLING;
    bool neutral = request_fault || failure == CORE_ATTEMPT_OVERLOADED || failure == CORE_ATTEMPT_DRAINING;
    core_provider_blame(core, job->attempt->offering, failure, !cancelling);
    core_record_ended(core, job->attempt, cancelling || neutral ? CORE_ATTEMPT_END_NEUTRAL : CORE_ATTEMPT_END_FAILED,
                      NULL);
    if (cancelling) {
        core_job_settle(core, job, NULL, CORE_FINISH_CANCELLED, why);
    } else if (request_fault) {
        core_job_reject(core, job,
                        failure == CORE_ATTEMPT_BAD_REQUEST ? CORE_FAILURE_BAD_REQUEST : CORE_FAILURE_CONTEXT_LENGTH,
                        event);
    } else {
        core_job_again(core, job, CORE_JOB_FAULT_FAILED, why);
    }
}

void core_job_lost(struct core *core, struct core_job *job) {
    bool cancelling = job->state == CORE_JOB_CANCELLING;
    core_record_ended(core, job->attempt, cancelling ? CORE_ATTEMPT_END_NEUTRAL : CORE_ATTEMPT_END_FAILED, NULL);
    if (cancelling) {
        core_job_settle(core, job, NULL, CORE_FINISH_CANCELLED, "provider left");
    } else {
        core_job_again(core, job, CORE_JOB_FAULT_FAILED, "provider left");
    }
}

void core_job_silent(struct core *core, struct core_job *job) {
    if (job->state == CORE_JOB_CANCELLING) {
        return; /* its cancel deadline runs */
    }
    core_record_ended(core, job->attempt, CORE_ATTEMPT_END_SILENT, NULL);
    core_provider_cool_down(core, job->attempt->offering->provider);
    core_job_again(core, job, CORE_JOB_FAULT_SILENT, "device silent");
}

static void job_waiting_overdue(struct core *core, struct core_job *job) {
    bool whole = core->now_ms >= job->whole_due_ms;
    if (job->state == CORE_JOB_BACKOFF && !whole) {
        core_job_move(core, job, CORE_JOB_QUEUED, "backoff over");
    } else if (core->now_ms < job->queue_due_ms) {
        core_queue_look_again(core, job);
        core_deadline_set(core, &job->deadline, job->queue_due_ms);
    } else if (job->started && !whole && core_job_may_hope(core, job)) {
        job->failover_due_ms = min_u64(core->now_ms + core->config.failover_ms, job->continue_due_ms);
        job->queue_due_ms = job_due(core, job);
        core_queue_look_again(core, job);
        core_deadline_set(core, &job->deadline, job->queue_due_ms);
    } else if (job->started) {
        core_job_fail(core, job, whole ? CORE_FAILURE_TIMEOUT : CORE_FAILURE_LOST, "no device to continue");
    } else {
        core_job_fail(core, job, core_model_is_servable(job->model) ? CORE_FAILURE_TIMEOUT : CORE_FAILURE_WARMING,
                      "queue deadline");
    }
}

static void job_device_overdue(struct core *core, struct core_job *job) {
    if (core->now_ms < job->whole_due_ms) {
        core_job_silent(core, job);
    } else {
        core_record_ended(core, job->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
        core_attempt_abandon(core, job);
        core_job_fail(core, job, CORE_FAILURE_TIMEOUT, "whole deadline");
    }
}

void core_job_overdue(struct core *core, struct core_job *job) {
    switch (job->state) {
    case CORE_JOB_NONE:
    case CORE_JOB_SETTLING:
        break;
    case CORE_JOB_BACKOFF:
    case CORE_JOB_QUEUED:
        job_waiting_overdue(core, job);
        break;
    case CORE_JOB_PREFILL:
        if (core->now_ms < min_u64(job->first_due_ms, job->whole_due_ms)) {
            if (!core_job_hurries(core, job)) {
                core_deadline_set(core, &job->deadline, job_due(core, job));
            }
            break;
        }
        job_device_overdue(core, job);
        break;
    case CORE_JOB_SENT:
    case CORE_JOB_STREAMING:
        job_device_overdue(core, job);
        break;
    case CORE_JOB_CANCELLING:
        core_record_ended(core, job->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
        core_job_settle(core, job, NULL, CORE_FINISH_CANCELLED, "cancel deadline");
        break;
    }
}
