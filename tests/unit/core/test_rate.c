#include "unit/core/core_fixture.h"

static void a_limit_of_so_many_at_once(void **state UNUSED) {
    struct core_rate rate = {0};
    core_rate_set_limit(&rate, 10, 500);
    for (uint32_t left = 10; left > 0; left--) {
        assert_int_equal(core_rate_remaining(&rate, 500), left);
        assert_int_equal(core_rate_wait_ms(&rate, 500), 0);
        core_rate_take(&rate, 500);
    }
    assert_int_equal(core_rate_remaining(&rate, 500), 0);
    assert_int_equal(core_rate_wait_ms(&rate, 500), 6000);
    assert_int_equal(core_rate_reset_ms(&rate, 500), 60000);
    assert_int_equal(core_rate_reset_ms(&rate, 60499), 1);
    assert_int_equal(core_rate_remaining(&rate, 60500), 10);
    assert_int_equal(core_rate_reset_ms(&rate, 60500), 0);
}

/* For limits that do and do not divide a minute: a request comes at the very millisecond that was advised, never
 * before, and over a long time exactly `limit` a minute come through. */
static void the_advice_is_exact(void **state UNUSED) {
    static const uint32_t limits[] = {1, 7, 10, 59, 60, 61, 300, 59999, 60000, 60001, 1000000, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct core_rate rate = {0};
        uint64_t now_ms = 0, taken = 0;
        core_rate_set_limit(&rate, limits[i], now_ms);
        rate.used = limits[i] * CORE_RATE_REQUEST; /* all taken at once */
        for (int round = 0; round < 1000; round++) {
            uint64_t wait_ms = core_rate_wait_ms(&rate, now_ms);
            assert_true(wait_ms > 0 || round > 0);
            if (wait_ms > 1) {
                assert_int_equal(core_rate_wait_ms(&rate, now_ms + 1), wait_ms - 1);
                assert_int_equal(core_rate_wait_ms(&rate, now_ms + wait_ms - 1), 1);
            }
            now_ms += wait_ms;
            assert_int_equal(core_rate_wait_ms(&rate, now_ms), 0);
            assert_true(core_rate_remaining(&rate, now_ms) > 0);
            core_rate_take(&rate, now_ms);
            taken++;
            assert_true(taken <= now_ms * limits[i] / 60000);
        }
        if (limits[i] <= 60000) { /* else the clock's millisecond is the coarser */
            assert_int_equal(taken, now_ms * limits[i] / 60000);
        }
    }
}

static void no_limit_never_waits(void **state UNUSED) {
    struct core_rate rate = {0};
    for (int i = 0; i < 100; i++) {
        core_rate_take(&rate, 0);
    }
    assert_int_equal(core_rate_wait_ms(&rate, 0), 0);
    assert_int_equal(core_rate_remaining(&rate, 0), 0);
    assert_int_equal(core_rate_reset_ms(&rate, 0), 0);
    core_rate_set_limit(&rate, 2, 0);
    assert_int_equal(core_rate_remaining(&rate, 0), 2); /* what was free is not held against it */
}

static void a_change_of_limit_keeps_what_is_used(void **state UNUSED) {
    struct core_rate rate = {0};
    core_rate_set_limit(&rate, 10, 0);
    for (int i = 0; i < 10; i++) {
        core_rate_take(&rate, 0);
    }
    core_rate_set_limit(&rate, 60, 0);
    assert_int_equal(core_rate_remaining(&rate, 0), 50);
    core_rate_set_limit(&rate, 2, 0); /* back to less than is used */
    assert_int_equal(core_rate_wait_ms(&rate, 0), 30000);
    core_rate_set_limit(&rate, 0, 0);
    core_rate_set_limit(&rate, 2, 0);
    assert_int_equal(core_rate_remaining(&rate, 0), 2);
}

static void the_largest_numbers_do_no_harm(void **state UNUSED) {
    struct core_rate rate = {0};
    core_rate_set_limit(&rate, UINT32_MAX, 0);
    core_rate_take(&rate, 0);
    assert_int_equal(core_rate_remaining(&rate, 0), UINT32_MAX - 1);
    assert_int_equal(core_rate_remaining(&rate, UINT64_MAX), UINT32_MAX);
    core_rate_take(&rate, UINT64_MAX);
    assert_int_equal(core_rate_remaining(&rate, 0), UINT32_MAX - 1); /* a clock behind changes nothing */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_of_so_many_at_once),     cmocka_unit_test(the_advice_is_exact),
        cmocka_unit_test(no_limit_never_waits),           cmocka_unit_test(a_change_of_limit_keeps_what_is_used),
        cmocka_unit_test(the_largest_numbers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
