/* What devices earn: it ripens, or waits in escrow (docs/LEDGER.md "Ripening", "Escrow"). A ledger of the simulator's
 * own; the core only says which parts are under review. */
#include "sim/network.h"

#include "base/mem.h"

void net_link_add(struct net_world *world, uint64_t handle, uint32_t device) {
    struct net_link *link = MEM_NEW(struct net_link);
    link->handle = handle;
    link->device = device;
    HASH_ADD(hh, world->audits.links, handle, sizeof(link->handle), link);
}

struct net_device *net_link_find(const struct net_world *world, uint64_t handle) {
    const struct net_link *link = NULL;
    HASH_FIND(hh, world->audits.links, &handle, sizeof(handle), link);
    return link == NULL ? NULL : &world->devices[link->device];
}

/* What was earned longer ago than the holding time is kept for good. */
static void earned_ripen(const struct net_world *world, struct net_earned *earned) {
    const uint64_t part_ms = world->options.hold_minutes * 60000 / (NET_RIPE_PARTS - 1) + 1;
    const uint64_t part = world->now_ms / part_ms;
    const uint64_t passed = part - earned->part < NET_RIPE_PARTS ? part - earned->part : NET_RIPE_PARTS;
    for (uint64_t i = 1; i <= passed; i++) {
        int64_t *oldest = &earned->ripening[(earned->part + i) % NET_RIPE_PARTS];
        earned->kept_nano += *oldest;
        *oldest = 0;
    }
    earned->part = part;
}

void net_earn(struct net_world *world, const struct core_part *parts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct net_device *device = net_link_find(world, parts[i].provider);
        if (device == NULL) {
            net_problem(world, NET_NOTHING, "somebody is paid whom nobody knows");
            return;
        }
        if (device->stranger.owner != parts[i].account) {
            net_problem(world, NET_NOTHING, "another owner is paid than the device's");
        }
        struct net_earned *earned = &device->stranger.earned;
        earned_ripen(world, earned);
        /* The store takes what was settled, and was not written yet when the audit failed, as well. */
        if (parts[i].escrow || device->stranger.escrow) {
            earned->escrow_nano += parts[i].nano;
        } else {
            earned->ripening[earned->part % NET_RIPE_PARTS] += parts[i].nano;
        }
    }
}

void net_earned_to_escrow(struct net_world *world, struct net_device *device) {
    struct net_earned *earned = &device->stranger.earned;
    earned_ripen(world, earned);
    for (size_t i = 0; i < NET_RIPE_PARTS; i++) {
        earned->escrow_nano += earned->ripening[i];
        earned->ripening[i] = 0;
    }
}

int64_t net_earned_nano(const struct net_earned *earned) {
    int64_t sum = earned->kept_nano;
    for (size_t i = 0; i < NET_RIPE_PARTS; i++) {
        sum += earned->ripening[i];
    }
    return sum;
}
