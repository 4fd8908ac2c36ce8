#include "core/pool.h"

#include <string.h>

enum { CLASS_FIRST = 4, CONTEXT_FIRST_BITS = 11, SPEED_BITS_SHIFT = 21, SPEED_BITS_LOW = (127 - 4) * 4 };

unsigned core_pool_context_of(uint32_t tokens) {
    unsigned shelf = 0;
    while (shelf < POOL_CONTEXTS && tokens > (shelf == 0 ? 0U : 1U << (shelf + CONTEXT_FIRST_BITS - 1))) {
        shelf++;
    }
    return shelf;
}

unsigned core_pool_shelf_of(const struct core_offering *offering) {
    unsigned context = POOL_CONTEXTS - 1; /* one that is not known holds everything */
    if (offering->context_length != 0) {
        context = 0;
        while (context + 1 < POOL_CONTEXTS && offering->context_length >= 1U << (context + CONTEXT_FIRST_BITS)) {
            context++;
        }
    }
    unsigned side = offering->provider->settled ? POOL_WARM : POOL_NEW_WARM;
    side += offering->state == CORE_MODEL_COLD ? POOL_COLD - POOL_WARM : 0;
    return side * POOL_CONTEXTS + context;
}

/* The exponent and the first two bits behind it of an IEEE 754 single: four classes to an octave. */
unsigned core_pool_class_of(float speed) {
    uint32_t bits;
    memcpy(&bits, &speed, sizeof(bits));
    bits >>= SPEED_BITS_SHIFT;
    if (!(speed > 0) || bits < SPEED_BITS_LOW) {
        return 0;
    }
    return bits - SPEED_BITS_LOW < POOL_CLASSES ? bits - SPEED_BITS_LOW : POOL_CLASSES - 1;
}

bool core_demand_admits(const struct core_demand *demand, const struct core_offering *offering) {
    const struct core_provider *provider = offering->provider;
    return (demand->region[0] == '\0' || strcmp(demand->region, provider->region) == 0) &&
           (!demand->verified || provider->verified) && (demand->abilities & ~offering->abilities) == 0;
}

static void pool_insert(struct core_pool *pool, struct core_offering *offering, struct core_pool_place *place) {
    struct core_pool_shelf **shelf = &pool->shelves[offering->shelf];
    if (*shelf == NULL) {
        *shelf = MEM_NEW(struct core_pool_shelf);
    }
    struct core_pool_class *class = &(*shelf)->classes[offering->class];
    if (class->count == class->capacity) {
        class->capacity = class->capacity == 0 ? CLASS_FIRST : class->capacity * 2;
        class->items = mem_realloc(class->items, class->capacity * sizeof(struct core_pool_item));
    }
    place->position = class->count;
    class->items[class->count++] = (struct core_pool_item){.offering = offering, .provider = offering->provider};
    (*shelf)->filled |= UINT64_C(1) << offering->class;
}

static struct core_pool_place *place_in(struct core_offering *offering, uint32_t pool) {
    struct core_pool_place *place = offering->places;
    while (place->pool != pool) {
        place++;
    }
    return place;
}

static void pool_remove(struct core_pool *pool, struct core_offering *offering, const struct core_pool_place *place) {
    struct core_pool_shelf *shelf = pool->shelves[offering->shelf];
    struct core_pool_class *class = &shelf->classes[offering->class];
    const struct core_pool_item *last = &class->items[--class->count];
    class->items[place->position] = *last;
    place_in(last->offering, place->pool)->position = place->position;
    if (class->count == 0) {
        shelf->filled &= ~(UINT64_C(1) << offering->class);
    }
}

/* Remembers the pool, in which the offering is not yet. */
static struct core_pool_place *offering_join(struct core_offering *offering, size_t index) {
    struct core_pool_place *place = place_in(offering, 0);
    place->pool = (uint32_t)index + 1;
    return place;
}

void core_pool_put(struct core_offering *offering, float speed) {
    struct core_pools *pools = &offering->model->pools;
    unsigned shelf = core_pool_shelf_of(offering), class = core_pool_class_of(speed);
    if (offering->pooled && offering->shelf == shelf && offering->class == class) {
        return;
    }
    core_pool_take(offering);
    core_share_set_free(offering, true);
    offering->shelf = (uint8_t)shelf;
    offering->class = (uint8_t) class;
    offering->pooled = true;
    for (size_t i = 0; i < CORE_POOLS_PER_OFFERING && offering->places[i].pool != 0; i++) {
        pool_insert(&pools->items[offering->places[i].pool - 1], offering, &offering->places[i]);
    }
}

void core_pool_take(struct core_offering *offering) {
    struct core_pools *pools = &offering->model->pools;
    if (!offering->pooled) {
        return;
    }
    core_share_set_free(offering, false);
    for (size_t i = 0; i < CORE_POOLS_PER_OFFERING && offering->places[i].pool != 0; i++) {
        pool_remove(&pools->items[offering->places[i].pool - 1], offering, &offering->places[i]);
    }
    offering->pooled = false;
}

void core_pool_set_hopeful(struct core_offering *offering, bool hopeful) {
    struct core_pools *pools = &offering->model->pools;
    bool settled = hopeful && offering->provider->settled;
    if (offering->hopeful == hopeful && offering->hopeful_settled == settled) {
        return;
    }
    for (size_t i = 0; i < CORE_POOLS_PER_OFFERING && offering->places[i].pool != 0; i++) {
        struct core_pool *pool = &pools->items[offering->places[i].pool - 1];
        pool->hopeful += hopeful;
        pool->hopeful -= offering->hopeful;
        pool->hopeful_settled += settled;
        pool->hopeful_settled -= offering->hopeful_settled;
    }
    offering->hopeful = hopeful;
    offering->hopeful_settled = settled;
}

void core_pool_join_all(struct core_offering *offering) {
    const struct core_pools *pools = &offering->model->pools;
    for (size_t i = 0; i < pools->count; i++) {
        if (core_demand_admits(&pools->items[i].demand, offering)) {
            (void)offering_join(offering, i);
        }
    }
}

void core_pool_leave_all(struct core_offering *offering) {
    memset(offering->places, 0, sizeof(offering->places));
}

bool core_demand_equal(const struct core_demand *a, const struct core_demand *b) {
    return a->verified == b->verified && a->abilities == b->abilities && strcmp(a->region, b->region) == 0;
}

const struct core_pool *core_pool_find(const struct core_model *model, const struct core_demand *demand) {
    for (size_t i = 0; i < model->pools.count; i++) {
        if (core_demand_equal(&model->pools.items[i].demand, demand)) {
            return &model->pools.items[i];
        }
    }
    return NULL;
}

/* Two capital letters, so that the pools of a model are bounded. */
static bool region_is_valid(const char *region) {
    return region[0] == '\0' || (region[0] >= 'A' && region[0] <= 'Z' && region[1] >= 'A' && region[1] <= 'Z');
}

struct core_pool *core_pool_of(struct core_model *model, const struct core_demand *demand) {
    struct core_pools *pools = &model->pools;
    const struct core_pool *found = core_pool_find(model, demand);
    if (found != NULL || !region_is_valid(demand->region)) {
        return found == NULL ? NULL : &pools->items[found - pools->items];
    }
    if (pools->count == pools->capacity) {
        pools->capacity = pools->capacity == 0 ? 1 : pools->capacity * 2;
        pools->items = mem_realloc(pools->items, pools->capacity * sizeof(struct core_pool));
    }
    size_t index = pools->count++;
    struct core_pool *pool = &pools->items[index];
    *pool = (struct core_pool){.demand = *demand};
    const struct core_list *list = &model->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        if (core_demand_admits(demand, offering)) {
            struct core_pool_place *place = offering_join(offering, index);
            pool->hopeful += offering->hopeful;
            pool->hopeful_settled += offering->hopeful_settled;
            if (offering->pooled) {
                pool_insert(pool, offering, place);
            }
        }
    }
    return pool;
}

void core_pools_clear(struct core_pools *pools) {
    for (size_t i = 0; i < pools->count; i++) {
        for (size_t j = 0; j < POOL_SHELVES; j++) {
            struct core_pool_shelf *shelf = pools->items[i].shelves[j];
            for (size_t k = 0; shelf != NULL && k < POOL_CLASSES; k++) {
                free(shelf->classes[k].items);
            }
            free(shelf);
        }
    }
    free(pools->items);
    *pools = (struct core_pools){0};
}

size_t core_pools_bytes(const struct core_pools *pools) {
    size_t bytes = pools->capacity * sizeof(struct core_pool);
    for (size_t i = 0; i < pools->count; i++) {
        for (size_t j = 0; j < POOL_SHELVES; j++) {
            const struct core_pool_shelf *shelf = pools->items[i].shelves[j];
            bytes += shelf == NULL ? 0 : sizeof(*shelf);
            for (size_t k = 0; shelf != NULL && k < POOL_CLASSES; k++) {
                bytes += shelf->classes[k].capacity * sizeof(struct core_pool_item);
            }
        }
    }
    return bytes;
}

/* Different ones: from equal parts of the array, behind a start at random. */
static size_t class_sample(const struct core_pool_class *class, struct random_source *random,
                           struct core_offering **out, size_t most) {
    size_t count = class->count < most ? class->count : most;
    size_t start = class->count > most ? (size_t)random_below(random, class->count) : 0;
    size_t index = start, rest = 0; /* start + i * class->count / count, without a division for each */
    size_t stride = count > 0 ? class->count / count : 0, left = count > 0 ? class->count % count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct core_pool_item *item = &class->items[index < class->count ? index : index - class->count];
        __builtin_prefetch(item->offering);
        __builtin_prefetch(item->provider);
        out[i] = item->offering;
        index += stride;
        rest += left;
        index += rest >= count;
        rest -= rest >= count ? count : 0;
    }
    return count;
}

size_t core_pool_sample(const struct core_pool *pool, enum core_pool_side side, unsigned first_context,
                        unsigned last_context, struct random_source *random, struct core_offering **out, size_t most) {
    const struct core_pool_shelf *const *shelves =
        (const struct core_pool_shelf *const *)&pool->shelves[side * POOL_CONTEXTS];
    uint64_t filled = 0;
    for (unsigned i = first_context; i < last_context; i++) {
        filled |= shelves[i] == NULL ? 0 : shelves[i]->filled;
    }
    size_t taken = 0;
    while (filled != 0 && taken < most) {
        unsigned class = 63U - (unsigned)__builtin_clzll(filled);
        filled &= ~(UINT64_C(1) << class);
        /* Of one class no more than half of what is left, unless there are no further classes: what is slower by its
         * decoding may be quicker for a long prompt. */
        size_t room = filled == 0 ? most - taken : (most - taken + 1) / 2;
        for (unsigned i = first_context; i < last_context && room > 0; i++) {
            if (shelves[i] != NULL) {
                size_t got = class_sample(&shelves[i]->classes[class], random, out + taken, room);
                taken += got;
                room -= got;
            }
        }
    }
    return taken;
}
