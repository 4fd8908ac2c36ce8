/* What a generation does when its device has failed it: a further attempt while nothing has come, the continuation of
 * what has.
 *
 * Attempts are counted in rounds: one from admission until content comes, and one more for each time that a device is
 * lost behind content. Within a round each attempt goes to another device; between them the generation waits a little
 * longer each time. A round ends after max_attempts, or failover_ms after its first dispatch, or after each loss once
 * content has come; a model that must be loaded and a long prompt lengthen it. */
#include "core/core_internal.h"
#include "core/prefill.h"

/* A device that takes HURRY_TIMES as long for the prompt as it should, and HURRY_LEAST_MS at least, is left for another
 * one, HURRY_MOST times in a round: so a crowd that has grown slow does not go round and round. */
enum { HURRY_TIMES = 3, HURRY_LEAST_MS = 2000, HURRY_MOST = 2, NEARLY_DONE_TIMES = 3 };

uint64_t core_generation_backoff_ms(const struct core *core, const struct core_generation *generation) {
    return generation->round < 2 ? 0 : (uint64_t)(generation->round - 1) * core->config.backoff_step_ms;
}

void core_generation_content_came(struct core_generation *generation) {
    uint64_t present = generation->tried[generation->tried_count - 1];
    uint32_t kept = 0, silent = generation->tried_silent;
    generation->tried_silent = 0;
    for (uint32_t i = 0; i + 1 < generation->tried_count && kept + 1 < CORE_ATTEMPTS_MAX; i++) {
        if ((silent >> i & 1) != 0) {
            generation->tried_silent |= UINT32_C(1) << kept;
            generation->tried[kept++] = generation->tried[i];
        }
    }
    generation->tried_silent |= (silent >> (generation->tried_count - 1) & 1) << kept;
    generation->tried[kept++] = present;
    generation->tried_count = kept;
    generation->round = 0;
    generation->failover_due_ms = 0;
}

static enum core_failure again_failure(const struct core_generation *generation, enum core_generation_fault fault) {
    if (generation->started) {
        return CORE_FAILURE_LOST;
    }
    return fault == CORE_GENERATION_FAULT_FAILED || fault == CORE_GENERATION_FAULT_REFUSED ? CORE_FAILURE_ATTEMPTS
                                                                                           : CORE_FAILURE_TIMEOUT;
}

/* May there be a further attempt? */
static bool again_allowed(const struct core *core, const struct core_generation *generation) {
    return generation->only_provider == CORE_NO_HANDLE && generation->round < core->config.max_attempts &&
           generation->part_count < CORE_PARTS_MAX &&
           core->now_ms + core_generation_backoff_ms(core, generation) < generation->failover_due_ms;
}

bool core_generation_may_hope(const struct core *core, const struct core_generation *generation) {
    return core->now_ms < generation->continue_due_ms && core_place_has_hope(core, generation);
}

/* A begun answer goes on trying while there is hope, with the longest pause between its attempts: devices that were
 * only full would have used up its round. */
static void again_stretch(const struct core *core, struct core_generation *generation) {
    uint32_t most = core->config.max_attempts;
    if (generation->started && generation->round >= most && most > 1 && core_generation_may_hope(core, generation)) {
        uint64_t failover_due_ms = generation->failover_due_ms;
        core_generation_content_came(generation);
        generation->round = most - 1;
        generation->failover_due_ms = failover_due_ms;
    }
}

/* What a lost device had done of the prompt took its time: another one should have the chance all the same. */
static void again_allow_for_work(const struct core *core, struct core_generation *generation, bool worked) {
    uint64_t failover_due_ms = core->now_ms + core->config.failover_ms;
    if (worked && !generation->started && failover_due_ms > generation->failover_due_ms &&
        core_place_has_hope(core, generation)) {
        generation->failover_due_ms = failover_due_ms;
    }
}

/* Nothing that it said of the prompt stays. */
static void again_end_attempt(struct core *core, struct core_generation *generation, enum core_generation_fault fault) {
    bool never = fault == CORE_GENERATION_FAULT_SILENT || fault == CORE_GENERATION_FAULT_REFUSED;
    generation->tried_silent |= (uint32_t)never << (generation->tried_count - 1);
    if (fault == CORE_GENERATION_FAULT_FAILED || fault == CORE_GENERATION_FAULT_REFUSED) {
        core_attempt_release(core, generation->attempt);
    } else {
        core_attempt_abandon(core, generation);
    }
    generation->prompt_tokens = 0;
}

void core_generation_again(struct core *core, struct core_generation *generation, enum core_generation_fault fault,
                           const char *why) {
    bool streaming = generation->state == CORE_GENERATION_STREAMING;
    if (streaming) {
        generation->continue_due_ms = core->now_ms + core->config.continue_ms;
        core_bill_add_part(generation, UINT32_MAX);
    }
    if (generation->started) { /* anew with each device: what has begun is given up last */
        generation->failover_due_ms =
            core->now_ms + core->config.failover_ms + core_generation_prefill_ms(core, generation);
    }
    bool worked = generation->attempt->done_tokens > 0;
    again_end_attempt(core, generation, fault);
    again_stretch(core, generation);
    again_allow_for_work(core, generation, worked);
    if (streaming && core_generation_tokens_left(generation) == 0) {
        core_generation_settle(core, generation, NULL, CORE_FINISH_LENGTH, "nothing left to continue");
    } else if (!again_allowed(core, generation)) {
        core_generation_fail(core, generation, again_failure(generation, fault), why);
    } else {
        core_generation_move(
            core, generation,
            core_generation_backoff_ms(core, generation) == 0 ? CORE_GENERATION_QUEUED : CORE_GENERATION_BACKOFF, why);
    }
}

uint64_t core_generation_hurry_ms(const struct core *core, const struct core_generation *generation) {
    const struct core_offering *offering = generation->attempt->offering;
    uint64_t expected_ms = (uint64_t)core_place_prefill_ms(core, generation, offering) * offering->provider->active;
    uint64_t hurry_ms = expected_ms * HURRY_TIMES;
    return hurry_ms > HURRY_LEAST_MS ? hurry_ms : HURRY_LEAST_MS;
}

/* Is a device free that should show content in less time than the present one has taken already? A wrong answer costs
 * no more than that time once again. By its progress the present one may be quicker still; but that is only what it
 * says, so it counts no longer than a wrong answer costs little. */
static bool again_is_faster_elsewhere(struct core *core, struct core_generation *generation) {
    uint64_t patience_ms = generation->patience_ms, took_ms = core->now_ms + 1 - generation->attempt->accepted_ms;
    uint64_t longest_ms = 0; /* there */
    uint32_t first = 0, count = 0;
    const struct core_offering *offering = core_place(core, generation, &first, &count);
    bool faster = offering != NULL && !core_place_was_tried(generation, offering->provider);
    for (uint32_t i = first; faster && i < first + count; i++) {
        const struct core_candidate *candidate = &core->candidates[i];
        if (candidate->chosen) {
            longest_ms = candidate->load_ms + (uint64_t)candidate->prefill_ms * 1000 / candidate->weight;
            faster = longest_ms < took_ms;
        }
    }
    if (faster && took_ms < NEARLY_DONE_TIMES * longest_ms) {
        faster = longest_ms < core_prefill_left_ms(core, generation->attempt);
    }
    core->candidate_count -= count;
    generation->patience_ms = patience_ms;
    return faster;
}

bool core_generation_hurries(struct core *core, struct core_generation *generation) {
    if (generation->round > HURRY_MOST || !again_allowed(core, generation) ||
        !core_queue_budget_allows(core, generation) || generation->model->gated[CORE_GATE_NONE] == 0 ||
        !again_is_faster_elsewhere(core, generation)) {
        return false;
    }
    core_record_slow(core, generation->attempt);
    core_record_ended(core, generation->attempt, CORE_ATTEMPT_END_NEUTRAL, NULL);
    core_generation_again(core, generation, CORE_GENERATION_FAULT_SLOW, "device slow");
    return true;
}
