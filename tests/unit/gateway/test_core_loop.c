/* The core on the loop: effects in order, events that wait for the end of a step, and the one timer. */
#include "gateway/core_loop.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { EFFECTS_MAX = 256 };

struct world {
    struct loop *loop;
    struct core_loop core_loop;
    enum core_effect_kind effects[EFFECTS_MAX];
    size_t count;
    uint64_t provider; /* the latest admitted */
    size_t depth;      /* of carry_out: never more than one */
    unsigned trouble;  /* as many events are told from inside the next effect */
    bool asked_later;  /* by core_loop_step_later, else by core_loop_step */
};

static struct core_event ask(void) {
    return (struct core_event){.kind = CORE_EVENT_REQUEST,
                               .request = {.model = STR("tiny"), .max_tokens = 1, .prompt_tokens_max = 1}};
}

static void carry_out(void *context, const struct core_effect *effect, const struct core_candidate *candidates) {
    struct world *world = context;
    (void)candidates;
    assert_int_equal(world->depth, 0);
    assert_in_range(world->count, 0, EFFECTS_MAX - 1);
    world->depth++;
    world->effects[world->count++] = effect->kind;
    if (effect->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
        world->provider = effect->provider;
    }
    for (; world->trouble > 0; world->trouble--) {
        const struct core_event event = ask();
        if (world->asked_later) {
            core_loop_step_later(&world->core_loop, &event);
        } else {
            core_loop_step(&world->core_loop, &event);
        }
    }
    world->depth--;
}

static void open_world(struct world *world, uint32_t queue_ms) {
    struct core_config config;
    core_config_init(&config);
    config.queue_ms = queue_ms;
    world->loop = loop_new();
    core_loop_init(&world->core_loop, world->loop, &config, carry_out, world);
}

static int setup(void **state) {
    struct world *world = MEM_NEW(struct world);
    core_loop_clear(&world->core_loop); /* one of zeros */
    open_world(world, 60 * 1000);
    *state = world;
    return 0;
}

static void close_world(struct world *world) {
    core_loop_clear(&world->core_loop);
    loop_run(world->loop);
    loop_free(world->loop);
}

static int teardown(void **state) {
    close_world(*state);
    free(*state);
    return 0;
}

static size_t count_of(const struct world *world, enum core_effect_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++) {
        count += world->effects[i] == kind;
    }
    return count;
}

/* A device with the model, which takes one request at a time. */
static void join(struct world *world) {
    const struct core_offer offer = {.model = STR("tiny"), .state = CORE_MODEL_WARM, .slots = 1};
    core_loop_step(&world->core_loop,
                   &(struct core_event){.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.trusted = true}});
    core_loop_step(&world->core_loop, &(struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                                           .provider = world->provider,
                                                           .status = {.offers = &offer, .offer_count = 1}});
}

static void test_effects_in_order(void **state) {
    struct world *world = *state;
    const struct core_event event = ask();
    core_loop_step(&world->core_loop, &event);
    assert_int_equal(world->count, 1);
    assert_int_equal(world->effects[0], CORE_EFFECT_FAIL); /* nobody has the model */
    assert_int_equal(core_loop_now_ms(&world->core_loop), loop_now_ms(world->loop));
}

/* The effects are borrowed until the next step: an event that arises among them must not begin one. */
static void test_an_event_among_effects_waits(void **state) {
    struct world *world = *state;
    const struct core_event event = ask();
    world->trouble = 1;
    core_loop_step(&world->core_loop, &event);
    assert_int_equal(world->count, 2);
    assert_int_equal(count_of(world, CORE_EFFECT_FAIL), 2);
}

/* More than the list had room for at first, and told while the list is worked off. */
static void test_many_events_wait(void **state) {
    struct world *world = *state;
    const struct core_event event = ask();
    world->trouble = 100;
    world->asked_later = true;
    core_loop_step(&world->core_loop, &event);
    assert_int_equal(world->count, 101);
    assert_int_equal(world->core_loop.later_count, 0);
    world->trouble = 100; /* the list has its room now */
    core_loop_step(&world->core_loop, &event);
    assert_int_equal(world->count, 202);
}

static void test_later_without_a_step_under_way(void **state) {
    struct world *world = *state;
    const struct core_event event = ask();
    core_loop_step_later(&world->core_loop, &event);
    assert_int_equal(world->count, 0);
    core_loop_step(&world->core_loop, &event);
    assert_int_equal(world->count, 2);
}

/* WAKE is not handed out: it arms the timer, and the core is told when it is due. */
static void test_the_timer(void **state) {
    struct world *world = *state;
    const struct core_event event = ask();
    close_world(world);
    *world = (struct world){0};
    open_world(world, 1);
    join(world);
    core_loop_step(&world->core_loop, &event);
    core_loop_step(&world->core_loop, &event); /* the one that will have waited too long */
    assert_int_equal(core_counts(world->core_loop.core).queued, 1);
    while (count_of(world, CORE_EFFECT_FAIL) == 0) {
        assert_true(uv_loop_alive(loop_uv(world->loop))); /* the timer is armed */
        uv_run(loop_uv(world->loop), UV_RUN_NOWAIT);
    }
    assert_int_equal(count_of(world, CORE_EFFECT_WAKE), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_effects_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_event_among_effects_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_events_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_without_a_step_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_timer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
