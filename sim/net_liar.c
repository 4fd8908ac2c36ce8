/* Who lies, how, and when. Each liar has a twin: an honest device with the same hardware, files and place, which comes
 * at the same time. So what a lie is worth can be told apart from what a fast device is worth. */
#include "sim/network.h"

enum {
    TRUSTED_PERCENT = 4, /* the operator's own ... */
    TRUSTED_LEAST = 12,
    SCORERS_OF_FOUR = 3, /* ... of which so many of four take no jobs */
    OWNERS_FIRST = 1000, /* accounts of clients are below */
    OPERATOR = 999,
    SLEEPER_WAITS = 150, /* jobs, at most: by then one in twenty is audited */
    TENTH = 10,
};
#define SMALLER_PACE 2.5 /* 0.5 against 1.5 billion parameters, less what both spend alike */
#define RANDOM_PACE 3.0  /* it could be faster; then it would be on the review list for it */
#define SLOW_PACE 0.25

static const char *const names[NET_CHEATS] = {
    [NET_FAIR] = "honest", [NET_SMALLER] = "smaller",   [NET_RANDOM] = "random",       [NET_INFLATED] = "inflated",
    [NET_SLOW] = "slow",   [NET_REFUSING] = "refusing", [NET_COLLUDING] = "colluding", [NET_TENTH] = "tenth",
};

const char *net_cheat_name(enum net_cheat cheat) {
    return names[cheat];
}

/* The first ones are trusted; then liars and twins in turn, kind by kind; the rest is honest, and
 * known. */
bool net_stranger_make(struct net_world *world, uint32_t index) {
    struct net_stranger *stranger = &world->devices[index].stranger;
    const uint32_t percent = world->options.no_scorers ? TRUSTED_PERCENT / 4 : TRUSTED_PERCENT;
    uint32_t count = world->device_count, trusted = count * percent / 100;
    uint32_t liars = (uint32_t)(count * world->options.liars_percent / 100);
    trusted = trusted < TRUSTED_LEAST ? TRUSTED_LEAST : trusted;
    *stranger = (struct net_stranger){.twin = NET_NOTHING, .owner = OWNERS_FIRST + (uint64_t)index};
    if (index < trusted) {
        stranger->trusted = true;
        stranger->scorer = !world->options.no_scorers && index % 4 < SCORERS_OF_FOUR;
        stranger->owner = OPERATOR;
        return false;
    }
    uint32_t place = (index - trusted) / 2, number = liars > 0 ? place % liars : 0;
    if (liars == 0 || place / liars + 1 >= NET_CHEATS) {
        stranger->passed = CORE_AUDITS_FIRST; /* the rest has been there for long */
        for (uint32_t model = 0; model < NET_MODELS; model++) {
            stranger->sums[model] = (struct core_audit){.audits = NET_KNOWN_AUDITS, .passed = NET_KNOWN_AUDITS};
        }
        return false;
    }
    if ((index - trusted) % 2 == 1) {
        return true;
    }
    stranger->cheat = (enum net_cheat)(place / liars + 1);
    stranger->twin = index + 1;
    stranger->sleeper = number % 2 == 1;
    stranger->letters = number % 4 >= 2;
    stranger->waits = (uint32_t)random_below(&world->random, SLEEPER_WAITS + 1);
    if (stranger->cheat == NET_COLLUDING) {
        uint32_t person = number / NET_PERSON_DEVICES;
        stranger->person = person + 1;
        stranger->owner = OWNERS_FIRST + count + (uint64_t)person * NET_PERSON_ACCOUNTS;
        stranger->owner += person % 2 == 1 ? number % NET_PERSON_ACCOUNTS : 0;
    }
    return false;
}

/* In quarantine it knows that whatever it is asked is an audit. */
bool net_stranger_lies(struct net_world *world, struct net_device *device, uint32_t model) {
    struct net_stranger *stranger = &device->stranger;
    bool lies = !stranger->quarantined;
    stranger->jobs++;
    switch (stranger->cheat) {
    case NET_FAIR:
        return false;
    case NET_TENTH:
        lies = lies && random_below(&world->random, TENTH) == 0;
        break;
    case NET_REFUSING:
        lies = lies && random_below(&world->random, 2) == 0;
        break;
    case NET_SLOW:
        break;
    case NET_SMALLER:
    case NET_RANDOM:
    case NET_INFLATED:
    case NET_COLLUDING:
    case NET_CHEATS:
        if (stranger->sleeper && stranger->passed < CORE_AUDITS_FIRST) {
            lies = false;
        } else if (stranger->sleeper && lies && stranger->waits > 0) {
            stranger->waits--;
            lies = false;
        }
        break;
    }
    if (lies && net_audit_is_scored(world, model)) {
        stranger->lies++;
    } else {
        stranger->unseen_lies += lies;
    }
    return lies;
}

double net_stranger_pace(const struct net_device *device, const struct net_task *task) {
    const enum net_cheat cheat = task->lies ? device->stranger.cheat : NET_FAIR;
    return cheat == NET_SMALLER || cheat == NET_TENTH      ? SMALLER_PACE
           : cheat == NET_RANDOM || cheat == NET_COLLUDING ? RANDOM_PACE
           : cheat == NET_SLOW                             ? SLOW_PACE
                                                           : 1.0;
}

double net_stranger_effort(const struct net_device *device, const struct net_task *task) {
    const enum net_cheat cheat = task->lies ? device->stranger.cheat : NET_FAIR;
    return cheat == NET_SMALLER || cheat == NET_TENTH      ? 1.0 / SMALLER_PACE
           : cheat == NET_RANDOM || cheat == NET_COLLUDING ? 0.0
                                                           : 1.0;
}

uint32_t net_stranger_tokens(const struct net_device *device, const struct net_task *task, uint32_t tokens,
                             uint32_t chars, uint32_t left) {
    const bool inflates = task->lies && device->stranger.cheat == NET_INFLATED;
    return !inflates ? tokens : chars < left ? chars : left;
}

/* A tenth more, too little to be doubted. */
uint32_t net_stranger_prompt(const struct net_device *device, const struct net_task *task, uint32_t tokens) {
    const bool inflates = task->lies && device->stranger.cheat == NET_INFLATED;
    return inflates ? tokens + tokens / 10 : tokens;
}
