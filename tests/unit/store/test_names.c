/* What stands in data folders by number, and how people and programs are told it. */
#include "store/events.h"
#include "store/purpose.h"
#include "store/tier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_purposes(void **state) {
    static const char *const names[STORE_PURPOSES] = {"request", "job", "step", "title", "summary"};
    (void)state;
    for (int i = 0; i < STORE_PURPOSES; i++) {
        assert_string_equal(store_purpose_name((enum store_purpose)i), names[i]);
    }
}

static void test_tiers(void **state) {
    static const char *const names[STORE_TIERS] = {"free", "starter", "pro", "unlimited"};
    (void)state;
    for (int i = 0; i < STORE_TIERS; i++) {
        assert_string_equal(store_tier_name((enum store_tier)i), names[i]);
    }
}

static void test_events(void **state) {
    static const char *const names[STORE_EVENT_KINDS] = {
        "test", "job.completed", "job.failed", "workflow.completed", "balance.low", "usage.threshold"};
    enum store_event_kind kind;
    (void)state;
    for (int i = 0; i < STORE_EVENT_KINDS; i++) {
        assert_string_equal(store_event_name((enum store_event_kind)i), names[i]);
        assert_int_equal(store_event_kind_of(str_from(names[i]), &kind), i != STORE_EVENT_TEST);
        assert_true(i == STORE_EVENT_TEST || (int)kind == i);
    }
    assert_false(store_event_kind_of(STR("job.ended"), &kind));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_purposes),
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
