#include "sim/world.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t world_pick(struct world *world, uint32_t bound) {
    return (uint32_t)random_below(&world->random, bound);
}

void world_problem(struct world *world, const char *problem) {
    if (world->problem == NULL) {
        world->problem = problem;
    }
}

void world_step(struct world *world, struct core_event event) {
    if (world->problem != NULL) {
        return;
    }
    if (world->trace) {
        trace_event(world, &event);
    }
    world->event = &event;
    model_event(world);
    struct core_effects effects = core_step(world->core, world->now_ms, &event);
    for (size_t i = 0; i < effects.count && world->problem == NULL; i++) {
        const struct core_effect *effect = &effects.items[i];
        if (world->trace) {
            trace_effect(effect);
        }
        if (effect->kind == CORE_EFFECT_WAKE) {
            world->wake_at_ms = effect->wake_at_ms;
        }
        model_effect(world, effect);
        actors_take(world, effect);
    }
    world->event = NULL;
    const char *broken = NULL;
    if (!core_check(world->core, &broken)) {
        world_problem(world, broken);
    }
    model_check(world);
}

static void world_init(struct world *world, uint64_t seed, unsigned steps, bool trace) {
    *world = (struct world){.seed = seed, .steps = steps, .trace = trace, .wake_at_ms = UINT64_MAX};
    world->random.state = seed;
    /* At most one request in a step. */
    world->generations = mem_calloc(steps + 1, sizeof(*world->generations));
    world->unsettled = mem_calloc(steps + 1, sizeof(*world->unsettled));
    world->uncounted = mem_calloc(steps + 1, sizeof(*world->uncounted));
    for (size_t i = 1; i <= SIM_ACCOUNTS; i++) {
        world->accounts[i].admitted_ms = mem_calloc(steps + 1, sizeof(uint64_t));
    }
    core_config_init(&world->config);
    world->config.seed = seed;
    world->config.trace = trace;
    world->config.max_generations = 2 + world_pick(world, 40);
    world->config.max_queue = world_pick(world, 20);
    world->config.max_attempts = 1 + world_pick(world, 3);
    world->config.queue_ms = 1 + world_pick(world, 5000);
    world->config.accept_ms = 1 + world_pick(world, 2000);
    world->config.first_token_ms = 1 + world_pick(world, 3000);
    world->config.silence_ms = 1 + world_pick(world, 3000);
    world->config.whole_ms = 1 + world_pick(world, 20000);
    world->config.cancel_ms = 1 + world_pick(world, 3000);
    world->config.cooldown_ms = world_pick(world, 2000);
    world->hold_ms = world_pick(world, 4) == 0 ? 0 : world_pick(world, 30000);
    world->core = core_new(&world->config);
}

static void world_clear(struct world *world) {
    core_free(world->core);
    ledger_clear(&world->ledger);
    for (size_t i = 1; i <= SIM_ACCOUNTS; i++) {
        free(world->accounts[i].admitted_ms);
    }
    free(world->generations);
    free(world->unsettled);
    free(world->uncounted);
    free(world->earned);
}

bool world_run(uint64_t seed, unsigned steps, bool trace) {
    struct world world;
    world_init(&world, seed, steps, trace);
    actors_start(&world);
    for (world.step = 1; world.step <= steps && world.problem == NULL; world.step++) {
        actors_act(&world);
    }
    actors_finish(&world);
    bool good = world.problem == NULL;
    if (!good) {
        printf("seed %" PRIu64 " FAILED at step %u of %u: %s\n", seed, world.step, steps, world.problem);
        printf("  again, with a trace: nataris-sim --seed %" PRIu64 " --steps %u\n", seed, steps);
    }
    world_clear(&world);
    return good;
}
