/* Whose names hang keeps nobody else waiting. */
#include "net/lookup_queue.h"

#include "support/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/net_harness.h"

struct world {
    struct net_harness net;
    struct lookup_queue *queue;
    unsigned found, lost;
};

static int setup_with(void **state, unsigned slow_ms) {
    struct world *world = calloc(1, sizeof(*world));
    net_harness_init(&world->net);
    names_clear();
    names_add("good.test", "192.0.43.8");
    world->queue = lookup_queue_new(world->net.loop, slow_ms);
    *state = world;
    return 0;
}

static int setup(void **state) {
    return setup_with(state, NET_HANG_MS);
}

/* Every look-up is a slow one. */
static int setup_slow(void **state) {
    return setup_with(state, 0);
}

static int teardown(void **state) {
    struct world *world = *state;
    names_let_go();
    lookup_queue_free(world->queue);
    net_harness_clear(&world->net);
    free(world);
    return 0;
}

static void on_result(void *context, const char *addresses, const struct err *err) {
    struct world *world = context;
    assert_true((addresses == NULL) == (err != NULL));
    world->found += addresses != NULL ? 1 : 0;
    world->lost += addresses == NULL ? 1 : 0;
}

static struct lookup_turn *ask(struct world *world, uint64_t owner, const char *host) {
    return lookup_queue_ask(world->queue, owner, host, NULL, on_result, world);
}

static void test_one_owner_holds_two_threads(void **state) {
    struct world *world = *state;
    struct lookup_turn *turns[100];
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        turns[i] = ask(world, 1, "hang.test");
    }
    for (unsigned i = 0; i < 20; i++) {
        (void)ask(world, 2 + i, "good.test");
    }
    NET_UNTIL(&world->net, world->found == 20 && names_hanging() >= LOOKUPS_OF_OWNER);
    assert_int_equal(names_hanging(), LOOKUPS_OF_OWNER);
    assert_int_equal(world->lost, 0);
    for (size_t i = 0; i < COUNT_OF(turns); i++) { /* those under way, and those that wait */
        lookup_turn_cancel(turns[i]);
    }
    names_let_go();
    (void)ask(world, 1, "good.test"); /* it may again */
    NET_UNTIL(&world->net, world->found == 21);
    assert_int_equal(world->lost, 0);
}

/* However many owners have such names: those who are known for it do not get the other half. */
static void test_slow_owners_share_half(void **state) {
    struct world *world = *state;
    for (unsigned owner = 1; owner <= 30; owner++) {
        (void)ask(world, owner, "good.test");
    }
    NET_UNTIL(&world->net, world->found == 30); /* all of them are known as slow now */
    for (unsigned owner = 1; owner <= 30; owner++) {
        (void)ask(world, owner, "hang.test");
        (void)ask(world, owner, "hang.test");
    }
    (void)ask(world, 99, "good.test");
    NET_UNTIL(&world->net, world->found == 31 && names_hanging() >= LOOKUPS_SLOW); /* each on its thread by now */
    (void)ask(world, 98, "good.test");
    NET_UNTIL(&world->net, world->found == 32);
    assert_int_equal(names_hanging(), LOOKUPS_SLOW);
    names_let_go();
    NET_UNTIL(&world->net, world->lost == 60);
}

static void test_owners_take_turns(void **state) {
    struct world *world = *state;
    for (unsigned i = 0; i < 50; i++) {
        for (unsigned owner = 1; owner <= 3; owner++) {
            (void)ask(world, owner, i % 2 ? "good.test" : "nowhere.test");
        }
    }
    NET_UNTIL(&world->net, world->found + world->lost == 150);
    assert_int_equal(world->found, 75);
}

/* What is under way goes on behind the queue's back. */
static void test_a_queue_may_be_left(void **state) {
    struct world *world = *state;
    struct lookup_turn *turn = ask(world, 1, "hang.test");
    NET_UNTIL(&world->net, names_hanging() == 1);
    lookup_turn_cancel(turn);
    lookup_queue_free(world->queue);
    world->queue = NULL;
    names_let_go();
    lookup_queue_free(NULL);
}

int main(void) {
    lookup_queue_prepare();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_owner_holds_two_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_owners_share_half, setup_slow, teardown),
        cmocka_unit_test_setup_teardown(test_owners_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_queue_may_be_left, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
