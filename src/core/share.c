/* Who was given how much of a model.
 *
 * Two rules go by it. All new devices of an owner together have a small share of a model's generations while settled
 * ones could take them, and all new devices of the network have another: neither fifty devices nor fifty accounts are
 * worth more than one. And no owner has more than its share while devices of others are free (place.c).
 *
 * Placements fade: each weighs 1/SHARE_SPAN more than the one before, which costs the same however many owners there
 * are. Only when the numbers have become large, all of them are made small again.
 *
 * An owner whose devices have left is remembered for as long as its placements weigh something beside the others, so
 * that a device that comes again, under whatever key, goes on where it was. */
#include "core/share.h"

#include "core/core_internal.h"

enum {
    SHARE_SPAN = 256,         /* placements */
    SHARE_RAMP_PERCENT = 5,   /* for the new devices of one owner ... */
    SHARE_RAMPS_PERCENT = 20, /* ... and of all */
    SHARE_IDLE_MAX = 1024,    /* owners without a device that are remembered */
};
#define SHARE_WEIGHT_MOST 1e30

void core_shares_init(struct core_placed *placed) {
    *placed = (struct core_placed){.weight = 1};
    core_list_init(&placed->free_shares);
    core_list_init(&placed->idle_shares);
}

/* One that is in no list. */
static void share_free(struct core_placed *placed, struct core_share *share) {
    HASH_DEL(placed->shares, share);
    free(share);
}

void core_shares_clear(struct core_placed *placed) {
    struct core_share *share = placed->shares, *next;
    HASH_CLEAR(hh, placed->shares); /* the table; the shares, all of them idle, are still in a row */
    for (; share != NULL; share = next) {
        next = share->hh.next;
        free(share);
    }
    core_list_init(&placed->idle_shares);
}

struct core_share *core_share_find(const struct core_model *model, uint64_t owner) {
    struct core_share *share = NULL;
    HASH_FIND(hh, model->placed.shares, &owner, sizeof(owner), share);
    return share;
}

void core_share_join(struct core_offering *offering) {
    struct core_placed *placed = &offering->model->placed;
    uint64_t owner = offering->provider->owner;
    struct core_share *share = core_share_find(offering->model, owner);
    if (share == NULL) {
        share = MEM_NEW_LINE(struct core_share);
        share->owner = owner;
        core_list_init(&share->free);
        core_list_init(&share->offerings);
        HASH_ADD(hh, placed->shares, owner, sizeof(share->owner), share);
    } else if (core_link_is_listed(&share->idle_link)) {
        core_list_remove(&placed->idle_shares, &share->idle_link);
    }
    core_list_push_back(&share->offerings, &offering->own_link);
    offering->share = share;
}

void core_share_leave(struct core_offering *offering) {
    struct core_placed *placed = &offering->model->placed;
    struct core_share *share = offering->share;
    offering->share = NULL;
    core_list_remove(&share->offerings, &offering->own_link);
    if (share->offerings.count > 0) {
        return;
    }
    if (share->placed <= 0) {
        share_free(placed, share);
        return;
    }
    core_list_push_back(&placed->idle_shares, &share->idle_link);
    if (placed->idle_shares.count > SHARE_IDLE_MAX) {
        struct core_link *oldest = core_list_first(&placed->idle_shares);
        core_list_remove(&placed->idle_shares, oldest);
        share_free(placed, CORE_OF(oldest, struct core_share, idle_link));
    }
}

void core_share_set_free(struct core_offering *offering, bool is_free) {
    struct core_list *shares = &offering->model->placed.free_shares;
    struct core_share *share = offering->share;
    if (is_free) {
        core_list_push_back(&share->free, &offering->free_link);
        if (share->free.count == 1) {
            core_list_push_back(shares, &share->free_link);
        }
        return;
    }
    core_list_remove(&share->free, &offering->free_link);
    if (share->free.count == 0) {
        core_list_remove(shares, &share->free_link);
    }
}

/* What has faded altogether is nothing any more. */
static double share_faded(double number) {
    double faded = number / SHARE_WEIGHT_MOST;
    return faded < 1e-6 ? 0 : faded;
}

static void shares_fade(struct core_placed *placed) {
    /* Those of owners without a device go when newer ones need their places (SHARE_IDLE_MAX). */
    for (struct core_share *share = placed->shares; share != NULL; share = (struct core_share *)share->hh.next) {
        share->placed = share_faded(share->placed);
        share->ramp = share_faded(share->ramp);
    }
    placed->all = share_faded(placed->all);
    placed->ramp = share_faded(placed->ramp);
    placed->weight /= SHARE_WEIGHT_MOST;
}

void core_share_place(struct core_offering *offering) {
    struct core_placed *placed = &offering->model->placed;
    struct core_share *share = offering->share;
    share->placed += placed->weight;
    placed->all += placed->weight;
    if (!offering->provider->settled) {
        share->ramp += placed->weight;
        placed->ramp += placed->weight;
    }
    placed->weight += placed->weight / SHARE_SPAN;
    if (placed->weight > SHARE_WEIGHT_MOST) {
        shares_fade(placed);
    }
}

/* Whether one more would be more than so many percent of all. */
static bool share_exceeds(const struct core_placed *placed, double had, unsigned percent) {
    return (had + placed->weight) * 100 > (placed->all + placed->weight) * percent;
}

bool core_share_is_used_up(const struct core_offering *offering, uint32_t percent) {
    const struct core_share *share = offering->share;
    const struct core_placed *placed = &offering->model->placed;
    bool others = placed->free_shares.count > (share->free.count > 0);
    return share->owner != 0 && percent < 100 && others && share_exceeds(placed, share->placed, percent);
}

bool core_share_ramps_are_used_up(const struct core_model *model) {
    return share_exceeds(&model->placed, model->placed.ramp, SHARE_RAMPS_PERCENT);
}

bool core_share_ramp_is_used_up(const struct core_offering *offering) {
    return !offering->provider->settled &&
           (share_exceeds(&offering->model->placed, offering->share->ramp, SHARE_RAMP_PERCENT) ||
            core_share_ramps_are_used_up(offering->model));
}

struct core_offering *core_share_next_free(struct core_model *model) {
    struct core_list *shares = &model->placed.free_shares;
    struct core_link *link = core_list_first(shares);
    if (link == NULL) {
        return NULL;
    }
    struct core_share *share = CORE_OF(link, struct core_share, free_link);
    core_list_remove(shares, link);
    core_list_push_back(shares, link);
    struct core_link *first = core_list_first(&share->free);
    core_list_remove(&share->free, first);
    core_list_push_back(&share->free, first);
    return CORE_OF(first, struct core_offering, free_link);
}
