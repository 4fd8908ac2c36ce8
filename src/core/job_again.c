/* What a job does when its device has failed it: a further attempt while nothing has come, the continuation of what
 * has.
 *
 * Attempts are counted in rounds: one from admission until content comes, and one more for each time that a device is
 * lost behind content. Within a round each attempt goes to another device; between them the job waits a little longer
 * each time. A round ends after max_attempts, or failover_ms after its first dispatch, or after each loss once content
 * has come; a model that must be loaded and a long prompt lengthen it. */
#include "core/core_internal.h"

/* A device that takes HURRY_TIMES as long for the prompt as it should, and HURRY_LEAST_MS at least, is left for another
 * one, HURRY_MOST times in a round: so a crowd that has grown slow does not go round and round. */
enum { HURRY_TIMES = 3, HURRY_LEAST_MS = 2000, HURRY_MOST = 2 };

uint64_t core_job_backoff_ms(const struct core *core, const struct core_job *job) {
    return job->round < 2 ? 0 : (uint64_t)(job->round - 1) * core->config.backoff_step_ms;
}

void core_job_content_came(struct core_job *job) {
    uint64_t present = job->tried[job->tried_count - 1];
    uint32_t kept = 0, silent = job->tried_silent;
    job->tried_silent = 0;
    for (uint32_t i = 0; i + 1 < job->tried_count && kept + 1 < CORE_ATTEMPTS_MAX; i++) {
        if ((silent >> i & 1) != 0) {
            job->tried_silent |= UINT32_C(1) << kept;
            job->tried[kept++] = job->tried[i];
        }
    }
    job->tried_silent |= (silent >> (job->tried_count - 1) & 1) << kept;
    job->tried[kept++] = present;
    job->tried_count = kept;
    job->round = 0;
    job->failover_due_ms = 0;
}

static enum core_failure again_failure(const struct core_job *job, enum core_job_fault fault) {
    if (job->started) {
        return CORE_FAILURE_LOST;
    }
    return fault == CORE_JOB_FAULT_FAILED ? CORE_FAILURE_ATTEMPTS : CORE_FAILURE_TIMEOUT;
}

/* May there be a further attempt? */
static bool again_allowed(const struct core *core, const struct core_job *job) {
    return job->only_provider == CORE_NO_HANDLE && job->round < core->config.max_attempts &&
           job->part_count < CORE_PARTS_MAX && core->now_ms + core_job_backoff_ms(core, job) < job->failover_due_ms;
}

bool core_job_may_hope(const struct core *core, const struct core_job *job) {
    return core->now_ms < job->continue_due_ms && core_place_has_hope(core, job);
}

/* A begun answer goes on trying while there is hope, with the longest pause between its attempts: devices that were
 * only full would have used up its round. */
static void again_stretch(const struct core *core, struct core_job *job) {
    uint32_t most = core->config.max_attempts;
    if (job->started && job->round >= most && most > 1 && core_job_may_hope(core, job)) {
        uint64_t failover_due_ms = job->failover_due_ms;
        core_job_content_came(job);
        job->round = most - 1;
        job->failover_due_ms = failover_due_ms;
    }
}

void core_job_again(struct core *core, struct core_job *job, enum core_job_fault fault, const char *why) {
    bool streaming = job->state == CORE_JOB_STREAMING;
    if (streaming) {
        job->continue_due_ms = core->now_ms + core->config.continue_ms;
        core_job_add_part(job, job->delta_tokens);
    }
    if (job->started) { /* anew with each device: what has begun is given up last */
        job->failover_due_ms = core->now_ms + core->config.failover_ms + core_job_prefill_ms(core, job);
    }
    if (fault == CORE_JOB_FAULT_FAILED) {
        core_attempt_release(core, job->attempt);
    } else {
        job->tried_silent |= (uint32_t)(fault == CORE_JOB_FAULT_SILENT) << (job->tried_count - 1);
        core_attempt_abandon(core, job);
    }
    again_stretch(core, job);
    if (streaming && core_job_tokens_left(job) == 0) {
        core_job_settle(core, job, NULL, CORE_FINISH_LENGTH, "nothing left to continue");
    } else if (!again_allowed(core, job)) {
        core_job_fail(core, job, again_failure(job, fault), why);
    } else {
        core_job_move(core, job, core_job_backoff_ms(core, job) == 0 ? CORE_JOB_QUEUED : CORE_JOB_BACKOFF, why);
    }
}

uint64_t core_job_hurry_ms(const struct core *core, const struct core_job *job) {
    const struct core_offering *offering = job->attempt->offering;
    uint64_t expected_ms = (uint64_t)core_place_prefill_ms(core, job, offering) * offering->provider->active;
    uint64_t hurry_ms = expected_ms * HURRY_TIMES;
    return hurry_ms > HURRY_LEAST_MS ? hurry_ms : HURRY_LEAST_MS;
}

/* Is a device free that should show content in less time than the present one has taken already? A wrong answer costs
 * no more than that time once again. */
static bool again_is_faster_elsewhere(struct core *core, struct core_job *job) {
    uint64_t patience_ms = job->patience_ms, took_ms = core->now_ms + 1 - job->attempt->accepted_ms;
    uint32_t first = 0, count = 0;
    const struct core_offering *offering = core_place(core, job, &first, &count);
    bool faster = offering != NULL && !core_place_was_tried(job, offering->provider);
    for (uint32_t i = first; faster && i < first + count; i++) {
        const struct core_candidate *candidate = &core->candidates[i];
        faster = !candidate->chosen ||
                 candidate->load_ms + (uint64_t)candidate->prefill_ms * 1000 / candidate->weight < took_ms;
    }
    core->candidate_count -= count;
    job->patience_ms = patience_ms;
    return faster;
}

bool core_job_hurries(struct core *core, struct core_job *job) {
    if (job->round > HURRY_MOST || !again_allowed(core, job) || !core_queue_budget_allows(core, job) ||
        job->model->gated[CORE_GATE_NONE] == 0 || !again_is_faster_elsewhere(core, job)) {
        return false;
    }
    core_record_slow(core, job->attempt);
    core_record_ended(core, job->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
    core_job_again(core, job, CORE_JOB_FAULT_SLOW, "device slow");
    return true;
}
