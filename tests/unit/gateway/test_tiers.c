/* The limits of the tiers as docs/OPERATING.md promises them. */
#include "gateway/tiers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_the_defaults(void **state) {
    struct gateway_tier_limits tiers[GATEWAY_TIERS];
    struct store_quotas quotas;
    (void)state;
    gateway_tiers_init(tiers, &quotas);
    assert_int_equal(quotas.of[STORE_TIER_FREE][STORE_KEPT_JOBS].rows, 10000);
    assert_int_equal(quotas.of[STORE_TIER_FREE][STORE_KEPT_JOBS].bytes, 256 * 1024 * 1024);
    assert_int_equal(quotas.of[STORE_TIER_UNLIMITED][STORE_KEPT_ANSWERS].rows, 0);
    assert_int_equal(tiers[STORE_TIER_FREE].requests_per_minute, 10);
    assert_int_equal(tiers[STORE_TIER_FREE].concurrent, 2);
    assert_int_equal(tiers[STORE_TIER_STARTER].requests_per_minute, 60);
    assert_int_equal(tiers[STORE_TIER_STARTER].concurrent, 5);
    assert_int_equal(tiers[STORE_TIER_PRO].requests_per_minute, 300);
    assert_int_equal(tiers[STORE_TIER_PRO].concurrent, 20);
    assert_int_equal(tiers[STORE_TIER_UNLIMITED].requests_per_minute, 0);
    assert_int_equal(tiers[STORE_TIER_UNLIMITED].concurrent, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_defaults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
