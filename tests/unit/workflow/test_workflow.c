/* Workflows that are alive: their steps, their budgets, and failures. On a real store. */
#include "workflow/workflow.h"

#include "support/workflow_fixture.h"

/* --- Kinds --- */

static void test_research(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why is the sky blue?");
    assert_int_equal(fixture->calls.submitted, 0); /* nothing happens before it returns */
    step_says(fixture, "facts");
    step_says(fixture, "thoughts");
    step_says(fixture, "Because of the air.");
    waiter_await(&waiter);
    assert_int_equal(waiter.ended, 1);
    assert_string_equal(waiter.text, "Because of the air.");
    assert_int_equal(waiter.answer.status, CORE_WORKFLOW_COMPLETED);
    assert_int_equal(waiter.answer.steps_executed, 3);
    assert_int_equal(waiter.answer.cost_nano, 300);
    assert_int_equal(waiter.answer.usage.prompt_tokens, 30);
    assert_int_equal(waiter.answer.usage.cached_tokens, 3);
    assert_int_equal(waiter.begun, 3);
    assert_int_equal(waiter.done, 3);
    assert_false(waiter.answer.repeated);
    assert_null(fixture->workflows->list);
}

static void test_only_the_last_step_goes_out_as_it_comes(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.streams = true};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    step_says(fixture, "facts");
    step_says(fixture, "thoughts");
    assert_string_equal(waiter.parts, "");
    step_says(fixture, "Because.");
    assert_string_equal(waiter.parts, "Because."); /* before it is stored */
    assert_int_equal(waiter.ended, 0);
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "Because.");
}

static void test_map_reduce(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    char *document = document_make();
    int maps = 0;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_MAP_REDUCE, document);
    while (waiter.ended + waiter.failed == 0) {
        call_fixture_turn(&fixture->calls);
        while (fixture->calls.waiting_count > 0) {
            struct call *call = call_fixture_take(&fixture->calls);
            maps += strlen(prompt_text(call)) > 1000; /* a part of the document */
            workflow_fixture_finish(call, "a note", GEN_FINISH_STOP, 10);
        }
    }
    assert_int_equal(waiter.ended, 1);
    assert_string_equal(waiter.text, "a note");
    assert_true(maps >= 4);
    assert_true((int)waiter.answer.steps_executed > maps); /* and what put them together */
    assert_int_equal(waiter.answer.cost_nano, 10 * (int64_t)waiter.answer.steps_executed);
    free(document);
}

/* Calls in parallel, as many as the account's tier has room for. */
static void test_parallel_steps(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    char *document = document_make();
    fixture->calls.view = (struct core_account_view){.concurrent = 4, .active = 2};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_MAP_REDUCE, document);
    NET_UNTIL(&fixture->calls.net, fixture->calls.submitted == 2);
    for (int i = 0; i < 20; i++) {
        call_fixture_turn(&fixture->calls);
    }
    assert_int_equal(fixture->calls.submitted, 2); /* two others are under way elsewhere */
    fixture->calls.view = (struct core_account_view){.concurrent = 0};
    NET_UNTIL(&fixture->calls.net, fixture->calls.submitted > 4); /* looked for again by the tick */
    workflow_leave(waiter.workflow, true);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_int_equal(fixture->calls.abandoned, fixture->calls.submitted);
    free(document);
}

/* --- Budgets --- */

/* What is held for the first step of research where no more is left. */
static int64_t first_hold(struct workflow_fixture *fixture) {
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why is the sky blue?");
    struct call *call = call_fixture_take(&fixture->calls);
    const int64_t cost = run_cost_enough(call->calls, &call->generation);
    workflow_leave(waiter.workflow, true);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    return cost;
}

static void test_a_cap_cuts_what_is_said(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    const int64_t whole = first_hold(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_RESEARCH, "Why is the sky blue?");
    asking.orchestration.max_cost_nano = whole - 2000;
    assert_non_null(waiter_start(&waiter, &asking));
    struct call *call = call_fixture_take(&fixture->calls);
    assert_true(run_cost_enough(call->calls, &call->generation) <= whole - 2000); /* within what is left */
    workflow_fixture_finish(call, "facts", GEN_FINISH_STOP, whole - 2000);
    waiter_await(&waiter);
    assert_int_equal(waiter.ended, 1); /* nothing is left for the next step: the best that there is */
    assert_int_equal(waiter.answer.status, CORE_WORKFLOW_BUDGET_EXCEEDED);
    assert_string_equal(waiter.text, "facts");
    assert_int_equal(waiter.answer.finish, GEN_FINISH_LENGTH);
    assert_int_equal(waiter.answer.cost_nano, whole - 2000);
}

/* What the cap has cut is the answer. */
static void test_a_cap_cuts_the_answer(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    struct asking asking;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_AGENT, "Tell me all.");
    struct call *call = call_fixture_take(&fixture->calls);
    const int64_t whole = run_cost_enough(call->calls, &call->generation);
    workflow_leave(waiter.workflow, true);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    for (int restarts = 0; restarts < 2; restarts++) {
        waiter = (struct waiter){.fixture = fixture};
        asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Tell me all.");
        asking.orchestration.max_cost_nano = whole - 2000;
        asking.request.id = restarts == 0 ? NULL : "wf_000000000000000000000002";
        assert_non_null(waiter_start(&waiter, &asking));
        call = call_fixture_take(&fixture->calls);
        if (restarts > 0) {
            workflow_restart(fixture);
            call = call_fixture_take(&fixture->calls);
            assert_non_null(waiter_start(&waiter, &asking)); /* it comes back to its workflow */
        }
        const uint32_t max_tokens = call->generation.max_tokens;
        assert_true(run_cost_enough(call->calls, &call->generation) <= whole - 2000);
        workflow_fixture_finish(call, "Answer: and so on, and", GEN_FINISH_LENGTH, max_tokens);
        waiter_await(&waiter);
        assert_int_equal(waiter.ended, 1);
        assert_int_equal(waiter.answer.status, CORE_WORKFLOW_BUDGET_EXCEEDED);
        assert_int_equal(waiter.answer.finish, GEN_FINISH_LENGTH);
        assert_string_equal(waiter.text, "and so on, and");
    }
}

static void test_no_budget(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_CODE, "Write it.");
    asking.orchestration.max_cost_nano = 0;
    assert_non_null(waiter_start(&waiter, &asking));
    waiter_await(&waiter);
    assert_int_equal(waiter.answer.status, CORE_WORKFLOW_BUDGET_EXCEEDED);
    assert_int_equal(fixture->calls.submitted, 0);
    assert_string_equal(waiter.text, "");
}

static void test_few_steps(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    asking.orchestration.max_steps = 2;
    assert_non_null(waiter_start(&waiter, &asking));
    step_says(fixture, "facts");
    step_says(fixture, "thoughts");
    waiter_await(&waiter);
    assert_int_equal(waiter.answer.status, CORE_WORKFLOW_MAX_STEPS);
    assert_string_equal(waiter.text, "thoughts");
}

/* --- Failures --- */

static void test_a_failure_that_stays(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture}, again = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    asking.request.id = "wf_000000000000000000000003";
    assert_non_null(waiter_start(&waiter, &asking));
    step_fails(fixture, FAULT_INSUFFICIENT_CREDITS);
    waiter_await(&waiter);
    assert_int_equal(waiter.failed, 1);
    assert_int_equal(waiter.fault.code, FAULT_INSUFFICIENT_CREDITS);
    assert_int_equal(waiter.steps_failed, 1);
    /* Who comes back to it later is told the same. */
    assert_non_null(waiter_start(&again, &asking));
    waiter_await(&again);
    assert_int_equal(again.failed, 1);
    assert_int_equal(again.fault.code, FAULT_INSUFFICIENT_CREDITS);
    assert_string_equal(again.fault.message, "it is said so");
}

static void test_a_failure_that_passes(void **state) {
    static const enum fault_code codes[] = {FAULT_RATE_LIMIT_EXCEEDED, FAULT_MODEL_WARMING, FAULT_UNAVAILABLE};
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_AGENT, "Try.");
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        step_fails(fixture, codes[i]);
    }
    step_says(fixture, "Answer: at last");
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "at last");
    assert_int_equal(waiter.begun, 1); /* its waiter hears of it once, and each time that it waits */
    assert_int_equal(waiter.waited, COUNT_OF(codes));
    assert_int_equal(waiter.answer.steps_executed, 1);
}

/* What has gone out cannot be taken back. */
static void test_a_failure_in_a_stream(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.streams = true};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    step_says(fixture, "facts");
    step_says(fixture, "thoughts");
    struct call *call = call_fixture_take(&fixture->calls);
    assert_int_equal(call->sink->deliver(call, STR("Beca")), CALL_DELIVERED);
    call->sink->failed(call, &(struct fault){.code = FAULT_UNAVAILABLE, .message = "lost"});
    waiter_await(&waiter);
    assert_int_equal(waiter.failed, 1);
    assert_int_equal(fixture->calls.submitted, 3);
}

/* One of many fails: those that wait need not begin, those that run may end. */
static void test_a_failure_beside_others(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    struct call *calls[3];
    char *document = document_make();
    fixture->calls.view = (struct core_account_view){.concurrent = 3};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_MAP_REDUCE, document);
    struct workflow *workflow = waiter.workflow;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        calls[i] = call_fixture_take(&fixture->calls);
    }
    fixture->calls.view.active = 3;
    calls[0]->sink->failed(calls[0], &(struct fault){.code = FAULT_RATE_LIMIT_EXCEEDED, .message = "wait"});
    calls[1]->sink->failed(calls[1], &(struct fault){.code = FAULT_FORBIDDEN, .message = "no"});
    assert_int_equal(waiter.failed, 0); /* the third is paid for */
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        assert_int_not_equal(workflow->steps[i]->phase, STEP_WAITING);
    }
    workflow_fixture_finish(calls[2], "a note", GEN_FINISH_STOP, 7);
    waiter_await(&waiter);
    assert_int_equal(waiter.fault.code, FAULT_FORBIDDEN);
    free(document);
}

static void test_a_revoked_key(void **state) {
    struct workflow_fixture *fixture = *state;
    for (int i = 0; i < 2; i++) { /* before a step begins; and when it is tried again */
        struct waiter waiter = {0};
        fixture->calls.auth.revoked = false;
        waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
        struct call *call = call_fixture_take(&fixture->calls);
        fixture->calls.auth.revoked = true;
        if (i == 0) {
            workflow_fixture_finish(call, "facts", GEN_FINISH_STOP, 1);
        } else {
            call->sink->failed(call, &(struct fault){.code = FAULT_UNAVAILABLE, .message = "lost"});
        }
        waiter_await(&waiter);
        assert_int_equal(waiter.failed, 1);
        assert_int_equal(waiter.fault.code, FAULT_INVALID_API_KEY);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, workflow_setup, workflow_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_research),
        TEST(test_only_the_last_step_goes_out_as_it_comes),
        TEST(test_map_reduce),
        TEST(test_parallel_steps),
        TEST(test_a_cap_cuts_what_is_said),
        TEST(test_a_cap_cuts_the_answer),
        TEST(test_no_budget),
        TEST(test_few_steps),
        TEST(test_a_failure_that_stays),
        TEST(test_a_failure_that_passes),
        TEST(test_a_failure_in_a_stream),
        TEST(test_a_failure_beside_others),
        TEST(test_a_revoked_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
