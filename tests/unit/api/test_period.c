/* Months: their bounds, leap years, the turn of the year, and what is no month. */
#include "api/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_months(void **state) {
    (void)state;
    static const struct {
        const char *text, *start, *end;
        int64_t from_s, to_s; /* of date -u -d ... +%s */
    } cases[] = {
        {"1970-01", "1970-01-01T00:00:00Z", "1970-01-31T23:59:59Z", 0, 2678400},
        {"2026-01", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z", 1767225600, 1769904000},
        {"2026-02", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59Z", 1769904000, 1772323200},
        {"2024-02", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z", 1706745600, 1709251200},
        {"2000-02", "2000-02-01T00:00:00Z", "2000-02-29T23:59:59Z", 949363200, 951868800},
        {"2100-02", "2100-02-01T00:00:00Z", "2100-02-28T23:59:59Z", 4105123200, 4107542400},
        {"2025-12", "2025-12-01T00:00:00Z", "2025-12-31T23:59:59Z", 1764547200, 1767225600},
        {"2026-04", "2026-04-01T00:00:00Z", "2026-04-30T23:59:59Z", 1775001600, 1777593600},
        {"9999-12", "9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z", 253399622400, 253402300800},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct period period;
        assert_true(period_parse(str_from(cases[i].text), &period));
        assert_string_equal(period.start, cases[i].start);
        assert_string_equal(period.end, cases[i].end);
        assert_int_equal(period.from_ms, cases[i].from_s * 1000);
        assert_int_equal(period.to_ms, cases[i].to_s * 1000);
    }
}

/* Each month begins where the one before it ends, and its text says what the clock says. */
static void test_months_are_seamless(void **state) {
    (void)state;
    int64_t next_ms = 0;
    for (unsigned month = 0; month < (2200 - 1970) * 12; month++) {
        struct period period, same;
        char text[CLOCK_TEXT_SIZE];
        period_at(next_ms, &period);
        assert_int_equal(period.from_ms, next_ms);
        period_at(period.to_ms - 1, &same);
        assert_string_equal(same.start, period.start);
        clock_format_utc(period.from_ms, text);
        assert_memory_equal(text, period.start, 19);
        clock_format_utc(period.to_ms - 1000, text);
        assert_memory_equal(text, period.end, 19);
        next_ms = period.to_ms;
    }
}

static void test_no_months(void **state) {
    (void)state;
    static const char *const texts[] = {"",        "2026",     "2026-1",   "2026-00",  "2026-13", "2026-001",
                                        "1969-12", "10000-01", "2026/01",  "202a-01",  "2026-0x", "+026-01",
                                        "2026-1 ", " 2026-01", "2026-01 ", "-2026-01", "0000-01", "2026-01-01"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct period period;
        if (period_parse(str_from(texts[i]), &period)) {
            fail_msg("'%s' is taken for a month", texts[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_months_are_seamless),
        cmocka_unit_test(test_no_months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
