/* The kinds of jobs that stand in data folders by number, and the forms of their bodies and answers. */
#include "jobs/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_kinds(void **state) {
    /* Forms behind that of workflows have a number that is one higher. */
    static const enum store_generation_kind forms[STORE_JOB_KINDS] = {STORE_GENERATION_CHAT, STORE_GENERATION_INFERENCE,
                                                                      STORE_GENERATION_CHAT};
    (void)state;
    for (int i = 0; i < STORE_JOB_KINDS; i++) {
        const enum store_generation_kind form =
            i <= STORE_JOB_WORKFLOW ? forms[i] : (enum store_generation_kind)(i - 1);
        assert_int_equal(job_generation_kind((enum store_job_kind)i), form);
        assert_int_equal(job_stored_kind(form, i == STORE_JOB_WORKFLOW), i);
    }
    assert_int_equal(job_stored_kind(STORE_GENERATION_MESSAGES, false), 4);
    assert_int_equal(job_stored_kind(STORE_GENERATION_INFERENCE, true), 1); /* no workflow answers one */
    /* The next form, which nobody has made yet, has a number behind that of workflows. */
    assert_int_equal(job_stored_kind((enum store_generation_kind)STORE_GENERATION_KINDS, false), STORE_JOB_KINDS);
    assert_int_equal(job_generation_kind((enum store_job_kind)STORE_JOB_KINDS), STORE_GENERATION_KINDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
