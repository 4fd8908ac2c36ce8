/* Months against the C library's calendar, and at their borders. */
#include "store/month.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void test_months_are_those_of_the_c_library(void **state) {
    (void)state;
    for (int64_t month = -70 * 12; month < 8000L * 12; month++) {
        struct tm first = {.tm_year = 70, .tm_mon = (int)month, .tm_mday = 1};
        const int64_t start_ms = (int64_t)timegm(&first) * 1000;
        assert_int_equal(store_month_start(month), start_ms);
        assert_int_equal(store_month_of(start_ms), month);
        assert_int_equal(store_month_of(start_ms - 1), month - 1);
    }
}

static void test_leap_days(void **state) {
    (void)state;
    assert_int_equal(store_month_of(INT64_C(1709164800000)), 54 * 12 + 1);      /* 2024-02-29 */
    assert_int_equal(store_month_of(INT64_C(951782400000)), 30 * 12 + 1);       /* 2000-02-29 */
    assert_int_equal(store_month_of(INT64_C(4107542400000)), 130 * 12 + 2);     /* 2100-03-01: no leap day before it */
    assert_int_equal(store_month_of(INT64_C(4107542400000) - 1), 130 * 12 + 1); /* 2100-02-28 */
}

static void test_clocks_that_are_nowhere(void **state) {
    (void)state;
    assert_int_equal(store_month_of(0), 0);
    assert_int_equal(store_month_of(-1), -1);
    assert_true(store_month_of(INT64_MAX) > 0);
    assert_true(store_month_of(INT64_MIN) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months_are_those_of_the_c_library),
        cmocka_unit_test(test_leap_days),
        cmocka_unit_test(test_clocks_that_are_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
