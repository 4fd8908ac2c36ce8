/* Who was given how much of a model: the ramp of new devices and the owners' shares (docs/PLACEMENT.md#beliefs). Part
 * of core_internal.h, which has the structs that are only named here. */
#ifndef NATARIS_CORE_SHARE_H
#define NATARIS_CORE_SHARE_H

#include "core/core.h"
#include "core/hash.h"
#include "core/list.h"

struct core_model;
struct core_offering;

/* What one owner's devices were given of one model. It outlives them, so that leaving wins nothing. */
struct core_share {
    /* What a placement reads of a candidate: one cache line. */
    uint64_t owner;
    double placed, ramp;        /* of all its devices, and of those that were new; weighed as core_placed says */
    struct core_list free;      /* its offerings that are in the pools */
    struct core_link free_link; /* in the model's free_shares, while one of its offerings is in the pools */
    struct core_link idle_link; /* in its idle_shares, while no offering refers to it */
    struct core_list offerings; /* all of them */
    UT_hash_handle hh;
};

/* Placements of a model. Each weighs a little more than the one before, which is as if the older ones faded. */
struct core_placed {
    double weight; /* of the next one */
    double all, ramp;
    struct core_share *shares; /* uthash, by owner */
    struct core_list free_shares, idle_shares;
};

void core_shares_init(struct core_placed *placed);
void core_shares_clear(struct core_placed *placed);    /* of a model without offerings */
void core_share_join(struct core_offering *offering);  /* a new one */
void core_share_leave(struct core_offering *offering); /* one that goes; it is in no pool */
/* It has come into the pools, or gone from them. */
void core_share_set_free(struct core_offering *offering, bool is_free);
/* NULL: the owner never had a device with the model, or is forgotten. */
struct core_share *core_share_find(const struct core_model *model, uint64_t owner);
/* A generation goes there. */
void core_share_place(struct core_offering *offering);
/* Whether its owner has had its share, of what `percent` says, while devices of others are free. */
bool core_share_is_used_up(const struct core_offering *offering, uint32_t percent);
/* Whether the device is new, and it and the others of its owner, or all new ones together, have had theirs. */
bool core_share_ramp_is_used_up(const struct core_offering *offering);
/* All new ones together have. */
bool core_share_ramps_are_used_up(const struct core_model *model);
/* Owners with a free offering take turns: the next one's, which in turn is another one each time. NULL: there is
 * none. */
struct core_offering *core_share_next_free(struct core_model *model);

#endif
