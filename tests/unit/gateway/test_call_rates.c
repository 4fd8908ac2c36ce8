#include "gateway/call_rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_each_account_has_its_own_rate(void **state) {
    (void)state;
    struct call_rates rates = {0};
    call_rates_set(&rates, 1, 60);
    call_rates_set(&rates, 2, 0);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(call_rates_take(&rates, 1, 5000), 0);
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(call_rates_take(&rates, 1, 5000), 1000); /* waiting is not counted */
        assert_int_equal(call_rates_take(&rates, 2, 5000), 0);
        assert_int_equal(call_rates_take(&rates, 3, 5000), 0);
    }
    assert_int_equal(call_rates_take(&rates, 1, 6000), 0);
    assert_int_equal(call_rates_take(&rates, 1, 6000), 1000);
    call_rates_clear(&rates);
}

static void test_another_tier_holds_at_once(void **state) {
    (void)state;
    struct call_rates rates = {0};
    call_rates_set(&rates, 1, 1);
    assert_int_equal(call_rates_take(&rates, 1, 5000), 0);
    assert_int_equal(call_rates_take(&rates, 1, 5000), 60000);
    call_rates_set(&rates, 1, 0);
    assert_int_equal(call_rates_take(&rates, 1, 5000), 0);
    call_rates_clear(&rates);
}

static void test_a_rate_that_is_there_stays(void **state) {
    (void)state;
    struct call_rates rates = {0};
    for (int i = 0; i < 3; i++) {
        call_rates_set_if_new(&rates, 1, 3, 3600 * 1000);
        assert_int_equal(call_rates_take(&rates, 1, 5000), 0);
    }
    call_rates_set_if_new(&rates, 1, 3, 3600 * 1000);
    assert_int_equal(call_rates_take(&rates, 1, 5000), 1200 * 1000);
    call_rates_clear(&rates);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_account_has_its_own_rate),
        cmocka_unit_test(test_another_tier_holds_at_once),
        cmocka_unit_test(test_a_rate_that_is_there_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
