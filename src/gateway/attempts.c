/* A job on its devices: what each attempt sends, and what a settlement says of those that made the answer. */
#include "base/log.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "store/settlements.h"
#include "store/turns.h"

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

/* Most jobs have one. */
static struct gateway_attempt *add_attempt(struct gateway_job *job) {
    const size_t count = job->attempt_count++;
    if (count == 0) {
        job->attempts = &job->first_attempt;
    } else if (count == 1) {
        job->attempts = mem_alloc(2 * sizeof *job->attempts);
        job->attempts[0] = job->first_attempt;
    } else {
        job->attempts = mem_realloc(job->attempts, (count + 1) * sizeof *job->attempts);
    }
    return &job->attempts[count];
}

static void keep_attempt(struct gateway_job *job, uint32_t number, const struct store_device *device) {
    struct gateway_attempt *attempt = add_attempt(job);
    attempt->number = number;
    (void)str_copy(attempt->device_id, sizeof attempt->device_id, str_from(device->id));
    (void)str_copy(attempt->account_id, sizeof attempt->account_id, str_from(device->account_id));
    (void)str_copy(attempt->region, sizeof attempt->region, str_from(device->region));
    (void)str_copy(job->record.device_id, sizeof job->record.device_id, str_from(device->id));
}

/* A stream is delivered however long it is; only when it must be continued does it matter that its text was too long to
 * be kept. The device is not asked: it could only begin anew. */
static void abort_too_long(struct gateway_job *job) {
    gateway_step_later(job->gateway, &(struct core_event){.kind = CORE_EVENT_ABORT,
                                                          .job = job->handle,
                                                          .abort = {.failure = CORE_FAILURE_TOO_LONG}});
}

void gateway_job_dispatch(struct gateway *gateway, struct gateway_job *job, const struct core_effect *effect) {
    const struct gateway_provider *provider = gateway_provider_find(gateway, effect->provider);
    /* A job whose client has gone is cancelled and never dispatched; a provider the core knows has a link. */
    if ((job->call == NULL && job->canary == NULL) || provider == NULL || provider->peer == NULL) {
        return;
    }
    struct gen_request request = job->canary != NULL ? job->canary->request : job->call->generation;
    keep_attempt(job, effect->dispatch.attempt, &provider->device);
    request.max_tokens = effect->dispatch.max_tokens;
    if (effect->dispatch.continues && job->call != NULL && !call_text(job->call, &request.continue_text)) {
        abort_too_long(job);
        return;
    }
    link_peer_send_job(provider->peer, effect->job, &request);
}

static const struct gateway_attempt *attempt_find(const struct gateway_job *job, uint32_t number) {
    for (size_t i = job->attempt_count; i-- > 0;) {
        if (job->attempts[i].number == number) {
            return &job->attempts[i];
        }
    }
    return NULL;
}

/* Who finished the answer: the last one that made a part of it, else the last one that was asked. */
static const struct gateway_attempt *finisher_of(const struct gateway_job *job, const struct core_outcome *outcome) {
    const struct gateway_attempt *found = NULL;
    if (outcome->part_count > 0) {
        found = attempt_find(job, outcome->parts[outcome->part_count - 1].attempt);
    }
    return found != NULL || job->attempt_count == 0 ? found : &job->attempts[job->attempt_count - 1];
}

static void keep_result(struct gateway_job *job, const struct core_outcome *outcome,
                        const struct gateway_attempt *finisher) {
    job->record.prompt_tokens = outcome->prompt_tokens;
    job->record.completion_tokens = outcome->completion_tokens;
    job->record.attempts = outcome->attempts;
    job->record.ttft_ms = outcome->ttft_ms;
    job->record.latency_ms = outcome->latency_ms;
    job->record.charge_nano = outcome->charge_nano;
    job->record.provider_nano = outcome->provider_nano;
    if (finisher != NULL) {
        (void)str_copy(job->record.device_id, sizeof job->record.device_id, str_from(finisher->device_id));
    }
    job->result = (struct call_result){
        .finish = finish_from_core(outcome->finish),
        .usage = {.prompt_tokens = outcome->prompt_tokens,
                  .completion_tokens = outcome->completion_tokens,
                  .cached_tokens = outcome->cached_tokens},
        .provider_id = job->record.device_id,
        .provider_region = finisher != NULL ? finisher->region : NULL,
        .inference_type = "p2p",
        .attempts = outcome->attempts,
        .continued = outcome->part_count > 1 ? (uint32_t)outcome->part_count - 1 : 0,
        .ttft_ms = outcome->ttft_ms,
        .latency_ms = outcome->latency_ms,
        .cost_nano = outcome->charge_nano,
    };
}

/* False: an attempt that this job never made; the core and this folder disagree, and nothing may be charged. */
static bool fill_parts(const struct gateway_job *job, const struct core_outcome *outcome, struct store_part *parts) {
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        const struct gateway_attempt *attempt = attempt_find(job, part->attempt);
        if (attempt == NULL) {
            return false;
        }
        (void)str_copy(parts[i].device_id, sizeof parts[i].device_id, str_from(attempt->device_id));
        (void)str_copy(parts[i].account_id, sizeof parts[i].account_id, str_from(attempt->account_id));
        parts[i].tokens = part->tokens;
        parts[i].amount_nano = part->nano;
    }
    return true;
}

/* In doubt, the core's copy of the balance is charged as if it were settled, so that nothing can be spent twice; it is
 * too low until the accounts are loaded again if it was not. But nobody is told that it is settled, nor that it was
 * free. */
static void on_settled(void *context, const struct err *err) {
    struct gateway_job *job = context;
    job->in_doubt = err != NULL && err->code == ERR_IN_DOUBT;
    if (err != NULL) {
        LOG_ERROR_EVENT("job.not_settled", LOG_TEXT("job_id", job->record.id), LOG_TEXT("error", err->message));
    }
    gateway_step(job->gateway, &(struct core_event){.kind = CORE_EVENT_COMMITTED,
                                                    .job = job->handle,
                                                    .committed = {.durable = err == NULL || job->in_doubt}});
}

/* The answer leaves only when its settlement is durable; what a retry will be given is stored with it. */
void gateway_job_settle(struct gateway *gateway, struct gateway_job *job, const struct core_effect *effect) {
    const struct core_outcome *outcome = &effect->finish;
    const struct gateway_attempt *finisher = finisher_of(job, outcome);
    struct store_answer answer;
    struct store_turn turn;
    struct store_part parts[CORE_PARTS_MAX];
    struct store_settlement settlement = {0};
    keep_result(job, outcome, finisher);
    job->recorded = true;
    if (job->canary != NULL) { /* free, and nobody's */
        gateway_step_later(
            gateway,
            &(struct core_event){.kind = CORE_EVENT_COMMITTED, .job = job->handle, .committed = {.durable = true}});
        return;
    }
    if (outcome->part_count > 1) {
        if (!fill_parts(job, outcome, parts)) {
            LOG_ERROR_EVENT("job.unknown_attempt", LOG_TEXT("job_id", job->record.id));
            gateway_step_later(gateway, &(struct core_event){.kind = CORE_EVENT_COMMITTED, .job = job->handle});
            return;
        }
        settlement.parts = parts;
        settlement.part_count = outcome->part_count;
    }
    job->record.outcome = outcome->cancelled ? STORE_OUTCOME_CANCELLED : STORE_OUTCOME_COMPLETED;
    settlement.generation = job->record;
    if (finisher != NULL) {
        (void)str_copy(settlement.provider_account_id, sizeof settlement.provider_account_id,
                       str_from(finisher->account_id));
    }
    if (job->call != NULL && !outcome->cancelled && job->call->sink->answer(job->call, &job->result, &answer)) {
        settlement.answer = &answer;
    }
    if (job->call != NULL && !outcome->cancelled && job->call->sink->turn(job->call, &job->result, &turn)) {
        settlement.turn = &turn;
    }
    store_settle(gateway->store, &settlement, on_settled, job);
}
