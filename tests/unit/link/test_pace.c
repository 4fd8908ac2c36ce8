#include "link/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Sends for ten seconds as fast as it is let; returns how many messages were heard. */
static unsigned flood(const struct link_pace_limits *limits, enum link_kind kind, size_t bytes) {
    struct link_pace pace = {0};
    unsigned heard = 0;
    for (uint64_t now_ms = 1000; now_ms < 11000;) {
        const uint64_t pause_ms = link_pace_heard(&pace, limits, kind, bytes, now_ms);
        heard++;
        now_ms += pause_ms;
    }
    return heard;
}

/* Ten seconds and a burst of two. */
static void test_a_flood_is_read_at_its_rate(void **state) {
    (void)state;
    struct link_pace_limits limits;
    link_pace_limits_init(&limits, 100, 10000);
    assert_in_range(flood(&limits, LINK_DELTA, 1), 1190, 1210);
    assert_in_range(flood(&limits, LINK_DELTA, 1000), 118, 122);
    assert_in_range(flood(&limits, LINK_STATUS, 1), 17, 21);
}

static void test_an_honest_device_is_never_paused(void **state) {
    (void)state;
    struct link_pace_limits limits;
    struct link_pace pace = {0};
    link_pace_limits_init(&limits, 1000, 100 * 1000);
    for (uint64_t now_ms = 1000; now_ms < 60 * 1000; now_ms++) {
        assert_int_equal(link_pace_heard(&pace, &limits, LINK_DELTA, 60, now_ms), 0);
    }
}

static void test_without_limits_nothing_is_paused(void **state) {
    (void)state;
    struct link_pace_limits limits;
    struct link_pace pace = {0};
    link_pace_limits_init(&limits, 0, 0);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(link_pace_heard(&pace, &limits, LINK_STATUS, 100000, 1000), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_flood_is_read_at_its_rate),
        cmocka_unit_test(test_an_honest_device_is_never_paused),
        cmocka_unit_test(test_without_limits_nothing_is_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
