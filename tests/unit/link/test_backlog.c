/* Peers that take what they are sent, slowly or not at all. */
#include "link/backlog.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PATIENCE_MS = 15000, LOOK_MS = 1000, MIB = 1024 * 1024 };

/* After how many looks, a second apart, one that takes so much in each is stuck; 0: never in a quarter of an hour. */
static unsigned stuck_after(size_t takes, size_t unsent, bool crowded) {
    struct link_backlog backlog = {.queued = unsent};
    for (unsigned look = 1; look <= 900; look++) {
        if (link_backlog_is_stuck(&backlog, unsent, PATIENCE_MS, crowded, (uint64_t)look * LOOK_MS)) {
            return look;
        }
        unsent -= takes < unsent ? takes : unsent;
    }
    return 0;
}

static void test_who_takes_nothing_is_stuck(void **state) {
    (void)state;
    assert_int_equal(stuck_after(0, 4 * MIB, false), 16);
    assert_int_equal(stuck_after(0, 1, false), 16);
    assert_int_equal(stuck_after(1, 4 * MIB, false), 16); /* byte by byte is nothing */
    assert_int_equal(stuck_after(LIMIT_LINK_TAKEN_BYTES / 16, 4 * MIB, false), 16);
    assert_int_equal(stuck_after(LIMIT_LINK_TAKEN_BYTES / 15 + 1, 64 * MIB, false), 0);
    assert_int_equal(stuck_after(0, 0, false), 0);
}

static void test_with_little_memory_there_is_no_patience(void **state) {
    (void)state;
    assert_int_equal(stuck_after(0, 4 * MIB, true), 3);
    assert_int_equal(stuck_after(0, 100, true), 16); /* it would give nothing */
    assert_int_equal(stuck_after(LIMIT_LINK_TAKEN_BYTES, 4 * MIB, true), 0);
}

/* What was sent in the meantime is not what was taken. */
static void test_more_to_take_is_no_progress(void **state) {
    (void)state;
    struct link_backlog backlog = {.queued = MIB};
    bool stuck = false;
    for (uint64_t look = 1; look < 16; look++) {
        stuck |= link_backlog_is_stuck(&backlog, backlog.queued, PATIENCE_MS, false, look * LOOK_MS);
        backlog.queued += MIB;
    }
    assert_false(stuck);
    assert_true(link_backlog_is_stuck(&backlog, backlog.queued, PATIENCE_MS, false, 16 * LOOK_MS));
    assert_false(link_backlog_is_stuck(&backlog, 0, PATIENCE_MS, false, 17 * LOOK_MS));
    assert_false(link_backlog_is_stuck(&backlog, MIB, PATIENCE_MS, false, 99 * LOOK_MS)); /* a new one */
}

/* A loop that stood still has looked at nobody. */
static void test_a_gateway_that_was_stopped_blames_nobody(void **state) {
    (void)state;
    struct link_backlog backlog = {.queued = MIB};
    assert_false(link_backlog_is_stuck(&backlog, MIB, PATIENCE_MS, false, LOOK_MS));
    assert_false(link_backlog_is_stuck(&backlog, MIB, PATIENCE_MS, false, 1000 * LOOK_MS));
    assert_false(link_backlog_is_stuck(&backlog, 0, PATIENCE_MS, false, 1001 * LOOK_MS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_takes_nothing_is_stuck),
        cmocka_unit_test(test_with_little_memory_there_is_no_patience),
        cmocka_unit_test(test_more_to_take_is_no_progress),
        cmocka_unit_test(test_a_gateway_that_was_stopped_blames_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
