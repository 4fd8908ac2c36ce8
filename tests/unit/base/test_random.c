#include "base/random.h"

#include <ctype.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_base62(void **state) {
    (void)state;
    char text[301], again[301];
    memset(text, '!', sizeof(text));
    random_base62(text, 300);
    random_base62(again, 300);
    assert_int_equal(strlen(text), 300);
    for (size_t i = 0; i < 300; i++) {
        assert_true(isalnum((unsigned char)text[i]));
    }
    assert_string_not_equal(text, again);
    random_base62(text, 0);
    assert_string_equal(text, "");
}

/* Each bit is 1 in some numbers and 0 in others. */
static void test_few(void **state) {
    (void)state;
    uint64_t all = UINT64_MAX, any = 0;
    for (int i = 0; i < 400; i++) { /* more than one store */
        uint64_t number;
        random_few(&number, sizeof(number));
        all &= number;
        any |= number;
    }
    assert_int_equal(all, 0);
    assert_int_equal(any, UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base62),
        cmocka_unit_test(test_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
