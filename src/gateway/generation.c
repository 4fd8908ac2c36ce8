#include "gateway/generation.h"

#include "base/log.h"
#include "base/mem.h"
#include "call/failure.h"
#include "gateway/audit_capture.h"
#include "gateway/grammar_watch.h"
#include "gateway/words.h"
#include "store/settlements.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static struct generation *generation_new(struct generations *generations, struct call *call) {
    struct generation *generation = MEM_NEW(struct generation);
    struct store_generation *record = &generation->record;
    generation->generations = generations;
    generation->call = call;
    generation->repeatable = call->repeatable;
    (void)str_copy(record->id, sizeof(record->id), str_from(call->id));
    (void)str_copy(record->account_id, sizeof(record->account_id), str_from(call->identity.account_id));
    (void)str_copy(record->key_id, sizeof(record->key_id), str_from(call->identity.key_id));
    (void)str_copy(record->model, sizeof(record->model), call->generation.model);
    (void)str_copy(record->label, sizeof(record->label), call->label);
    record->created_ms = call->created_ms;
    record->purpose = call->purpose;
    record->kind = call->kind;
    generation->story = story_begin(generations->stories, record, core_loop_now_ms(generations->core));
    call->executor_data = generation;
    return generation;
}

static const char *outcome_name(enum store_outcome outcome) {
    switch (outcome) {
    case STORE_OUTCOME_COMPLETED:
        return "completed";
    case STORE_OUTCOME_FAILED:
        return "failed";
    case STORE_OUTCOME_CANCELLED:
        return "cancelled";
    }
    return "";
}

/* A request that was refused never became a generation of the core: a storm of them must not fill the store. */
static bool needs_record(const struct generation *generation) {
    return !generation->recorded && !generation->repeatable && !generation->canary &&
           generation->handle != CORE_NO_HANDLE;
}

/* Frees it, after writing its record if no settlement has done so. */
static void generation_end(struct generation *generation, enum store_outcome outcome) {
    struct generations *generations = generation->generations;
    if (needs_record(generation)) {
        generation->record.outcome = outcome;
        const struct store_settlement settlement = {.generation = generation->record};
        store_settle(generations->store, &settlement, NULL, NULL);
    }
    if (generation->handle != CORE_NO_HANDLE) {
        audit_captures_end(generations->captures, generation->handle, core_loop_now_ms(generations->core));
        grammar_watch_end(generations->grammar_watch, generation->handle);
        DL_DELETE(generations->list, generation);
        story_keep(generations->stories, generation->story, outcome_name(outcome));
    } else {
        story_drop(generations->stories, generation->story);
    }
    receipt_clear(&generation->receipt);
    if (generation->attempts != &generation->first_attempt) {
        free(generation->attempts);
    }
    free(generation);
}

void generation_submit(struct generations *generations, struct call *call, uint64_t only_provider) {
    struct generation *generation = generation_new(generations, call);
    generation->canary = only_provider != CORE_NO_HANDLE;
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.user = (uint64_t)(uintptr_t)generation,
                                           .model = call->generation.model,
                                           .max_tokens = call->generation.max_tokens,
                                           .account = call->identity.account_number,
                                           .key = call->identity.key_number,
                                           .prompt_tokens_max = call->prompt_tokens_max,
                                           .prompt_tokens_enough = call->prompt_tokens_enough,
                                           .prompt_tokens_likely = call->prompt_tokens_likely,
                                           .prompt_tokens_sure = call->prompt_tokens_sure,
                                           .max_tokens_given = call->generation.max_tokens_given,
                                           .prompt_price_nano = call->prompt_price_nano,
                                           .completion_price_nano = call->completion_price_nano,
                                           .verified = call->verified,
                                           .abilities = words_abilities(&call->generation),
                                           .logprobs = call->generation.logprobs,
                                           .steered = call->generation.bias_count > 0,
                                           .only_provider = only_provider,
                                           .prefix = call->names.begins,
                                           .leaves_prefix = call->names.leaves}};
    memcpy(event.request.region, call->region, sizeof(event.request.region));
    core_loop_step(generations->core, &event);
}

static void submit(void *context, struct call *call) {
    generation_submit(context, call, CORE_NO_HANDLE);
}

static void abandon(void *context, struct call *call) {
    struct generations *generations = context;
    struct generation *generation = call->executor_data;
    generation->call = NULL;
    core_loop_step(generations->core,
                   &(struct core_event){.kind = CORE_EVENT_CLIENT_GONE, .generation = generation->handle});
}

void generation_abort(const struct generation *generation, enum core_failure failure) {
    core_loop_step_later(generation->generations->core, &(struct core_event){.kind = CORE_EVENT_ABORT,
                                                                             .generation = generation->handle,
                                                                             .abort = {.failure = failure}});
}

/* --- Effects of the core --- */

void generation_admitted(struct generation *generation, uint64_t handle) {
    generation->handle = handle;
    receipt_begin(&generation->receipt, generation->call);
    DL_APPEND(generation->generations->list, generation);
}

void generation_placed(struct generation *generation, const struct core_effect *effect,
                       const struct core_candidate *candidates) {
    struct network_counts *counts = generation->generations->counts;
    const uint64_t now_ms = core_loop_now_ms(generation->generations->core);
    counts->placements++;
    counts->candidates += effect->dispatch.candidate_count;
    counts->continuations += effect->dispatch.continues;
    if (effect->dispatch.attempt == 1 && now_ms > generation->story->started_ms) {
        counts->queued++;
        counts->queue_ms += now_ms - generation->story->started_ms;
    }
    story_add_placement(generation->story, now_ms, effect, candidates);
}

void generation_trace(const struct generation *generation, const struct core_effect *effect) {
    story_add_state(generation->story, core_loop_now_ms(generation->generations->core), effect->trace.from,
                    effect->trace.to, effect->trace.why);
    LOG_DEBUG_EVENT("core.job", LOG_TEXT("job_id", generation->record.id), LOG_INT("job", effect->generation),
                    LOG_TEXT("from", effect->trace.from), LOG_TEXT("to", effect->trace.to),
                    LOG_TEXT("why", effect->trace.why));
}

void generation_accepted(const struct generation *generation) {
    if (generation->call != NULL) {
        generation->call->sink->accepted(generation->call);
    }
}

/* What goes with a text. False: it is more than is kept. */
static bool add_logprobs(struct call *call, const struct core_effect *effect) {
    if (call->logprobs == NULL) {
        return true;
    }
    call_logprobs_add(call->logprobs, effect->deliver.text, effect->deliver.logprobs);
    return call_logprobs_are_whole(call->logprobs);
}

void generation_deliver(struct generation *generation, const struct core_effect *effect) {
    const struct str text = effect->deliver.text;
    if (generation->call == NULL) {
        return;
    }
    if (!add_logprobs(generation->call, effect)) {
        generation_abort(generation, CORE_FAILURE_TOO_LONG);
        return;
    }
    if (generation->attempt_count > 0) {
        receipt_add_text(&generation->receipt, &generation->attempts[generation->attempt_count - 1].mark, text);
    }
    switch (generation->call->sink->deliver(generation->call, text)) {
    case CALL_DELIVERED:
        break;
    case CALL_DELIVER_CUT:
        generation->call = NULL; /* abandon has been called already */
        break;
    case CALL_DELIVER_TOO_LONG:
        generation_abort(generation, CORE_FAILURE_TOO_LONG);
        break;
    }
}

void generation_finish(struct generation *generation) {
    if (generation->call != NULL && generation->in_doubt) {
        struct fault fault;
        failure_in_doubt(&fault);
        generation->call->sink->failed(generation->call, &fault);
    } else if (generation->call != NULL) {
        generation->call->sink->finished(generation->call, &generation->result);
    }
    generation_end(generation, generation->in_doubt ? STORE_OUTCOME_FAILED : STORE_OUTCOME_COMPLETED);
}

void generation_fail(struct generation *generation, const struct core_effect *effect) {
    struct network_counts *counts = generation->generations->counts;
    counts->failures += !generation->canary;
    counts->lost += !generation->canary && effect->fail.failure == CORE_FAILURE_LOST;
    generation->record.attempts = effect->fail.attempts;
    generation->record.charge_nano = 0;
    generation->record.provider_nano = 0;
    if (generation->call != NULL) {
        struct fault fault;
        failure_from_core(effect, &generation->call->generation, &fault);
        generation->call->sink->failed(generation->call, &fault);
    }
    generation_end(generation, STORE_OUTCOME_FAILED);
}

void generation_cancelled(struct generation *generation) {
    generation_end(generation, STORE_OUTCOME_CANCELLED);
}

/* --- All of them --- */

void generations_init(struct generations *generations, struct core_loop *core, struct store *store,
                      struct stories *stories, struct network_counts *counts, const struct providers *providers) {
    *generations = (struct generations){.core = core,
                                        .store = store,
                                        .stories = stories,
                                        .counts = counts,
                                        .providers = providers,
                                        .executor = {.context = generations, .submit = submit, .abandon = abandon}};
    scopes_init(&generations->scopes);
}

void generations_clear(struct generations *generations) {
    assert(generations->list == NULL);
    scopes_clear(&generations->scopes);
}

const struct generation *generations_find(const struct generations *generations, const char *id) {
    const struct generation *generation;
    DL_FOREACH (generations->list, generation) {
        if (strcmp(generation->record.id, id) == 0) {
            return generation;
        }
    }
    return NULL;
}
