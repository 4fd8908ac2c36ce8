/* Attempts: a job on a provider, from dispatch until the slot is free again. */
#include "core/core_internal.h"

void core_attempt_start(struct core *core, struct core_job *job, struct core_offering *offering) {
    struct core_provider *provider = offering->provider;
    struct core_attempt *attempt = MEM_NEW(struct core_attempt);
    attempt->job = job;
    attempt->job_handle = job->handle;
    attempt->provider_handle = provider->handle;
    attempt->offering = offering;
    attempt->deadline.kind = CORE_DEADLINE_GHOST;
    core_list_push_back(&provider->attempts, &attempt->link);
    offering->active++;
    core_offering_sort(core, offering);

    job->attempt = attempt;
    job->tried[job->attempts++] = provider->handle;
    core_job_move(core, job, CORE_JOB_SENT, "dispatched");
    core_effect_add_job(core, CORE_EFFECT_DISPATCH, job);
}

void core_attempt_release(struct core *core, struct core_attempt *attempt) {
    struct core_provider *provider = attempt->offering->provider;
    if (attempt->job != NULL) {
        attempt->job->attempt = NULL;
        core_list_remove(&provider->attempts, &attempt->link);
    } else {
        core_list_remove(&provider->ghosts, &attempt->link);
        core->ghosts--;
    }
    core_deadline_unset(core, &attempt->deadline);
    core_offering_free_slot(core, attempt->offering);
    free(attempt);
}

void core_attempt_abandon(struct core *core, struct core_job *job) {
    struct core_attempt *attempt = job->attempt;
    struct core_provider *provider = attempt->offering->provider;
    core_effect_add_job(core, CORE_EFFECT_CANCEL, job);
    if (core->ghosts >= core->config.max_jobs) {
        core_attempt_release(core, attempt); /* too many to remember: the device has to refuse if it is full */
        return;
    }
    core_list_remove(&provider->attempts, &attempt->link);
    core_list_push_back(&provider->ghosts, &attempt->link);
    core->ghosts++;
    attempt->job = NULL;
    job->attempt = NULL;
    core_deadline_set(core, &attempt->deadline, core->now_ms + core->config.cancel_ms);
}

static struct core_attempt *attempt_find_ghost(const struct core *core, uint64_t provider_handle, uint64_t job_handle) {
    const struct core_provider *provider =
        (const struct core_provider *)core_handles_get(&core->providers, provider_handle);
    if (provider == NULL) {
        return NULL;
    }
    const struct core_list *list = &provider->ghosts;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_attempt *attempt = CORE_OF(link, struct core_attempt, link);
        if (attempt->job_handle == job_handle) {
            return attempt;
        }
    }
    return NULL;
}

void core_attempt_ghost_word(struct core *core, const struct core_event *event) {
    struct core_attempt *attempt = attempt_find_ghost(core, event->provider, event->job);
    if (attempt == NULL) {
        return;
    }
    if (event->kind == CORE_EVENT_ERROR) {
        core_provider_blame(core, attempt->offering, event->error.failure, false);
    }
    core_attempt_release(core, attempt);
}
