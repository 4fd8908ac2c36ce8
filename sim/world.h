/* The simulator: a shell of the core whose clients, devices, store and clock are made up under a seed.
 *
 * world.c carries events to the core and effects to whom they concern; actors.c decides what happens next; model.c says
 * what the core must do about money and limits, from the rules in core.h alone, and compares. Only core.h is used of
 * the core: what is proven here is what any shell can see. */
#ifndef NATARIS_SIM_WORLD_H
#define NATARIS_SIM_WORLD_H

#include "base/random_source.h"
#include "core/core.h"
#include "sim/ledger.h"

enum {
    SIM_KEYS = 4, /* numbered from 1 */
    SIM_DEVICES = 5,
    SIM_TASKS = 64,     /* on one device; more are never begun, as on a device that is stuck */
    SIM_STORM = 12,     /* clients that go at once */
    SIM_ATTEMPTS = 128, /* of one generation */
};

/* Who tried a generation, and whether what it earned may or must be in escrow. */
struct sim_attempt {
    uint64_t provider, owner;
    size_t device;
    bool escrow, reviewed;
    unsigned turned; /* how often its device had gone into review or out of it */
};

struct sim_account {
    uint32_t rate, concurrent;
    bool suspended;
    bool overdrawn;                   /* a negative credit has left less than is held */
    int64_t held_nano, settling_nano; /* settling: given credit of settlements that are not written yet */
    uint32_t active;
    uint64_t *admitted_ms; /* when each of its requests was admitted */
    size_t admitted_count;
};

struct sim_earned { /* of one job, by one device */
    uint64_t account, at_ms;
    size_t device;
    int64_t paid_nano, given_nano; /* what is left of it */
    bool escrow;
};

struct sim_key {
    int64_t cap_nano, spent_nano, held_nano;
};

struct sim_generation { /* by the request's user number */
    uint64_t handle;
    uint64_t holder; /* whose word counts; CORE_NO_HANDLE: nobody's */
    uint64_t account, key;
    uint32_t max_tokens, prompt_tokens_max; /* once admitted: what was held of the prompt */
    uint32_t prompt_tokens_enough;
    int64_t prompt_price_nano, completion_price_nano;
    int64_t hold_nano;
    bool own_only; /* nothing is held: it is for devices of its own account */
    /* Of devices that were lost: tokens and bytes as far as they count, and the prompt as the last of them that
     * delivered anything counted it. */
    uint64_t made, spent, made_bytes;
    uint32_t made_prompt;
    /* Of the present attempt: what it may make, the prompt as it counted it, its own last word, what came. */
    uint32_t allowed, prompt_tokens, claim;
    uint64_t bytes, tokens, spelled;
    bool over;     /* it went on past its bound */
    bool accepted; /* its present attempt */
    uint32_t prompt_tokens_likely, prompt_tokens_sure, counted;
    bool counting; /* COUNT was told, and COUNTED not yet */
    bool taken;    /* any of its attempts was accepted */
    bool gone, aborted, settling, durable;
    int64_t charge_nano, provider_nano, given_nano;
    struct ledger_share shares[SIM_ATTEMPTS];
    size_t share_count;
    struct sim_attempt attempts[SIM_ATTEMPTS]; /* by their numbers, from 1 */
    unsigned ends;
};

enum sim_temper { SIM_HONEST, SIM_LIAR, SIM_SILENT, SIM_SLOW, SIM_FAILING, SIM_TEMPERS };

struct sim_task {
    uint64_t user;
    uint32_t produced;
    bool accepted, cancelled;
};

struct sim_device {
    uint64_t handle; /* CORE_NO_HANDLE: away */
    uint64_t owner;  /* an account; 0: nobody's */
    bool escrow;
    unsigned turned; /* how often that has changed */
    enum sim_temper temper;
    struct sim_task tasks[SIM_TASKS];
    size_t task_count;
};

struct world {
    uint64_t seed;
    unsigned step, steps;
    bool trace;
    const char *problem; /* the first one; nothing goes on after it */
    struct random_source random;
    uint64_t now_ms, wake_at_ms;
    struct core_config config;
    struct core *core;
    const struct core_event *event; /* of the present step */
    struct ledger ledger;
    struct sim_account accounts[SIM_ACCOUNTS + 1];
    struct sim_key keys[SIM_KEYS + 1];
    struct sim_device devices[SIM_DEVICES];
    struct sim_generation *generations;
    size_t generation_count;
    uint64_t *unsettled; /* users whose settlement the store has not written yet */
    size_t unsettled_count;
    uint64_t *uncounted; /* likewise whose prompt is to be counted */
    size_t uncounted_count;
    struct sim_earned *earned; /* all that was ever earned, the oldest first */
    size_t earned_count, earned_capacity;
    uint64_t hold_ms; /* until it is ripe */
};

/* world.c */
/* Runs one seed; false when a rule was broken, which is then printed. */
MUST_CHECK bool world_run(uint64_t seed, unsigned steps, bool trace);
void world_step(struct world *world, struct core_event event);
void world_problem(struct world *world, const char *problem);
/* In [0, bound); bound > 0. */
uint32_t world_pick(struct world *world, uint32_t bound);

/* actors.c */
void actors_start(struct world *world);
void actors_act(struct world *world);
void actors_take(struct world *world, const struct core_effect *effect); /* what devices and the store are told */
void actors_finish(struct world *world);                                 /* until no generation lives */

/* model.c */
void model_event(struct world *world);                                    /* before the core sees it */
void model_effect(struct world *world, const struct core_effect *effect); /* each, in order */
void model_check(struct world *world);                                    /* after the step */
/* the store has written it, or not */
void model_committed(struct world *world, struct sim_generation *generation, bool durable);

/* shares.c */
/* What others' devices made, by the words of all devices. */
__int128 shares_bill(const struct sim_generation *generation, const struct core_outcome *outcome, uint32_t prompt);
/* Of one with an account, whose charge is known; notes what is to be written. */
void shares_check(struct world *world, struct sim_generation *generation, const struct core_outcome *outcome);
void shares_attempt(struct world *world, struct sim_generation *generation, const struct core_effect *effect);
void shares_review(struct sim_generation *generation, uint64_t provider);

/* ripening.c */
void ripening_earn(struct world *world, const struct sim_generation *generation); /* its settlement is written */
void ripening_take(struct world *world, size_t device);                           /* the device is in review */
void ripening_escrow_ended(struct world *world, uint64_t account, bool released);
void ripening_pay_out(struct world *world, uint64_t account, int64_t amount_nano); /* or refuses to */
const char *ripening_check(const struct world *world);                             /* NULL, or what is wrong */

/* trace.c */
void trace_event(const struct world *world, const struct core_event *event);
void trace_effect(const struct core_effect *effect);

#endif
