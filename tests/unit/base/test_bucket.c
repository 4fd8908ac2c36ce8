#include "base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_so_many_at_once_and_in_a_period(void **state) {
    (void)state;
    const struct bucket_rate rate = bucket_rate_of(10, 1000, 3);
    struct bucket bucket = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5000), 0);
        bucket_add(&bucket, &rate, 1, 5000);
    }
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5000), 100);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 2, 5000), 200);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5099), 1);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5100), 0);
    assert_false(bucket_is_empty(&bucket, 5299));
    assert_true(bucket_is_empty(&bucket, 5300));
}

/* In an hour there are as many as an hour allows, however they are asked for. */
static void test_the_rate_is_kept(void **state) {
    (void)state;
    const struct bucket_rate rate = bucket_rate_of(7, 1000, 7);
    struct bucket bucket = {0};
    unsigned taken = 0;
    for (uint64_t now_ms = 1000; now_ms < 1000 + 3600 * 1000; now_ms += 13) {
        if (bucket_wait_ms(&bucket, &rate, 1, now_ms) == 0) {
            bucket_add(&bucket, &rate, 1, now_ms);
            taken++;
        }
    }
    assert_in_range(taken, 7 * 3600 - 7, 7 * 3600 + 7);
}

static void test_what_is_returned_may_be_had_again(void **state) {
    (void)state;
    const struct bucket_rate rate = bucket_rate_of(1, 1000, 1);
    struct bucket bucket = {0};
    bucket_add(&bucket, &rate, 1, 5000);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5000), 1000);
    bucket_return(&bucket, &rate, 1);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5000), 0);
}

static void test_more_than_the_burst_waits_for_an_empty_bucket(void **state) {
    (void)state;
    const struct bucket_rate rate = bucket_rate_of(1000, 1000, 100);
    struct bucket bucket = {0};
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 500, 5000), 0);
    bucket_add(&bucket, &rate, 500, 5000);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 500, 5000), 500);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1, 5000), 401);
}

static void test_without_a_limit_nothing_waits(void **state) {
    (void)state;
    const struct bucket_rate rate = bucket_rate_of(0, 1000, 0);
    struct bucket bucket = {0};
    bucket_add(&bucket, &rate, 1000000, 5000);
    assert_int_equal(bucket_wait_ms(&bucket, &rate, 1000000, 5000), 0);
    assert_true(bucket_is_empty(&bucket, 5000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_so_many_at_once_and_in_a_period),
        cmocka_unit_test(test_the_rate_is_kept),
        cmocka_unit_test(test_what_is_returned_may_be_had_again),
        cmocka_unit_test(test_more_than_the_burst_waits_for_an_empty_bucket),
        cmocka_unit_test(test_without_a_limit_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
