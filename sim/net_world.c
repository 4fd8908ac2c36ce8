#include "sim/network.h"

#include "base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

/* Names, file sizes and speeds stand for classes of models; the last two are the rare and the new one. */
const struct net_model_facts net_models[NET_MODELS] = {
    {"tiny", 300000000, 1.0, 0.60, 0.40, 800},     {"small", 1000000000, 0.7, 0.45, 0.25, 2000},
    {"medium", 2500000000, 0.5, 0.30, 0.20, 4500}, {"large", 5000000000, 0.3, 0.15, 0.09, 9000},
    {"rare", 1500000000, 0.6, 0.01, 0.02, 3000},   {"new", 800000000, 0.8, 0.0, 0.04, 1500},
};
const char net_regions[NET_REGIONS][CORE_REGION_SIZE] = {"us", "de", "in", "br"};

enum { CHECK_EVERY_STEPS = 200000, OVERTIME_MS = 1800000 };

uint64_t net_mix(uint64_t number) {
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

double net_random(struct net_world *world) {
    return ((double)(random_next(&world->random) >> 12) + 0.5) / 4503599627370496.0; /* 2^52 */
}

bool net_chance(struct net_world *world, double share) {
    return net_random(world) < share;
}

uint64_t net_wait_ms(struct net_world *world, double mean_ms) {
    return (uint64_t)(-log(net_random(world)) * mean_ms) + 1;
}

void net_problem(struct net_world *world, uint32_t generation, const char *problem) {
    if (world->problem == NULL) {
        world->problem = problem;
        world->problem_generation = generation;
    }
}

/* Of this machine, for the figures alone: nothing is decided by it. */
static uint64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void hash_add(struct net_world *world, uint64_t number) {
    world->hash = net_mix(world->hash ^ number) + UINT64_C(0x9e3779b97f4a7c15);
}

/* The whole effect, text included: two runs with the same hash have done the same. */
static void trace_effect(struct net_world *world, const struct core_effect *effect) {
    if (effect->kind == CORE_EFFECT_TRACE) { /* only asked for by --trace, which must not change the hash */
        (void)fprintf(world->trace, "step %" PRIu64 " %" PRIu64 " ms user %" PRIu64 " %s -> %s: %s\n", world->steps,
                      world->now_ms, effect->user, effect->trace.from, effect->trace.to, effect->trace.why);
        return;
    }
    hash_add(world, world->now_ms);
    hash_add(world, (uint64_t)effect->kind);
    hash_add(world, effect->generation);
    hash_add(world, effect->provider);
    hash_add(world, effect->user);
    uint64_t detail = 0;
    if (effect->kind == CORE_EFFECT_DELIVER) {
        for (size_t i = 0; i < effect->deliver.text.len; i++) {
            detail = detail * 31 + (uint8_t)effect->deliver.text.data[i];
        }
    } else if (effect->kind == CORE_EFFECT_DISPATCH) {
        detail = effect->dispatch.max_tokens + (uint64_t)effect->dispatch.candidate_count * UINT32_MAX;
    } else if (effect->kind == CORE_EFFECT_FAIL) {
        detail = (uint64_t)effect->fail.failure;
    } else if (effect->kind == CORE_EFFECT_WAKE) {
        detail = effect->wake_at_ms;
    } else if (effect->kind == CORE_EFFECT_SETTLE) {
        detail = (uint64_t)effect->finish.charge_nano + (uint64_t)effect->finish.part_count;
    }
    hash_add(world, detail);
    if (world->trace != NULL) {
        (void)fprintf(world->trace,
                      "step %" PRIu64 " %" PRIu64 " ms effect %d user %" PRIu64 " job %" PRIu64 " provider %" PRIu64
                      " detail %" PRIu64 "\n",
                      world->steps, world->now_ms, (int)effect->kind, effect->user, effect->generation,
                      effect->provider, detail);
    }
}

static void step_measure(struct net_world *world, const struct core_effects *effects, uint64_t elapsed_ns) {
    struct net_figures *figures = &world->figures;
    figures->core_ns += elapsed_ns;
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->items[i].kind == CORE_EFFECT_DISPATCH) {
            figures->decision_sum_ns += elapsed_ns;
            net_sample_add(&figures->decision_ns, elapsed_ns);
            return;
        }
    }
}

void net_step(struct net_world *world, struct core_event event) {
    if (world->problem != NULL) {
        return;
    }
    world->steps++;
    uint64_t began_ns = now_ns();
    struct core_effects effects = core_step(world->core, world->now_ms, &event);
    step_measure(world, &effects, now_ns() - began_ns);
    for (size_t i = 0; i < effects.count && world->problem == NULL; i++) {
        const struct core_effect *effect = &effects.items[i];
        trace_effect(world, effect);
        if (effect->kind == CORE_EFFECT_WAKE) {
            world->wake_ms = effect->wake_at_ms > world->now_ms ? effect->wake_at_ms : world->now_ms;
            net_queue_put(world, world->wake_ms - world->now_ms, (struct net_event){.kind = NET_TIMER});
        } else {
            net_client_effect(world, effect);
            net_device_effect(world, effect);
        }
    }
    const char *broken = NULL;
    if (world->steps % CHECK_EVERY_STEPS == 0 && !core_check(world->core, &broken)) {
        net_problem(world, NET_NOTHING, broken);
    }
}

static void world_happens(struct net_world *world, const struct net_event *event) {
    switch (event->kind) {
    case NET_ARRIVAL:
    case NET_GOES:
    case NET_COMMIT:
    case NET_RUSH:
    case NET_PURSE:
    case NET_COUNTED:
        net_client_happens(world, event);
        break;
    case NET_TIMER:
        if (event->at_ms == world->wake_ms) { /* else another has replaced it */
            world->wake_ms = UINT64_MAX;
            net_step(world, (struct core_event){.kind = CORE_EVENT_TIMER});
        }
        break;
    case NET_TICK:
    case NET_LIFE:
    case NET_NOTICE:
    case NET_LINK_END:
    case NET_REVIVE:
    case NET_LOADED:
    case NET_TASK:
    case NET_CANCEL:
    case NET_REFUSE:
    case NET_OUTAGE:
        net_device_happens(world, event);
        break;
    case NET_SCORED:
        net_audit_scored(world, event->number, event->serial);
        break;
    case NET_CANARIES:
        net_audit_canaries(world);
        break;
    }
}

static void world_init(struct net_world *world, const struct net_options *options, uint64_t seed) {
    *world = (struct net_world){.options = *options, .seed = seed, .wake_ms = UINT64_MAX};
    world->random.state = net_mix(seed + 1);
    world->end_ms = options->minutes * 60000;
    world->start_hour = net_random(world) * 24;
    world->generations_max = (uint32_t)options->generations;
    if (options->strangers) { /* and the made-up prompts */
        const uint64_t rounds = options->minutes * 60 / options->canary_s + 60;
        world->generations_max += (uint32_t)(rounds * (options->devices / 64 + 1));
    }
    world->generations = mem_calloc((size_t)world->generations_max + 1, sizeof(*world->generations));
    struct core_config config;
    core_config_init(&config);
    config.seed = seed;
    config.max_providers = (uint32_t)options->devices + 1;
    config.max_generations = 100000;
    config.trace = options->trace != NULL;
    world->core = core_new(&config);
    if (options->trace != NULL) {
        world->trace = fopen(options->trace, "we");
        if (world->trace == NULL) {
            net_problem(world, NET_NOTHING, "the trace cannot be written");
        }
    }
}

static void world_clear(struct net_world *world) {
    struct net_sample *samples[] = {&world->figures.added_ms, &world->figures.silent_ms, &world->figures.ttft_ms,
                                    &world->figures.queue_ms, &world->figures.placed,    &world->figures.decision_ns};
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        net_sample_clear(samples[i]);
    }
    HASH_CLEAR(hh, world->by_handle);
    if (world->options.strangers) {
        net_audits_clear(world);
    }
    core_free(world->core);
    free(world->devices);
    free(world->generations);
    free(world->queue.items);
    if (world->trace != NULL && fclose(world->trace) != 0) {
        (void)fprintf(stderr, "the trace is not complete\n");
    }
}

static void world_end(struct net_world *world) {
    const char *broken = NULL;
    if (world->problem == NULL && !core_check(world->core, &broken)) {
        net_problem(world, NET_NOTHING, broken);
    }
    for (uint32_t i = 0; i < world->generation_count && world->problem == NULL; i++) {
        if (world->generations[i].alive) {
            net_problem(world, i, "a generation has not ended");
        }
    }
    net_money_end(world);
    if (world->figures.lost_with_other > 0) {
        net_problem(world, NET_NOTHING, "a begun answer was lost, and there was another device");
    }
    world->figures.device_bytes = core_provider_bytes(world->core);
    world->figures.device_bytes_of = core_counts(world->core).providers;
}

bool net_world_run(const struct net_options *options, uint64_t seed, uint64_t *hash) {
    struct net_world *world = MEM_NEW(struct net_world);
    world_init(world, options, seed);
    uint64_t began_ns = now_ns();
    net_money_start(world);
    net_devices_make(world);
    if (options->strangers) {
        net_audits_start(world);
    }
    net_clients_start(world);
    struct net_event event;
    while (world->problem == NULL && net_queue_take(world, &event)) {
        world->now_ms = event.at_ms;
        world_happens(world, &event);
        if (world->now_ms >= world->end_ms && core_counts(world->core).generations == 0) {
            break;
        }
        if (world->now_ms > world->end_ms + OVERTIME_MS) {
            net_problem(world, NET_NOTHING, "generations do not end");
        }
    }
    world_end(world);
    world->figures.wall_ns = now_ns() - began_ns;
    net_report(world);
    if (options->strangers) {
        net_gains_report(world);
    }
    bool good = world->problem == NULL;
    if (!good) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "network seed %" PRIu64 " FAILED at step %" PRIu64 ", %" PRIu64 " ms, job %d: %s\n", seed,
                      world->steps, world->now_ms, (int)world->problem_generation, world->problem);
    }
    *hash = world->hash;
    world_clear(world);
    free(world);
    return good;
}
