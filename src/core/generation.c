/* Generations: one generation each, from admission (admit.c) until exactly one of FINISH, FAIL and CANCELLED
 * (generation_end.c).
 *
 * A generation is in one state, and the state is the list it is in. core_job_move is the only way from one to another;
 * each move is traced and sets the deadline of the new state. Only CANCELLING and SETTLING outlast the whole deadline.
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
 * SENT        stages[]      accept,      ACCEPT, any DELTA       PREFILL (ACCEPTED, once for the generation)
 *                           and load     client gone             CANCEL; as in QUEUED
 * PREFILL     stages[]      first token  DELTA with content      STREAMING, DELIVER; attempts are counted anew
 *                                        PROGRESS                the deadline moves on (prefill.c)
 *                                        client gone             CANCELLING, CANCEL
 *                           hurry        a faster one is free    CANCEL; again, without a cooldown (core_job_hurries)
 * SENT and                               DONE                    SETTLING, SETTLE
 * PREFILL                                ERROR, the client's     FAIL with the device's words; with text delivered it
 *                                                                counts as the engine's
 *                                        ERROR, left             again (generation_again.c): QUEUED, or BACKOFF before
 *                                                                it; FAIL ATTEMPTS, or LOST with text delivered and no
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
 * SENT to                                whole deadline, which   CANCEL; FAIL TIMEOUT
 * STREAMING                              moves on by PREFILL
 *                                        abort                   CANCEL; FAIL with the shell's word
 * BACKOFF,                               whole deadline          FAIL TIMEOUT, or WARMING as above
 * QUEUED                                 abort                   FAIL with the shell's word
 * CANCELLING  stages[]      cancel       DONE, ERROR, left,      SETTLING, SETTLE for what was produced
 *                                        deadline
 * SETTLING    stages[]      none         COMMITTED, durable      FINISH; CANCELLED if it was cancelled
 *                                        COMMITTED, not durable  FAIL STORE
 *
 * A canary (only_provider) has one attempt, and FAIL UNPLACEABLE when its device cannot take it in the step it comes.
 * The hold (hold.c) is opened with the generation. COMMITTED settles it, every other end voids it. The slot is free as
 * soon as the generation is SETTLING; that its client goes then, or an abort comes, changes nothing; nor does an abort
 * while CANCELLING. A delta with neither text nor tokens is a sign of life, not content. DONE with finish CANCELLED
 * that nobody asked for is an ERROR of the engine. An attempt that its generation has given up lives on as a ghost
 * (attempt.c). */
#include "core/core_internal.h"
#include "core/prefill.h"

#include <string.h>

static const char *const state_names[CORE_GENERATION_STATE_COUNT] = {
    [CORE_GENERATION_NONE] = "none",
    [CORE_GENERATION_BACKOFF] = "backoff",
    [CORE_GENERATION_QUEUED] = "queued",
    [CORE_GENERATION_SENT] = "sent",
    [CORE_GENERATION_PREFILL] = "prefill",
    [CORE_GENERATION_STREAMING] = "streaming",
    [CORE_GENERATION_CANCELLING] = "cancelling",
    [CORE_GENERATION_SETTLING] = "settling",
};

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* How long a generation waits for a device: where the model has to be loaded or fetched first, twice what that should
 * take. */
static uint64_t generation_queue_ms(const struct core *core, const struct core_generation *generation) {
    uint64_t wait_ms = core->config.queue_ms;
    if (generation->model->counts[CORE_MODEL_WARM] == 0) {
        uint64_t ready_ms = core_warm_ready_in_ms(core, generation->model, NULL);
        if (ready_ms < UINT32_MAX && 2 * ready_ms > wait_ms) {
            wait_ms = 2 * ready_ms;
        }
    }
    return wait_ms;
}

uint64_t core_generation_prefill_ms(const struct core *core, const struct core_generation *generation) {
    return core_prefill_usual_ms(core, (uint64_t)generation->prompt_tokens + generation->part_tokens);
}

uint64_t core_generation_whole_due_ms(const struct core_generation *generation) {
    return generation->state == CORE_GENERATION_PREFILL ? generation->whole_most_ms : generation->whole_due_ms;
}

/* A prompt was read, or given up: what that took is added to the whole deadline. */
static void generation_end_prefill(const struct core *core, struct core_generation *generation) {
    uint64_t due_ms = generation->whole_due_ms + (core->now_ms - generation->prefill_ms);
    generation->whole_due_ms = min_u64(due_ms, generation->whole_most_ms);
}

static uint64_t generation_due(const struct core *core, const struct core_generation *generation) {
    const struct core_config *config = &core->config;
    uint64_t due_ms = core->now_ms;
    switch (generation->state) {
    case CORE_GENERATION_NONE:
    case CORE_GENERATION_SETTLING:
        break;
    case CORE_GENERATION_BACKOFF:
        due_ms += core_generation_backoff_ms(core, generation);
        break;
    case CORE_GENERATION_QUEUED:
        due_ms += generation_queue_ms(core, generation);
        due_ms = generation->failover_due_ms == 0 ? due_ms : min_u64(due_ms, generation->failover_due_ms);
        break;
    case CORE_GENERATION_SENT:
        due_ms += config->accept_ms + core_attempt_load_ms(core, generation->attempt);
        break;
    case CORE_GENERATION_PREFILL:
        due_ms = min_u64(generation->first_due_ms, due_ms + core_generation_hurry_ms(core, generation));
        break;
    case CORE_GENERATION_STREAMING:
        due_ms += config->silence_ms;
        break;
    case CORE_GENERATION_CANCELLING:
        return due_ms + config->cancel_ms;
    }
    return min_u64(due_ms, core_generation_whole_due_ms(generation));
}

static void generation_leave(struct core *core, struct core_generation *generation) {
    switch (generation->state) {
    case CORE_GENERATION_NONE:
        break;
    case CORE_GENERATION_QUEUED:
        core_queue_leave(core, generation);
        break;
    case CORE_GENERATION_PREFILL:
        generation_end_prefill(core, generation);
        core_list_remove(&core->stages[generation->state], &generation->link);
        break;
    case CORE_GENERATION_BACKOFF:
    case CORE_GENERATION_SENT:
    case CORE_GENERATION_STREAMING:
    case CORE_GENERATION_CANCELLING:
    case CORE_GENERATION_SETTLING:
        core_list_remove(&core->stages[generation->state], &generation->link);
        break;
    }
}

/* What the retry budget counts. */
static void generation_count(struct core *core, struct core_generation *generation) {
    bool runs = generation->state == CORE_GENERATION_SENT || generation->state == CORE_GENERATION_PREFILL;
    bool waits = generation->state == CORE_GENERATION_QUEUED || generation->state == CORE_GENERATION_BACKOFF;
    bool fresh = !generation->started && (runs || waits);
    bool retrying = fresh && runs && generation->round > 1;
    core->fresh = core->fresh + fresh - generation->fresh;
    core->retrying = core->retrying + retrying - generation->retrying;
    generation->fresh = fresh;
    generation->retrying = retrying;
}

void core_generation_move(struct core *core, struct core_generation *generation, enum core_generation_state state,
                          const char *why) {
    if (core->config.trace) {
        struct core_effect *effect = core_effect_add_generation(core, CORE_EFFECT_TRACE, generation);
        effect->trace.from = state_names[generation->state];
        effect->trace.to = state_names[state];
        effect->trace.why = why;
    }
    generation_leave(core, generation);
    generation->state = state;
    generation_count(core, generation);
    if (state == CORE_GENERATION_PREFILL) {
        generation->prefill_ms = core->now_ms;
        generation->first_due_ms = core_prefill_due_ms(core, generation->attempt);
    }
    switch (state) {
    case CORE_GENERATION_NONE:
        core_deadline_unset(core, &generation->deadline);
        return;
    case CORE_GENERATION_QUEUED:
        generation->queue_due_ms = generation_due(core, generation);
        core_queue_enter(core, generation);
        break;
    case CORE_GENERATION_BACKOFF:
    case CORE_GENERATION_SENT:
    case CORE_GENERATION_PREFILL:
    case CORE_GENERATION_STREAMING:
    case CORE_GENERATION_CANCELLING:
        core_list_push_back(&core->stages[state], &generation->link);
        break;
    case CORE_GENERATION_SETTLING:
        core_list_push_back(&core->stages[state], &generation->link);
        core_deadline_unset(core, &generation->deadline);
        return;
    }
    core_deadline_set(core, &generation->deadline, generation_due(core, generation));
}

void core_generation_describe(struct core_generation *generation, struct core_model *model,
                              const struct core_event *event) {
    generation->model = model;
    memcpy(generation->demand.region, event->request.region, sizeof(generation->demand.region));
    generation->demand.verified = event->request.verified;
    generation->demand.abilities = event->request.abilities;
    generation->steered = event->request.steered;
    generation->logprobs = event->request.logprobs;
    generation->only_provider = event->request.only_provider;
    generation->prefix = event->request.prefix;
    generation->leaves_prefix = event->request.leaves_prefix;
    generation->prompt_tokens_max = event->request.prompt_tokens_max;
    generation->prompt_tokens_likely = event->request.prompt_tokens_likely;
    generation->prompt_tokens_sure = event->request.prompt_tokens_sure;
    generation->max_tokens_given = event->request.max_tokens_given;
    generation->max_tokens = event->request.max_tokens;
}

void core_generation_start(struct core *core, const struct core_event *event, const struct core_hold *hold) {
    struct core_generation *generation = MEM_NEW(struct core_generation);
    generation->deadline.kind = CORE_DEADLINE_GENERATION;
    generation->user = event->request.user;
    generation->account = event->request.account;
    core_generation_describe(generation, core_model_acquire(core, event->request.model), event);
    generation->parts = generation->few;
    generation->part_capacity = CORE_PARTS_FIRST;
    generation->admitted_ms = core->now_ms;
    generation->whole_due_ms =
        core->now_ms + core->config.whole_ms + (uint64_t)core->config.whole_per_token_ms * event->request.max_tokens;
    generation->whole_most_ms = generation->whole_due_ms;
    generation->handle = core_handles_add(&core->generations, generation);
    generation->hold = *hold;
    generation->only_owner = hold->own_only ? event->request.account : 0;
    core_hold_open(&generation->hold);
    core_effect_add_generation(core, CORE_EFFECT_ADMITTED, generation);
    core_generation_move(core, generation, CORE_GENERATION_QUEUED, "admitted");
}

uint32_t core_generation_tokens_left(const struct core_generation *generation) {
    return generation->max_tokens > generation->spent_tokens ? generation->max_tokens - generation->spent_tokens : 0;
}

/* However often it moves to another device, all its prompts together get no more than the largest of them may take. */
static void generation_let_prefill(const struct core *core, struct core_generation *generation) {
    uint64_t most_ms = core_prefill_most_ms(core, core_prefill_tokens(generation->attempt));
    if (most_ms > generation->prefill_most_ms) {
        generation->whole_most_ms += most_ms - generation->prefill_most_ms;
        generation->prefill_most_ms = most_ms;
    }
}

/* A device lost over a long prompt is no less worth a further one; but however many count it, it is lent once. */
static void generation_lend_prefill(const struct core *core, struct core_generation *generation) {
    uint64_t prefill_ms = min_u64(core_generation_prefill_ms(core, generation), UINT32_MAX);
    if (generation->failover_due_ms != 0 && prefill_ms > generation->prefill_lent_ms) {
        generation->failover_due_ms += prefill_ms - generation->prefill_lent_ms;
        generation->prefill_lent_ms = (uint32_t)prefill_ms;
    }
}

void core_generation_accept(struct core *core, struct core_generation *generation, uint32_t prompt_tokens) {
    if (generation->state != CORE_GENERATION_SENT) {
        return;
    }
    if (prompt_tokens > 0 && generation->prompt_tokens == 0) {
        /* No more than the request can hold: a claim sets a deadline, too. */
        generation->prompt_tokens =
            prompt_tokens < generation->hold.prompt_tokens_max ? prompt_tokens : generation->hold.prompt_tokens_max;
        generation_lend_prefill(core, generation);
    }
    core_record_accepted(core, generation->attempt, prompt_tokens);
    generation_let_prefill(core, generation);
    core_generation_move(core, generation, CORE_GENERATION_PREFILL, "accepted");
    if (!generation->accepted) {
        generation->accepted = true;
        core_effect_add_generation(core, CORE_EFFECT_ACCEPTED, generation);
    }
}

void core_generation_progress(struct core *core, struct core_generation *generation, uint32_t done_tokens) {
    if (generation->state == CORE_GENERATION_PREFILL && core_prefill_progress(core, generation->attempt, done_tokens)) {
        core_deadline_set(core, &generation->deadline, generation_due(core, generation));
    }
}

/* Its device does not tell what was asked for. */
static void generation_withheld(struct core *core, struct core_generation *generation) {
    core_provider_blame(core, generation->attempt->offering, CORE_ATTEMPT_ENGINE, true);
    core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_FAILED, NULL);
    core_generation_again(core, generation, CORE_GENERATION_FAULT_SILENT, "no log-probabilities");
}

void core_generation_delta(struct core *core, struct core_generation *generation, const struct core_event *event) {
    struct str text = event->delta.text;
    const uint32_t tokens = event->delta.tokens;
    if (generation->state == CORE_GENERATION_SENT) {
        core_generation_accept(core, generation, 0); /* not counted yet */
    }
    if (text.len == 0 && tokens == 0) {
        return;
    }
    if (generation->logprobs && tokens > 0 && event->delta.logprobs.len == 0 &&
        generation->state != CORE_GENERATION_CANCELLING) {
        generation_withheld(core, generation);
        return;
    }
    core_record_content(core, generation->attempt, text, tokens);
    if (generation->state == CORE_GENERATION_CANCELLING) {
        return; /* nobody is there any more to have it */
    }
    bool within = core_bill_deliver(generation->attempt, &text, tokens);
    if (generation->state == CORE_GENERATION_STREAMING) {
        core_deadline_set(core, &generation->deadline, generation_due(core, generation));
    } else if (text.len > 0) {
        if (!generation->started) {
            generation->started = true;
            generation->ttft_ms = (uint32_t)min_u64(core->now_ms - generation->admitted_ms, UINT32_MAX);
        }
        core_generation_content_came(generation);
        core_generation_move(core, generation, CORE_GENERATION_STREAMING, "first token");
    }
    if (text.len > 0) {
        struct core_effect *effect = core_effect_add_generation(core, CORE_EFFECT_DELIVER, generation);
        effect->deliver.text = text;
        effect->deliver.tokens = tokens;
        effect->deliver.logprobs = event->delta.logprobs;
    }
    if (!within) {
        core_generation_cut_off(core, generation);
    }
}

void core_generation_done(struct core *core, struct core_generation *generation, const struct core_event *event) {
    if (generation->state == CORE_GENERATION_CANCELLING) {
        core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
        core_generation_settle(core, generation, event, CORE_FINISH_CANCELLED, "device confirmed");
    } else if (event->done.finish == CORE_FINISH_CANCELLED) {
        core_provider_blame(core, generation->attempt->offering, CORE_ATTEMPT_ENGINE, true);
        core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_FAILED, NULL);
        core_generation_again(core, generation, CORE_GENERATION_FAULT_FAILED, "device cancelled it unasked");
    } else {
        core_generation_accept(core, generation, event->done.prompt_tokens);
        core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_DONE, event);
        core_affinity_store(core, generation, generation->attempt->offering->provider);
        core_generation_settle(core, generation, event, event->done.finish, "done");
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

static void generation_refused(struct core *core, struct core_generation *generation, const struct core_event *event) {
    const enum core_attempt_failure failure = event->error.failure;
    const enum core_refusal_verdict verdict =
        event->error.by_gateway ? CORE_REFUSAL_BELIEVED : core_refusal_take(core, generation, failure);
    if (verdict == CORE_REFUSAL_FALSE && !core_refusal_has_other(core, generation)) {
        core_generation_fail(core, generation, CORE_FAILURE_ATTEMPTS, "refused what fits, and no other is there");
    } else if (verdict == CORE_REFUSAL_BELIEVED) {
        core_generation_reject(
            core, generation,
            failure == CORE_ATTEMPT_BAD_REQUEST ? CORE_FAILURE_BAD_REQUEST : CORE_FAILURE_CONTEXT_LENGTH, event);
    } else {
        core_generation_again(core, generation, CORE_GENERATION_FAULT_REFUSED, failure_name(failure));
    }
}

void core_generation_error(struct core *core, struct core_generation *generation, const struct core_event *event) {
    enum core_attempt_failure failure = event->error.failure;
    const char *why = failure_name(failure);
    bool request_fault = failure == CORE_ATTEMPT_BAD_REQUEST || failure == CORE_ATTEMPT_CONTEXT_LENGTH;
    if (request_fault && generation->started && !event->error.by_gateway) {
        failure = CORE_ATTEMPT_ENGINE; /* a request of which text has come is a good one */
        request_fault = false;
    }
    bool cancelling = generation->state == CORE_GENERATION_CANCELLING;
    bool neutral = request_fault || failure == CORE_ATTEMPT_OVERLOADED || failure == CORE_ATTEMPT_DRAINING;
    core_provider_blame(core, generation->attempt->offering, failure, !cancelling);
    core_record_ended(core, generation->attempt,
                      cancelling || neutral ? CORE_ATTEMPT_END_NEUTRAL : CORE_ATTEMPT_END_FAILED, NULL);
    if (cancelling) {
        core_generation_settle(core, generation, NULL, CORE_FINISH_CANCELLED, why);
    } else if (request_fault) {
        generation_refused(core, generation, event);
    } else {
        core_generation_again(core, generation, CORE_GENERATION_FAULT_FAILED, why);
    }
}

void core_generation_lost(struct core *core, struct core_generation *generation) {
    bool cancelling = generation->state == CORE_GENERATION_CANCELLING;
    core_record_ended(core, generation->attempt, cancelling ? CORE_ATTEMPT_END_NEUTRAL : CORE_ATTEMPT_END_FAILED, NULL);
    if (cancelling) {
        core_generation_settle(core, generation, NULL, CORE_FINISH_CANCELLED, "provider left");
    } else {
        core_generation_again(core, generation, CORE_GENERATION_FAULT_FAILED, "provider left");
    }
}

void core_generation_silent(struct core *core, struct core_generation *generation) {
    if (generation->state == CORE_GENERATION_CANCELLING) {
        return; /* its cancel deadline runs */
    }
    core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_SILENT, NULL);
    core_provider_cool_down(core, generation->attempt->offering->provider);
    core_generation_again(core, generation, CORE_GENERATION_FAULT_SILENT, "device silent");
}

static void generation_waiting_overdue(struct core *core, struct core_generation *generation) {
    bool whole = core->now_ms >= generation->whole_due_ms;
    if (generation->state == CORE_GENERATION_BACKOFF && !whole) {
        core_generation_move(core, generation, CORE_GENERATION_QUEUED, "backoff over");
    } else if (core->now_ms < generation->queue_due_ms) {
        core_queue_look_again(core, generation);
        core_deadline_set(core, &generation->deadline, generation->queue_due_ms);
    } else if (generation->started && !whole && core_generation_may_hope(core, generation)) {
        generation->failover_due_ms = min_u64(core->now_ms + core->config.failover_ms, generation->continue_due_ms);
        generation->queue_due_ms = generation_due(core, generation);
        core_queue_look_again(core, generation);
        core_deadline_set(core, &generation->deadline, generation->queue_due_ms);
    } else if (generation->started) {
        core_generation_fail(core, generation, whole ? CORE_FAILURE_TIMEOUT : CORE_FAILURE_LOST,
                             "no device to continue");
    } else if (!whole && core_refusal_stands(core, generation)) {
        core_generation_reject(core, generation, core_refusal_failure(generation), NULL);
    } else if (generation->only_owner != 0 && generation->attempts == 0 && !core_place_has_hope(core, generation)) {
        core_generation_fail(core, generation, generation->hold.unpaid, "no device of its account");
    } else if (core_model_is_servable(generation->model)) {
        core_generation_fail(core, generation, CORE_FAILURE_TIMEOUT, "queue deadline");
    } else {
        core_generation_fail_unserved(core, generation, "queue deadline");
    }
}

static void generation_device_overdue(struct core *core, struct core_generation *generation) {
    if (core->now_ms < core_generation_whole_due_ms(generation)) {
        core_generation_silent(core, generation);
    } else {
        core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
        core_attempt_abandon(core, generation);
        core_generation_fail(core, generation, CORE_FAILURE_TIMEOUT, "whole deadline");
    }
}

void core_generation_overdue(struct core *core, struct core_generation *generation) {
    switch (generation->state) {
    case CORE_GENERATION_NONE:
    case CORE_GENERATION_SETTLING:
        break;
    case CORE_GENERATION_BACKOFF:
    case CORE_GENERATION_QUEUED:
        generation_waiting_overdue(core, generation);
        break;
    case CORE_GENERATION_PREFILL:
        if (core->now_ms < min_u64(generation->first_due_ms, generation->whole_most_ms)) {
            if (!core_generation_hurries(core, generation)) {
                core_deadline_set(core, &generation->deadline, generation_due(core, generation));
            }
            break;
        }
        generation_device_overdue(core, generation);
        break;
    case CORE_GENERATION_SENT:
    case CORE_GENERATION_STREAMING:
        generation_device_overdue(core, generation);
        break;
    case CORE_GENERATION_CANCELLING:
        core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
        core_generation_settle(core, generation, NULL, CORE_FINISH_CANCELLED, "cancel deadline");
        break;
    }
}
