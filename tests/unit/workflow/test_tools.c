#include "workflow/search.h"
#include "workflow/tools.h"

#include "workflow/budget.h"
#include "workflow/choose.h"
#include "workflow/compose.h"
#include "workflow/fit.h"
#include "workflow/meaning.h"
#include "workflow/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_calculated(struct str expression, const char *expected) {
    struct buf out;
    buf_init(&out, 4096);
    workflow_calculate(expression, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void test_calculator(void **state) {
    static const char *const cases[][2] = {
        {"2 * (3 + 4)^2", "98"},
        {"sqrt(16)", "4"},
        {"0.1+0.2", "0.3"},
        {"17 × 23", "391"},
        {"10 ÷ 4", "2.5"},
        {"2**10", "1024"},
        {"15% of 80", "12"},
        {"1,250 * 3", "3750"},
        {"max(1,250)", "250"},
        {"(1,000+1)*2", "2002"},
        {"2 + 2 = ?", "4"},
        {"-7", "-7"},
        {"$12.50 * 2", "25"},
        {"pi", "3.14159265358979"},
        {"10/3", "3.33333333333333"},
        {"2^53", "9007199254740992"},
        {"1234567*1000", "1234567000"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_calculated(str_from(cases[i][0]), cases[i][1]);
    }
}

static void test_calculator_errors_are_words(void **state) {
    static const struct str cases[] = {
        STR(""),      STR("   "),      STR("x = 3"),    STR("foo(2)"), STR("2 +"),       STR("((("),
        STR(")"),     STR("1/0"),      STR("sqrt(-1)"), STR("2;3"),    STR("\"a\""),     STR("1 2"),
        STR("2\0+2"), STR("\xff\xfe"), STR("x"),        STR("1, 2"),   STR("system(1)"),
    };
    struct buf out;
    char deep[WORKFLOW_ARGUMENT_BYTES + 1];
    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_reset(&out);
        workflow_calculate(cases[i], &out);
        assert_true(str_starts_with(buf_str(&out), STR("Error: ")));
    }
    memset(deep, '(', sizeof(deep));
    for (size_t len = sizeof(deep) - 1; len <= sizeof(deep); len++) {
        buf_reset(&out);
        workflow_calculate((struct str){deep, len}, &out);
        assert_true(str_starts_with(buf_str(&out), STR("Error: ")));
    }
    buf_clear(&out);
}

static void test_time(void **state) {
    struct buf out;
    (void)state;
    buf_init(&out, 256);
    workflow_time(INT64_C(1769335200000), &out);
    assert_string_equal(buf_cstr(&out), "2026-01-25T10:00:00Z, Sunday");
    buf_clear(&out);
}

static void test_search(void **state) {
    static const struct store_message messages[] = {
        {.position = 0, .role = STORE_ROLE_USER, .content = STR("My dog is called Rex.")},
        {.position = 1, .role = STORE_ROLE_ASSISTANT, .content = STR("A nice dog!")},
        {.position = 2, .role = STORE_ROLE_USER, .content = STR("Hotdogs are food.")},
        {.position = 3, .role = STORE_ROLE_USER, .content = STR("The dog sleeps.")},
    };
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    workflow_search(messages, COUNT_OF(messages), STR("what is my DOG called"), &out);
    assert_string_equal(buf_cstr(&out), "User: My dog is called Rex.\nUser: The dog sleeps.\nAssistant: A nice dog!\n");
    buf_reset(&out);
    workflow_search(messages, COUNT_OF(messages), STR("the cat"), &out);
    assert_string_equal(buf_cstr(&out), "No message has these words.");
    buf_reset(&out);
    workflow_search(NULL, 0, STR(""), &out);
    assert_string_equal(buf_cstr(&out), "No message has these words.");
    buf_clear(&out);
}

static void test_search_shows_where_it_is(void **state) {
    struct buf text, out;
    (void)state;
    buf_init(&text, 16384);
    buf_init(&out, 4096);
    for (int i = 0; i < 1000; i++) {
        buf_append_cstr(&text, "ü ");
    }
    buf_append_cstr(&text, "needle is here");
    struct store_message messages[7];
    for (int i = 0; i < 7; i++) {
        messages[i] = (struct store_message){.position = i, .role = STORE_ROLE_USER, .content = buf_str(&text)};
    }
    workflow_search(messages, 7, STR("needle"), &out);
    assert_non_null(strstr(buf_cstr(&out), "needle is here"));
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++) {
        lines += out.data[i] == '\n';
    }
    assert_int_equal(lines, 5);
    assert_true(out.len <= WORKFLOW_OBSERVATION_BYTES);
    buf_clear(&text);
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calculator),
        cmocka_unit_test(test_calculator_errors_are_words),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_shows_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
