/* How long a device may take for a prompt, from its accept until its first token.
 *
 * Every device has first_token_ms and a little for each token of the prompt, within the whole deadline: the usual time.
 * One whose speed the gateway has measured, and which needs longer than that, has twice what the prompt should take it.
 * One that tells its progress has each time silence_ms more, so that a device that works is not cut off, however slow
 * it is ...
 *
 * ... down to a least speed: a token that is said to have been read earns so much time and no more, counted from the
 * accept. So progress that comes too slowly (a token each time), that does not move, or that goes beyond the prompt
 * earns nothing, and whatever a device says, its time ends when a prompt of this size would have been read at the least
 * speed. */
#include "core/prefill.h"

#include "core/core_internal.h"

enum {
    PREFILL_MEASURED_TIMES = 2,
    PREFILL_TOKENS_MOST = 1 << 17, /* of a prompt whose length nobody has bounded */
};

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint32_t core_prefill_tokens(const struct core_attempt *attempt) {
    const struct core_generation *generation = attempt->generation;
    uint64_t most = generation->prompt_tokens_max > 0 ? generation->prompt_tokens_max : PREFILL_TOKENS_MOST;
    return (uint32_t)min_u64(min_u64(attempt->prompt_tokens, most) + generation->part_tokens, UINT32_MAX);
}

uint64_t core_prefill_usual_ms(const struct core *core, uint64_t tokens) {
    return tokens * core->config.first_token_per_prompt_token_us / 1000;
}

uint64_t core_prefill_most_ms(const struct core *core, uint64_t tokens) {
    uint64_t usual_ms = core_prefill_usual_ms(core, tokens), most_ms = tokens * 1000 / core->config.prefill_least_per_s;
    return most_ms > usual_ms ? most_ms : usual_ms;
}

uint64_t core_prefill_due_ms(const struct core *core, const struct core_attempt *attempt) {
    uint32_t tokens = core_prefill_tokens(attempt);
    double per_s = (double)attempt->offering->prefill_per_s;
    uint64_t begin_ms = core->now_ms + core->config.first_token_ms;
    uint64_t due_ms = min_u64(begin_ms + core_prefill_usual_ms(core, tokens), attempt->generation->whole_due_ms);
    /* As measured here, never as said: 0 is not known. */
    double should_ms = per_s > 0 ? tokens * 1000.0 / per_s * PREFILL_MEASURED_TIMES : 0;
    uint64_t most_ms = core_prefill_most_ms(core, tokens);
    uint64_t measured_ms = begin_ms + (should_ms < (double)most_ms ? (uint64_t)should_ms : most_ms);
    return should_ms > 0 && measured_ms > due_ms ? measured_ms : due_ms;
}

bool core_prefill_progress(const struct core *core, struct core_attempt *attempt, uint32_t done_tokens) {
    uint32_t tokens = core_prefill_tokens(attempt);
    done_tokens = done_tokens < tokens ? done_tokens : tokens;
    if (done_tokens <= attempt->done_tokens) {
        return false;
    }
    attempt->done_tokens = done_tokens;
    uint64_t earned_ms =
        attempt->accepted_ms - 1 + core->config.first_token_ms + core_prefill_most_ms(core, done_tokens);
    uint64_t due_ms = min_u64(core->now_ms + core->config.silence_ms, earned_ms);
    if (due_ms <= attempt->generation->first_due_ms) {
        return false;
    }
    attempt->generation->first_due_ms = due_ms;
    return true;
}

uint64_t core_prefill_left_ms(const struct core *core, const struct core_attempt *attempt) {
    uint64_t took_ms = core->now_ms + 1 - attempt->accepted_ms;
    return attempt->done_tokens == 0
               ? UINT64_MAX
               : took_ms * (core_prefill_tokens(attempt) - attempt->done_tokens) / attempt->done_tokens;
}
