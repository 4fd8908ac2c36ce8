#include "engine/llama_child/step_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_step_is_broken_off_when_one_of_its_jobs_is_cancelled(void **state) {
    (void)state;
    struct step_watch watch;
    step_watch_init(&watch);
    step_watch_set(&watch, (uint64_t[]){7, 8}, 2);
    assert_false(step_watch_is_broken_off(&watch));
    step_watch_cancel(&watch, 8);
    assert_true(step_watch_is_broken_off(&watch));
}

static void more_jobs_than_slots_do_no_harm(void **state) {
    (void)state;
    struct step_watch watch;
    uint64_t jobs[LIMIT_PROVIDER_SLOTS + 1] = {[LIMIT_PROVIDER_SLOTS] = 9};
    step_watch_init(&watch);
    step_watch_set(&watch, jobs, LIMIT_PROVIDER_SLOTS + 1);
    step_watch_cancel(&watch, 9);
    assert_false(step_watch_is_broken_off(&watch));
}

static void what_is_cancelled_elsewhere_breaks_nothing_off(void **state) {
    (void)state;
    struct step_watch watch;
    step_watch_init(&watch);
    step_watch_cancel(&watch, 7); /* no step */
    assert_false(step_watch_is_broken_off(&watch));
    step_watch_set(&watch, (uint64_t[]){8}, 1);
    step_watch_cancel(&watch, 7);
    assert_false(step_watch_is_broken_off(&watch));
    step_watch_cancel(&watch, 8);
    step_watch_set(&watch, (uint64_t[]){9}, 1); /* the next step */
    assert_false(step_watch_is_broken_off(&watch));
    step_watch_set(&watch, NULL, 0);
    step_watch_cancel(&watch, 9);
    assert_false(step_watch_is_broken_off(&watch));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_broken_off_when_one_of_its_jobs_is_cancelled),
        cmocka_unit_test(more_jobs_than_slots_do_no_harm),
        cmocka_unit_test(what_is_cancelled_elsewhere_breaks_nothing_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
