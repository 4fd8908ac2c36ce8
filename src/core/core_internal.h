/* What the files of the core share; nobody else includes it but the core's tests.
 *
 * Who owns what: the handle tables own generations and providers, a provider owns its offerings and attempts, a model
 * lives while an offering or a generation refers to it. Objects point at each other freely inside one step; outside
 * only handles go.
 */
#ifndef NATARIS_CORE_CORE_INTERNAL_H
#define NATARIS_CORE_CORE_INTERNAL_H

#include "base/mem.h"
#include "base/random_source.h"
#include "core/belief.h"
#include "core/bill.h"
#include "core/core.h"
#include "core/device.h"
#include "core/generation.h"
#include "core/hash.h"
#include "core/list.h"
#include "core/rate.h"
#include "core/refusal.h"
#include "core/share.h"

#include <stdlib.h>

enum {
    CORE_HANDLE_INDEX_BITS = 20,
    CORE_HANDLE_LIMIT = (1 << CORE_HANDLE_INDEX_BITS) - 1, /* objects in one table */
};

/* Handle: index + 1 in the low 20 bits, above it the count of its uses (32 bits: below 2^52 in all). */
struct core_handle_entry {
    void *object;       /* NULL: free */
    uint32_t uses;      /* grows when the index is given back, so that old handles are seen to be stale */
    uint32_t next_free; /* index + 1; 0 ends the chain */
};

struct core_handles {
    struct core_handle_entry *entries;
    size_t used, capacity; /* indexes ever given out; room */
    size_t count, limit;   /* live objects; how many there may be */
    uint32_t first_free;
};

enum core_deadline_kind {
    CORE_DEADLINE_GENERATION, /* of the phase that the generation is in, or its whole deadline if that is nearer */
    CORE_DEADLINE_GHOST,      /* an abandoned attempt's slot counts as free again */
    CORE_DEADLINE_COOLDOWN,   /* the provider is fit again */
    CORE_DEADLINE_QUEUE,      /* not all that wait have been looked at: one step looks at so many of them */
};

struct core_deadline {
    enum core_deadline_kind kind;
    uint32_t position; /* in the heap + 1; 0: not set */
    uint64_t due_ms;
};

/* Binary heap. `at_ms` may be earlier than the deadline's own due_ms, never later: postponing a deadline (each delta
 * does it) leaves the heap alone, and what comes up too early is put back. */
struct core_deadlines {
    struct core_deadline_entry {
        uint64_t at_ms;
        struct core_deadline *deadline;
    } * entries;
    size_t count, capacity;
    uint64_t armed_ms; /* the shell's timer; UINT64_MAX: not armed */
};

/* An account that has generations waiting for a model; the last one of a queue may have none. */
struct core_turn {
    UT_hash_handle hh;
    struct core_link link; /* in the queue's turns */
    uint64_t account;
    struct core_list again; /* generations that come back from a failed attempt go first */
    struct core_list generations;
    uint64_t round; /* of the queue, in which the last ones seen are these two */
    struct core_link *again_seen, *generation_seen;
};

/* queue.c: generations of one model that wait. Continuations of begun answers first, then accounts take turns, each
 * with its generations in order of arrival. */
struct core_queue {
    struct core_list begun;        /* generations whose answer has begun */
    struct core_list turns;        /* struct core_turn: accounts in the order in which they are served */
    struct core_turn *by_account;  /* uthash */
    struct core_link starved_link; /* in core->starved: some of its generations wait for the retry budget alone */
    size_t count;                  /* generations in all */
    struct core_list due;          /* of these, such as are to be looked at, whatever the devices do */
    bool look_again;               /* devices have changed: generations that could not go before may go now */
    bool fed;                      /* there is room in the retry budget again */
    /* A round looks at all that wait, in as many steps as it takes: at once, or a millisecond later. */
    bool in_round, anew; /* anew: also at those that could not go before */
    uint64_t round;
    struct core_link *begun_seen, *turn_seen; /* the last ones that the round is through with */
    struct core_deadline deadline;            /* set while there is more to look at */
};

/* pool.c: the offerings of one model that can take a generation now, sorted into classes of speed, so that a good one
 * is found without looking at all of them. One pool for each demand: any device, those of a region, verified ones,
 * both. */
struct core_pools {
    struct core_pool *items; /* made when a generation first asks for them, kept as long as the model */
    size_t count, capacity;
};

struct core_model {
    UT_hash_handle hh;
    struct core_queue queue;         /* generations waiting */
    struct core_pools pools;         /* offerings that can take a generation now, by speed (pool.h) */
    struct core_list offerings;      /* all of them */
    uint32_t gated[CORE_GATE_COUNT]; /* offerings by the gate that keeps every generation out; NONE: in the pools */
    struct core_link pending_link;   /* in core->pending: its queue may move */
    size_t references;               /* offerings and generations */
    /* What providers offer, by state. Draining ones do not count, nor those that rest: paused, or too hot. */
    uint32_t counts[CORE_MODEL_STATE_COUNT];
    uint32_t resting;                    /* offerings of the latter */
    struct core_largest context;         /* the largest among these */
    struct core_largest settled_context; /* of settled devices among these */
    uint32_t widths[CORE_WIDTHS];        /* trusted devices among these by their slots */
    struct core_reach reach;
    struct core_measures *measures; /* owned; NULL: no device was measured yet */
    struct core_placed placed;
    size_t offered_position;             /* in core->offered + 1; 0: nobody offers it */
    uint64_t serving_slots;              /* of warm devices that serve: ready, or all their slots taken */
    float service_ms, completion_tokens; /* of its answers, smoothed; 0: none yet */
    float prefill_per_s, decode_per_s;   /* of its devices, smoothed: the measure for those not yet seen; 0: none */
    float load_ms;                       /* likewise */
    size_t id_len;
    char id[];
};

/* How a model comes to a device, so that one which only says so does not count for ever (coming.c). */
struct core_coming {
    uint64_t fetched_bytes, fetch_ms; /* the most that it had, and since when, plus 1; 0: not begun */
    uint64_t load_ms;                 /* since when it loads, plus 1; 0: it does not */
};

struct core_provider {
    /* What a placement reads of a candidate: one cache line. */
    uint64_t handle, user;
    uint32_t active; /* attempts and ghosts on all its offerings */
    char region[CORE_REGION_SIZE];
    bool verified;
    bool silent; /* does not answer at this moment */
    bool draining;
    bool quarantined;
    bool leaving;
    bool trusted;              /* what it says is believed */
    bool settled;              /* trusted, or past its first audits */
    bool escrow;               /* under review: what it earns waits */
    bool operated;             /* of the operator's account */
    struct core_record record; /* its uptime is as of uptime_ms; the factors come first */
    struct core_device_state device;
    uint64_t owner; /* 0: nobody */
    uint64_t ram_bytes, uptime_ms;
    uint64_t silent_ms;           /* since when, if it is */
    uint64_t wanted_ms;           /* when it was last asked to fetch or load; 0: never */
    struct core_link wanter_link; /* in core->wanters */
    struct core_list offerings;
    struct core_list attempts; /* held by a generation */
    struct core_list ghosts;   /* given up, the device has not confirmed yet */
    struct core_deadline cooldown;
    uint32_t status_serial;
};

/* Any device; its region; verified ones; both; and each of them with every set of abilities. */
enum { CORE_POOLS_PER_OFFERING = 4 << CORE_ABILITY_COUNT };

/* One model on one provider. It outlives its place in the provider's status while attempts run on it. */
struct core_offering {
    /* What a placement reads of a candidate: one cache line. */
    struct core_provider *provider;
    struct core_model *model;
    enum core_model_state state;
    enum core_gate gate;    /* NONE: in its model's pools. Only gates that hold for every generation */
    uint32_t slots, active; /* attempts and ghosts; more than slots when a status took slots away */
    uint32_t context_length, load_ms;
    float prefill_per_s, decode_per_s; /* tokens a second as measured here, smoothed; 0: not yet */
    float fastest_per_s;               /* the most that it ever decoded */
    float weight;                      /* of heat, battery and reliability: 0 to 1 (place.c) */
    struct core_share *share;          /* of its owner and model */
    /* Where it is in the pools (pool.c). */
    struct core_pool_place {
        uint32_t pool; /* index + 1; 0: no pool */
        uint32_t position;
    } places[CORE_POOLS_PER_OFFERING];
    uint8_t shelf, class;
    uint8_t abilities; /* enum core_ability */
    bool pooled;
    bool hopeful;                        /* counts in the pools as one that may take generations before long */
    bool hopeful_settled;                /* likewise, and its device has settled */
    uint8_t decode_class, prefill_class; /* in model->measures, plus 1; 0: not measured */
    bool measured_settled;               /* in which half of it */
    bool too_large;
    bool listed;           /* in the provider's latest status */
    bool engine_failed;    /* its provider cools down for it, until a status shows that the engine is a fresh one */
    uint8_t empty_answers; /* in a row */
    uint8_t refusals;      /* of requests that others answered (record.c) */
    bool counted;          /* in its model's counts, with the three values below */
    bool counted_resting;  /* in model->resting instead */
    enum core_model_state counted_state;
    uint32_t counted_context, counted_slots;
    bool counted_settled, counted_trusted;
    uint8_t counted_width;
    uint32_t slots_claimed; /* in its latest status */
    uint32_t status_serial;
    uint64_t bytes_left, bytes_per_s;
    uint64_t state_ms; /* since when it is in its state */
    struct core_coming coming;
    struct core_link provider_link, model_link;
    struct core_link free_link, own_link; /* in share->free, in share->offerings */
};

/* One try of a generation on one provider; a ghost when its generation has given it up. It takes a slot either way. */
struct core_attempt {
    struct core_link link; /* in the provider's list `attempts` or `ghosts` */
    uint64_t generation_handle, provider_handle;
    struct core_generation *generation; /* NULL: ghost */
    struct core_offering *offering;
    uint32_t number;        /* of the generation: 1, 2, ... */
    uint32_t max_tokens;    /* that it was sent with */
    uint32_t tokens, bytes; /* of its deltas so far */
    struct core_delivered delivered;
    uint64_t sent_ms;
    uint64_t accepted_ms, first_ms, last_ms; /* plus 1; 0: not yet */
    uint32_t prompt_tokens;                  /* as it counted them */
    uint32_t done_tokens;                    /* of these, and of the text to continue, as it told last */
    uint64_t last_piece;                     /* hash of the last piece of text, and how often it came in a row */
    uint32_t piece_repeats;
    bool reviewed;  /* one review for an attempt is enough */
    bool self_made; /* of its own account, which is not trusted: it says nothing about the device (own.h) */
    bool cold;      /* its model had to be loaded first */
    uint64_t crowd; /* generations on the device, summed up over the pieces of text */
    uint32_t pieces;
    uint32_t first_tokens;         /* that came with the first piece */
    struct core_deadline deadline; /* of a ghost */
};

/* Amounts lie within +-CORE_MONEY_MAX, so that any two of them add up within int64. */
#define CORE_MONEY_MAX (INT64_C(1) << 62)

struct core_account {
    UT_hash_handle hh;
    uint64_t number;
    int64_t balance_nano, given_nano; /* the second is a part of the first */
    int64_t held_nano, settling_nano; /* of all its generations; given credit of those that are being settled */
    uint32_t active;                  /* its generations */
    uint32_t concurrent;
    struct core_rate rate;
    bool suspended;
    bool overdrawn; /* a negative credit has left less than is held */
};

struct core_key {
    UT_hash_handle hh;
    uint64_t number;
    int64_t cap_nano; /* negative: none */
    int64_t spent_nano, held_nano;
};

/* What a generation may cost and what is held for it (hold.c). */
struct core_hold {
    bool open;                    /* from admission until it is settled or voided, once */
    struct core_account *account; /* NULL: none, and all amounts are 0 */
    struct core_key *key;         /* NULL: none */
    uint32_t prompt_tokens_max, completion_tokens_max;
    int64_t prompt_price_nano, completion_price_nano;
    int64_t nano, given_nano; /* given_nano: of its settlement, once there is one */
    enum core_failure unpaid; /* of one that is free (own.h): what would be told without an own device */
    bool own_only;            /* nothing is held, and it is for devices of the account alone */
};

enum { CORE_TRIED_MAX = 2 * CORE_ATTEMPTS_MAX, CORE_PARTS_FIRST = 2 };

struct core_generation {
    struct core_link link; /* in its model's queue while QUEUED, then in core->stages[state]; at last in core->ended */
    struct core_link due_link; /* in the queue's `due` */
    uint64_t handle, user;
    enum core_generation_state state;
    uint32_t attempts; /* in all */
    uint32_t round;    /* attempts since content came last; bounded by max_attempts */
    struct core_model *model;
    struct core_attempt *attempt; /* NULL while BACKOFF, QUEUED or SETTLING */
    struct core_turn *turn;       /* while QUEUED, unless its answer has begun */
    struct core_deadline deadline;
    struct core_hold hold;
    uint64_t account;
    uint64_t admitted_ms;
    /* The first is moved on by the time that prompts took, no further than the second, which is the end while PREFILL;
     * the third is what there is for prompts in it. */
    uint64_t whole_due_ms, whole_most_ms, prefill_most_ms;
    uint64_t queue_due_ms;       /* of QUEUED; its deadline may come earlier, to look at the devices once more */
    uint32_t ttft_ms;            /* once content has come */
    uint32_t prompt_tokens;      /* as its present device has counted them; 0: it has not */
    uint32_t prefill_lent_ms;    /* by so much failover_due_ms was moved on for a long prompt */
    bool counting;               /* while SETTLING: COUNT was told, and SETTLE not yet */
    bool accepted;               /* ACCEPTED has been told */
    bool started;                /* text has been delivered */
    bool came_back;              /* while QUEUED: from a failed attempt */
    bool looked;                 /* while QUEUED: it could not go, and the devices have not changed since */
    bool waited;                 /* its model's demand has been told (core_warm_demand) */
    struct core_outcome outcome; /* once SETTLING */
    /* Providers since content came last, one for each attempt; silent ones also from before. */
    uint64_t tried[CORE_TRIED_MAX];
    uint32_t tried_silent; /* bit i: tried[i] stayed silent, and is never asked again; the others are a last resort */
    uint32_t tried_count;
    /* While PREFILL: since when; and until when, but its deadline may come earlier, to look for a faster device. */
    uint64_t prefill_ms, first_due_ms;
    uint64_t failover_due_ms; /* no further attempt behind it while nothing has come; 0: no attempt yet */
    uint64_t continue_due_ms; /* set when a device is lost behind content: hope keeps the generation no longer */
    bool fresh;               /* counts in core->fresh: it lives, and nothing has come */
    bool retrying;            /* counts in core->retrying: on a further attempt, and nothing has come */
    struct core_part *parts;  /* devices that made tokens so far; `few`, or grown up to CORE_PARTS_MAX */
    struct core_part few[CORE_PARTS_FIRST];
    uint32_t part_count, part_capacity;
    uint32_t part_tokens;                      /* of all parts */
    uint32_t spent_tokens, part_prompt_tokens; /* of max_tokens; of the prompt as the last part's device counted it */
    uint64_t bytes;                            /* delivered by all parts */
    struct core_refusals refusals;
    /* What placement goes by (place.c). */
    struct core_demand demand;
    uint64_t only_provider;
    uint64_t only_owner; /* 0: any; else it is free, and for devices of this account alone (own.h) */
    uint64_t prefix, leaves_prefix;
    uint32_t prompt_tokens_max, prompt_tokens_likely, prompt_tokens_sure, max_tokens;
    bool max_tokens_given;
    bool steered;         /* its client chose tokens */
    bool logprobs;        /* each token comes with how likely it was */
    uint64_t patience_ms; /* since when it rather waits for a slot than for a cold device; 0: it does not */
};

struct core {
    struct core_config config;
    struct random_source random;
    uint64_t now_ms;
    bool draining;
    struct core_effect *effects;
    size_t effect_count, effect_capacity;
    struct core_handles generations, providers;
    struct core_deadlines deadlines;
    struct core_account *accounts; /* uthash, by number */
    struct core_key *keys;         /* likewise */
    struct core_model *models;     /* uthash, by id */
    struct core_model **offered;   /* those that somebody offers, dense */
    size_t offered_count, offered_capacity;
    struct core_list stages[CORE_GENERATION_STATE_COUNT]; /* generations by state, but those QUEUED */
    size_t queued;                                        /* in all models' queues */
    size_t ghosts;
    struct core_list pending;          /* models to look at before the step ends */
    struct core_list ended;            /* generations that ended in this step: the parts in its effects are theirs */
    struct core_list starved;          /* queues with generations that wait for the retry budget alone */
    size_t fresh;                      /* generations that wait or run and of which nothing has come */
    size_t retrying;                   /* of these, on a further attempt (queue.c has the budget) */
    struct core_candidate *candidates; /* of this step's placements */
    size_t candidate_count, candidate_capacity;
    struct core_miss miss; /* why the latest placement found nothing */
    uint64_t placements;   /* ever tried */
    uint64_t left_handle;  /* of the provider that left last */
    struct core_record left_record;
    struct core_affinity *affinity;     /* affinity.c */
    struct core_warm *warm;             /* warm.c */
    struct core_list wanters;           /* providers that take wants */
    double prefill_per_s, decode_per_s; /* smoothed over all devices: the guess for a model that nobody has served */
};

/* effect.c */
/* A zeroed effect at the end of the list; the pointer is good until the next one is added. */
struct core_effect *core_effect_add(struct core *core, enum core_effect_kind kind);
/* With the generation's handle, user and present provider. */
struct core_effect *core_effect_add_generation(struct core *core, enum core_effect_kind kind,
                                               const struct core_generation *generation);
void core_effect_wake(struct core *core); /* tells the shell when the earliest deadline is, if it must know */

/* handle.c */
void core_handles_init(struct core_handles *handles, size_t limit);
void core_handles_clear(struct core_handles *handles);
/* CORE_NO_HANDLE when `limit` objects are there. */
uint64_t core_handles_add(struct core_handles *handles, void *object);
void core_handles_remove(struct core_handles *handles, uint64_t handle);
/* Objects by index, for walks over all; NULL where none is. */
static inline void *core_handles_at(const struct core_handles *handles, size_t index) {
    return handles->entries[index].object;
}
/* NULL when the handle is stale or was never one. */
static inline void *core_handles_get(const struct core_handles *handles, uint64_t handle) {
    uint64_t index = (handle & CORE_HANDLE_LIMIT) - 1; /* 0 wraps and is out of range */
    if (index >= handles->used || handles->entries[index].uses != handle >> CORE_HANDLE_INDEX_BITS) {
        return NULL;
    }
    return handles->entries[index].object;
}

/* deadline.c */
void core_deadline_set(struct core *core, struct core_deadline *deadline, uint64_t due_ms);
void core_deadline_unset(struct core *core, struct core_deadline *deadline);
static inline bool core_deadline_is_set(const struct core_deadline *deadline) {
    return deadline->position != 0;
}
void core_deadlines_run(struct core *core); /* carries out what is due */
bool core_deadlines_check(const struct core *core);

/* queue.c */
void core_queue_init(struct core_queue *queue);
void core_queue_clear(struct core_queue *queue); /* of one without generations */
void core_queue_enter(struct core *core, struct core_generation *generation);
void core_queue_leave(struct core *core, struct core_generation *generation);
/* at this one, before the step ends */
void core_queue_look_again(struct core *core, struct core_generation *generation);
/* Dispatches what can go from the pending models' queues. Bounded, however many wait in vain. */
void core_queues_run(struct core *core);
void core_queue_go_on(struct core *core, struct core_queue *queue); /* its deadline has come */
/* Whether a further attempt of this generation, if it needs it, is within the retry budget. */
bool core_queue_budget_allows(const struct core *core, const struct core_generation *generation);

/* attempt.c */
void core_attempt_start(struct core *core, struct core_generation *generation, struct core_offering *offering,
                        uint32_t first_candidate, uint32_t candidate_count);
/* What its device may need to load the model first; 0 when it is not cold. */
uint64_t core_attempt_load_ms(const struct core *core, const struct core_attempt *attempt);
void core_attempt_release(struct core *core, struct core_attempt *attempt); /* its slot is free, the record gone */
/* The generation gives it up: the device is told to cancel, and the slot stays taken until it has confirmed. */
void core_attempt_abandon(struct core *core, struct core_generation *generation);
/* DONE or ERROR of an attempt that its generation has given up; anything else is ignored. */
void core_attempt_ghost_word(struct core *core, const struct core_event *event);

/* account.c */
struct core_account *core_account_find(const struct core *core, uint64_t number);
struct core_key *core_key_find(const struct core *core, uint64_t number);
void core_account_set(struct core *core, const struct core_event *event);
void core_account_credit(struct core *core, const struct core_event *event);
void core_key_set(struct core *core, const struct core_event *event);
void core_accounts_clear(struct core *core);

/* hold.c */
/* The hold that this request would need, for a prompt of so many tokens at most; false when it has no meaning: a
 * negative price, or past all bounds. */
MUST_CHECK bool core_hold_init(const struct core *core, const struct core_event *event, uint32_t prompt_tokens,
                               struct core_hold *hold);
bool core_hold_fits_account(const struct core_hold *hold);
bool core_hold_fits_key(const struct core_hold *hold);
void core_hold_open(struct core_hold *hold); /* one that fits */
/* Cuts the tokens to what the request allowed, and fills in the charge and its parts. */
void core_hold_price(const struct core_hold *hold, struct core_outcome *outcome);
/* Divides outcome->provider_nano between the parts, whose tokens add up to the outcome's. */
void core_hold_split(const struct core_hold *hold, const struct core_outcome *outcome, struct core_part *parts,
                     size_t count);
void core_hold_close(struct core_hold *hold, int64_t charge_nano); /* settles it; with 0 it is voided */

/* admit.c */
void core_admit(struct core *core, const struct core_event *event);

/* check_money.c */
const char *core_check_money(const struct core *core); /* NULL, or the broken rule's name */

/* generation_again.c: what a generation does when its device has failed it. */
enum core_generation_fault {
    CORE_GENERATION_FAULT_FAILED,  /* it may be asked again when no other device is left */
    CORE_GENERATION_FAULT_SLOW,    /* likewise; it is told to stop, and nothing but its speed is held against it */
    CORE_GENERATION_FAULT_SILENT,  /* never again for this generation */
    CORE_GENERATION_FAULT_REFUSED, /* likewise, and nothing is held against it yet */
};
/* The attempt is over, or given up, and its device at fault: a further attempt, or the continuation of what has begun,
 * or the generation's end when there can be neither. The attempt is still the generation's. */
void core_generation_again(struct core *core, struct core_generation *generation, enum core_generation_fault fault,
                           const char *why);
/* While PREFILL: after so much longer than its device should have taken, another one is looked for. */
uint64_t core_generation_hurry_ms(const struct core *core, const struct core_generation *generation);
/* It has come: true if the generation has left its device, as another one that is free should be faster. */
bool core_generation_hurries(struct core *core, struct core_generation *generation);
/* May a begun answer without a device wait on? */
bool core_generation_may_hope(const struct core *core, const struct core_generation *generation);
void core_generation_content_came(struct core_generation *generation); /* the count of attempts begins anew */
/* What its prompt, and the text to continue, may take until the first token; 0 before a device has counted it. */
uint64_t core_generation_prefill_ms(const struct core *core, const struct core_generation *generation);
/* before its next attempt */
uint64_t core_generation_backoff_ms(const struct core *core, const struct core_generation *generation);

/* generation_end.c: every way in which a generation ends. */
void core_generation_client_gone(struct core *core, struct core_generation *generation);
void core_generation_abort(struct core *core, struct core_generation *generation, enum core_failure failure);
void core_generation_committed(struct core *core, struct core_generation *generation, const struct core_event *event);
void core_generation_fail(struct core *core, struct core_generation *generation, enum core_failure failure,
                          const char *why);
/* Nobody can serve its model: FAIL says why that is (core_warm_failure). */
void core_generation_fail_unserved(struct core *core, struct core_generation *generation, const char *why);
/* The request itself is at fault. `event` is the device's word, NULL: an earlier one stands (refusal.h). */
void core_generation_reject(struct core *core, struct core_generation *generation, enum core_failure failure,
                            const struct core_event *event);
/* Its device goes on past max_tokens: what came within them is the answer. */
void core_generation_cut_off(struct core *core, struct core_generation *generation);
void core_generation_counted(struct core *core, struct core_generation *generation, uint32_t prompt_tokens);
/* There is nothing more to come. `done` is the device's last word, NULL when it has not given its counts. */
void core_generation_settle(struct core *core, struct core_generation *generation, const struct core_event *done,
                            enum core_finish finish, const char *why);
/* without a word, when the core is freed */
void core_generation_drop(struct core *core, struct core_generation *generation);
void core_generations_forget_ended(struct core *core); /* at the start of a step */

#endif
