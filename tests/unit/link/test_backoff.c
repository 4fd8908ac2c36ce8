#include "link/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static void test_doubles_up_to_the_ceiling(void **state) {
    (void)state;
    static const uint64_t CEILINGS[] = {100, 200, 400, 800, 1000, 1000, 1000};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct link_backoff backoff;
        link_backoff_init(&backoff, 100, 1000, seed);
        for (size_t i = 0; i < sizeof(CEILINGS) / sizeof(CEILINGS[0]); i++) {
            assert_in_range(link_backoff_next(&backoff), CEILINGS[i] / 2, CEILINGS[i]);
        }
        link_backoff_reset(&backoff);
        assert_in_range(link_backoff_next(&backoff), 50, 100);
    }
}

static void test_spreads(void **state) {
    (void)state;
    bool low = false;
    bool high = false;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct link_backoff backoff;
        link_backoff_init(&backoff, 1000, 1000, seed);
        uint64_t delay = link_backoff_next(&backoff);
        low = low || delay < 600;
        high = high || delay > 900;
    }
    assert_true(low && high);
}

static void test_survives_any_number_of_failures(void **state) {
    (void)state;
    struct link_backoff backoff;
    link_backoff_init(&backoff, 1, UINT32_MAX, 7);
    for (int i = 0; i < 200; i++) {
        assert_true(link_backoff_next(&backoff) <= UINT32_MAX);
    }
    link_backoff_init(&backoff, 0, 0, 7);
    assert_int_equal(link_backoff_next(&backoff), 0);
    assert_int_equal(link_backoff_next(&backoff), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_up_to_the_ceiling),
        cmocka_unit_test(test_spreads),
        cmocka_unit_test(test_survives_any_number_of_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
