#include "base/err.h"

#include <errno.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_set_fills_and_returns_false(void **state) {
    (void)state;
    struct err err = {.field = "left over"};
    assert_false(err_set(&err, ERR_TOO_LARGE, "limit is %d", 7));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_string_equal(err.message, "limit is 7");
    assert_string_equal(err.field, "");
    assert_false(err_set(NULL, ERR_INVALID, "nobody listens"));
}

static void test_field(void **state) {
    (void)state;
    struct err err;
    assert_false(err_set_field(&err, ERR_INVALID, "messages[2].role", "unknown role"));
    assert_string_equal(err.field, "messages[2].role");
    assert_string_equal(err.message, "unknown role");
    assert_false(err_set_field(NULL, ERR_INVALID, "x", "y"));
    err_clear(&err);
    assert_int_equal(err.code, ERR_NONE);
    assert_string_equal(err.field, "");
}

static void test_errno_words_survive_a_long_message(void **state) {
    (void)state;
    struct err err;
    assert_false(err_set_errno(&err, ENOSPC, "cannot write %s", "a"));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.message, "cannot write a: No space left on device");
    char path[2 * ERR_MESSAGE_MAX];
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_false(err_set_errno(&err, ENOSPC, "cannot write %s", path));
    assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
    assert_non_null(strstr(err.message, "ppp: No space left on device"));
    assert_false(err_set_errno(&err, 99999, "odd"));
    assert_string_equal(err.message, "odd: unknown system error");
}

static void test_code_names_are_distinct(void **state) {
    (void)state;
    for (int a = ERR_NONE; a <= ERR_INTERNAL; a++) {
        for (int b = ERR_NONE; b < a; b++) {
            assert_string_not_equal(err_code_name((enum err_code)a), err_code_name((enum err_code)b));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_fills_and_returns_false),
        cmocka_unit_test(test_field),
        cmocka_unit_test(test_errno_words_survive_a_long_message),
        cmocka_unit_test(test_code_names_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
