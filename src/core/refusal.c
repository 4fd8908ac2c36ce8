#include "core/refusal.h"

#include "core/own.h"
#include "core/pool.h"

#include <string.h>

/* Estimates may be too high for odd text; by so much they are not taken for certain. */
enum { SURE_PERCENT = 75, MOST_TIMES = 2 };

/* What one refusal may cost, however many devices there are. */
enum { LOOKS_MAX = 1024, OWNERS_LOOKED_AT = 32 };

static uint64_t answer_tokens(const struct core_generation *generation) {
    return generation->max_tokens_given ? generation->max_tokens : 1;
}

/* By the gateway's own count prompt and answer fit no device that has the model. */
static bool fits_nowhere(const struct core_generation *generation) {
    const uint64_t least = (uint64_t)generation->prompt_tokens_likely * SURE_PERCENT / 100;
    return least > 0 && generation->model->context.value > 0 &&
           least + answer_tokens(generation) > generation->model->context.value;
}

/* By the gateway's own count they fit there. */
static bool surely_fits(const struct core_generation *generation, uint32_t context_length) {
    const uint64_t most = generation->prompt_tokens_max,
                   doubled = (uint64_t)generation->prompt_tokens_likely * MOST_TIMES;
    return most > 0 && (most > doubled ? most : doubled) + answer_tokens(generation) <= context_length;
}

static bool is_same_owner(const struct core_refusal *refusal, const struct core_provider *provider) {
    return refusal->provider == provider->handle || (refusal->owner != 0 && refusal->owner == provider->owner);
}

static bool has_refused(const struct core_generation *generation, const struct core_provider *provider, bool owners) {
    for (uint32_t i = 0; i < generation->refusals.count; i++) {
        const struct core_refusal *refusal = &generation->refusals.items[i];
        if (refusal->provider == provider->handle || (owners && is_same_owner(refusal, provider))) {
            return true;
        }
    }
    return false;
}

bool core_refusal_was_by(const struct core_generation *generation, const struct core_provider *provider) {
    return has_refused(generation, provider, false);
}

bool core_refusal_was_heard(const struct core_generation *generation, const struct core_provider *provider) {
    return has_refused(generation, provider, generation->refusals.others);
}

bool core_refusal_may_answer(const struct core_generation *generation, const struct core_offering *offering,
                             uint32_t most) {
    const struct core_provider *provider = offering->provider;
    uint64_t context = (uint64_t)generation->prompt_tokens_likely + core_generation_tokens_left(generation);
    context = context < most ? context : most;
    return offering->hopeful && core_own_allows(generation, provider) &&
           core_demand_admits(&generation->demand, offering) &&
           (offering->context_length == 0 || offering->context_length >= context) &&
           !core_place_stayed_silent(generation, provider);
}

/* Whether devices of the generation's demand are there, now or before long, that have not refused it. */
static bool has_unasked(const struct core *core, const struct core_generation *generation) {
    const struct core_pool *pool = core_pool_of(generation->model, &generation->demand);
    size_t left = pool == NULL ? 0 : pool->hopeful;
    for (uint32_t i = 0; i < generation->refusals.count && left > 0; i++) {
        const struct core_provider *provider =
            (const struct core_provider *)core_handles_get(&core->providers, generation->refusals.items[i].provider);
        const struct core_offering *offering =
            provider == NULL ? NULL : core_offering_find(provider, generation->model);
        left -= offering != NULL && offering->hopeful && core_demand_admits(&generation->demand, offering);
    }
    return left > 0;
}

/* Looks at one device after the other, but ends with the first: seldom more than a few. A crowd in which nobody was
 * found by then is taken for one that has somebody. */
static bool has_other(const struct core *core, const struct core_generation *generation, bool owners) {
    const struct core_list *list = &generation->model->offerings;
    const uint32_t most = core_own_context(generation);
    uint32_t looks = 0;
    if (generation->only_owner != 0) { /* all are of one owner */
        return !owners && core_own_has_unasked(generation);
    }
    if (!has_unasked(core, generation)) {
        return false;
    }
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        if (++looks > LOOKS_MAX || (core_refusal_may_answer(generation, offering, most) &&
                                    !has_refused(generation, offering->provider, owners))) {
            return true;
        }
    }
    return false;
}

/* Owner by owner first: a crowd of one of them hides nobody. */
struct core_offering *core_refusal_find_other(const struct core_generation *generation) {
    const struct core_list *list = &generation->model->offerings;
    const size_t owners = generation->model->placed.free_shares.count;
    for (size_t i = 0; i < owners && i < OWNERS_LOOKED_AT; i++) {
        struct core_offering *offering = core_share_next_free(generation->model);
        if (core_place_gate(generation, offering) == CORE_GATE_NONE) {
            return offering;
        }
    }
    uint32_t looks = 0;
    for (struct core_link *link = core_list_first(list); link != NULL && looks < LOOKS_MAX;
         link = core_list_next(list, link), looks++) {
        struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        if (core_place_gate(generation, offering) == CORE_GATE_NONE) {
            return offering;
        }
    }
    return NULL;
}

bool core_refusal_has_other(const struct core *core, const struct core_generation *generation) {
    return has_other(core, generation, false);
}

/* By a device of another owner; by any other one, when there is no other owner. */
static bool was_said_before(const struct core_generation *generation, uint32_t count, enum core_attempt_failure failure,
                            const struct core_provider *provider) {
    for (uint32_t i = 0; i < count; i++) {
        const struct core_refusal *refusal = &generation->refusals.items[i];
        if (!refusal->is_false && refusal->failure == failure &&
            (!generation->refusals.others || !is_same_owner(refusal, provider))) {
            return true;
        }
    }
    return false;
}

bool core_refusal_stands(const struct core *core, const struct core_generation *generation) {
    const struct core_refusals *refusals = &generation->refusals;
    return refusals->count > 0 && !refusals->items[refusals->count - 1].is_false && !generation->started &&
           !core_refusal_has_other(core, generation);
}

enum core_refusal_verdict core_refusal_take(struct core *core, struct core_generation *generation,
                                            enum core_attempt_failure failure) {
    const struct core_offering *offering = generation->attempt->offering;
    struct core_refusals *refusals = &generation->refusals;
    const bool is_false = failure == CORE_ATTEMPT_CONTEXT_LENGTH && surely_fits(generation, offering->context_length);
    const uint32_t before = refusals->count;
    if (refusals->count < CORE_ATTEMPTS_MAX) {
        refusals->items[refusals->count++] = (struct core_refusal){.provider = generation->attempt->provider_handle,
                                                                   .owner = offering->provider->owner,
                                                                   .failure = failure,
                                                                   .context_length = offering->context_length,
                                                                   .is_false = is_false};
    }
    refusals->others = has_other(core, generation, true);
    if (is_false) {
        core_record_refused(core, generation->attempt->provider_handle, generation);
        return CORE_REFUSAL_FALSE;
    }
    const bool agreed = was_said_before(generation, before, failure, offering->provider) ||
                        (failure == CORE_ATTEMPT_CONTEXT_LENGTH && fits_nowhere(generation));
    return agreed || generation->only_provider != CORE_NO_HANDLE || !core_refusal_has_other(core, generation)
               ? CORE_REFUSAL_BELIEVED
               : CORE_REFUSAL_OPEN;
}

void core_refusal_answered(struct core *core, const struct core_generation *generation, uint32_t prompt_tokens) {
    const uint32_t likely = generation->prompt_tokens_likely;
    const uint64_t need = (uint64_t)(prompt_tokens > likely ? prompt_tokens : likely) + answer_tokens(generation);
    for (uint32_t i = 0; i < generation->refusals.count; i++) {
        const struct core_refusal *refusal = &generation->refusals.items[i];
        if (!refusal->is_false && (refusal->failure == CORE_ATTEMPT_BAD_REQUEST || need <= refusal->context_length)) {
            core_record_refused(core, refusal->provider, generation);
        }
    }
}

enum core_failure core_refusal_failure(const struct core_generation *generation) {
    return generation->refusals.items[generation->refusals.count - 1].failure == CORE_ATTEMPT_BAD_REQUEST
               ? CORE_FAILURE_BAD_REQUEST
               : CORE_FAILURE_CONTEXT_LENGTH;
}

uint32_t core_refusal_context(const struct core_generation *generation) {
    uint32_t largest = 0;
    for (uint32_t i = 0; i < generation->refusals.count; i++) {
        const uint32_t context = generation->refusals.items[i].context_length;
        largest = context > largest ? context : largest;
    }
    return largest;
}
