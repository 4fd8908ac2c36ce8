/* Placement: which device gets a generation. First the gates, then the lowest expected finish time of a bounded sample.
 * The formula, the weights and their reasons are in docs/PLACEMENT.md. */
#include "core/own.h"
#include "core/pool.h"
#include "core/prefill.h"

#include <string.h>

enum {
    PLACE_WARM_MOST = 20, /* of CORE_CANDIDATES_MAX; with one for the conversation's own device */
    PLACE_COLD_MOST = 11,
    PLACE_NEW_EVERY = 4,   /* generations, of which one looks at new devices beside those that have settled ... */
    PLACE_NEW_MOST = 8,    /* new devices beside those that have settled */
    PLACE_OWNERS_MOST = 8, /* other owners' devices, when the best one's owner has had its share */
    PLACE_SETTLED_WAIT_MS = 3000, /* so long a generation rather waits for a settled device than go to a new one */
};

_Static_assert(PLACE_WARM_MOST + PLACE_COLD_MOST + PLACE_NEW_MOST + PLACE_OWNERS_MOST + 1 <= CORE_CANDIDATES_MAX,
               "within the bound of a placement");

/* The gates of one generation. */
static enum core_gate place_generation_gate(const struct core_generation *generation,
                                            const struct core_offering *offering, uint32_t context) {
    const struct core_provider *provider = offering->provider;
    if (!core_own_allows(generation, provider)) {
        return CORE_GATE_NOT_OWN;
    }
    if (generation->only_provider != CORE_NO_HANDLE && generation->only_provider != provider->handle) {
        return CORE_GATE_PINNED;
    }
    if (generation->demand.region[0] != '\0' && strcmp(generation->demand.region, provider->region) != 0) {
        return CORE_GATE_REGION;
    }
    if (generation->demand.verified && !provider->verified) {
        return CORE_GATE_PRIVACY;
    }
    if ((generation->demand.abilities & ~offering->abilities) != 0) {
        return CORE_GATE_ABILITY;
    }
    if (offering->context_length != 0 && offering->context_length < context) {
        return CORE_GATE_CONTEXT;
    }
    return generation->tried_count > 0 && core_place_was_tried(generation, provider) ? CORE_GATE_TRIED : CORE_GATE_NONE;
}

enum core_gate core_place_gate(const struct core_generation *generation, const struct core_offering *offering) {
    const enum core_gate gate =
        generation->only_provider != CORE_NO_HANDLE ? core_offering_gate_pinned(offering) : offering->gate;
    if (gate != CORE_GATE_NONE) {
        return gate;
    }
    /* The context that is asked for takes a look at all own devices, so others' are told apart first. */
    return core_own_allows(generation, offering->provider)
               ? place_generation_gate(generation, offering, core_place_context(generation))
               : CORE_GATE_NOT_OWN;
}

/* Who goes before whom, whatever their finish: those that have to yield to nobody, then such whose owner has had its
 * share, then new devices that have had theirs. */
enum place_rank { PLACE_FIRST, PLACE_OWNER_YIELDS, PLACE_NEW_YIELDS, PLACE_BOTH_YIELD };

/* One decision. */
struct place {
    struct core *core;
    size_t first; /* of its candidates, in core->candidates */
    const struct core_generation *generation;
    const struct core_pool *pool;       /* of the generation's demand; NULL: there is none */
    const struct core_offering *cached; /* the conversation's own device; NULL: none, or not free */
    struct core_place_work work;
    uint32_t cached_tokens, context;
    struct core_offering *best;
    enum place_rank best_rank;
    size_t best_index; /* in core->candidates */
    uint64_t best_ms, equals;
    bool warm; /* one that is fit and needs no loading was among them; new ones that have to yield do not count */
};

static struct core_candidate *place_add(struct core *core) {
    if (core->candidate_count == core->candidate_capacity) {
        /* Bounded: the generations that are looked at in one step, CORE_CANDIDATES_MAX for each that is placed. */
        core->candidate_capacity =
            core->candidate_capacity == 0 ? 2 * CORE_CANDIDATES_MAX : core->candidate_capacity * 2;
        core->candidates = mem_realloc(core->candidates, core->candidate_capacity * sizeof(struct core_candidate));
    }
    return &core->candidates[core->candidate_count++];
}

static enum place_rank place_rank(const struct core *core, const struct core_pool *pool,
                                  const struct core_offering *offering) {
    bool owner = core_share_is_used_up(offering, core->config.owner_share_percent);
    /* Where nobody has settled, new devices have nobody to yield to. */
    bool ramp = pool != NULL && pool->hopeful_settled > 0 && core_share_ramp_is_used_up(offering);
    return ramp ? owner ? PLACE_BOTH_YIELD : PLACE_NEW_YIELDS : owner ? PLACE_OWNER_YIELDS : PLACE_FIRST;
}

static enum core_gate place_yields(enum place_rank rank) {
    return rank == PLACE_FIRST ? CORE_GATE_NONE : rank == PLACE_OWNER_YIELDS ? CORE_GATE_OWNER_SHARE : CORE_GATE_RAMP;
}

enum core_gate core_place_yields(const struct core *core, const struct core_demand *demand,
                                 const struct core_offering *offering) {
    return place_yields(place_rank(core, core_pool_find(offering->model, demand), offering));
}

/* False: a new one, and to be asked only when no settled one is there to be waited for, if it has had its share. */
static bool place_is_no_last_resort(const struct place *place, const struct core_offering *offering) {
    return offering->provider->settled || place_rank(place->core, place->pool, offering) < PLACE_NEW_YIELDS;
}

/* Adds it as a candidate: what the generation would take there, or the gate that keeps it away. */
static struct core_candidate *place_weigh(const struct place *place, const struct core_offering *offering) {
    struct core_candidate *candidate = place_add(place->core);
    enum core_gate gate = place_generation_gate(place->generation, offering, place->context);
    if (gate != CORE_GATE_NONE) {
        *candidate = (struct core_candidate){
            .provider = offering->provider->handle, .user = offering->provider->user, .gate = gate};
        return candidate;
    }
    core_place_weigh(place->core, &place->work, offering, offering == place->cached ? place->cached_tokens : 0,
                     candidate);
    return candidate;
}

/* The candidate of this index, which is this offering, may be better than the best one so far. */
static void place_compare(struct place *place, struct core_offering *offering, size_t index) {
    struct core_candidate *candidate = &place->core->candidates[index];
    if (candidate->gate != CORE_GATE_NONE) {
        return;
    }
    place->warm = place->warm || (offering->state != CORE_MODEL_COLD && place_is_no_last_resort(place, offering));
    if (place->best != NULL && place->best_rank == PLACE_FIRST && candidate->finish_ms > place->best_ms) {
        return; /* whatever it has been given: that is in another cache line */
    }
    enum place_rank rank = place->generation->only_owner != 0 ? PLACE_FIRST /* there are no others */
                                                              : place_rank(place->core, place->pool, offering);
    candidate->yields = place_yields(rank);
    bool better = place->best == NULL || rank < place->best_rank ||
                  (rank == place->best_rank && candidate->finish_ms < place->best_ms);
    if (better) {
        place->equals = 1;
    } else if (rank == place->best_rank && candidate->finish_ms == place->best_ms) {
        better = random_below(&place->core->random, ++place->equals) == 0; /* each with the same chance */
    }
    if (better) {
        place->best = offering;
        place->best_rank = rank;
        place->best_ms = candidate->finish_ms;
        place->best_index = index;
    }
}

static void place_consider(struct place *place, struct core_offering *offering) {
    (void)place_weigh(place, offering);
    place_compare(place, offering, place->core->candidate_count - 1);
}

/* With 100,000 devices what a candidate needs is in no cache: sampling asks for it, and all are sampled before any is
 * used. What was given to its owner is only looked at if it may be the best, which is seen once all are weighed. */
static void place_consider_all(struct place *place, struct core_offering **offerings, size_t count) {
    size_t first = place->core->candidate_count, kept = 0;
    uint64_t least_ms = place->best == NULL ? UINT64_MAX : place->best_ms;
    for (size_t i = 0; i < count; i++) {
        if (offerings[i] != place->cached) {
            offerings[kept++] = offerings[i];
            uint64_t finish_ms = place_weigh(place, offerings[i])->finish_ms;
            if (finish_ms <= least_ms) {
                __builtin_prefetch(offerings[i]->share);
                least_ms = finish_ms;
            }
        }
    }
    for (size_t i = 0; i < kept; i++) {
        place_compare(place, offerings[i], first + i);
    }
}

/* How many more may be looked at. There is always room for those that the generation comes back to at last. */
static size_t place_room(const struct place *place, size_t most) {
    size_t used = place->core->candidate_count - place->first + place->generation->tried_count;
    size_t room = used < CORE_CANDIDATES_MAX ? CORE_CANDIDATES_MAX - used : 0;
    return most < room ? most : room;
}

/* Those that have settled, or those that are new. */
static size_t place_sample(const struct place *place, bool settled, size_t most, struct core_offering **out) {
    struct random_source *random = &place->core->random;
    unsigned context = core_pool_context_of(place->context);
    /* Devices that this generation has tried are skipped: as many more are looked at. */
    size_t tried = place->generation->tried_count, warm_most = PLACE_WARM_MOST;
    warm_most += tried < PLACE_COLD_MOST ? tried : PLACE_COLD_MOST;
    size_t count = core_pool_sample(place->pool, settled ? POOL_WARM : POOL_NEW_WARM, context, POOL_CONTEXTS, random,
                                    out, warm_most < most ? warm_most : most);
    /* More cold ones if no warm one is sure to be fit. */
    bool sure = place->best != NULL || (count > 0 && tried == 0);
    size_t room = sure && most - count > PLACE_COLD_MOST ? PLACE_COLD_MOST : most - count;
    return count + core_pool_sample(place->pool, settled ? POOL_COLD : POOL_NEW_COLD, context, POOL_CONTEXTS, random,
                                    out + count, room);
}

/* One shelf below there may be some whose context just fits. */
static void place_consider_below(struct place *place, bool settled, size_t most) {
    struct core_offering *offerings[CORE_CANDIDATES_MAX];
    struct random_source *random = &place->core->random;
    const enum core_pool_side warm = settled ? POOL_WARM : POOL_NEW_WARM, cold = settled ? POOL_COLD : POOL_NEW_COLD;
    unsigned context = core_pool_context_of(place->context);
    if (!place->warm && context > 0) {
        bool none = core_pool_sample(place->pool, warm, context - 1, context, random, offerings, 1) == 0;
        size_t room = none && place->best != NULL ? 0 : place_room(place, most);
        size_t count = core_pool_sample(place->pool, none ? cold : warm, context - 1, context, random, offerings, room);
        place_consider_all(place, offerings, count);
    }
}

/* When the best one's owner has had its share, devices of others are looked for: in a crowd of its own the sample may
 * hold none of them. */
static void place_consider_others(struct place *place) {
    struct core_model *model = place->generation->model;
    size_t owners = model->placed.free_shares.count;
    bool yields = place->best != NULL && place->best_rank != PLACE_FIRST && place->best_rank != PLACE_NEW_YIELDS;
    owners = owners < PLACE_OWNERS_MOST ? owners : PLACE_OWNERS_MOST;
    for (size_t i = 0; yields && owners > 1 && i < owners && place_room(place, 1) > 0; i++) {
        struct core_offering *offering = core_share_next_free(model);
        if (offering->share != place->best->share && offering != place->cached) {
            place_consider(place, offering);
        }
    }
}

/* So that new ones get their share, and most decisions do not pay for it. */
static bool place_looks_at_new(const struct place *place) {
    const struct core_pool *pool = place->pool;
    return pool->hopeful > pool->hopeful_settled && random_below(&place->core->random, PLACE_NEW_EVERY) == 0 &&
           !core_share_ramps_are_used_up(place->generation->model);
}

static void place_consider_pool(struct place *place) {
    const size_t most = PLACE_WARM_MOST + PLACE_COLD_MOST;
    struct core_offering *offerings[PLACE_WARM_MOST + PLACE_COLD_MOST + PLACE_NEW_MOST];
    size_t count = place_sample(place, true, most, offerings), fresh = 0;
    bool looks_at_new = (place->best != NULL || count > 0) && place_looks_at_new(place);
    if (looks_at_new) {
        fresh = place_sample(place, false, PLACE_NEW_MOST, offerings + count);
    }
    place_consider_all(place, offerings, count);
    place_consider_below(place, true, most);
    if (place->best == NULL) { /* whatever the dice said: none of these is fit */
        fresh = place_sample(place, false, place_room(place, most), offerings);
        place_consider_all(place, offerings, fresh);
        place_consider_below(place, false, most);
    } else if (looks_at_new) {
        place_consider_all(place, offerings + count, place_room(place, fresh));
        place_consider_below(place, false, PLACE_NEW_MOST);
    }
    place_consider_others(place);
}

/* What is free goes to devices of its account alone; so few that none of them is left out. */
static void place_consider_own(struct place *place) {
    struct core_offering *offerings[CORE_CANDIDATES_MAX];
    place_consider_all(place, offerings, core_own_free(place->generation, offerings, CORE_CANDIDATES_MAX - 1));
}

static void place_consider_cached(struct place *place) {
    struct core_offering *offering = core_affinity_find(place->core, place->generation, &place->cached_tokens);
    if (offering != NULL && offering->gate == CORE_GATE_NONE) {
        place->cached = offering;
        place_consider(place, offering);
    }
}

/* A canary's one device, also in quarantine: by its answers it may come out of it. */
static void place_consider_pinned(struct place *place) {
    const struct core_provider *provider =
        (const struct core_provider *)core_handles_get(&place->core->providers, place->generation->only_provider);
    struct core_offering *offering = provider == NULL ? NULL : core_offering_find(provider, place->generation->model);
    if (offering != NULL && core_offering_gate_pinned(offering) == CORE_GATE_NONE) {
        place_consider(place, offering);
    }
}

/* When no other device is left, busy or not, a generation may come back to one that failed it, if that is ready again;
 * never to one that stayed silent. Otherwise a device that stumbles once would be worth less than none. */
static void place_consider_tried(struct place *place) {
    const struct core_generation *generation = place->generation;
    struct core_generation untried = *generation;
    untried.tried_count = 0;
    place->generation = &untried;
    for (uint32_t i = 0; i < generation->tried_count; i++) {
        const struct core_provider *provider =
            (const struct core_provider *)core_handles_get(&place->core->providers, generation->tried[i]);
        if (provider == NULL || core_place_stayed_silent(generation, provider)) {
            continue;
        }
        struct core_offering *offering = core_offering_find(provider, generation->model);
        if (offering != NULL && offering->gate == CORE_GATE_NONE) {
            place_consider(place, offering);
        }
    }
    place->generation = generation;
}

/* For how long the best device that is free is worth less than a slot to come: as loading takes, when it is cold, so
 * that a wrong estimate costs at most twice the better choice; and a little while, when it is a new one that has had
 * its share, unless the generation has seen settled ones fail. */
static uint32_t place_patience_ms(const struct place *place, const struct core_generation *generation) {
    if (place->best_rank >= PLACE_NEW_YIELDS && generation->tried_count == 0 && !generation->started) {
        return PLACE_SETTLED_WAIT_MS;
    }
    return place->warm ? 0 : place->core->candidates[place->best_index].load_ms;
}

static bool place_waits(const struct core *core, struct core_generation *generation, uint32_t patience_ms) {
    uint64_t waited_ms = generation->patience_ms == 0 ? 0 : core->now_ms - (generation->patience_ms - 1);
    uint64_t wait_ms = patience_ms == 0 ? UINT64_MAX : core_place_wait_ms(core, generation);
    if (wait_ms == UINT64_MAX || wait_ms + waited_ms >= patience_ms) {
        return false;
    }
    if (generation->patience_ms == 0) {
        generation->patience_ms = core->now_ms + 1; /* 0 is taken */
    }
    return true;
}

static bool place_rather_waits(const struct place *place, struct core_generation *generation) {
    return generation->only_provider == CORE_NO_HANDLE && generation->only_owner == 0 &&
           place_waits(place->core, generation, place_patience_ms(place, generation));
}

/* One that has tried devices, or has one of its own, says nothing about others. */
static void place_miss(struct place *place) {
    const struct core_generation *generation = place->generation;
    const bool is_new = place->best != NULL && place->best_rank >= PLACE_NEW_YIELDS;
    struct core_miss *miss = &place->core->miss;
    *miss = (struct core_miss){
        .holds = generation->tried_count == 0 && generation->refusals.count == 0 && place->cached == NULL &&
                 generation->only_provider == CORE_NO_HANDLE && generation->only_owner == 0 &&
                 (!is_new || (!generation->started && core_share_ramps_are_used_up(generation->model))),
        .demand = generation->demand,
        .is_new = is_new,
        .context = place->context,
        .patience_ms = place->best == NULL ? 0 : place_patience_ms(place, generation),
    };
}

bool core_place_misses(const struct core *core, struct core_generation *generation, const struct core_miss *miss) {
    if (!miss->holds || !core_demand_equal(&generation->demand, &miss->demand) ||
        generation->only_provider != CORE_NO_HANDLE || generation->only_owner != 0 ||
        core_place_context(generation) < miss->context) {
        return false;
    }
    bool other_ones = generation->tried_count > 0 || generation->refusals.count > 0;
    if (miss->patience_ms > 0 &&
        (other_ones || (miss->is_new && generation->started) || !place_waits(core, generation, miss->patience_ms))) {
        return false; /* it goes to others than those, or has been patient for long enough */
    }
    uint32_t cached_tokens;
    const struct core_offering *cached = core_affinity_find(core, generation, &cached_tokens);
    return cached == NULL || cached->gate != CORE_GATE_NONE;
}

struct core_offering *core_place(struct core *core, struct core_generation *generation, uint32_t *first_candidate,
                                 uint32_t *candidate_count) {
    struct place place = {.core = core,
                          .first = core->candidate_count,
                          .generation = generation,
                          .work = core_place_work(core, generation),
                          .context = core_place_context(generation)};
    core->placements++;
    *first_candidate = (uint32_t)place.first;
    *candidate_count = 0;
    if (generation->only_provider != CORE_NO_HANDLE) {
        place_consider_pinned(&place);
    } else if (generation->model->gated[CORE_GATE_NONE] > 0) {
        place.pool = core_pool_of(generation->model, &generation->demand);
        place_consider_cached(&place);
        if (generation->only_owner != 0) {
            place_consider_own(&place);
        } else if (place.pool != NULL) {
            place_consider_pool(&place);
        }
        if (place.best == NULL && generation->refusals.others) { /* the sample had devices of one owner alone */
            struct core_offering *other = core_refusal_find_other(generation);
            if (other != NULL && place_room(&place, 1) > 0) {
                place_consider(&place, other);
            }
        }
        if (place.best == NULL && generation->tried_count > 0 && !core_place_has_untried(core, generation, false)) {
            place_consider_tried(&place);
        }
    }
    if (place.best == NULL || place_rather_waits(&place, generation)) {
        core->candidate_count = place.first;
        place_miss(&place);
        return NULL;
    }
    generation->patience_ms = 0;
    core->candidates[place.best_index].chosen = true;
    *candidate_count = (uint32_t)(core->candidate_count - place.first);
    return place.best;
}
