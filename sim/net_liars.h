/* Strangers and liars in the network simulator (--liars): owners, trusted devices, audits, money that ripens or waits
 * in escrow. Who lies is known here and nowhere else; the core sees what a gateway would let it see.
 *
 * net_liar.c     who lies, how, and when
 * net_audits.c   audits, as the gateway makes them
 * net_scores.c   what scores of answers say, as measured
 * net_earnings.c what devices earn: ripening, escrow, and the computing that it took
 * net_gains.c    what came of it: the figures, and what has to hold */
#ifndef NATARIS_SIM_NET_LIARS_H
#define NATARIS_SIM_NET_LIARS_H

#include "base/compiler.h"
#include "core/audit.h"
#include "core/core.h"

#include <uthash.h>

struct net_device;
struct net_generation;
struct net_task;
struct net_world;

enum net_cheat {
    NET_FAIR,
    NET_SMALLER,   /* a smaller model in the larger one's place: less to compute, faster */
    NET_RANDOM,    /* words at random, nothing to compute */
    NET_INFLATED,  /* honest text, more tokens than it has, as many as its bytes can be */
    NET_SLOW,      /* honest text at a quarter of the speed */
    NET_REFUSING,  /* calls every second request bad */
    NET_COLLUDING, /* as RANDOM; 50 devices of one person, under one account or five; they score each other well */
    NET_TENTH,     /* as SMALLER, one job in ten */
    NET_CHEATS,
};

enum {
    NET_RIPE_PARTS = 16, /* of the holding time */
    NET_PERSON_DEVICES = 50,
    NET_PERSON_ACCOUNTS = 5,
    NET_AUDIT_MODELS = 6,
    NET_KNOWN_AUDITS = 40,
    NET_TEMPERATURES = 4,   /* 0, 0.3, 0.7, 1.2 */
    NET_AUDIT_RUNS = 1024,  /* as in gateway/audit.c */
    NET_AUDIT_READY = 4096, /* as in gateway/audit_capture.c */
};

struct net_earned {
    int64_t kept_nano;                /* ripe: nobody can take it any more */
    int64_t escrow_nano;              /* waits for the operator's word, who does not give it to a liar */
    int64_t ripening[NET_RIPE_PARTS]; /* by when it was earned, a ring */
    uint64_t part;                    /* the number of the newest */
};

struct net_stranger { /* of a device: what --liars adds to it */
    enum net_cheat cheat;
    bool trusted, scorer, sleeper, letters, quarantined, escrow, found, scoring; /* letters: it spells */
    uint64_t owner;
    uint32_t person;      /* of colluding devices, from 1 */
    uint32_t twin;        /* of a liar: the honest device with the same hardware */
    uint32_t passed;      /* audits since it last failed, as far as the core knows */
    uint32_t waits;       /* of a sleeper: honest jobs after its ramp */
    uint32_t jobs, lies;  /* that it took; and of these those that it lied in, where somebody could score it */
    uint32_t unseen_lies; /* and where nobody could: no trusted device has the file */
    uint32_t audits, lied_audits;
    uint32_t found_lies, found_audits, found_jobs; /* when it failed for the first time */
    double computed_nano;                          /* what it has computed, at the price of as much honest work */
    struct core_audit sums[NET_AUDIT_MODELS];
    struct net_earned earned;
};

/* One answer that is to be scored. */
struct net_answer {
    uint32_t device, model, prompt_tokens, tokens, temperature, scorer;
    enum net_cheat how; /* FAIR: honest, whoever made it */
    bool canary, contradicts, settled;
    uint64_t ready_ms, begun_ms;
};

struct net_link { /* which device had this handle, also after it has left */
    UT_hash_handle hh;
    uint64_t handle;
    uint32_t device;
};

struct net_audits {
    uint32_t captures; /* answers on their way that are kept */
    struct net_answer ready[NET_AUDIT_READY], runs[NET_AUDIT_RUNS];
    bool running[NET_AUDIT_RUNS];
    uint32_t ready_count, run_count, trusted_count, rotate, next_canary;
    uint64_t made, of_honest, canaries, not_kept, expired, helped, framed;
    uint64_t honest_failed, failed, cleared, false_refusals;
    double work_s, canary_work_s, all_work_s; /* of a common device's time */
    double settled_audit_s, settled_work_s;   /* of honest devices that have been there for long */
    uint64_t placed[NET_AUDIT_MODELS];        /* generations by model */
    uint64_t *placed_by[NET_AUDIT_MODELS];    /* of these, by person */
    uint32_t persons;
    struct net_link *links;
};

/* net_liar.c */
/* Which device is what, by its index alone. True when its hardware is to be that of the device before it. */
bool net_stranger_make(struct net_world *world, uint32_t index);
const char *net_cheat_name(enum net_cheat cheat);
/* Whether it lies in the job that it begins now; counts it. */
bool net_stranger_lies(struct net_world *world, struct net_device *device, uint32_t model);
double net_stranger_pace(const struct net_device *device, const struct net_task *task);   /* of its speed */
double net_stranger_effort(const struct net_device *device, const struct net_task *task); /* of the honest computing */
uint32_t net_stranger_tokens(const struct net_device *device, const struct net_task *task, uint32_t tokens,
                             uint32_t chars, uint32_t left);
uint32_t net_stranger_prompt(const struct net_device *device, const struct net_task *task, uint32_t tokens);

/* net_audits.c */
void net_audits_start(struct net_world *world);
void net_audits_clear(struct net_world *world);
void net_audit_dispatched(struct net_world *world, struct net_generation *generation, struct net_device *device,
                          uint32_t attempt);
void net_audit_dropped(struct net_world *world, struct net_generation *generation);
/* Whether a trusted device could score answers of this model. */
bool net_audit_is_scored(struct net_world *world, uint32_t model);
/* The device has ended its answer, and the core knows. */
void net_audit_done(struct net_world *world, struct net_device *device, const struct net_task *task, bool whole);
void net_audit_scored(struct net_world *world, uint32_t run, uint32_t in_time);
void net_audit_canaries(struct net_world *world);
/* Of a common device: what it takes to make this answer. */
double net_work_s(uint32_t model, uint32_t prompt_tokens, uint32_t tokens);

/* net_scores.c */
struct core_audit_found net_score_draw(struct net_world *world, const struct net_answer *answer);

/* net_earnings.c */
void net_link_add(struct net_world *world, uint64_t handle, uint32_t device);
struct net_device *net_link_find(const struct net_world *world, uint64_t handle);
void net_earn(struct net_world *world, const struct core_part *parts, size_t count);
void net_earned_to_escrow(struct net_world *world, struct net_device *device);
/* Everything that is not in escrow: what ripens still is counted as got. */
int64_t net_earned_nano(const struct net_earned *earned);

/* net_gains.c */
/* Prints the figures; what does not hold is a problem. */
void net_gains_report(struct net_world *world);

#endif
