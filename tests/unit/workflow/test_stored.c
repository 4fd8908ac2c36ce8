/* What stands in data folders by number means the same for ever, and both ways. */
#include "workflow/stored.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_kinds(void **state) {
    static const char *const names[STORE_WORKFLOW_KINDS] = {"research", "code", "agent", "map_reduce"};
    (void)state;
    assert_int_equal(STORE_WORKFLOW_KINDS, CORE_WORKFLOW_KINDS);
    for (int i = 0; i < STORE_WORKFLOW_KINDS; i++) {
        const enum core_workflow_kind kind = workflow_core_kind((enum store_workflow_kind)i);
        assert_string_equal(core_workflow_kind_name(kind), names[i]);
        assert_int_equal(workflow_stored_kind(kind), i);
    }
}

static void test_statuses(void **state) {
    static const char *const names[STORE_WORKFLOW_STATUSES] = {"RUNNING",         "COMPLETED", "FAILED",   "CANCELLED",
                                                               "BUDGET_EXCEEDED", "MAX_STEPS", "NO_ANSWER"};
    (void)state;
    assert_int_equal(STORE_WORKFLOW_STATUSES, CORE_WORKFLOW_STATUSES);
    for (int i = 0; i < STORE_WORKFLOW_STATUSES; i++) {
        const enum core_workflow_status status = workflow_core_status((enum store_workflow_status)i);
        assert_string_equal(core_workflow_status_name(status), names[i]);
        assert_int_equal(workflow_stored_status(status), i);
    }
}

static void test_step_names(void **state) {
    static const char *const names[STORE_STEP_NAMES] = {"research", "analyze", "write", "plan", "implement", "review",
                                                        "think",    "act",     "chunk", "map",  "reduce"};
    (void)state;
    assert_int_equal(STORE_STEP_NAMES, CORE_STEP_NAMES);
    for (int i = 0; i < STORE_STEP_NAMES; i++) {
        const enum core_step_name name = workflow_core_step_name((enum store_step_name)i);
        assert_string_equal(core_step_name_text(name), names[i]);
        assert_int_equal(workflow_stored_step_name(name), i);
    }
}

static void test_outcomes(void **state) {
    static const enum core_step_outcome outcomes[STORE_STEP_OUTCOMES] = {
        CORE_OUTCOME_TEXT,   CORE_OUTCOME_APPROVED, CORE_OUTCOME_FAULTS, CORE_OUTCOME_ANSWER,
        CORE_OUTCOME_ACTION, CORE_OUTCOME_CALL,     CORE_OUTCOME_ECHO,   CORE_OUTCOME_LOOP};
    (void)state;
    assert_int_equal(STORE_STEP_OUTCOMES, CORE_OUTCOMES);
    for (int i = 0; i < STORE_STEP_OUTCOMES; i++) {
        assert_int_equal(workflow_core_outcome((enum store_step_outcome)i), outcomes[i]);
        assert_int_equal(workflow_stored_outcome(outcomes[i]), i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_step_names),
        cmocka_unit_test(test_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
