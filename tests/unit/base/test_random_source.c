#include "base/random_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_splitmix_is_the_published_sequence(void **state) {
    (void)state;
    struct random_source source = {.state = 1234567};
    assert_true(random_next(&source) == UINT64_C(6457827717110365317));
    assert_true(random_next(&source) == UINT64_C(3203168211198807973));
    assert_true(random_next(&source) == UINT64_C(9817491932198370423));
}

static void test_below_covers_its_range(void **state) {
    (void)state;
    struct random_source source = {.state = 1};
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t number = random_below(&source, 7);
        assert_true(number < 7);
        seen[number]++;
    }
    for (size_t i = 0; i < 7; i++) {
        assert_in_range(seen[i], 800, 1200);
    }
    assert_int_equal(random_below(&source, 1), 0);
    assert_true(random_below(&source, UINT64_MAX) < UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splitmix_is_the_published_sequence),
        cmocka_unit_test(test_below_covers_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
