/* A count that others wait for is asked only where nobody's long text stands before it. */
#include "call/counting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct child {
    bool able;
    size_t backlog;
};

static bool is_able(void *context, struct str model) {
    (void)model;
    return ((struct child *)context)->able;
}

static size_t backlog(void *context, struct str model) {
    (void)model;
    return ((struct child *)context)->backlog;
}

static void test_is_quick_with_a_short_backlog(void **state) {
    struct child child = {.able = true};
    struct calls calls = {.backend.counter = {.context = &child, .is_able = is_able, .backlog = backlog}};
    (void)state;
    assert_true(counting_is_quick(&calls, STR("a")));
    child.backlog = COUNTING_QUICK_BYTES;
    assert_true(counting_is_quick(&calls, STR("a")));
    child.backlog++;
    assert_false(counting_is_quick(&calls, STR("a")));
    assert_true(counting_can(&calls, STR("a"))); /* who has to know still may ask */
    child = (struct child){.able = false};
    assert_false(counting_is_quick(&calls, STR("a")));
    calls.backend.counter = (struct call_counter){0};
    assert_false(counting_is_quick(&calls, STR("a")));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_is_quick_with_a_short_backlog)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
