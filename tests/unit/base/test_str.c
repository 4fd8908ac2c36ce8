#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_equal(void **state) {
    (void)state;
    assert_true(str_equal(str_from(NULL), STR("")));
    assert_true(str_equal(STR("a\0b"), STR("a\0b")));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_false(str_equal_cstr(STR("ab"), "abc"));
    assert_true(str_equal((struct str){0}, STR("")));
    assert_true(str_equal_nocase(STR("Content-Length"), STR("content-LENGTH")));
    assert_false(str_equal_nocase(STR("@"), STR("`"))); /* 0x20 apart, but no letters */
    assert_true(str_starts_with(STR("Bearer x"), STR("Bearer ")));
    assert_true(str_starts_with(STR("x"), STR("")));
    assert_false(str_starts_with(STR("Bear"), STR("Bearer")));
}

static void test_trim(void **state) {
    (void)state;
    assert_true(str_equal(str_trim(STR(" \t a b\t ")), STR("a b")));
    assert_int_equal(str_trim(STR(" \t ")).len, 0);
    assert_true(str_equal(str_trim(STR("\na")), STR("\na")));
}

static void test_copy_cuts(void **state) {
    (void)state;
    char out[4];
    assert_true(str_copy(out, sizeof(out), STR("abc")));
    assert_string_equal(out, "abc");
    assert_false(str_copy(out, sizeof(out), STR("wxyz")));
    assert_string_equal(out, "wxy");
    assert_false(str_copy(out, sizeof(out), STR("ab\xc3\xa9"))); /* no half characters */
    assert_string_equal(out, "ab");
    assert_true(str_copy(out, sizeof(out), (struct str){0}));
    assert_string_equal(out, "");
    assert_false(str_copy(out, 0, STR("")));
}

static void test_parse_u64(void **state) {
    (void)state;
    uint64_t number = 5;
    assert_true(str_parse_u64(STR("18446744073709551615"), UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    assert_false(str_parse_u64(STR("18446744073709551616"), UINT64_MAX, &number));
    assert_false(str_parse_u64(STR("99999999999999999999999"), UINT64_MAX, &number));
    assert_true(str_parse_u64(STR("0007"), 7, &number));
    assert_int_equal(number, 7);
    static const char *const bad[] = {"", "8", "+1", "-1", " 1", "1 ", "0x1", "1.0"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(str_parse_u64(str_from(bad[i]), 7, &number));
    }
    assert_int_equal(number, 7);
}

static void test_split(void **state) {
    (void)state;
    struct str head, tail;
    assert_true(str_split(STR("a=b=c"), '=', &head, &tail));
    assert_true(str_equal(head, STR("a")));
    assert_true(str_equal(tail, STR("b=c")));
    assert_true(str_split(STR("="), '=', &head, &tail));
    assert_int_equal(head.len + tail.len, 0);
    assert_false(str_split(STR("abc"), '=', &head, &tail));
    assert_true(str_equal(head, STR("abc")));
    assert_int_equal(tail.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),     cmocka_unit_test(test_trim),  cmocka_unit_test(test_copy_cuts),
        cmocka_unit_test(test_parse_u64), cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
