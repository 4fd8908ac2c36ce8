/* Every way in which a generation ends, and what it came to. */
#include "core/core_internal.h"
#include "core/purse.h"

static uint32_t cap_u32(uint64_t number) {
    return (uint32_t)(number < UINT32_MAX ? number : UINT32_MAX);
}

/* How every generation ends: its slot is given back and a hold still open is voided; then follows the effect that
 * tells, then generation_free. */
static struct core_effect *generation_end(struct core *core, struct core_generation *generation,
                                          enum core_effect_kind kind, const char *why) {
    uint64_t provider = CORE_NO_HANDLE;
    if (generation->attempt != NULL) {
        provider = generation->attempt->provider_handle;
        core_attempt_release(core, generation->attempt);
    }
    if (generation->hold.open) {
        core_hold_close(&generation->hold, 0);
    }
    core_generation_move(core, generation, CORE_GENERATION_NONE, why);
    struct core_effect *effect = core_effect_add_generation(core, kind, generation);
    effect->provider = provider;
    return effect;
}

/* The effects of this step may point to its parts, so its memory stays until the next one. */
static void generation_free(struct core *core, struct core_generation *generation) {
    core_handles_remove(&core->generations, generation->handle);
    core_model_release(core, generation->model);
    generation->model = NULL;
    core_list_push_back(&core->ended, &generation->link);
}

void core_generations_forget_ended(struct core *core) {
    struct core_link *next;
    for (struct core_link *link = core_list_first(&core->ended); link != NULL; link = next) {
        next = core_list_next(&core->ended, link);
        struct core_generation *generation = CORE_OF(link, struct core_generation, link);
        if (generation->parts != generation->few) {
            free(generation->parts);
        }
        free(generation);
    }
    core_list_init(&core->ended);
}

void core_generation_fail(struct core *core, struct core_generation *generation, enum core_failure failure,
                          const char *why) {
    struct core_effect *effect = generation_end(core, generation, CORE_EFFECT_FAIL, why);
    effect->fail.failure = failure;
    effect->fail.started = generation->started;
    effect->fail.own_only = generation->only_owner != 0;
    effect->fail.attempts = generation->attempts;
    generation_free(core, generation);
}

void core_generation_fail_unserved(struct core *core, struct core_generation *generation, const char *why) {
    uint64_t retry_after_ms = 0;
    const struct str id = {.data = generation->model->id, .len = generation->model->id_len};
    enum core_failure failure = core_warm_failure(core, id, &retry_after_ms);
    core_generation_fail(core, generation, failure, why);
    core->effects[core->effect_count - 1].fail.retry_after_ms = retry_after_ms;
}

void core_generation_reject(struct core *core, struct core_generation *generation, enum core_failure failure,
                            const struct core_event *event) {
    struct core_effect *effect = generation_end(core, generation, CORE_EFFECT_FAIL, "the request's fault");
    effect->fail.failure = failure;
    effect->fail.attempts = generation->attempts;
    effect->fail.prompt_tokens = generation->prompt_tokens_likely;
    effect->fail.max_tokens = generation->max_tokens_given ? generation->max_tokens : 0;
    effect->fail.context_length = core_refusal_context(generation);
    if (event != NULL) {
        effect->fail.param = event->error.param;
        effect->fail.by_gateway = event->error.by_gateway;
    }
    generation_free(core, generation);
}

/* The client went before a device had taken the generation: there is nothing to pay, and no record of a price. */
static void generation_cancel_unpaid(struct core *core, struct core_generation *generation) {
    struct core_effect *effect = generation_end(core, generation, CORE_EFFECT_CANCELLED, "client gone");
    effect->finish.finish = CORE_FINISH_CANCELLED;
    effect->finish.cancelled = true;
    effect->finish.attempts = generation->attempts;
    effect->finish.latency_ms = cap_u32(core->now_ms - generation->admitted_ms);
    generation_free(core, generation);
}

/* An effect of a generation that has no attempt any more, with the provider of its last part. */
static void generation_add_settled(struct core *core, enum core_effect_kind kind,
                                   const struct core_generation *generation) {
    struct core_effect *effect = core_effect_add_generation(core, kind, generation);
    effect->provider = generation->parts[generation->part_count - 1].provider;
    effect->finish = generation->outcome;
}

static void generation_price(struct core *core, struct core_generation *generation) {
    core_hold_price(&generation->hold, &generation->outcome);
    core_hold_split(&generation->hold, &generation->outcome, generation->parts, generation->part_count);
    core_purse_divide(&generation->hold, &generation->outcome, generation->parts);
    generation_add_settled(core, CORE_EFFECT_SETTLE, generation);
}

void core_generation_settle(struct core *core, struct core_generation *generation, const struct core_event *done,
                            enum core_finish finish, const char *why) {
    if (generation->attempt != NULL) {
        /* Of two counts of the prompt by one device the lesser is paid. */
        uint32_t prompt = done != NULL ? done->done.prompt_tokens : 0;
        if (prompt > 0 && (generation->prompt_tokens == 0 || prompt < generation->prompt_tokens)) {
            generation->prompt_tokens = prompt;
        }
        core_bill_add_part(generation, done != NULL ? done->done.completion_tokens : UINT32_MAX);
        core_attempt_release(core, generation->attempt);
    }
    const uint32_t prompt_tokens = core_bill_prompt(generation);
    generation->outcome = (struct core_outcome){
        .finish = finish,
        .cancelled = finish == CORE_FINISH_CANCELLED,
        .prompt_tokens = prompt_tokens,
        .completion_tokens = generation->part_tokens,
        .cached_tokens = done != NULL ? done->done.cached_tokens : 0,
        .attempts = generation->attempts,
        .ttft_ms = generation->ttft_ms,
        .latency_ms = cap_u32(core->now_ms - generation->admitted_ms),
        .parts = generation->parts,
        .part_count = generation->part_count,
    };
    if (done != NULL && finish != CORE_FINISH_CANCELLED && generation->bytes > 0) {
        core_refusal_answered(core, generation, prompt_tokens);
    }
    core_generation_move(core, generation, CORE_GENERATION_SETTLING, why);
    generation->counting = core_bill_is_doubtful(core, generation, prompt_tokens);
    if (generation->counting) {
        generation_add_settled(core, CORE_EFFECT_COUNT, generation);
    } else {
        generation_price(core, generation);
    }
}

void core_generation_counted(struct core *core, struct core_generation *generation, uint32_t prompt_tokens) {
    if (!generation->counting) {
        return;
    }
    struct core_outcome *outcome = &generation->outcome;
    generation->counting = false;
    if (prompt_tokens > 0 && prompt_tokens < outcome->prompt_tokens) {
        core_record_overcounted(core, generation, prompt_tokens);
        outcome->prompt_tokens = prompt_tokens;
    }
    generation_price(core, generation);
}

void core_generation_cut_off(struct core *core, struct core_generation *generation) {
    core_record_over_limit(core, generation->attempt);
    core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
    if (!generation->started) {
        core_generation_again(core, generation, CORE_GENERATION_FAULT_SILENT,
                              "more tokens than max_tokens, and no text");
        return;
    }
    core_bill_add_part(generation, UINT32_MAX);
    core_attempt_abandon(core, generation);
    core_generation_settle(core, generation, NULL, CORE_FINISH_LENGTH, "more than max_tokens");
}

void core_generation_committed(struct core *core, struct core_generation *generation, const struct core_event *event) {
    if (generation->state != CORE_GENERATION_SETTLING || generation->counting) {
        return;
    }
    if (!event->committed.durable) {
        core_generation_fail(core, generation, CORE_FAILURE_STORE, "not durable");
        return;
    }
    core_hold_close(&generation->hold, generation->outcome.charge_nano);
    if (!event->committed.in_doubt) {
        core_purse_pay(core, &generation->outcome);
    }
    core_generation_move(core, generation, CORE_GENERATION_NONE, "committed");
    generation_add_settled(core, generation->outcome.cancelled ? CORE_EFFECT_CANCELLED : CORE_EFFECT_FINISH,
                           generation);
    generation_free(core, generation);
}

/* The client has gone and no device has taken the generation, or its continuation. */
static void generation_cancel(struct core *core, struct core_generation *generation) {
    if (generation->started) {
        core_generation_settle(core, generation, NULL, CORE_FINISH_CANCELLED, "client gone");
    } else {
        generation_cancel_unpaid(core, generation);
    }
}

/* Its slot stays taken until the device has confirmed. */
static void generation_call_off(struct core *core, struct core_generation *generation) {
    core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
    core_attempt_abandon(core, generation);
}

void core_generation_client_gone(struct core *core, struct core_generation *generation) {
    switch (generation->state) {
    case CORE_GENERATION_NONE:
    case CORE_GENERATION_CANCELLING:
    case CORE_GENERATION_SETTLING:
        break;
    case CORE_GENERATION_SENT:
        generation_call_off(core, generation);
        generation_cancel(core, generation);
        break;
    case CORE_GENERATION_BACKOFF:
    case CORE_GENERATION_QUEUED:
        generation_cancel(core, generation);
        break;
    case CORE_GENERATION_PREFILL:
    case CORE_GENERATION_STREAMING:
        core_generation_move(core, generation, CORE_GENERATION_CANCELLING, "client gone");
        core_effect_add_generation(core, CORE_EFFECT_CANCEL, generation);
        break;
    }
}

void core_generation_abort(struct core *core, struct core_generation *generation, enum core_failure failure) {
    switch (generation->state) {
    case CORE_GENERATION_NONE:
    case CORE_GENERATION_CANCELLING:
    case CORE_GENERATION_SETTLING:
        break;
    case CORE_GENERATION_SENT:
    case CORE_GENERATION_PREFILL:
    case CORE_GENERATION_STREAMING:
        generation_call_off(core, generation);
        core_generation_fail(core, generation, failure, "aborted");
        break;
    case CORE_GENERATION_BACKOFF:
    case CORE_GENERATION_QUEUED:
        core_generation_fail(core, generation, failure, "aborted");
        break;
    }
}

void core_generation_drop(struct core *core, struct core_generation *generation) {
    generation_end(core, generation, CORE_EFFECT_CANCELLED, "core freed");
    generation_free(core, generation);
}
