#include "base/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_reads_what_json_writes(void **state) {
    static const struct {
        const char *text;
        int64_t nano;
    } CASES[] = {
        {"0", 0},
        {"-0", 0},
        {"5", 5000000000},
        {"4.75", 4750000000},
        {"0.1", 100000000},
        {"0.000000001", 1},
        {"0.0000000010", 1},
        {"1e-9", 1},
        {"1E-09", 1},
        {"12.5e2", 1250000000000},
        {"1e+6", 1000000000000000},
        {"-2.50", -2500000000},
        {"9223372036.854775807", INT64_MAX},
        {"-9223372036.854775808", INT64_MIN},
        {"0e1000", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t nano = 77;
        if (!money_parse_usd(str_from(CASES[i].text), &nano)) {
            fail_msg("refused: %s", CASES[i].text);
        }
        assert_int_equal(nano, CASES[i].nano);
    }
}

static void test_refuses_what_is_not_exact_or_not_a_number(void **state) {
    static const char *const CASES[] = {"",
                                        "-",
                                        ".5",
                                        "5.",
                                        "5.e1",
                                        "1e",
                                        "1e-",
                                        "+5",
                                        " 5",
                                        "5 ",
                                        "5$",
                                        "1,000",
                                        "0x10",
                                        "nan",
                                        "inf",
                                        "0.0000000001",
                                        "1e-10",
                                        "9223372036.854775808",
                                        "-9223372036.854775809",
                                        "18446744073709551616",
                                        "1e1001",
                                        "1e99999999999999999999",
                                        "4.75.1",
                                        "1e2e3",
                                        "--1"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t nano = 77;
        if (money_parse_usd(str_from(CASES[i]), &nano)) {
            fail_msg("accepted: %s", CASES[i]);
        }
        assert_int_equal(nano, 77);
    }
}

static void test_writes_the_shortest_form(void **state) {
    static const struct {
        int64_t nano;
        const char *text;
    } CASES[] = {
        {0, "0"},
        {1, "0.000000001"},
        {-1, "-0.000000001"},
        {4750000000, "4.75"},
        {5000000000, "5"},
        {100000000000, "100"},
        {-1250000000000, "-1250"},
        {INT64_MAX, "9223372036.854775807"},
        {INT64_MIN, "-9223372036.854775808"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char out[MONEY_TEXT_SIZE];
        int64_t nano;
        assert_string_equal(money_format_usd(CASES[i].nano, out), CASES[i].text);
        assert_true(money_parse_usd(str_from(out), &nano));
        assert_int_equal(nano, CASES[i].nano);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_json_writes),
        cmocka_unit_test(test_refuses_what_is_not_exact_or_not_a_number),
        cmocka_unit_test(test_writes_the_shortest_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
