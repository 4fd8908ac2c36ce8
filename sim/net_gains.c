/* What came of the liars: how soon they were found, what they had seen until then, and whether it paid. What has to
 * hold is checked where a run is long enough to say something. */
#include "sim/network.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum {
    LINE_MAX_BYTES = 16384,
    SAMPLE_LEAST = 40, /* devices; of fewer nothing is said */
    FOUND_PERCENT = 95,
    WHOLESALE_JOBS = 63, /* at 5%; 155 at 2.5% */
    WHOLESALE_JOBS_CHEAP = 155,
    TENTH_AUDITS = 100,
    HONEST_AUDITS = 100000, /* in which one honest device at most fails */
    AUDIT_PERMILLE = 50,
    AUDIT_PERMILLE_CHEAP = 25,
};
/* What computing costs an honest device, of what it earns by it: a token computed costs 0.4 of what a token earns. A
 * liar that saves all of it gains 1 / (1 - 0.4) times as much with the same jobs. */
#define COMPUTE_COST 0.4

struct exposure { /* jobs, or audits, until one was found, or until the run was over */
    uint32_t until;
    bool found;
};

struct exposures {
    struct exposure *items;
    size_t count, found;
};

static void exposure_add(struct exposures *exposures, uint32_t until, bool found) {
    if (until > 0) {
        exposures->items[exposures->count++] = (struct exposure){.until = until, .found = found};
        exposures->found += found;
    }
}

static int compare(const void *a, const void *b) {
    const struct exposure *x = a, *y = b;
    return x->until != y->until ? (x->until > y->until) - (x->until < y->until) : y->found - x->found;
}

static double hidden_after(double hidden, const struct exposures *exposures, size_t index) {
    return exposures->items[index].found ? hidden * (1 - 1.0 / (double)(exposures->count - index)) : hidden;
}

/* So many until `percent` are found, by Kaplan and Meier: those that had less to show than that do not count as not
 * found. 0: not so many were. */
static uint32_t found_within(const struct exposures *exposures, unsigned percent) {
    double hidden = 1;
    qsort(exposures->items, exposures->count, sizeof(*exposures->items), compare);
    for (size_t i = 0; i < exposures->count; i++) {
        hidden = hidden_after(hidden, exposures, i);
        if (exposures->items[i].found && hidden * 100 <= 100 - percent + 1e-9) {
            return exposures->items[i].until;
        }
    }
    return 0;
}

/* Whether surely less than 95% are found within so many: by more than two standard errors, as a small run has few to
 * tell by. */
static bool found_too_late(const struct exposures *exposures, uint32_t within) {
    const double may_hide = (100 - FOUND_PERCENT) / 100.0;
    double hidden = 1;
    size_t i = 0;
    qsort(exposures->items, exposures->count, sizeof(*exposures->items), compare);
    for (; i < exposures->count && exposures->items[i].until <= within; i++) {
        hidden = hidden_after(hidden, exposures, i);
    }
    const size_t told = exposures->found + exposures->count - i;
    return told >= SAMPLE_LEAST && hidden > may_hide + 2 * sqrt(may_hide * (1 - may_hide) / (double)told);
}

struct gain {
    uint32_t devices, found;
    double nano, twin_nano;    /* what is left when computing is paid */
    double more, more_squared; /* than its twin, of each liar */
    double earned_nano, escrow_nano;
    uint64_t jobs_until_found, jobs_most; /* and prompts seen with them */
};

struct gains {
    struct gain kinds[NET_CHEATS];
    double worst_person; /* the best that one person with many devices has made of them, against their twins */
    bool a_person_gains; /* surely more than as many honest devices */
    struct exposures ramp, settled, tenth;
};

static double net_of_cost(const struct net_stranger *stranger) {
    return (double)net_earned_nano(&stranger->earned) -
           COMPUTE_COST * CORE_PROVIDER_SHARE_PERCENT / 100 * stranger->computed_nano;
}

static double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0;
}

static double gain_of(const struct gain *gain) {
    return ratio(gain->nano, gain->twin_nano);
}

/* Whether a kind of liar surely gains more than its twins: by more than three standard errors, for there are seven
 * kinds, and what few devices earn is far from normal. */
static bool gains_surely(const struct gain *gain) {
    const double devices = gain->devices;
    const double variance = (gain->more_squared - gain->more * gain->more / devices) / (devices - 1);
    return gain->devices >= SAMPLE_LEAST && gain_of(gain) >= 1 && gain->more > 3 * sqrt(variance * devices);
}

/* What a liar has made of it, and what its twin has. */
static void gain_add(struct gain *gain, const struct net_world *world, const struct net_stranger *stranger) {
    const double nano = net_of_cost(stranger), twin_nano = net_of_cost(&world->devices[stranger->twin].stranger);
    gain->devices++;
    gain->nano += nano;
    gain->twin_nano += twin_nano;
    gain->more += nano - twin_nano;
    gain->more_squared += (nano - twin_nano) * (nano - twin_nano);
}

static bool is_wholesale(enum net_cheat cheat) {
    return cheat == NET_SMALLER || cheat == NET_RANDOM || cheat == NET_INFLATED || cheat == NET_COLLUDING;
}

static void count_liar(const struct net_world *world, struct gains *gains, const struct net_stranger *stranger) {
    struct gain *gain = &gains->kinds[stranger->cheat];
    const uint32_t jobs = stranger->found ? stranger->found_jobs : stranger->jobs;
    gain->found += stranger->found;
    gain_add(gain, world, stranger);
    gain->earned_nano += (double)net_earned_nano(&stranger->earned);
    gain->escrow_nano += (double)stranger->earned.escrow_nano;
    gain->jobs_until_found += jobs;
    gain->jobs_most = jobs > gain->jobs_most ? jobs : gain->jobs_most;
    if (is_wholesale(stranger->cheat)) {
        exposure_add(stranger->sleeper ? &gains->settled : &gains->ramp,
                     stranger->found ? stranger->found_lies : stranger->lies, stranger->found);
    } else if (stranger->cheat == NET_TENTH) {
        exposure_add(&gains->tenth, stranger->found ? stranger->found_audits : stranger->audits, stranger->found);
    }
}

static void count_persons(const struct net_world *world, struct gains *gains) {
    const uint32_t persons = world->audits.persons;
    struct gain *all = mem_calloc((size_t)persons + 1, sizeof(*all));
    for (uint32_t i = 0; i < world->device_count; i++) {
        const struct net_stranger *stranger = &world->devices[i].stranger;
        if (stranger->person > 0) {
            gain_add(&all[stranger->person], world, stranger);
        }
    }
    for (uint32_t i = 1; i <= persons; i++) {
        const double gain = gain_of(&all[i]);
        gains->worst_person = gain > gains->worst_person ? gain : gains->worst_person;
        gains->a_person_gains = gains->a_person_gains || gains_surely(&all[i]);
    }
    free(all);
}

static void gains_count(const struct net_world *world, struct gains *gains) {
    struct exposures *all[] = {&gains->ramp, &gains->settled, &gains->tenth};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        all[i]->items = mem_calloc((size_t)world->device_count + 1, sizeof(struct exposure));
    }
    for (uint32_t i = 0; i < world->device_count; i++) {
        const struct net_stranger *stranger = &world->devices[i].stranger;
        if (stranger->cheat != NET_FAIR) {
            count_liar(world, gains, stranger);
        }
    }
    count_persons(world, gains);
}

/* The largest share of a model's generations that devices of one person had. */
static double person_share(const struct net_world *world) {
    const struct net_audits *audits = &world->audits;
    double largest = 0;
    for (uint32_t model = 0; model < NET_MODELS; model++) {
        for (uint32_t i = 1; i <= audits->persons && audits->placed[model] > 0; i++) {
            const double share = (double)audits->placed_by[model][i] / (double)audits->placed[model];
            largest = share > largest ? share : largest;
        }
    }
    return largest;
}

static void check_found(struct net_world *world, const struct gains *gains) {
    const uint64_t permille = world->options.audit_permille;
    const uint32_t jobs = permille >= AUDIT_PERMILLE ? WHOLESALE_JOBS : WHOLESALE_JOBS_CHEAP;
    if (permille < AUDIT_PERMILLE_CHEAP) {
        return;
    }
    if (found_too_late(&gains->ramp, jobs) || found_too_late(&gains->settled, jobs)) {
        net_problem(world, NET_NOTHING, "wholesale cheats are found too late");
    }
    if (found_too_late(&gains->tenth, TENTH_AUDITS)) {
        net_problem(world, NET_NOTHING, "cheats on one job in ten are found too late");
    }
}

static void check_gains(struct net_world *world, const struct gains *gains) {
    const bool audited = world->options.audit_permille >= AUDIT_PERMILLE_CHEAP;
    const struct net_audits *audits = &world->audits;
    for (int i = NET_FAIR + 1; i < NET_CHEATS; i++) {
        const struct gain *gain = &gains->kinds[i];
        const bool saves = is_wholesale((enum net_cheat)i);
        if (gain->devices < SAMPLE_LEAST) {
            continue;
        }
        if (audited && gains_surely(gain)) {
            net_problem(world, NET_NOTHING, "a kind of liar gains more than honest devices");
        } else if (world->options.audit_permille == 0 && saves && gain_of(gain) <= 1) {
            net_problem(world, NET_NOTHING, "liars do not win without audits: then what do audits show?");
        }
    }
    if (audited && gains->a_person_gains) {
        net_problem(world, NET_NOTHING, "a person with many devices gains more than as many honest ones");
    }
    if (audits->honest_failed > 1 + audits->of_honest / HONEST_AUDITS) {
        net_problem(world, NET_NOTHING, "more than one honest device in 100,000 audits has failed");
    }
}

/* --- The report --- */

struct figure {
    const char *name, *says;
    double value;
};

static size_t figures_of(struct net_world *world, struct gains *gains, struct figure *out) {
    const struct net_audits *audits = &world->audits;
    const struct figure all[] = {
        {"audit_percent", "of known devices' jobs are audited, percent", (double)world->options.audit_permille / 10},
        {"audits", "audits", (double)audits->made},
        {"audits_honest", "  of honest devices", (double)audits->of_honest},
        {"honest_failed", "  honest devices that failed", (double)audits->honest_failed},
        {"failed", "  devices that failed, all times counted", (double)audits->failed},
        {"cleared", "  cleared by audits that they passed", (double)audits->cleared},
        {"canaries", "  made-up prompts", (double)audits->canaries},
        {"audits_not_kept", "  answers not kept: too many were on their way", (double)audits->not_kept},
        {"audits_expired", "  given up: too old, or too many waited", (double)audits->expired},
        {"ramp_found_p95", "wholesale, in the ramp: lied jobs until 95% are found", found_within(&gains->ramp, 95)},
        {"ramp_found_p50", "  until 50% are", found_within(&gains->ramp, 50)},
        {"settled_found_p95", "wholesale, after the ramp: until 95% are", found_within(&gains->settled, 95)},
        {"settled_found_p50", "  until 50% are", found_within(&gains->settled, 50)},
        {"tenth_found_p95", "one job in ten: audits until 95% are found", found_within(&gains->tenth, 95)},
        {"tenth_found_p50", "  until 50% are", found_within(&gains->tenth, 50)},
        {"false_refusals", "good requests refused to their clients", (double)audits->false_refusals},
        {"helped", "scores of a fellow's answer by a colluding device", (double)audits->helped},
        {"framed", "audits in which two of them blamed another", (double)audits->framed},
        {"person_share", "largest share of a model for one person's devices", person_share(world)},
        {"person_gain", "largest gain of one person with 50 devices", gains->worst_person},
        {"audit_cost", "audits' share of all computing",
         ratio(audits->work_s + audits->canary_work_s, audits->all_work_s)},
        {"audit_cost_settled", "  of known honest devices alone",
         ratio(audits->settled_audit_s, audits->settled_work_s)},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        out[i] = all[i];
    }
    return COUNT_OF(all);
}

static void report_text(const struct gains *gains, const struct figure *figures, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const bool whole = figures[i].value == (double)(uint64_t)figures[i].value;
        printf("  %-52s %14.*f\n", figures[i].says, whole ? 0 : 3, figures[i].value);
    }
    printf("  %-12s %8s %8s %12s %12s %12s %10s\n", "liars", "devices", "found", "jobs before", "most", "in escrow",
           "gain");
    for (int i = NET_FAIR + 1; i < NET_CHEATS; i++) {
        const struct gain *gain = &gains->kinds[i];
        printf("  %-12s %8u %8u %12.1f %12.0f %11.1f%% %10.3f\n", net_cheat_name((enum net_cheat)i), gain->devices,
               gain->found, ratio((double)gain->jobs_until_found, gain->devices), (double)gain->jobs_most,
               100 * ratio(gain->escrow_nano, gain->escrow_nano + gain->earned_nano), gain_of(gain));
    }
}

static void report_json(const struct gains *gains, const struct figure *figures, size_t count) {
    struct buf out;
    struct json_writer json;
    buf_init(&out, LINE_MAX_BYTES);
    json_writer_init(&json, &out);
    json_begin_object(&json);
    for (size_t i = 0; i < count; i++) {
        json_member_double(&json, figures[i].name, figures[i].value);
    }
    for (int i = NET_FAIR + 1; i < NET_CHEATS; i++) {
        const struct gain *gain = &gains->kinds[i];
        json_write_key(&json, net_cheat_name((enum net_cheat)i));
        json_begin_object(&json);
        json_member_double(&json, "devices", gain->devices);
        json_member_double(&json, "found", gain->found);
        json_member_double(&json, "jobs_before", ratio((double)gain->jobs_until_found, gain->devices));
        json_member_double(&json, "jobs_most", (double)gain->jobs_most);
        json_member_double(&json, "escrow_share", ratio(gain->escrow_nano, gain->escrow_nano + gain->earned_nano));
        json_member_double(&json, "gain", gain_of(gain));
        json_end_object(&json);
    }
    json_end_object(&json);
    printf("%.*s\n", STR_ARG(buf_str(&out)));
    buf_clear(&out);
}

void net_gains_report(struct net_world *world) {
    struct gains gains = {.worst_person = 0};
    struct figure figures[32];
    gains_count(world, &gains);
    const size_t count = figures_of(world, &gains, figures);
    if (world->options.json) {
        report_json(&gains, figures, count);
    } else {
        report_text(&gains, figures, count);
    }
    check_found(world, &gains);
    check_gains(world, &gains);
    free(gains.ramp.items);
    free(gains.settled.items);
    free(gains.tenth.items);
}
