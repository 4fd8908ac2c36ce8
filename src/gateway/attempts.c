#include "gateway/attempts.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/counting.h"
#include "call/price.h"
#include "core/explain.h"
#include "gateway/audit_book.h"
#include "gateway/audit_capture.h"
#include "gateway/grammar_watch.h"
#include "gateway/provider_trust.h"
#include "gateway/providers.h"
#include "link/answer.h"
#include "link/peer.h"
#include "store/settlements.h"
#include "store/turns.h"

#include <stdlib.h>
#include <string.h>

static enum gen_finish finish_from_core(enum core_finish finish) {
    switch (finish) {
    case CORE_FINISH_STOP:
        return GEN_FINISH_STOP;
    case CORE_FINISH_LENGTH:
        return GEN_FINISH_LENGTH;
    case CORE_FINISH_CANCELLED:
        return GEN_FINISH_CANCELLED;
    }
    return GEN_FINISH_STOP;
}

/* Most generations have one. */
static struct attempt *add_attempt(struct generation *generation) {
    const size_t count = generation->attempt_count++;
    if (count == 0) {
        generation->attempts = &generation->first_attempt;
    } else if (count == 1) {
        generation->attempts = mem_alloc(2 * sizeof(*generation->attempts));
        generation->attempts[0] = generation->first_attempt;
    } else {
        generation->attempts = mem_realloc(generation->attempts, (count + 1) * sizeof(*generation->attempts));
    }
    return &generation->attempts[count];
}

/* Peers that do not know scopes get no reuse: what asks for a seed is computed anew there, by the rule that a seed
 * gives the same text each time (docs/PROTOCOL.md), and one at random gives a text as random as none. */
static void keep_apart(struct generation *generation, const struct gateway_provider *provider, struct attempt *attempt,
                       struct gen_request *request) {
    if (link_peer_has_scopes(provider->peer)) {
        scopes_name(&generation->generations->scopes,
                    &(struct scope_of){.device_id = attempt->device_id,
                                       .account_id = generation->record.account_id,
                                       .model = request->model,
                                       .purpose = generation->record.purpose,
                                       .alone = generation->canary ? generation->record.id : NULL},
                    attempt->scope);
        request->scope = str_from(attempt->scope);
        return;
    }
    attempt->scope[0] = '\0';
    if (!request->seed_given) {
        request->seed_given = true;
        random_few(&request->seed, sizeof(request->seed));
        request->seed &= INT64_MAX;
    }
}

/* Its owner asks, and may have it answered better than others get it: that says nothing of the device (core/own.h). */
static bool is_self_made(const struct generation *generation, const struct gateway_provider *provider) {
    return !provider->is_trusted && strcmp(provider->device.account_id, generation->record.account_id) == 0 &&
           strcmp(provider->device.account_id, provider->providers->owner_id) != 0;
}

static struct attempt *keep_attempt(struct generation *generation, uint32_t number,
                                    const struct gateway_provider *provider) {
    const struct store_device *device = &provider->device;
    struct attempt *attempt = add_attempt(generation);
    attempt->number = number;
    (void)str_copy(attempt->device_id, sizeof(attempt->device_id), str_from(device->id));
    (void)str_copy(attempt->account_id, sizeof(attempt->account_id), str_from(device->account_id));
    (void)str_copy(attempt->region, sizeof(attempt->region), str_from(device->region));
    attempt->self_made = is_self_made(generation, provider);
    (void)str_copy(generation->record.device_id, sizeof(generation->record.device_id), str_from(device->id));
    receipt_attempt(&generation->receipt, generation->attempt_count > 1 ? &attempt[-1].mark : NULL, &attempt->mark,
                    provider, str_from(generation->record.model));
    return attempt;
}

/* Which answers are audited nobody else learns: the device is asked as ever. A buyer's prompt is shown to trusted
 * devices only, so there must be one with the file. What owners ask their own devices says nothing: they could be
 * honest to themselves, for free, as often as it takes to be believed. */
static bool is_audited(const struct generation *generation, const struct gateway_provider *provider,
                       const struct audit_key *key, const struct gen_request *request) {
    const struct audit_book *book = generation->generations->audit_book;
    uint32_t random;
    if (book->permille == 0 || provider->is_trusted) {
        return false;
    }
    if (generation->canary) {
        return true;
    }
    /* Scorers know nothing of grammars, nor do older ones of biases. */
    if (is_self_made(generation, provider) || request->grammar.len > 0 || request->bias_count > 0) {
        return false;
    }
    random_few(&random, sizeof(random));
    return strcmp(generation->record.account_id, provider->device.account_id) != 0 &&
           audit_book_wants(book, key, request->max_tokens,
                            random) && /* the draw first: the other one looks at many devices */
           provider_trust_any(provider, request->model, key->sha256);
}

/* One that has settled with answers that could be judged, and then tells of a file that nobody has or tells no ids any
 * more, is new again: what it passed was about something else. */
static void unsettle(const struct generation *generation, const struct gateway_provider *provider, struct str model) {
    struct core_loop *core = generation->generations->core;
    struct core_provider_view view;
    /* Which devices could judge it is looked for last: they may be many. */
    if (core_provider_view(core->core, provider->handle, core_loop_now_ms(core), &view) && view.record.audits > 0 &&
        provider_trust_judged(provider, model) == PROVIDER_JUDGED_EVADED) {
        core_loop_step_later(core, &(struct core_event){.kind = CORE_EVENT_AUDITED, .provider = provider->handle});
    }
}

/* What the device's context leaves for the answer behind the longest prompt that the request can be (templates of two
 * versions of a model may differ by a few lines). */
static uint32_t length_tokens_min(const struct provider_file *file, const struct gen_request *request) {
    enum { TEMPLATE_SLACK = 256 };
    const uint64_t most = (uint64_t)price_prompt_tokens_max(request) + TEMPLATE_SLACK + request->continue_text.len;
    return file != NULL && file->context_length > most ? file->context_length - (uint32_t)most : 0;
}

static void audit(const struct generation *generation, const struct core_effect *effect,
                  const struct gateway_provider *provider, const struct gen_request *request) {
    const struct provider_file *file = provider_files_find(&provider->files, request->model);
    struct audit_captures *captures = generation->generations->captures;
    const uint64_t now_ms = core_loop_now_ms(generation->generations->core);
    struct audit_subject subject = {.generation = effect->generation,
                                    .provider = effect->provider,
                                    .client = generation->canary ? 0 : generation->call->identity.account_number,
                                    .canary = generation->canary,
                                    .tells_ids = file != NULL && file->tells_ids,
                                    .length_tokens_min = length_tokens_min(file, request)};
    if (generation->generations->audit_book->permille > 0 && !provider->is_trusted) {
        unsettle(generation, provider, request->model);
    }
    if (file != NULL) {
        audit_key_init(&subject.key, provider->device.id, file->sha256);
    }
    if (file == NULL || !is_audited(generation, provider, &subject.key, request)) {
        audit_captures_end(captures, effect->generation, now_ms);
        return;
    }
    (void)str_copy(subject.account_id, sizeof(subject.account_id), str_from(provider->device.account_id));
    (void)str_copy(subject.generation_id, sizeof(subject.generation_id), str_from(generation->record.id));
    audit_captures_begin(captures, &subject, request, now_ms);
}

void attempts_dispatch(struct generation *generation, const struct core_effect *effect) {
    const struct gateway_provider *provider = providers_find(generation->generations->providers, effect->provider);
    /* One whose client has gone is cancelled and never dispatched; a provider that the core knows has a link. */
    if (generation->call == NULL || provider == NULL || provider->peer == NULL) {
        return;
    }
    struct gen_request request = generation->call->generation;
    char salt[2 * RECEIPT_SALT_SIZE + 1];
    struct attempt *attempt = keep_attempt(generation, effect->dispatch.attempt, provider);
    keep_apart(generation, provider, attempt, &request);
    request.max_tokens = effect->dispatch.max_tokens;
    if (effect->dispatch.continues && !call_text(generation->call, &request.continue_text)) {
        /* A stream is delivered however long it is; only when it must be continued does it matter that its text was too
         * long to be kept. The device is not asked: it could only begin anew. */
        generation_abort(generation, CORE_FAILURE_TOO_LONG);
        return;
    }
    digest_hex(generation->receipt.salt, sizeof(generation->receipt.salt), salt);
    request.signing = (struct gen_signing){.salt = str_from(salt), .attempt = attempt->number};
    audit(generation, effect, provider, &request);
    grammar_watch_begin(generation->generations->grammar_watch, effect->generation, effect->provider, &request);
    link_peer_send_job(provider->peer, effect->generation, &request);
}

static const struct attempt *attempt_find(const struct generation *generation, uint32_t number) {
    for (size_t i = generation->attempt_count; i-- > 0;) {
        if (generation->attempts[i].number == number) {
            return &generation->attempts[i];
        }
    }
    return NULL;
}

/* Who finished the answer: the last one that made a part of it, else the last one that was asked. */
static const struct attempt *finisher_of(const struct generation *generation, const struct core_outcome *outcome) {
    const struct attempt *found = NULL;
    if (outcome->part_count > 0) {
        found = attempt_find(generation, outcome->parts[outcome->part_count - 1].attempt);
    }
    return found != NULL || generation->attempt_count == 0 ? found
                                                           : &generation->attempts[generation->attempt_count - 1];
}

/* What may be told of the cache, and what is in caches from now on. */
static uint32_t cached_tokens(struct generation *generation, const struct core_outcome *outcome,
                              const struct attempt *finisher) {
    struct scopes *scopes = &generation->generations->scopes;
    const uint32_t told = finisher != NULL && finisher->scope[0] != '\0'
                              ? scopes_told(scopes, finisher->scope, outcome->cached_tokens)
                              : 0;
    for (size_t i = 0; generation->attempts != NULL && i < generation->attempt_count; i++) {
        if (generation->attempts[i].scope[0] != '\0') {
            scopes_leave(scopes, generation->attempts[i].scope, outcome->prompt_tokens + outcome->completion_tokens);
        }
    }
    return told;
}

static void keep_result(struct generation *generation, const struct core_outcome *outcome,
                        const struct attempt *finisher) {
    generation->record.prompt_tokens = outcome->prompt_tokens;
    generation->record.completion_tokens = outcome->completion_tokens;
    generation->record.attempts = outcome->attempts;
    generation->record.ttft_ms = outcome->ttft_ms;
    generation->record.latency_ms = outcome->latency_ms;
    generation->record.charge_nano = outcome->charge_nano;
    generation->record.provider_nano = outcome->provider_nano;
    generation->record.given_nano = outcome->given_nano;
    generation->record.provider_given_nano = outcome->part_count == 1 ? outcome->parts[0].given_nano : 0;
    if (finisher != NULL) {
        (void)str_copy(generation->record.device_id, sizeof(generation->record.device_id),
                       str_from(finisher->device_id));
    }
    generation->result = (struct call_result){
        .finish = finish_from_core(outcome->finish),
        .stop = finisher != NULL && outcome->finish == CORE_FINISH_STOP ? finisher->stop : 0,
        .usage = {.prompt_tokens = outcome->prompt_tokens,
                  .completion_tokens = outcome->completion_tokens,
                  .cached_tokens = cached_tokens(generation, outcome, finisher)},
        .provider_id = generation->record.device_id,
        .provider_region = finisher != NULL ? finisher->region : NULL,
        .inference_type = "p2p",
        .attempts = outcome->attempts,
        .continued = outcome->part_count > 1 ? (uint32_t)outcome->part_count - 1 : 0,
        .ttft_ms = outcome->ttft_ms,
        .latency_ms = outcome->latency_ms,
        .cost_nano = outcome->charge_nano,
    };
}

/* False: an attempt that was never made; the core and this folder disagree, and nothing may be charged. */
static bool fill_parts(const struct generation *generation, const struct core_outcome *outcome,
                       struct store_part *parts) {
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        const struct attempt *attempt = attempt_find(generation, part->attempt);
        if (attempt == NULL) {
            return false;
        }
        (void)str_copy(parts[i].device_id, sizeof(parts[i].device_id), str_from(attempt->device_id));
        (void)str_copy(parts[i].account_id, sizeof(parts[i].account_id), str_from(attempt->account_id));
        parts[i].tokens = part->tokens;
        parts[i].amount_nano = part->nano;
        parts[i].given_nano = part->given_nano;
        parts[i].escrow = part->escrow;
    }
    return true;
}

/* In doubt, the core's copy of the balance is charged as if it were settled, so that nothing can be spent twice; it is
 * too low until the accounts are loaded again if it was not. But nobody is told that it is settled, nor that it was
 * free. */
static void on_settled(void *context, const struct err *err) {
    struct generation *generation = context;
    generation->in_doubt = err != NULL && err->code == ERR_IN_DOUBT;
    if (err != NULL) {
        LOG_ERROR_EVENT("job.not_settled", LOG_TEXT("job_id", generation->record.id), LOG_TEXT("error", err->message));
    }
    core_loop_step(generation->generations->core,
                   &(struct core_event){.kind = CORE_EVENT_COMMITTED,
                                        .generation = generation->handle,
                                        .committed = {.durable = err == NULL || generation->in_doubt,
                                                      .in_doubt = generation->in_doubt}});
}

/* The same without asking the store. */
static void commit_later(const struct generation *generation, bool durable) {
    core_loop_step_later(generation->generations->core, &(struct core_event){.kind = CORE_EVENT_COMMITTED,
                                                                             .generation = generation->handle,
                                                                             .committed = {.durable = durable}});
}

/* What its call wants to be stored with the settlement. */
static void ask_call(const struct generation *generation, struct store_answer *answer, struct store_turn *turn,
                     struct store_settlement *settlement) {
    struct call *call = generation->call;
    if (call == NULL || generation->record.outcome == STORE_OUTCOME_CANCELLED) {
        return;
    }
    if (call->sink->answer(call, &generation->result, answer)) {
        settlement->answer = answer;
    }
    if (call->sink->turn(call, &generation->result, turn)) {
        settlement->turn = turn;
    }
}

/* What the device has counted teaches the rates of its model, unless several have made the answer: then nobody knows
 * whose count it is; or a device's own owner has asked, who may have it count as it likes. */
static void learn(const struct generation *generation, const struct core_outcome *outcome,
                  const struct attempt *finisher) {
    const struct call *call = generation->call;
    if (call != NULL && finisher != NULL && outcome->part_count <= 1 && outcome->attempts <= 1 &&
        !finisher->self_made) {
        counting_learn(call->calls, &(struct tokens_taught){.model = call->generation.model,
                                                            .who = str_from(finisher->account_id),
                                                            .text = &call->prompt_text,
                                                            .messages = (uint32_t)call->generation.message_count,
                                                            .tokens = outcome->prompt_tokens});
    }
}

/* What its device has just said as its last word, maybe with a signature. */
static void take_last_word(struct generation *generation, uint64_t handle) {
    const struct link_done *done = generation->generations->providers->done;
    if (done == NULL || done->job != handle || generation->attempt_count == 0) {
        return;
    }
    struct attempt *attempt = &generation->attempts[generation->attempt_count - 1];
    attempt->stop = done->stop;
    if (!done->has_claim) {
        return;
    }
    struct receipt_mark *mark = &attempt->mark;
    struct gateway_provider *provider = providers_by_id(generation->generations->providers, attempt->device_id);
    if (provider == NULL || mark->has_claim ||
        !receipt_checks_pass(&provider->signing, &done->claim, generation->receipt.name, attempt->number,
                             mark->public_key, attempt->device_id)) {
        return;
    }
    mark->has_claim = true;
    mark->claim = done->claim;
}

struct counted {
    struct core_loop *core;
    uint64_t handle;
};

/* The generation may have lost its client since, but the core waits for the count. */
static void on_counted(void *context, const uint32_t *tokens, size_t count) {
    struct counted *counted = context;
    const struct core_event event = {.kind = CORE_EVENT_COUNTED,
                                     .generation = counted->handle,
                                     .counted = {.prompt_tokens = tokens != NULL && count == 1 ? tokens[0] : 0}};
    core_loop_step(counted->core, &event);
    free(counted);
}

/* Not behind the long texts of others: the bound of the bill stands without a count, too. */
void attempts_count(struct generation *generation, const struct core_effect *effect) {
    struct core_loop *core = generation->generations->core;
    const struct call *call = generation->call;
    take_last_word(generation, effect->generation);
    if (call == NULL || !counting_is_quick(call->calls, call->generation.model)) {
        core_loop_step_later(core, &(struct core_event){.kind = CORE_EVENT_COUNTED, .generation = effect->generation});
        return;
    }
    struct counted *counted = MEM_NEW(struct counted);
    *counted = (struct counted){.core = core, .handle = effect->generation};
    counting_ask_chat(call->calls, &call->generation, on_counted, counted);
}

static const struct receipt_mark *find_mark(void *context, uint32_t number, struct str *device_id) {
    const struct attempt *attempt = attempt_find(context, number);
    if (attempt == NULL) {
        return NULL;
    }
    *device_id = str_from(attempt->device_id);
    return &attempt->mark;
}

static void write_receipt(struct generation *generation, const struct core_outcome *outcome, struct buf *out) {
    enum { BYTES_USUAL = 511 }; /* of one part with a signature */
    struct receipt_mark *last =
        generation->attempt_count > 0 ? &generation->attempts[generation->attempt_count - 1].mark : NULL;
    buf_init(out, RECEIPT_FILE_BYTES);
    (void)buf_reserve(out, BYTES_USUAL);
    receipt_write(&generation->receipt, &generation->record, outcome, last, find_mark, generation, out);
}

void attempts_settle(struct generation *generation, const struct core_effect *effect) {
    const struct core_outcome *outcome = &effect->finish;
    const struct attempt *finisher = finisher_of(generation, outcome);
    struct store_answer answer;
    struct store_turn turn;
    struct store_part parts[CORE_PARTS_MAX];
    struct store_settlement settlement = {0};
    struct buf receipt;
    take_last_word(generation, effect->generation);
    keep_result(generation, outcome, finisher);
    generation->recorded = true;
    if (generation->canary) {
        commit_later(generation, true);
        return;
    }
    if (outcome->part_count > 1) {
        if (!fill_parts(generation, outcome, parts)) {
            LOG_ERROR_EVENT("job.unknown_attempt", LOG_TEXT("job_id", generation->record.id));
            commit_later(generation, false);
            return;
        }
        settlement.parts = parts;
        settlement.part_count = outcome->part_count;
    }
    settlement.escrow = outcome->part_count == 1 && outcome->parts[0].escrow;
    generation->record.outcome = outcome->cancelled ? STORE_OUTCOME_CANCELLED : STORE_OUTCOME_COMPLETED;
    settlement.generation = generation->record;
    if (finisher != NULL) {
        (void)str_copy(settlement.provider_account_id, sizeof(settlement.provider_account_id),
                       str_from(finisher->account_id));
    }
    learn(generation, outcome, finisher);
    ask_call(generation, &answer, &turn, &settlement);
    write_receipt(generation, outcome, &receipt);
    settlement.receipt = buf_str(&receipt);
    memcpy(settlement.receipt_salt, generation->receipt.salt, sizeof(settlement.receipt_salt));
    store_settle(generation->generations->store, &settlement, on_settled, generation);
    buf_clear(&receipt);
}
