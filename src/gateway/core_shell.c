#include "base/log.h"
#include "base/mem.h"
#include "gateway/gateway_internal.h"

#include <inttypes.h>

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

static struct gateway_job *job_of(const struct core_effect *effect) {
    return (struct gateway_job *)(uintptr_t)effect->user;
}

static void dispatch(struct gateway *gateway, const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    const struct gateway_provider *provider = gateway_provider_find(gateway, effect->provider);
    /* A job whose client has gone is cancelled and never dispatched; a provider the core knows has a link. */
    if (job->call == NULL || provider == NULL || provider->peer == NULL) {
        return;
    }
    /* Kept with the job: its provider may be gone by the time it is settled. */
    (void)str_copy(job->record.device_id, sizeof job->record.device_id, str_from(provider->device.id));
    (void)str_copy(job->provider_account_id, sizeof job->provider_account_id, str_from(provider->device.account_id));
    (void)str_copy(job->provider_region, sizeof job->provider_region, str_from(provider->device.region));
    link_peer_send_job(provider->peer, effect->job, &job->call->generation);
}

static void cancel(struct gateway *gateway, const struct core_effect *effect) {
    const struct gateway_provider *provider = gateway_provider_find(gateway, effect->provider);
    if (provider != NULL && provider->peer != NULL) {
        link_peer_send_cancel(provider->peer, effect->job);
    }
}

static void keep_result(struct gateway_job *job, const struct core_effect *effect) {
    job->record.prompt_tokens = effect->finish.prompt_tokens;
    job->record.completion_tokens = effect->finish.completion_tokens;
    job->record.attempts = effect->finish.attempts;
    job->record.ttft_ms = effect->finish.ttft_ms;
    job->record.latency_ms = effect->finish.latency_ms;
    job->record.charge_nano = effect->finish.charge_nano;
    job->record.provider_nano = effect->finish.provider_nano;
    job->result = (struct api_result){
        .finish = finish_from_core(effect->finish.finish),
        .usage = {.prompt_tokens = effect->finish.prompt_tokens,
                  .completion_tokens = effect->finish.completion_tokens,
                  .cached_tokens = effect->finish.cached_tokens},
        .provider_id = job->record.device_id,
        .provider_region = job->provider_region,
        .inference_type = "p2p",
        .attempts = effect->finish.attempts,
        .ttft_ms = effect->finish.ttft_ms,
        .latency_ms = effect->finish.latency_ms,
    };
}

static void on_settled(void *context, const struct err *err) {
    const struct gateway_job *job = context;
    if (err != NULL) {
        LOG_ERROR_EVENT("job.not_settled", LOG_TEXT("job_id", job->record.id), LOG_TEXT("error", err->message));
    }
    gateway_step(
        job->gateway,
        &(struct core_event){.kind = CORE_EVENT_COMMITTED, .job = job->handle, .committed = {.durable = err == NULL}});
}

/* The answer leaves only when its settlement is durable; what a retry will be given is stored in the same transaction. */
static void settle(struct gateway *gateway, const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    struct store_answer answer;
    struct store_settlement settlement = {0};
    keep_result(job, effect);
    job->record.outcome = effect->finish.cancelled ? STORE_JOB_CANCELLED : STORE_JOB_COMPLETED;
    settlement.job = job->record;
    (void)str_copy(settlement.provider_account_id, sizeof settlement.provider_account_id,
                   str_from(job->provider_account_id));
    if (job->call != NULL && !effect->finish.cancelled && api_call_answer(job->call, &job->result, &answer)) {
        settlement.answer = &answer;
    }
    job->recorded = true;
    store_settle(gateway->store, &settlement, on_settled, job);
}

static void finish(const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    if (job->call != NULL) {
        api_call_finish(job->call, &job->result);
    }
    gateway_job_end(job, STORE_JOB_COMPLETED);
}

static void fail(const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    job->record.attempts = effect->fail.attempts;
    job->record.charge_nano = 0;
    job->record.provider_nano = 0;
    if (job->call != NULL) {
        struct api_error error;
        gateway_error_from_core(effect, job->call->generation.model, &error);
        api_call_fail(job->call, &error);
    }
    gateway_job_end(job, STORE_JOB_FAILED);
}

static void deliver(const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    if (job->call == NULL) {
        return;
    }
    switch (api_call_deliver(job->call, effect->deliver.text)) {
    case API_DELIVERED:
        break;
    case API_DELIVER_CUT:
        job->call = NULL; /* the API has called abandon already */
        break;
    case API_DELIVER_TOO_LONG:
        gateway_step_later(job->gateway, &(struct core_event){.kind = CORE_EVENT_ABORT,
                                                              .job = job->handle,
                                                              .abort = {.failure = CORE_FAILURE_TOO_LONG}});
        break;
    }
}

static void arm_timer(struct gateway *gateway, uint64_t wake_at_ms) {
    uint64_t now = loop_now_ms(gateway->loop);
    loop_timer_start(gateway->core_timer, wake_at_ms > now ? wake_at_ms - now : 0, 0);
}

static void trace(const struct core_effect *effect) {
    const struct gateway_job *job = job_of(effect);
    LOG_DEBUG_EVENT("core.job", LOG_TEXT("job_id", job->record.id), LOG_INT("job", effect->job),
                    LOG_TEXT("from", effect->trace.from), LOG_TEXT("to", effect->trace.to),
                    LOG_TEXT("why", effect->trace.why));
}

static void carry_out(struct gateway *gateway, const struct core_effect *effect) {
    switch (effect->kind) {
    case CORE_EFFECT_ADMITTED:
        job_of(effect)->handle = effect->job;
        break;
    case CORE_EFFECT_DISPATCH:
        dispatch(gateway, effect);
        break;
    case CORE_EFFECT_CANCEL:
        cancel(gateway, effect);
        break;
    case CORE_EFFECT_ACCEPTED:
        if (job_of(effect)->call != NULL) {
            api_call_accepted(job_of(effect)->call);
        }
        break;
    case CORE_EFFECT_DELIVER:
        deliver(effect);
        break;
    case CORE_EFFECT_SETTLE:
        settle(gateway, effect);
        break;
    case CORE_EFFECT_FINISH:
        finish(effect);
        break;
    case CORE_EFFECT_FAIL:
        fail(effect);
        break;
    case CORE_EFFECT_CANCELLED:
        gateway_job_end(job_of(effect), STORE_JOB_CANCELLED);
        break;
    case CORE_EFFECT_PROVIDER_ADMITTED:
        gateway_provider_admitted((struct gateway_provider *)(uintptr_t)effect->user, effect->provider);
        break;
    case CORE_EFFECT_PROVIDER_REFUSED:
        gateway_provider_refused((struct gateway_provider *)(uintptr_t)effect->user);
        break;
    case CORE_EFFECT_WAKE:
        arm_timer(gateway, effect->wake_at_ms);
        break;
    case CORE_EFFECT_TRACE:
        trace(effect);
        break;
    }
}

static void step_once(struct gateway *gateway, const struct core_event *event) {
    const struct core_effects effects = core_step(gateway->core, loop_now_ms(gateway->loop), event);
    for (size_t i = 0; i < effects.count; i++) {
        carry_out(gateway, &effects.items[i]);
    }
}

void gateway_step_later(struct gateway *gateway, const struct core_event *event) {
    if (gateway->later_count == gateway->later_capacity) {
        gateway->later_capacity = gateway->later_capacity == 0 ? 16 : 2 * gateway->later_capacity;
        gateway->later = mem_realloc(gateway->later, gateway->later_capacity * sizeof *gateway->later);
    }
    gateway->later[gateway->later_count++] = *event;
}

void gateway_step(struct gateway *gateway, const struct core_event *event) {
    if (gateway->stepping) {
        /* Effects are borrowed until the next step, so an event that arises while they are carried out waits. Only a
         * client cut for reading too slowly can do that; everything else surfaces in a later turn of the loop, or is told by
         * gateway_step_later. */
        gateway_step_later(gateway, event);
        return;
    }
    gateway->stepping = true;
    step_once(gateway, event);
    for (size_t i = 0; i < gateway->later_count; i++) {
        const struct core_event waiting = gateway->later[i]; /* the list may move in the step */
        step_once(gateway, &waiting);
    }
    gateway->later_count = 0;
    gateway->stepping = false;
}

void gateway_core_timer_due(void *context) {
    gateway_step(context, &(struct core_event){.kind = CORE_EVENT_TIMER});
}
