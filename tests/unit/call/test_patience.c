/* Patience: what is waited out, for how long, and when it is tried again. */
#include "call/patience.h"

#include "support/call_fixture.h"

enum { NOW_MS = 1000 * 1000, DAY_MS = 24 * 60 * 60 * 1000 };

static const struct patience_terms TERMS = {.tries_max = 4, .refusals_ms = DAY_MS};

static struct fault fault_of(enum fault_code code, uint64_t retry_after_ms) {
    return (struct fault){.code = code, .retry_after_ms = retry_after_ms};
}

static void test_what_time_does_not_heal(void **state) {
    (void)state;
    for (int code = 0; code < FAULT_CODES; code++) {
        struct patience patience = {0};
        const struct fault fault = fault_of((enum fault_code)code, 0);
        const enum patience_verdict verdict = patience_after(&patience, &TERMS, &fault, NOW_MS);
        const bool heals = code == FAULT_RATE_LIMIT_EXCEEDED || code == FAULT_MODEL_WARMING ||
                           code == FAULT_MODEL_UNAVAILABLE || code == FAULT_NO_MATCHING_PROVIDER ||
                           code == FAULT_REQUEST_TIMEOUT || code == FAULT_UNAVAILABLE;
        assert_int_equal(verdict != PATIENCE_OVER, heals);
        assert_int_equal(verdict == PATIENCE_LIMITED, code == FAULT_RATE_LIMIT_EXCEEDED);
    }
}

/* As long as is said, within bounds. */
static void test_the_wait_after_a_limit(void **state) {
    static const struct {
        uint64_t said_ms, waits_ms;
    } cases[] = {{0, 250}, {100, 250}, {250, 250}, {7000, 7000}, {60 * 1000, 60 * 1000}, {10 * DAY_MS, 60 * 1000}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct patience patience = {0};
        const struct fault fault = fault_of(FAULT_RATE_LIMIT_EXCEEDED, cases[i].said_ms);
        assert_int_equal(patience_after(&patience, &TERMS, &fault, NOW_MS), PATIENCE_LIMITED);
        assert_int_equal(patience.not_before_ms, NOW_MS + cases[i].waits_ms);
        assert_int_equal(patience.tries, 0); /* nothing has failed */
    }
}

/* Each failure waits four times as long as the one before, unless more is said. */
static void test_failures_that_may_pass(void **state) {
    static const uint64_t waits_ms[] = {250, 1000, 4000, 16000};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct patience patience = {0};
        const struct fault fault = fault_of(i == 0 ? FAULT_UNAVAILABLE : FAULT_REQUEST_TIMEOUT, 0);
        for (size_t j = 0; j < COUNT_OF(waits_ms); j++) {
            const bool last = j + 1 == TERMS.tries_max;
            assert_int_equal(patience_after(&patience, &TERMS, &fault, NOW_MS), last ? PATIENCE_OVER : PATIENCE_WAITS);
            assert_int_equal(patience.not_before_ms, NOW_MS + waits_ms[j]);
        }
    }
    struct patience patience = {0};
    const struct fault fault = fault_of(FAULT_UNAVAILABLE, 30 * 1000);
    assert_int_equal(patience_after(&patience, &TERMS, &fault, NOW_MS), PATIENCE_WAITS);
    assert_int_equal(patience.not_before_ms, NOW_MS + 30 * 1000);
}

/* From the first one on; what may pass counts apart. */
static void test_refusals_are_waited_out_for_a_day(void **state) {
    static const enum fault_code codes[] = {FAULT_RATE_LIMIT_EXCEEDED, FAULT_MODEL_WARMING, FAULT_MODEL_UNAVAILABLE,
                                            FAULT_NO_MATCHING_PROVIDER};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct patience patience = {0};
        const struct fault refusal = fault_of(codes[i], 1000), failure = fault_of(FAULT_UNAVAILABLE, 0);
        assert_int_not_equal(patience_after(&patience, &TERMS, &refusal, NOW_MS), PATIENCE_OVER);
        assert_int_equal(patience_after(&patience, &TERMS, &failure, NOW_MS + 1), PATIENCE_WAITS);
        assert_int_equal(patience.since_ms, NOW_MS);
        assert_int_not_equal(patience_after(&patience, &TERMS, &refusal, NOW_MS + DAY_MS - 1), PATIENCE_OVER);
        assert_int_equal(patience_after(&patience, &TERMS, &refusal, NOW_MS + DAY_MS), PATIENCE_OVER);
    }
    /* No day at all. */
    struct patience patience = {0};
    const struct patience_terms none = {.tries_max = 4};
    const struct fault refusal = fault_of(FAULT_RATE_LIMIT_EXCEEDED, 0);
    assert_int_equal(patience_after(&patience, &none, &refusal, NOW_MS), PATIENCE_OVER);
}

/* Sooner than was said, when a device has the model sooner. */
static void test_a_model_that_comes(void **state) {
    struct call_fixture *fixture = *state;
    struct patience patience = {0};
    const uint64_t now_ms = loop_now_ms(fixture->net.loop);
    const struct fault fault = fault_of(FAULT_MODEL_WARMING, 30 * 1000);
    assert_int_equal(patience_after(&patience, &TERMS, &fault, now_ms), PATIENCE_WAITS);
    assert_int_equal(patience.not_before_ms, now_ms + PATIENCE_MIN_MS);
    assert_int_equal(patience.warm_by_ms, now_ms + 30 * 1000);
    assert_false(patience_is_due(&patience, fixture->calls, STR(CALL_FIXTURE_MODEL)));
    patience.not_before_ms = now_ms;
    fixture->availability = CORE_MODEL_COMING;
    assert_false(patience_is_due(&patience, fixture->calls, STR(CALL_FIXTURE_MODEL)));
    fixture->availability = CORE_MODEL_AVAILABLE;
    assert_true(patience_is_due(&patience, fixture->calls, STR(CALL_FIXTURE_MODEL)));
    assert_false(patience_is_due(&patience, fixture->calls, STR("another"))); /* that one is as cold as before */
    patience.warm_by_ms = now_ms;
    assert_true(patience_is_due(&patience, fixture->calls, STR("another"))); /* as late as was said: it is tried */
    const struct fault unsaid = fault_of(FAULT_MODEL_WARMING, 0);
    assert_int_equal(patience_after(&patience, &TERMS, &unsaid, now_ms), PATIENCE_WAITS);
    assert_int_equal(patience.warm_by_ms, now_ms + 1000);
    /* Nobody serves it: there is nothing to look for but a device that comes. */
    const struct fault unavailable = fault_of(FAULT_MODEL_UNAVAILABLE, 0);
    fixture->availability = CORE_MODEL_ABSENT;
    assert_int_equal(patience_after(&patience, &TERMS, &unavailable, now_ms), PATIENCE_WAITS);
    assert_int_equal(patience.warm_by_ms, now_ms + PATIENCE_MAX_MS);
}

static void test_a_pause(void **state) {
    struct call_fixture *fixture = *state;
    struct patience patience = {0};
    const uint64_t now_ms = loop_now_ms(fixture->net.loop);
    assert_true(patience_is_due(&patience, fixture->calls, STR(CALL_FIXTURE_MODEL)));
    patience_pause(&patience, now_ms, 1);
    assert_false(patience_is_due(&patience, fixture->calls, STR(CALL_FIXTURE_MODEL)));
    patience_pause(&patience, now_ms, 0);
    assert_true(patience_is_due(&patience, fixture->calls, STR(CALL_FIXTURE_MODEL)));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, call_fixture_setup, call_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_time_does_not_heal),
        cmocka_unit_test(test_the_wait_after_a_limit),
        cmocka_unit_test(test_failures_that_may_pass),
        cmocka_unit_test(test_refusals_are_waited_out_for_a_day),
        TEST(test_a_model_that_comes),
        TEST(test_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
