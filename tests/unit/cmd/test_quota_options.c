/* The quotas of a tier as one option. */
#include "cmd/quota_options.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void test_reads_five_or_leaves_the_last(void **state) {
    struct store_amount out[STORE_KEPT_KINDS] = {[STORE_KEPT_DELIVERIES] = {77, 78}};
    struct err err;
    (void)state;
    assert_true(quota_options_read("1/2,30/0,0/6,7/8", out, &err));
    assert_int_equal(out[STORE_KEPT_CONVERSATIONS].rows, 1);
    assert_int_equal(out[STORE_KEPT_CONVERSATIONS].bytes, 2 * 1024 * 1024);
    assert_int_equal(out[STORE_KEPT_JOBS].rows, 30);
    assert_int_equal(out[STORE_KEPT_JOBS].bytes, 0);
    assert_int_equal(out[STORE_KEPT_WORKFLOWS].rows, 0);
    assert_int_equal(out[STORE_KEPT_ANSWERS].bytes, 8 * 1024 * 1024);
    assert_int_equal(out[STORE_KEPT_DELIVERIES].rows, 77);
    assert_true(quota_options_read("1/2,30/0,0/6,7/8,9/1", out, &err));
    assert_int_equal(out[STORE_KEPT_DELIVERIES].rows, 9);
    assert_int_equal(out[STORE_KEPT_DELIVERIES].bytes, 1024 * 1024);
}

static void test_anything_else_is_refused(void **state) {
    static const char *const bad[] = {"",
                                      "1/2",
                                      "1/2,3/4,5/6",
                                      "1/2,3/4,5/6,7/8,9/1,2/3",
                                      "1/2,3/4,5/6,7",
                                      "1/2,,5/6,7/8",
                                      "a/2,3/4,5/6,7/8",
                                      "-1/2,3/4,5/6,7/8",
                                      "1/2,3/4,5/6,7/8,",
                                      "1000000001/1,1/1,1/1,1/1"};
    struct store_amount out[STORE_KEPT_KINDS];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err err = {0};
        assert_false(quota_options_read(bad[i], out, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.message, "five ROWS/MIB"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_five_or_leaves_the_last),
                                       cmocka_unit_test(test_anything_else_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
