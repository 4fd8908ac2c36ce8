#include "workflow/calculate.h"
#include "workflow/tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_calculated(const char *expression, const char *expected) {
    struct buf out;
    buf_init(&out, 4096);
    workflow_calculate(str_from(expression), &out);
    if (strcmp(buf_cstr(&out), expected) != 0) {
        print_message("%s = %s, not %s\n", expression, buf_cstr(&out), expected);
    }
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void test_percent_is_a_remainder_before_an_operand(void **state) {
    static const char *const cases[][2] = {
        {"50%4", "2"},
        {"17 % 5", "2"},
        {"17%5*2", "4"},
        {"100 % (3+4)", "2"},
        {"17 mod 5", "2"},
        {"mod(17, 5)", "2"},
        {"-7 % 3", "2"},
        {"5.5 % 2", "1.5"},
        {"17 ％ 5", "2"},
        {"15% of 80", "12"},
        {"15 percent of 80", "12"},
        {"15 % von 80", "12"},
        {"80的15%", "12"},
        {"٢٠٪ من ٥٠", "10"},
        {"200*10%", "20"},
        {"50%", "0.5"},
        {"50% - 10%", "0.4"},
        {"(50%)*4", "2"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_calculated(cases[i][0], cases[i][1]);
    }
}

static void test_whole_numbers_are_exact(void **state) {
    static const char *const cases[][2] = {
        {"9007199254740993-1", "9007199254740992"},
        {"12345678901234567890+1", "12345678901234567891"},
        {"99999999999999999*3", "299999999999999997"},
        {"2^100", "1267650600228229401496703205376"},
        {"25!", "15511210043330985984000000"},
        {"12345678901234567890 % 97", "3"},
        {"10^20/4", "25000000000000000000"},
        {"1e18+1", "1000000000000000001"},
        {"(10^30+1)/3*3", "1000000000000000000000000000001"},
        {"123456789012345678.5*2", "246913578024691357"},
        {"sqrt(10^40)", "100000000000000000000"},
        {"10^20/3", "about 3.33333333333333e+19"},
        {"exp(50)", "about 5.18470552858707e+21"},
        {"gcd(12345678901234567890, 10)", "10"},
        {"10^20 // 3", "33333333333333333333"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_calculated(cases[i][0], cases[i][1]);
    }
}

static void test_spellings(void **state) {
    static const char *const cases[][2] = {
        {"1,250,000/2", "625000"},
        {"1.250.000/2", "625000"},
        {"1.250,50*2", "2501"},
        {"1'250'000/2", "625000"},
        {"1 250 000/2", "625000"},
        {"12,34,567+1", "1234568"},
        {"1_000+1", "1001"},
        {"3,5+1,5", "5"},
        {"0,125*8", "1"},
        {"max(1,200)", "200"},
        {"sqrt(1,764)", "42"},
        {"3 × 4 ÷ 2", "6"},
        {"7 − 9", "-2"},
        {"１２＋３０", "42"},
        {"١٢ + ٣٠", "42"},
        {"१७ × २३", "391"},
        {"๑๗ × ๒๓", "391"},
        {"5²+1", "26"},
        {"2¹⁰", "1024"},
        {"-2^2", "-4"},
        {"2^-1", "0.5"},
        {"2**3**2", "512"},
        {"2(3+4)", "14"},
        {"3x4", "12"},
        {"17 x 23", "391"},
        {"17 times 23", "391"},
        {"17 mal 23", "391"},
        {"17乘以23", "391"},
        {"100 divided by 8", "12.5"},
        {"1000 geteilt durch 8", "125"},
        {"2 to the power of 10", "1024"},
        {"5 squared", "25"},
        {"square root of 144", "12"},
        {"144的平方根", "12"},
        {"√16 + 9", "13"},
        {"Math.sqrt(16)", "4"},
        {"SQRT(16)", "4"},
        {"$1,200.50 * 2", "2401"},
        {"2*3=6", "6"},
        {"2 + 2 = ?", "4"},
        {"[2+3]*4", "20"},
        {".5+.25", "0.75"},
        {"1.5e3+1", "1501"},
        {"sin(30°)", "0.5"},
        {"cos(0)", "1"},
        {"log10(1000)", "3"},
        {"log(8, 2)", "3"},
        {"ln(e)", "1"},
        {"round(2.567, 1)", "2.6"},
        {"avg(1, 2, 6)", "3"},
        {"1/3", "0.333333333333333"},
        {"1/8", "0.125"},
        {"2/3*3", "2"},
        {"27^(1/3)", "3"},
        {"1/1000000000", "0.000000001"},
        {"12 : 4", "3"},
        {"--5", "5"},
        {"0/5", "0"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_calculated(cases[i][0], cases[i][1]);
    }
}

static void assert_error(struct str expression) {
    struct buf out;
    buf_init(&out, 4096);
    workflow_calculate(expression, &out);
    if (!str_starts_with(buf_str(&out), STR("Error: "))) {
        print_message("%.*s = %s\n", STR_ARG(expression), buf_cstr(&out));
    }
    assert_true(str_starts_with(buf_str(&out), STR("Error: ")));
    buf_clear(&out);
}

static void test_what_has_no_result_is_an_error(void **state) {
    static const char *const cases[] = {
        "1/0",         "0/0",
        "5 % 0",       "0^-1",
        "5 +",         "two plus two",
        "2+2; 3",      "import os",
        "1.2.3",       "2^99999",
        "9^9^9^9",     "1000!",
        "(-1)!",       "2.5!",
        "1e999999",    "1e400",
        "log(100)",    "100 + 10%",
        "0x1F",        "5km",
        "x + 1",       "sqrt(-1)",
        "ln(0)",       "asin(2)",
        "max()",       "sqrt()",
        "1 2",         "2+",
        "*2",          "(2",
        "2)",          "1,2,3",
        "2 of 3",      "=",
        "?",           "1e308*1e308",
        "10^350*10",   "1.0000001^999999",
        "2^2^2^2^2^2", "tan(",
        "gcd(1.5, 2)", "mod(3)",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_error(str_from(cases[i]));
    }
}

/* Each of these would take minutes or all memory if its parts were not bounded. */
static void test_hostile_expressions_end(void **state) {
    static const char *const parts[] = {"(",        "-",    "9^",    "2(", "sqrt ", "9!",    "%",     "999999999*",
                                        "1.1^999^", "1/3+", "sqrt(", "√",  "e^",    "999!*", "7//3%", "٣"};
    char text[WORKFLOW_ARGUMENT_BYTES + 64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        for (size_t limit = 100; limit <= WORKFLOW_ARGUMENT_BYTES; limit += WORKFLOW_ARGUMENT_BYTES - 100) {
            struct buf out;
            size_t len = 0;
            while (len + strlen(parts[i]) + 1 < limit) {
                memcpy(text + len, parts[i], strlen(parts[i]));
                len += strlen(parts[i]);
            }
            text[len++] = '3';
            buf_init(&out, 4096);
            workflow_calculate((struct str){text, len}, &out);
            assert_true(out.len > 0 && out.len <= 600);
            buf_clear(&out);
        }
    }
    memset(text, '9', 400);
    assert_error((struct str){text, 400});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percent_is_a_remainder_before_an_operand),
        cmocka_unit_test(test_whole_numbers_are_exact),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_what_has_no_result_is_an_error),
        cmocka_unit_test(test_hostile_expressions_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
