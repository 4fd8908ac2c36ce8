/* The network simulator: the real core with up to 100,000 virtual devices in virtual time. One queue of happenings
 * drives everything; whatever is made up comes from one seed, so the same seed gives the same trace.
 *
 * net_world.c    time, steps of the core, effects to whom they concern
 * net_queue.c    what happens when
 * net_device.c   a device's life: it joins, warms, is paused, goes silent, is lost, comes back
 * net_model.c    its models: cold, loading, downloading, evicted
 * net_task.c     its work: the text that it makes, and its lies
 * net_client.c   requests, conversations, and what a client may expect of its answer
 * net_money.c    a ledger of wallets, apart from the core's
 * net_oracle.c   what can only be known here: the best placement, whether another device was there
 * net_report.c   the figures
 * net_liars.h    strangers and liars, when --liars asks for them
 *
 * Text is addressed by position: character i of generation j is the same on every device. So an answer made by several
 * devices has no seam exactly if each of its characters is the one of its position. */
#ifndef NATARIS_SIM_NETWORK_H
#define NATARIS_SIM_NETWORK_H

#include "base/random_source.h"
#include "core/core.h"
#include "core/explain.h"
#include "sim/net_figures.h"
#include "sim/net_liars.h"

#include <stdio.h>
#include <uthash.h>

enum {
    NET_MODELS = 6,
    NET_RARE_MODEL = 4, /* on few devices: what clients rush for */
    NET_NEW_MODEL = 5,  /* on no device at the start: they have to fetch it */
    NET_ACCOUNTS = 8,
    NET_POOR_ACCOUNT = 8,  /* is always about to run out of credit */
    NET_FLOOD_ACCOUNT = 1, /* asks for more than all others together */
    NET_REGIONS = 4,
    NET_DEVICE_MODELS = 4,
    NET_DEVICE_TASKS = 8,
    NET_DEVICE_CACHE = 4,
    NET_CONVERSATIONS = 512,
    NET_GIVEN_UP = 16,
    NET_PIECE_TOKENS = 512, /* in one delta, at most */
    NET_TOKEN_CHARS = 6,    /* in one token, at most */
    NET_WATCH_MS = 1500,    /* silence of a busy device until it is noticed, as in the gateway */
    NET_LINK_DIES_MS = 45000,
    NET_NOTHING = UINT32_MAX,
};

enum net_happening {
    NET_ARRIVAL,  /* a client asks; `number` 1: one of a rush */
    NET_GOES,     /* client `generation` goes */
    NET_COMMIT,   /* the store has written the settlement of `generation` */
    NET_TIMER,    /* the core asked for it */
    NET_TICK,     /* device: looks at itself, and tells when something has changed */
    NET_LIFE,     /* device: comes, leaves or is lost */
    NET_NOTICE,   /* device: its link's watch has heard nothing */
    NET_LINK_END, /* device: its link is closed */
    NET_REVIVE,   /* device: was silent, answers again */
    NET_LOADED,   /* device: model `number` is in memory */
    NET_TASK,     /* device: the next piece of work on task `number` */
    NET_CANCEL,   /* device: told to stop `generation` */
    NET_REFUSE,   /* device: has no room for `generation` */
    NET_RUSH,     /* many ask for the rare model at once */
    NET_OUTAGE,   /* most devices of a region are lost at once */
    NET_PURSE,    /* the poor account gets a little credit */
    NET_COUNTED,  /* the prompt of `generation` has been counted */
    NET_SCORED,   /* run `number` of the audits is over; serial 0: not in time */
    NET_CANARIES, /* devices are asked made-up things */
};

struct net_event {
    uint64_t at_ms, order; /* order: among those of the same moment */
    enum net_happening kind;
    uint32_t device, generation, number;
    uint32_t serial; /* one that is not the device's or the task's any more: it has been overtaken */
};

struct net_queue { /* binary heap */
    struct net_event *items;
    size_t count, capacity;
    uint64_t order;
};

struct net_options {
    uint64_t devices, generations, seed, seeds, processes, minutes;
    uint64_t loss_percent; /* of the devices, a minute */
    /* With liars: so many percent of the devices of each kind; of a thousand jobs so many are audited; earnings can be
     * taken from a device for so long; idle devices are asked something so often. */
    uint64_t liars_percent, audit_permille, hold_minutes, canary_s;
    bool strangers;   /* liars, audits and owners at all */
    bool no_scorers;  /* the operator has no devices for scoring alone */
    bool twice;       /* run it again and compare the traces */
    bool json, spoil; /* spoil: devices continue one character too early, to see that it is noticed */
    const char *trace;
};

enum net_lie {
    NET_HONEST,
    NET_LIE_MANY,   /* more tokens than text */
    NET_LIE_FAST,   /* all at once, after some honest work */
    NET_LIE_OVER,   /* more than max_tokens */
    NET_LIE_EMPTY,  /* no text */
    NET_LIE_LOOP,   /* the same piece again and again */
    NET_LIE_PROMPT, /* a prompt longer than it can be */
    NET_LIES,
};

enum net_kind { NET_PHONE, NET_LAPTOP, NET_DESKTOP };

struct net_copy { /* of a model on a device */
    uint32_t model;
    enum core_model_state state;
    bool load_seen;
    uint64_t bytes_left, used_ms;
};

enum net_phase { NET_FREE, NET_NEW, NET_WAITS_FOR_LOAD, NET_PREFILL, NET_DECODE };

struct net_task {
    enum net_phase phase;
    bool cancelled, lies;
    uint32_t generation, serial, attempt;
    uint32_t at, from; /* position in the text, now and when it began */
    uint32_t max_tokens, tokens, cached_tokens;
};

enum net_turn { NET_TURN_JOIN, NET_TURN_LEAVE, NET_TURN_LOSS };

struct net_device {
    UT_hash_handle hh; /* by handle, while it is connected */
    uint64_t handle;
    enum net_kind kind;
    enum net_lie lie;
    enum net_turn turn; /* at its next NET_LIFE */
    uint32_t region;
    bool verified, mute, noticed, watched, draining, charging;
    bool reviewed, has_lied;
    uint32_t honest_generations; /* before it begins to lie */
    uint32_t slots, latency_ms, context_length;
    uint32_t life_serial, tick_serial;
    double decode_per_s, prefill_per_s; /* of the smallest model, cool */
    double heat, battery;               /* 0 to 1 */
    uint64_t bytes_per_s, ram_bytes, storage_bytes;
    uint64_t felt_ms, paused_until_ms, mute_ms, left_ms;
    uint32_t told; /* of its state, so that it tells only changes */
    struct core_record record;
    struct net_copy copies[NET_DEVICE_MODELS];
    uint32_t copy_count;
    struct net_task tasks[NET_DEVICE_TASKS];
    uint32_t task_count, task_serial;
    uint64_t cache[NET_DEVICE_CACHE]; /* beginnings of conversations */
    uint32_t cache_tokens[NET_DEVICE_CACHE], cache_next;
    struct net_stranger stranger;
};

struct net_generation {
    uint64_t handle;
    uint32_t model, region, account; /* region: NET_NOTHING for any */
    bool verified, alive, waits, started, gone, settling, durable;
    bool tainted;                               /* a lying device has worked on it */
    bool waited;                                /* it was not dispatched in the step in which it came */
    uint32_t holder;                            /* device; NET_NOTHING: nobody */
    uint32_t max_tokens, prompt_tokens, length; /* length: characters until it stops by itself */
    uint32_t chars, tokens;                     /* delivered */
    uint32_t attempts, made[CORE_PARTS_MAX];    /* tokens delivered by each attempt that made some */
    uint32_t made_count, made_attempt;          /* attempt of the last one */
    uint64_t asked_ms, lost_ms;                 /* lost_ms: plus 1; 0: its device is there */
    uint64_t prefix, leaves_prefix;
    uint64_t given_up[NET_GIVEN_UP]; /* handles of devices that were told to stop it: the latest */
    uint32_t given_up_count;
    int64_t charge_nano;
    bool canary;                   /* nobody's: a made-up prompt for one device */
    uint32_t captured;             /* number of the attempt whose answer is to be audited; 0: none */
    const struct core_part *parts; /* of its settlement; the core's */
    size_t part_count;
};

struct net_conversation {
    bool open;
    uint32_t model, account, prompt_tokens;
    uint64_t prefix;
};

struct net_world {
    struct net_options options;
    uint64_t seed, now_ms, end_ms, wake_ms;
    double start_hour;
    struct random_source random;
    struct core *core;
    struct net_queue queue;
    struct net_device *devices, *by_handle;
    struct net_generation *generations;
    uint32_t device_count, generation_count, generations_max, asked; /* asked: by clients */
    struct net_audits audits;
    int64_t wallets[NET_ACCOUNTS + 1];
    uint32_t waiting[NET_MODELS][NET_ACCOUNTS + 1]; /* generations of which nobody has taken charge yet */
    struct net_conversation conversations[NET_CONVERSATIONS];
    const struct net_device *speaker; /* whose event the core is looking at */
    const struct net_task *word;
    struct net_figures figures;
    FILE *trace;
    uint64_t steps, hash; /* of all effects so far */
    const char *problem;
    uint32_t problem_generation;
};

/* What the models are: the smallest first. */
struct net_model_facts {
    const char *name;
    uint64_t bytes;
    double speed;  /* against the smallest */
    double share;  /* of devices that have it at the start */
    double wanted; /* share of requests */
    uint32_t load_ms;
};
extern const struct net_model_facts net_models[NET_MODELS];
extern const char net_regions[NET_REGIONS][CORE_REGION_SIZE];

/* net_world.c */
MUST_CHECK bool net_world_run(const struct net_options *options, uint64_t seed, uint64_t *hash);
void net_step(struct net_world *world, struct core_event event);
void net_problem(struct net_world *world, uint32_t generation, const char *problem);
bool net_chance(struct net_world *world, double share);
double net_random(struct net_world *world); /* in (0, 1) */
/* Exponential with this mean. */
uint64_t net_wait_ms(struct net_world *world, double mean_ms);
uint64_t net_mix(uint64_t number);

/* net_queue.c */
void net_queue_put(struct net_world *world, uint64_t after_ms, struct net_event event);
MUST_CHECK bool net_queue_take(struct net_world *world, struct net_event *event);

/* net_device.c */
void net_devices_make(struct net_world *world);
void net_device_happens(struct net_world *world, const struct net_event *event);
void net_device_effect(struct net_world *world, const struct core_effect *effect);
void net_device_lose(struct net_world *world, struct net_device *device); /* for good or for some seconds */
void net_device_tick_in(struct net_world *world, struct net_device *device, uint64_t after_ms);
void net_device_tell(struct net_world *world, struct net_device *device); /* its status */
double net_device_pace(const struct net_device *device);                  /* what heat leaves of its speed */
enum core_heat net_device_heat(const struct net_device *device);
bool net_device_is_paused(const struct net_world *world, const struct net_device *device);
static inline uint32_t net_device_index(const struct net_world *world, const struct net_device *device) {
    return (uint32_t)(device - world->devices);
}

/* net_model.c */
struct net_copy *net_copy_find(struct net_device *device, uint32_t model);
void net_copies_make(struct net_world *world, struct net_device *device);
void net_copy_load(struct net_world *world, struct net_device *device, struct net_copy *copy);
void net_copy_want(struct net_world *world, struct net_device *device, struct str name);
/* Downloads go on, what was not used for long leaves the memory; true when there is something to tell. */
bool net_copies_pass(struct net_world *world, struct net_device *device, uint64_t elapsed_ms);

/* net_task.c */
void net_task_begin(struct net_world *world, struct net_device *device, uint32_t generation,
                    const struct core_effect *effect);
void net_task_work(struct net_world *world, struct net_device *device, uint32_t index);
void net_task_cancel(struct net_world *world, struct net_device *device, uint32_t generation);
void net_tasks_wake(struct net_world *world, struct net_device *device); /* after silence or loading */
char net_text_at(uint32_t generation, uint32_t position);
uint32_t net_token_chars(uint32_t generation, uint32_t position);

/* net_client.c */
void net_clients_start(struct net_world *world);
void net_client_happens(struct net_world *world, const struct net_event *event);
void net_client_effect(struct net_world *world, const struct core_effect *effect);

/* net_money.c */
extern const int64_t net_prices[2]; /* of a prompt and of a completion token */
void net_money_start(struct net_world *world);
void net_money_credit(struct net_world *world, uint32_t account, int64_t amount_nano);
void net_money_settle(struct net_world *world, struct net_generation *generation, const struct core_outcome *outcome);
void net_money_committed(struct net_world *world, struct net_generation *generation);
void net_money_end(struct net_world *world); /* wallets are the core's, and no hold is left */

/* net_oracle.c */
void net_oracle_placed(struct net_world *world, const struct net_generation *generation,
                       const struct net_device *device);
/* A device that could go on with the generation, busy or not, and that was not given up for it: those that stay silent
 * on a generation are never asked again. */
bool net_oracle_has_other(const struct net_world *world, const struct net_generation *generation);

/* net_report.c */
void net_report(struct net_world *world); /* sorts the samples */

/* net_main.c */
int net_main(int argc, char **argv);

#endif
