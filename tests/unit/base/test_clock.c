#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_format(void **state) {
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_format_utc(INT64_C(1769335200007), text);
    assert_string_equal(text, "2026-01-25T10:00:00.007Z");
    clock_format_utc(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    clock_format_utc(INT64_MAX, text); /* must not overrun */
    clock_format_utc(INT64_MIN, text);
}

static void test_monotonic_does_not_go_back(void **state) {
    (void)state;
    uint64_t first = clock_monotonic_us(), second = clock_monotonic_us();
    assert_true(second >= first);
    assert_true(clock_monotonic_ms() >= second / 1000);
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_monotonic_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
