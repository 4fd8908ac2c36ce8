/* A job on its way to its end: what it waits for and for how long, and its workflow. On a real store. */
#include "jobs/entry.h"

#include "support/job_fixture.h"

/* --- Patience --- */

/* Its account has met its limit: none of its jobs tries before that is over. */
static void test_a_limit_is_the_accounts(void **state) {
    struct job_fixture *fixture = *state;
    char first[STORE_ID_MAX], second[STORE_ID_MAX];
    post(fixture, 1, BODY, first);
    break_off(take(fixture), FAULT_RATE_LIMIT_EXCEEDED, 60 * 1000);
    struct job_account *account = entry_of(fixture, first)->account;
    const uint64_t now_ms = loop_now_ms(fixture->workflow.calls.net.loop);
    assert_in_range(account->try_at_ms, now_ms + 59 * 1000, now_ms + 60 * 1000);
    post(fixture, 2, BODY, second);
    for (int i = 0; i < 5; i++) {
        call_fixture_turn(&fixture->workflow.calls);
    }
    assert_int_equal(fixture->workflow.calls.submitted, 1);
    account->try_at_ms = 0; /* it is over */
    struct call *call = take(fixture);
    assert_string_equal(call->id, second); /* the first one was told to wait longer */
    finish(call, "hello");
    assert_int_equal(await_end(fixture, second).state, STORE_JOB_COMPLETED);
    entry_of(fixture, first)->patience.not_before_ms = 0;
    finish(take(fixture), "hello");
    assert_int_equal(await_end(fixture, first).state, STORE_JOB_COMPLETED);
}

static void test_a_model_that_comes(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    fixture->workflow.calls.availability = CORE_MODEL_COMING;
    post(fixture, 1, BODY, id);
    struct call *call = take(fixture);
    call->sink->accepted(call);
    break_off(call, FAULT_MODEL_WARMING, 60 * 1000);
    await_state(fixture, id, STORE_JOB_QUEUED); /* it runs no longer */
    const struct patience *patience = &entry_of(fixture, id)->patience;
    assert_in_range(patience->warm_by_ms - patience->not_before_ms, 59 * 1000, 60 * 1000);
    fixture->workflow.calls.availability = CORE_MODEL_AVAILABLE; /* sooner than was thought */
    finish(take(fixture), "hello");
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_COMPLETED);
}

static void test_failures_that_may_pass(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, BODY, id);
    for (int i = 0; i < JOBS_TRIES_MAX; i++) {
        break_off(take(fixture), i % 2 == 0 ? FAULT_UNAVAILABLE : FAULT_REQUEST_TIMEOUT, 0);
        struct job_entry *entry = entry_of(fixture, id);
        assert_int_equal(entry->state, i + 1 < JOBS_TRIES_MAX ? ENTRY_WAITING : ENTRY_ENDING);
        entry->patience.not_before_ms = 0; /* its wait is over */
    }
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_FAILED);
    assert_int_equal(fixture->workflow.calls.submitted, JOBS_TRIES_MAX);
}

/* It could not begin for a day: it fails with what kept it. */
static void test_a_day(void **state) {
    static const enum fault_code codes[] = {FAULT_RATE_LIMIT_EXCEEDED, FAULT_MODEL_WARMING};
    struct job_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char id[STORE_ID_MAX];
        post(fixture, (char)i, BODY, id);
        struct call *call = take(fixture);
        entry_of(fixture, id)->job.created_ms -= JOBS_WAIT_MAX_MS - 60 * 1000;
        break_off(call, codes[i], 0);
        assert_int_equal(entry_of(fixture, id)->state, ENTRY_WAITING);
        entry_of(fixture, id)->patience = (struct patience){0};
        entry_of(fixture, id)->account->try_at_ms = 0;
        call = take(fixture);
        entry_of(fixture, id)->job.created_ms -= 60 * 1000;
        break_off(call, codes[i], 0);
        const struct found found = await_end(fixture, id);
        assert_int_equal(found.state, STORE_JOB_FAILED);
        assert_non_null(strstr(found.result, fault_name(codes[i])));
    }
}

/* --- Workflows --- */

static void test_of_a_workflow(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, AGENT, id);
    finish(take(fixture), "Answer: so");
    const struct found found = await_end(fixture, id);
    assert_int_equal(found.state, STORE_JOB_COMPLETED);
    assert_non_null(strstr(found.result, "\"content\":\"so\""));
}

static void test_of_a_workflow_that_fails(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, AGENT, id);
    break_off(take(fixture), FAULT_INSUFFICIENT_CREDITS, 0);
    const struct found found = await_end(fixture, id);
    assert_int_equal(found.state, STORE_JOB_FAILED);
    assert_non_null(strstr(found.result, "INSUFFICIENT_CREDITS"));
}

/* As many workflows as an account may have are open: the job waits for room. */
static void test_no_room_for_its_workflow(void **state) {
    struct job_fixture *fixture = *state;
    struct workflows *workflows = fixture->workflow.workflows;
    char id[STORE_ID_MAX];
    workflows->total = WORKFLOWS_TOTAL_MAX;
    post(fixture, 1, AGENT, id);
    NET_UNTIL(net_of(fixture), entry_of(fixture, id)->patience.tries == 1);
    assert_int_equal(entry_of(fixture, id)->state, ENTRY_WAITING);
    workflows->total = 0;
    entry_of(fixture, id)->patience.not_before_ms = 0;
    finish(take(fixture), "Answer: so");
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_COMPLETED);
}

static void test_its_cancel_is_its_workflows(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    for (int waits = 0; waits < 2; waits++) {
        post(fixture, (char)waits, AGENT, id);
        struct call *call = take(fixture);
        if (waits > 0) { /* the gateway stops: the workflow goes on by itself, the job waits for the next gateway */
            calls_of(fixture)->draining = true;
            workflows_drain(fixture->workflow.workflows);
            break_off(call, FAULT_UNAVAILABLE, 0);
            NET_UNTIL(net_of(fixture), entry_of(fixture, id)->state == ENTRY_WAITING);
        }
        cancel(fixture, id);
        assert_int_equal(await_end(fixture, id).state, STORE_JOB_CANCELLED);
        NET_UNTIL(net_of(fixture), fixture->workflow.workflows->list == NULL);
    }
    assert_int_equal(fixture->workflow.calls.abandoned, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, jobs_setup, jobs_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_limit_is_the_accounts),
        TEST(test_a_model_that_comes),
        TEST(test_failures_that_may_pass),
        TEST(test_a_day),
        TEST(test_of_a_workflow),
        TEST(test_of_a_workflow_that_fails),
        TEST(test_no_room_for_its_workflow),
        TEST(test_its_cancel_is_its_workflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
