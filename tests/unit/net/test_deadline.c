#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random_source.h"
#include "net/deadline.h"
#include "net/loop.h"

#include "base/compiler.h"

struct watched {
    struct deadline deadline;
    struct loop *loop;
    unsigned expired;
    uint64_t wanted_ms;
    unsigned again; /* set anew so often when it expires */
};

static void on_expired(struct deadline *deadline) {
    struct watched *watched = (struct watched *)deadline;
    watched->expired++;
    assert_true(loop_now_ms(watched->loop) >= watched->wanted_ms);
    if (watched->again > 0) {
        watched->again--;
        deadline_set(loop_deadlines(watched->loop), deadline, 0);
    }
}

static void set(struct watched *watched, uint64_t after_ms) {
    watched->wanted_ms = loop_now_ms(watched->loop) + after_ms;
    deadline_set(loop_deadlines(watched->loop), &watched->deadline, after_ms);
}

static void init(struct watched *watched, struct loop *loop) {
    *watched = (struct watched){.deadline.expired = on_expired, .loop = loop};
}

/* Set, moved both ways, cleared and removed at random: each expires exactly once after its last setting, or never. */
static void test_random_use(void **state) {
    (void)state;
    enum { COUNT = 500, STEPS = 5000 };
    static struct watched all[COUNT];
    static bool expected[COUNT];
    struct random_source random = {.state = 42};
    struct loop *loop = loop_new();
    for (size_t i = 0; i < COUNT; i++) {
        init(&all[i], loop);
    }
    for (size_t step = 0; step < STEPS; step++) {
        size_t i = (size_t)random_below(&random, COUNT);
        switch (random_below(&random, 6)) {
        case 0:
            deadline_clear(&all[i].deadline);
            expected[i] = false;
            break;
        case 1:
            deadline_remove(loop_deadlines(loop), &all[i].deadline);
            expected[i] = false;
            break;
        default:
            set(&all[i], random_below(&random, 200));
            expected[i] = true;
            break;
        }
    }
    loop_run(loop);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(all[i].expired, expected[i] ? 1 : 0);
        assert_int_equal(all[i].deadline.position, 0);
    }
    loop_free(loop);
}

static void test_set_again_while_it_expires(void **state) {
    (void)state;
    struct loop *loop = loop_new();
    struct watched watched;
    init(&watched, loop);
    watched.again = 3;
    set(&watched, 1);
    loop_run(loop);
    assert_int_equal(watched.expired, 4);
    loop_free(loop);
}

static void test_moved_earlier(void **state) {
    (void)state;
    struct loop *loop = loop_new();
    struct watched watched;
    struct watched far_away;
    init(&watched, loop);
    init(&far_away, loop);
    set(&far_away, 1000000);
    set(&watched, 1000000);
    set(&watched, 1);
    deadline_remove(loop_deadlines(loop), &far_away.deadline); /* the loop would run on for it */
    loop_run(loop);
    assert_int_equal(watched.expired, 1);
    assert_int_equal(far_away.expired, 0);
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_set_again_while_it_expires),
        cmocka_unit_test(test_moved_earlier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
