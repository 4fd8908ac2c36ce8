/* What an answer means for a delivery. */
#include "webhook/retry.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct webhook_retry retry_of(int status, uint32_t attempts) {
    const struct webhook_answer answer = {.status = status};
    return webhook_retry_after(&answer, attempts, 0);
}

static void test_schedule(void **state) {
    static const uint64_t waits_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(waits_s); i++) {
        const struct webhook_retry retry = retry_of(500, i + 1);
        assert_int_equal(retry.state, STORE_DELIVERY_WAITING);
        assert_int_equal(retry.after_ms, waits_s[i] * 1000);
        assert_false(retry.slow || retry.gone);
    }
    assert_int_equal(retry_of(500, WEBHOOK_ATTEMPTS_MAX).state, STORE_DELIVERY_FAILED);
}

static void test_jitter(void **state) {
    const struct webhook_answer answer = {.status = 0};
    (void)state;
    assert_int_equal(webhook_retry_after(&answer, 2, -100).after_ms, 270000);
    assert_int_equal(webhook_retry_after(&answer, 2, 100).after_ms, 330000);
}

static void test_statuses(void **state) {
    static const int taken[] = {200, 201, 202, 204, 299}, slow[] = {429, 502, 504};
    static const int plain[] = {0, 100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 409, 500, 503, 599};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        assert_int_equal(retry_of(taken[i], 1).state, STORE_DELIVERY_DELIVERED);
        assert_int_equal(retry_of(taken[i], WEBHOOK_ATTEMPTS_MAX).state, STORE_DELIVERY_DELIVERED);
    }
    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        assert_int_equal(retry_of(slow[i], 1).state, STORE_DELIVERY_WAITING);
        assert_true(retry_of(slow[i], 1).slow);
    }
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        assert_int_equal(retry_of(plain[i], 1).state, STORE_DELIVERY_WAITING);
        assert_false(retry_of(plain[i], 1).slow);
    }
    assert_int_equal(retry_of(410, 1).state, STORE_DELIVERY_FAILED);
    assert_true(retry_of(410, 1).gone);
}

static void test_time_out_slows(void **state) {
    const struct webhook_answer answer = {.timed_out = true};
    (void)state;
    assert_true(webhook_retry_after(&answer, 1, 0).slow);
}

static void test_retry_after(void **state) {
    struct webhook_answer answer = {.status = 429, .retry_after_ms = 60000};
    (void)state;
    assert_int_equal(webhook_retry_after(&answer, 1, 0).after_ms, 60000);
    assert_int_equal(webhook_retry_after(&answer, 2, 0).after_ms, 300000); /* never sooner than without */
    answer.retry_after_ms = INT64_C(1000000000);
    assert_int_equal(webhook_retry_after(&answer, 1, 0).after_ms, 24 * 3600 * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule),       cmocka_unit_test(test_jitter),      cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_time_out_slows), cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
