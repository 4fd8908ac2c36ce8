/* Offerings that can take a generation now, sorted so that a good one is found without looking at all of them.
 *
 * A pool serves one demand (struct core_demand): any device, those of a region, verified ones, those with an ability,
 * or several of these at once. It has shelves by whether the device has settled or is new, by whether the model is
 * loaded, and by the context that fits, and on each shelf classes of speed, four to an octave. A class is a dense
 * array; an offering knows its position there, so that every change takes the same time however many there are. */
#ifndef NATARIS_CORE_POOL_H
#define NATARIS_CORE_POOL_H

#include "core/core_internal.h"

enum {
    POOL_CONTEXTS = 8, /* from less than 2048 tokens to 131072 and more */
    POOL_SIDES = 4,    /* enum core_pool_side */
    POOL_SHELVES = POOL_SIDES * POOL_CONTEXTS,
    POOL_CLASSES = 64, /* speeds from 2^-4 to 2^12 tokens a second */
};

/* A crowd of new devices does not stand before those that have settled: it has shelves of its own. */
enum core_pool_side { POOL_WARM, POOL_COLD, POOL_NEW_WARM, POOL_NEW_COLD };

/* Its device is named beside it, so that both can be fetched at once. */
struct core_pool_item {
    struct core_offering *offering;
    const struct core_provider *provider;
};

struct core_pool_class {
    struct core_pool_item *items;
    uint32_t count, capacity;
};

struct core_pool_shelf {
    uint64_t filled; /* bit i: class i is not empty */
    struct core_pool_class classes[POOL_CLASSES];
};

struct core_pool {
    struct core_demand demand;
    uint32_t hopeful;                              /* devices of this demand that take generations now or before long */
    uint32_t hopeful_settled;                      /* of these, such as have settled */
    struct core_pool_shelf *shelves[POOL_SHELVES]; /* NULL: nothing was ever on it */
};

static const struct core_demand CORE_DEMAND_ANY = {.region = ""};
bool core_demand_equal(const struct core_demand *a, const struct core_demand *b);
/* The pool of a demand, made when it is not there yet; NULL when the region is none. */
struct core_pool *core_pool_of(struct core_model *model, const struct core_demand *demand);
/* NULL when nobody has asked for it yet. */
const struct core_pool *core_pool_find(const struct core_model *model, const struct core_demand *demand);
bool core_demand_admits(const struct core_demand *demand, const struct core_offering *offering);
void core_pools_clear(struct core_pools *pools);
size_t core_pools_bytes(const struct core_pools *pools);
void core_pool_join_all(struct core_offering *offering);  /* it learns which pools it belongs to */
void core_pool_leave_all(struct core_offering *offering); /* that again; it is in none now, nor hopeful */

/* Puts it where it belongs, with this speed; it may be there already. */
void core_pool_put(struct core_offering *offering, float speed);
void core_pool_take(struct core_offering *offering); /* out of all pools */
void core_pool_set_hopeful(struct core_offering *offering, bool hopeful);

unsigned core_pool_shelf_of(const struct core_offering *offering);
/* The first context shelf on which everything holds so many tokens; POOL_CONTEXTS when there is none. */
unsigned core_pool_context_of(uint32_t tokens);
unsigned core_pool_class_of(float speed);

/* Up to `most` different offerings: from the best classes of one side's shelves, beginning with the context shelf
 * `first_context`, spread at random over a class of which not all are taken. What a placement reads of them and of
 * their devices is on its way into the cache. */
size_t core_pool_sample(const struct core_pool *pool, enum core_pool_side side, unsigned first_context,
                        unsigned last_context, struct random_source *random, struct core_offering **out, size_t most);

#endif
