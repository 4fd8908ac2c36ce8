#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/loop.h"
#include "net/loop_state.h"

/* Writes its letter into the log when it runs, and defers what it was told to. */
struct step {
    struct loop_deferred deferred;
    struct loop *loop;
    struct buf *log;
    char letter;
    struct step *then;
};

static void step_run(struct loop_deferred *deferred) {
    struct step *step = (struct step *)deferred;
    buf_append(step->log, &step->letter, 1);
    if (step->then != NULL) {
        loop_defer(step->loop, &step->then->deferred);
        step->then = NULL;
    }
}

struct world {
    struct loop *loop;
    struct buf log;
    struct step a, b, c;
    struct loop_timer *timer;
    unsigned due;
};

static struct world world_new(void) {
    struct world world = {.loop = loop_new()};
    buf_init(&world.log, 1024);
    return world;
}

static void world_clear(struct world *world) {
    loop_free(world->loop);
    buf_clear(&world->log);
}

static void init_steps(struct world *world) {
    struct step *const steps[] = {&world->a, &world->b, &world->c};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        *steps[i] =
            (struct step){.deferred.run = step_run, .loop = world->loop, .log = &world->log, .letter = (char)('a' + i)};
    }
}

static void test_deferred_run_once_in_order(void **state) {
    (void)state;
    struct world world = world_new();
    init_steps(&world);
    loop_defer(world.loop, &world.b.deferred);
    loop_defer(world.loop, &world.a.deferred);
    loop_defer(world.loop, &world.b.deferred);
    assert_int_equal(world.log.len, 0);
    loop_run(world.loop);
    assert_string_equal(buf_cstr(&world.log), "ba");
    loop_defer(world.loop, &world.b.deferred);
    loop_run(world.loop);
    assert_string_equal(buf_cstr(&world.log), "bab");
    world_clear(&world);
}

static void test_the_last_run_after_what_others_defer(void **state) {
    (void)state;
    struct world world = world_new();
    init_steps(&world);
    loop_defer_last(world.loop, &world.c.deferred);
    loop_defer(world.loop, &world.a.deferred);
    world.a.then = &world.b;
    loop_run(world.loop);
    assert_string_equal(buf_cstr(&world.log), "abc");
    world_clear(&world);
}

static void test_a_last_one_may_defer(void **state) {
    (void)state;
    struct world world = world_new();
    init_steps(&world);
    loop_defer_last(world.loop, &world.a.deferred);
    loop_defer_last(world.loop, &world.b.deferred);
    world.a.then = &world.c;
    loop_run(world.loop);
    assert_string_equal(buf_cstr(&world.log), "acb");
    world_clear(&world);
}

static void test_much_is_run_early(void **state) {
    (void)state;
    struct world world = world_new();
    struct step steps[LOOP_RELIEVE_AT];
    for (size_t i = 0; i < LOOP_RELIEVE_AT; i++) {
        steps[i] = (struct step){.deferred.run = step_run, .loop = world.loop, .log = &world.log, .letter = '.'};
        loop_relieve(world.loop);
        assert_int_equal(world.log.len, 0);
        if (i % 2 == 0) {
            loop_defer(world.loop, &steps[i].deferred);
        } else {
            loop_defer_last(world.loop, &steps[i].deferred);
        }
    }
    loop_relieve(world.loop);
    assert_int_equal(world.log.len, LOOP_RELIEVE_AT);
    world_clear(&world);
}

static void on_due(void *context) {
    struct world *world = context;
    world->due++;
    if (world->due == 3) {
        loop_timer_free(world->timer);
        loop_timer_free(NULL);
    }
}

static void test_repeating_timer_frees_itself(void **state) {
    (void)state;
    struct world world = world_new();
    world.timer = loop_timer_new(world.loop, on_due, &world);
    loop_timer_start(world.timer, 1, 1);
    loop_run(world.loop);
    assert_int_equal(world.due, 3);
    world_clear(&world);
}

static void stop_the_loop(void *context) {
    struct world *world = context;
    loop_stop(world->loop);
    loop_defer(world->loop, &world->a.deferred);
}

static void test_stop_finishes_the_turn(void **state) {
    (void)state;
    struct world world = world_new();
    init_steps(&world);
    world.timer = loop_timer_new(world.loop, stop_the_loop, &world);
    struct loop_timer *endless = loop_timer_new(world.loop, on_due, &world);
    loop_timer_start(endless, 3600000, 0);
    loop_timer_start(world.timer, 0, 0);
    loop_run(world.loop);
    assert_string_equal(buf_cstr(&world.log), "a");
    loop_timer_stop(endless);
    loop_run(world.loop); /* nothing is active any more */
    loop_timer_free(endless);
    loop_timer_free(world.timer);
    world_clear(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deferred_run_once_in_order),
        cmocka_unit_test(test_the_last_run_after_what_others_defer),
        cmocka_unit_test(test_a_last_one_may_defer),
        cmocka_unit_test(test_much_is_run_early),
        cmocka_unit_test(test_repeating_timer_frees_itself),
        cmocka_unit_test(test_stop_finishes_the_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
