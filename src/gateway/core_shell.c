#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/internal.h"

#include <inttypes.h>

static struct gateway_job *job_of(const struct core_effect *effect) {
    return (struct gateway_job *)(uintptr_t)effect->user;
}

static void cancel(struct gateway *gateway, const struct core_effect *effect) {
    const struct gateway_provider *provider = gateway_provider_find(gateway, effect->provider);
    if (provider != NULL && provider->peer != NULL) {
        link_peer_send_cancel(provider->peer, effect->job);
    }
}

static void finish(struct gateway *gateway, const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    if (job->canary != NULL) {
        canary_check(gateway, job);
    }
    if (job->call != NULL && job->in_doubt) {
        struct fault fault;
        failure_in_doubt(&fault);
        job->call->sink->failed(job->call, &fault);
    } else if (job->call != NULL) {
        job->call->sink->finished(job->call, &job->result);
    }
    gateway_job_end(job, job->in_doubt ? STORE_OUTCOME_FAILED : STORE_OUTCOME_COMPLETED);
}

static void fail(struct gateway *gateway, const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    gateway->counts.failures += job->canary == NULL;
    gateway->counts.lost += job->canary == NULL && effect->fail.failure == CORE_FAILURE_LOST;
    job->record.attempts = effect->fail.attempts;
    job->record.charge_nano = 0;
    job->record.provider_nano = 0;
    if (job->call != NULL) {
        struct fault error;
        failure_from_core(effect, job->call->generation.model, &error);
        job->call->sink->failed(job->call, &error);
    }
    gateway_job_end(job, STORE_OUTCOME_FAILED);
}

static void deliver(const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    if (job->canary != NULL) {
        (void)buf_append_str(&job->canary->answer, effect->deliver.text); /* its beginning is enough */
    }
    if (job->call == NULL) {
        return;
    }
    switch (job->call->sink->deliver(job->call, effect->deliver.text)) {
    case CALL_DELIVERED:
        break;
    case CALL_DELIVER_CUT:
        job->call = NULL; /* the API has called abandon already */
        break;
    case CALL_DELIVER_TOO_LONG:
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

static void note_placement(struct gateway *gateway, const struct core_effect *effect,
                           const struct core_candidate *candidates) {
    struct gateway_job *job = job_of(effect);
    const uint64_t now_ms = loop_now_ms(gateway->loop);
    gateway->counts.placements++;
    gateway->counts.candidates += effect->dispatch.candidate_count;
    gateway->counts.continuations += effect->dispatch.continues;
    if (effect->dispatch.attempt == 1 && now_ms > job->story->started_ms) {
        gateway->counts.queued++;
        gateway->counts.queue_ms += now_ms - job->story->started_ms;
    }
    job_story_add_placement(job->story, now_ms, effect, candidates);
}

static void trace(struct gateway *gateway, const struct core_effect *effect) {
    struct gateway_job *job = job_of(effect);
    job_story_add_state(job->story, loop_now_ms(gateway->loop), effect->trace.from, effect->trace.to,
                        effect->trace.why);
    LOG_DEBUG_EVENT("core.job", LOG_TEXT("job_id", job->record.id), LOG_INT("job", effect->job),
                    LOG_TEXT("from", effect->trace.from), LOG_TEXT("to", effect->trace.to),
                    LOG_TEXT("why", effect->trace.why));
}

/* For the operator's list. The job is the one that showed it; a device may be at fault without one. */
static void review(struct gateway *gateway, const struct core_effect *effect) {
    const struct gateway_provider *provider = (const struct gateway_provider *)(uintptr_t)effect->user;
    const struct gateway_job *job =
        effect->job != CORE_NO_HANDLE ? (const struct gateway_job *)(uintptr_t)effect->review.job_user : NULL;
    struct store_review line = {.created_ms = clock_wall_ms()};
    (void)str_copy(line.device_id, sizeof line.device_id, str_from(provider->device.id));
    (void)str_copy(line.reason, sizeof line.reason, str_from(core_review_name(effect->review.review)));
    if (job != NULL) {
        (void)str_copy(line.job_id, sizeof line.job_id, str_from(job->record.id));
    }
    LOG_WARN_EVENT("provider.review", LOG_TEXT("provider_id", line.device_id), LOG_TEXT("reason", line.reason),
                   LOG_TEXT("job_id", line.job_id));
    gateway->counts.reviews++;
    store_review_add(gateway->store, &line);
}

static void carry_out(struct gateway *gateway, const struct core_effect *effect,
                      const struct core_candidate *candidates) {
    switch (effect->kind) {
    case CORE_EFFECT_ADMITTED:
        job_of(effect)->handle = effect->job;
        DL_APPEND(gateway->jobs, job_of(effect));
        break;
    case CORE_EFFECT_DISPATCH:
        note_placement(gateway, effect, candidates);
        gateway_job_dispatch(gateway, job_of(effect), effect);
        break;
    case CORE_EFFECT_CANCEL:
        cancel(gateway, effect);
        break;
    case CORE_EFFECT_ACCEPTED:
        if (job_of(effect)->call != NULL) {
            job_of(effect)->call->sink->accepted(job_of(effect)->call);
        }
        break;
    case CORE_EFFECT_DELIVER:
        deliver(effect);
        break;
    case CORE_EFFECT_SETTLE:
        gateway_job_settle(gateway, job_of(effect), effect);
        break;
    case CORE_EFFECT_FINISH:
        finish(gateway, effect);
        break;
    case CORE_EFFECT_FAIL:
        fail(gateway, effect);
        break;
    case CORE_EFFECT_CANCELLED:
        gateway_job_end(job_of(effect), STORE_OUTCOME_CANCELLED);
        break;
    case CORE_EFFECT_PROVIDER_ADMITTED:
        gateway_provider_admitted((struct gateway_provider *)(uintptr_t)effect->user, effect->provider);
        break;
    case CORE_EFFECT_PROVIDER_REFUSED:
        gateway_provider_refused((struct gateway_provider *)(uintptr_t)effect->user);
        break;
    case CORE_EFFECT_PROVIDER_BUSY:
    case CORE_EFFECT_PROVIDER_IDLE:
        gateway_provider_watch(gateway, effect->provider, effect->kind == CORE_EFFECT_PROVIDER_BUSY);
        break;
    case CORE_EFFECT_WANT:
        gateway_provider_want(gateway, effect->provider, effect->want.model);
        break;
    case CORE_EFFECT_REVIEW:
        review(gateway, effect);
        break;
    case CORE_EFFECT_WAKE:
        arm_timer(gateway, effect->wake_at_ms);
        break;
    case CORE_EFFECT_TRACE:
        trace(gateway, effect);
        break;
    }
}

static void step_once(struct gateway *gateway, const struct core_event *event) {
    const struct core_effects effects = core_step(gateway->core, loop_now_ms(gateway->loop), event);
    for (size_t i = 0; i < effects.count; i++) {
        carry_out(gateway, &effects.items[i], effects.candidates);
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
