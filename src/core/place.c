/* Placement: which device gets a generation. First the gates, then the lowest expected finish time of a bounded sample.
 * The formula, the weights and their reasons are in docs/PLACEMENT.md. */
#include "core/pool.h"
#include "core/prefill.h"

#include <string.h>

enum {
    PLACE_BYTES_PER_TOKEN = 3, /* of a prompt that no device has counted yet; more than most texts need */
    PLACE_TOKENS_GUESS = 256,  /* of an answer of a model that has not answered yet */
    PLACE_WARM_MOST = 20,      /* of CORE_CANDIDATES_MAX; with one for the conversation's own device */
    PLACE_COLD_MOST = 11,
    PLACE_NEW_EVERY = 4,   /* generations, of which one looks at new devices beside those that have settled ... */
    PLACE_NEW_MOST = 8,    /* new devices beside those that have settled */
    PLACE_OWNERS_MOST = 8, /* other owners' devices, when the best one's owner has had its share */
    PLACE_SETTLED_WAIT_MS = 3000, /* so long a generation rather waits for a settled device than go to a new one */
};
/* Tokens a second before any device has shown its own: a laptop with a small model. */
#define PLACE_PREFILL_GUESS 200.0F
#define PLACE_DECODE_GUESS 20.0F
#define PLACE_RELIABILITY_LEAST 0.05F /* a device that always failed still serves when nobody else is there */

_Static_assert(PLACE_WARM_MOST + PLACE_COLD_MOST + PLACE_NEW_MOST + PLACE_OWNERS_MOST + 1 <= CORE_CANDIDATES_MAX,
               "within the bound of a placement");

bool core_place_was_tried(const struct core_generation *generation, const struct core_provider *provider) {
    for (uint32_t i = 0; i < generation->tried_count; i++) {
        if (generation->tried[i] == provider->handle) {
            return true;
        }
    }
    return core_refusal_was_heard(generation, provider);
}

static float place_heat(enum core_heat heat) {
    switch (heat) {
    case CORE_HEAT_NOMINAL:
        return 1.0F;
    case CORE_HEAT_FAIR:
        return 0.3F;
    case CORE_HEAT_SERIOUS:
    case CORE_HEAT_CRITICAL: /* gated; only a view asks */
        break;
    }
    return 0.1F;
}

static float place_battery(const struct core_device_state *device) {
    if (device->charging || device->battery_percent < 0) {
        return 1.0F;
    }
    return device->battery_percent >= 50 ? 0.9F : device->battery_percent >= 20 ? 0.6F : 0.3F;
}

float core_place_weight(const struct core_provider *provider) {
    float reliability = (float)provider->record.success / 1000.0F;
    reliability = reliability < PLACE_RELIABILITY_LEAST ? PLACE_RELIABILITY_LEAST : reliability;
    return place_heat(provider->device.heat) * place_battery(&provider->device) * reliability;
}

static float place_guess_per_s(float model_per_s, double all_per_s, float first_guess, uint32_t factor) {
    float average = model_per_s > 0 ? model_per_s : all_per_s > 0 ? (float)all_per_s : first_guess;
    return factor > 0 ? average * (float)factor / 1000.0F : average;
}

float core_place_decode_per_s(const struct core *core, const struct core_offering *offering) {
    uint32_t factor = core_belief_factor(offering->provider, offering->provider->record.decode_factor);
    float per_s = offering->decode_per_s;
    if (per_s <= 0) {
        per_s = place_guess_per_s(offering->model->decode_per_s, core->decode_per_s, PLACE_DECODE_GUESS, factor);
    }
    return core_belief_decode(offering, per_s);
}

float core_place_prefill_per_s(const struct core *core, const struct core_offering *offering) {
    uint32_t factor = core_belief_factor(offering->provider, offering->provider->record.prefill_factor);
    float per_s = offering->prefill_per_s;
    if (per_s <= 0) {
        per_s = place_guess_per_s(offering->model->prefill_per_s, core->prefill_per_s, PLACE_PREFILL_GUESS, factor);
    }
    return core_belief_prefill(offering, per_s);
}

uint32_t core_place_load_ms(const struct core *core, const struct core_offering *offering) {
    float average_ms = offering->model->load_ms;
    return core_belief_load_ms(offering, average_ms > 0 ? (uint32_t)average_ms : core->config.load_ms);
}

static uint32_t place_prompt_tokens(const struct core_generation *generation) {
    uint32_t prompt = generation->prompt_tokens > 0          ? generation->prompt_tokens
                      : generation->prompt_tokens_likely > 0 ? generation->prompt_tokens_likely
                                                             : generation->prompt_tokens_max / PLACE_BYTES_PER_TOKEN;
    return generation->part_tokens < UINT32_MAX - prompt ? prompt + generation->part_tokens : UINT32_MAX;
}

static uint32_t place_answer_tokens(const struct core_generation *generation) {
    float mean =
        generation->model->completion_tokens > 0 ? generation->model->completion_tokens : (float)PLACE_TOKENS_GUESS;
    uint32_t left = core_generation_tokens_left(generation);
    return mean < (float)left ? (uint32_t)mean : left;
}

static uint32_t place_ms(float tokens, float per_s) {
    float ms = tokens * 1000.0F / per_s;
    return ms < 4e9F ? (uint32_t)ms : UINT32_MAX;
}

uint32_t core_place_prefill_ms(const struct core *core, const struct core_generation *generation,
                               const struct core_offering *offering) {
    return place_ms((float)place_prompt_tokens(generation), core_place_prefill_per_s(core, offering));
}

/* By how much the longest answer allowed would miss the whole deadline there. */
static uint64_t place_excess_ms(const struct core *core, const struct core_generation *generation,
                                const struct core_candidate *candidate, float stream_per_s) {
    uint64_t left_ms = generation->whole_due_ms > core->now_ms ? generation->whole_due_ms - core->now_ms : 0;
    /* The prompt has a time of its own; what goes beyond that would not be waited for either. */
    uint64_t prompt_ms = core_prefill_most_ms(core, place_prompt_tokens(generation));
    uint64_t late_ms = candidate->prefill_ms > prompt_ms ? candidate->prefill_ms - prompt_ms : 0;
    uint64_t longest_ms =
        (uint64_t)candidate->load_ms + late_ms + place_ms((float)core_generation_tokens_left(generation), stream_per_s);
    return longest_ms > left_ms ? longest_ms - left_ms : 0;
}

void core_place_weigh(const struct core *core, const struct core_generation *generation,
                      const struct core_offering *offering, uint32_t cached_tokens, struct core_candidate *out) {
    const struct core_provider *provider = offering->provider;
    uint32_t prompt = place_prompt_tokens(generation);
    uint32_t fresh = prompt > cached_tokens ? prompt - cached_tokens : 0;
    /* Slots of one device share what it can compute. */
    float stream_per_s = core_place_decode_per_s(core, offering) / (float)(provider->active + 1);
    float weight = offering->weight > 0.001F ? offering->weight : 0.001F;
    *out = (struct core_candidate){
        .provider = provider->handle,
        .user = provider->user,
        .cached = cached_tokens > 0,
        .prefill_ms = place_ms((float)fresh, core_place_prefill_per_s(core, offering)),
        .decode_ms = place_ms((float)place_answer_tokens(generation), stream_per_s),
        .weight = (uint32_t)(weight * 1000.0F + 0.5F),
    };
    if (offering->state == CORE_MODEL_COLD) {
        out->load_ms = core_place_load_ms(core, offering);
    }
    double computing = ((double)out->prefill_ms + (double)out->decode_ms) / (double)weight;
    out->finish_ms = out->load_ms + (uint64_t)computing + place_excess_ms(core, generation, out, stream_per_s);
}

/* Prompt and answer, but not more than the largest device offers: what fits nowhere goes there, and the device says so
 * itself, or cuts a limit that the client has not given. */
static uint32_t place_context(const struct core_generation *generation) {
    uint64_t need = (uint64_t)place_prompt_tokens(generation) + core_generation_tokens_left(generation);
    return need < generation->model->context.value ? (uint32_t)need : generation->model->context.value;
}

/* The gates of one generation. */
static enum core_gate place_generation_gate(const struct core_generation *generation,
                                            const struct core_offering *offering, uint32_t context) {
    const struct core_provider *provider = offering->provider;
    if (generation->only_provider != CORE_NO_HANDLE && generation->only_provider != provider->handle) {
        return CORE_GATE_PINNED;
    }
    if (generation->region[0] != '\0' && strcmp(generation->region, provider->region) != 0) {
        return CORE_GATE_REGION;
    }
    if (generation->verified && !provider->verified) {
        return CORE_GATE_PRIVACY;
    }
    if (offering->context_length != 0 && offering->context_length < context) {
        return CORE_GATE_CONTEXT;
    }
    return generation->tried_count > 0 && core_place_was_tried(generation, provider) ? CORE_GATE_TRIED : CORE_GATE_NONE;
}

enum core_gate core_place_gate(const struct core_generation *generation, const struct core_offering *offering) {
    const enum core_gate gate =
        generation->only_provider != CORE_NO_HANDLE ? core_offering_gate_pinned(offering) : offering->gate;
    return gate != CORE_GATE_NONE ? gate : place_generation_gate(generation, offering, place_context(generation));
}

/* Who goes before whom, whatever their finish: those that have to yield to nobody, then such whose owner has had its
 * share, then new devices that have had theirs. */
enum place_rank { PLACE_FIRST, PLACE_OWNER_YIELDS, PLACE_NEW_YIELDS, PLACE_BOTH_YIELD };

/* One decision. */
struct place {
    struct core *core;
    const struct core_generation *generation;
    const struct core_pool *pool;       /* of the generation's demand; NULL: there is none */
    const struct core_offering *cached; /* the conversation's own device; NULL: none, or not free */
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

enum core_gate core_place_yields(const struct core *core, const char *region, bool verified,
                                 const struct core_offering *offering) {
    return place_yields(place_rank(core, core_pool_find(offering->model, region, verified), offering));
}

/* False: a new one, and to be asked only when no settled one is there to be waited for, if it has had its share. */
static bool place_is_no_last_resort(const struct place *place, const struct core_offering *offering) {
    return offering->provider->settled || place_rank(place->core, place->pool, offering) < PLACE_NEW_YIELDS;
}

static void place_consider(struct place *place, struct core_offering *offering) {
    struct core_candidate *candidate = place_add(place->core);
    enum core_gate gate = place_generation_gate(place->generation, offering, place->context);
    if (gate != CORE_GATE_NONE) {
        *candidate = (struct core_candidate){
            .provider = offering->provider->handle, .user = offering->provider->user, .gate = gate};
        return;
    }
    core_place_weigh(place->core, place->generation, offering, offering == place->cached ? place->cached_tokens : 0,
                     candidate);
    place->warm |= offering->state != CORE_MODEL_COLD && place_is_no_last_resort(place, offering);
    if (place->best != NULL && place->best_rank == PLACE_FIRST && candidate->finish_ms > place->best_ms) {
        return; /* whatever it has been given: that is in another cache line */
    }
    enum place_rank rank = place_rank(place->core, place->pool, offering);
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
        place->best_index = place->core->candidate_count - 1;
    }
}

/* With 100,000 devices what a candidate needs is in no cache: all of it is asked for before any of it is used. */
static void place_consider_all(struct place *place, struct core_offering **offerings, size_t count) {
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(offerings[i]);
        __builtin_prefetch(&offerings[i]->weight);
    }
    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(offerings[i]->provider);
    }
    for (size_t i = 0; i < count; i++) {
        if (offerings[i] != place->cached) {
            place_consider(place, offerings[i]);
        }
    }
}

/* Those that have settled, or those that are new: up to `most`. */
static void place_consider_side(struct place *place, bool settled, size_t most) {
    struct core_offering *offerings[CORE_CANDIDATES_MAX];
    const struct core_pool *pool = place->pool;
    struct random_source *random = &place->core->random;
    const enum core_pool_side warm = settled ? POOL_WARM : POOL_NEW_WARM, cold = settled ? POOL_COLD : POOL_NEW_COLD;
    unsigned context = core_pool_context_of(place->context);
    /* Devices that this generation has tried are skipped: as many more are looked at. */
    size_t more = place->generation->tried_count, warm_most = PLACE_WARM_MOST;
    warm_most += more < PLACE_COLD_MOST ? more : PLACE_COLD_MOST;
    size_t count =
        core_pool_sample(pool, warm, context, POOL_CONTEXTS, random, offerings, warm_most < most ? warm_most : most);
    place_consider_all(place, offerings, count);
    size_t room = most - count;
    room = room > PLACE_COLD_MOST && place->best != NULL ? PLACE_COLD_MOST : room;
    count = core_pool_sample(pool, cold, context, POOL_CONTEXTS, random, offerings, room);
    place_consider_all(place, offerings, count);
    if (!place->warm && context > 0) {
        /* One shelf below there may be some whose context just fits. */
        bool none = core_pool_sample(pool, warm, context - 1, context, random, offerings, 1) == 0;
        room = none && place->best != NULL ? 0 : most;
        count = core_pool_sample(pool, none ? cold : warm, context - 1, context, random, offerings, room);
        place_consider_all(place, offerings, count);
    }
}

/* When the best one's owner has had its share, devices of others are looked for: in a crowd of its own the sample may
 * hold none of them. */
static void place_consider_others(struct place *place) {
    struct core_model *model = place->generation->model;
    size_t owners = model->placed.free_shares.count;
    bool yields = place->best != NULL && place->best_rank != PLACE_FIRST && place->best_rank != PLACE_NEW_YIELDS;
    for (size_t i = 0; yields && owners > 1 && i < owners && i < PLACE_OWNERS_MOST; i++) {
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
    place_consider_side(place, true, most);
    if (place->best == NULL) {
        place_consider_side(place, false, most);
    } else if (place_looks_at_new(place)) {
        place_consider_side(place, false, PLACE_NEW_MOST);
    }
    place_consider_others(place);
}

static void place_consider_cached(struct place *place) {
    struct core_offering *offering = core_affinity_find(place->core, place->generation, &place->cached_tokens);
    if (offering != NULL && offering->gate == CORE_GATE_NONE) {
        place->cached = offering;
        place_consider(place, offering);
    }
}

/* Devices of the generation's demand that are hopeful and that it has not tried; with `failed_ones` also those that
 * failed it, but did not stay silent. */
static bool place_has_untried(const struct core *core, const struct core_generation *generation, bool failed_ones) {
    struct core_pool *pool = core_pool_of(generation->model, generation->region, generation->verified);
    size_t left = pool == NULL ? 0 : pool->hopeful;
    for (uint32_t i = 0; i < generation->tried_count && left > 0; i++) {
        const struct core_provider *provider =
            (const struct core_provider *)core_handles_get(&core->providers, generation->tried[i]);
        bool twice = false;
        for (uint32_t j = 0; j < i; j++) {
            twice |= generation->tried[j] == generation->tried[i];
        }
        if (provider == NULL || twice || (failed_ones && !core_place_stayed_silent(generation, provider))) {
            continue;
        }
        const struct core_offering *offering = core_offering_find(provider, generation->model);
        left -= offering != NULL && offering->hopeful && core_pool_admits(pool, provider);
    }
    return left > 0;
}

bool core_place_stayed_silent(const struct core_generation *generation, const struct core_provider *provider) {
    for (uint32_t i = 0; i < generation->tried_count; i++) {
        if (generation->tried[i] == provider->handle && (generation->tried_silent >> i & 1) != 0) {
            return true;
        }
    }
    return false;
}

bool core_place_has_hope(const struct core *core, const struct core_generation *generation) {
    if (generation->only_provider != CORE_NO_HANDLE) {
        const struct core_provider *provider =
            (const struct core_provider *)core_handles_get(&core->providers, generation->only_provider);
        const struct core_offering *offering =
            provider == NULL ? NULL : core_offering_find(provider, generation->model);
        return offering != NULL && offering->hopeful && !core_place_was_tried(generation, provider);
    }
    return place_has_untried(core, generation, true);
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

/* Until one of the model's slots is free and all that wait have had their turn; UINT64_MAX: there are none. */
static uint64_t place_wait_ms(const struct core *core, const struct core_generation *generation) {
    const struct core_model *model = generation->model;
    if (model->serving_slots == 0) {
        return UINT64_MAX;
    }
    float service_ms = model->service_ms;
    if (service_ms <= 0) {
        float decode = place_guess_per_s(model->decode_per_s, core->decode_per_s, PLACE_DECODE_GUESS, 1000);
        service_ms = (float)place_answer_tokens(generation) * 1000.0F / decode;
    }
    return (uint64_t)(service_ms * (float)(model->queue.count + 1) / (float)model->serving_slots);
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

static bool place_rather_waits(const struct place *place, struct core_generation *generation) {
    const struct core *core = place->core;
    if (generation->only_provider != CORE_NO_HANDLE) {
        return false;
    }
    uint64_t patience_ms = place_patience_ms(place, generation);
    uint64_t waited_ms = generation->patience_ms == 0 ? 0 : core->now_ms - (generation->patience_ms - 1);
    uint64_t wait_ms = patience_ms == 0 ? UINT64_MAX : place_wait_ms(core, generation);
    if (wait_ms == UINT64_MAX || wait_ms + waited_ms >= patience_ms) {
        return false;
    }
    if (generation->patience_ms == 0) {
        generation->patience_ms = core->now_ms + 1; /* 0 is taken */
    }
    return true;
}

struct core_offering *core_place(struct core *core, struct core_generation *generation, uint32_t *first_candidate,
                                 uint32_t *candidate_count) {
    size_t first = core->candidate_count;
    struct place place = {.core = core, .generation = generation, .context = place_context(generation)};
    *first_candidate = (uint32_t)first;
    *candidate_count = 0;
    if (generation->only_provider != CORE_NO_HANDLE) {
        place_consider_pinned(&place);
    } else if (generation->model->gated[CORE_GATE_NONE] > 0) {
        place.pool = core_pool_of(generation->model, generation->region, generation->verified);
        place_consider_cached(&place);
        if (place.pool != NULL) {
            place_consider_pool(&place);
        }
        if (place.best == NULL && generation->refusals.others) { /* the sample had devices of one owner alone */
            struct core_offering *other = core_refusal_find_other(generation);
            if (other != NULL && core->candidate_count - first < CORE_CANDIDATES_MAX) {
                place_consider(&place, other);
            }
        }
        if (place.best == NULL && generation->tried_count > 0 && !place_has_untried(core, generation, false)) {
            place_consider_tried(&place);
        }
    }
    if (place.best == NULL || place_rather_waits(&place, generation)) {
        core->candidate_count = first;
        return NULL;
    }
    generation->patience_ms = 0;
    core->candidates[place.best_index].chosen = true;
    *candidate_count = (uint32_t)(core->candidate_count - first);
    return place.best;
}
