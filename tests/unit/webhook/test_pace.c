/* How much a webhook is asked. */
#include "webhook/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void one_more_with_each_that_is_taken(void **state) {
    struct webhook_pace pace;
    (void)state;
    webhook_pace_init(&pace);
    for (unsigned i = 0; i < 100; i++) {
        const unsigned expected = WEBHOOK_PACE_START + i;
        assert_int_equal(pace.limit, expected < WEBHOOK_PACE_MAX ? expected : WEBHOOK_PACE_MAX);
        webhook_pace_faster(&pace);
    }
    assert_false(webhook_pace_is_paused(&pace, 0));
}

static void half_as_many_when_it_is_slow(void **state) {
    static const unsigned LIMITS[] = {16, 8, 4, 2, 1, 1};
    struct webhook_pace pace = {.limit = WEBHOOK_PACE_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++) {
        assert_int_equal(pace.limit, LIMITS[i]);
        webhook_pace_slower(&pace, 0, 0);
    }
}

static void pauses_double_up_to_a_bound(void **state) {
    static const uint64_t PAUSES_S[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};
    struct webhook_pace pace;
    uint64_t now_ms = 5;
    (void)state;
    webhook_pace_init(&pace);
    for (size_t i = 0; i < sizeof(PAUSES_S) / sizeof(PAUSES_S[0]); i++) {
        webhook_pace_slower(&pace, now_ms, 0);
        assert_true(webhook_pace_is_paused(&pace, now_ms + PAUSES_S[i] * 1000 - 1));
        now_ms += PAUSES_S[i] * 1000;
        assert_false(webhook_pace_is_paused(&pace, now_ms));
    }
    webhook_pace_faster(&pace); /* one that is taken ends the row */
    webhook_pace_slower(&pace, now_ms, 0);
    assert_false(webhook_pace_is_paused(&pace, now_ms + 1000));
}

static void pauses_that_are_asked_for(void **state) {
    static const struct {
        int64_t asked_ms;
        uint64_t pause_ms;
    } CASES[] = {{-1, 1000}, {0, 1000}, {999, 1000}, {30000, 30000}, {INT64_MAX, 60 * 60 * 1000}};
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct webhook_pace pace;
        webhook_pace_init(&pace);
        webhook_pace_slower(&pace, 7, CASES[i].asked_ms);
        assert_true(webhook_pace_is_paused(&pace, 7 + CASES[i].pause_ms - 1));
        assert_false(webhook_pace_is_paused(&pace, 7 + CASES[i].pause_ms));
    }
}

static void a_shorter_pause_does_not_end_a_longer_one(void **state) {
    struct webhook_pace pace;
    (void)state;
    webhook_pace_init(&pace);
    webhook_pace_slower(&pace, 0, 30000);
    webhook_pace_slower(&pace, 10, 0);
    assert_true(webhook_pace_is_paused(&pace, 29999));
    webhook_pace_go_on(&pace);
    assert_false(webhook_pace_is_paused(&pace, 0));
}

static void remembered_for_as_long_as_it_was_paused(void **state) {
    struct webhook_pace pace;
    (void)state;
    webhook_pace_init(&pace);
    assert_true(webhook_pace_is_settled(&pace, 0));
    webhook_pace_slower(&pace, 0, 0);
    assert_false(webhook_pace_is_settled(&pace, 1999));
    assert_true(webhook_pace_is_settled(&pace, 2000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_more_with_each_that_is_taken),
        cmocka_unit_test(half_as_many_when_it_is_slow),
        cmocka_unit_test(pauses_double_up_to_a_bound),
        cmocka_unit_test(pauses_that_are_asked_for),
        cmocka_unit_test(a_shorter_pause_does_not_end_a_longer_one),
        cmocka_unit_test(remembered_for_as_long_as_it_was_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
