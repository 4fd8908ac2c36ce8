/* Jobs: to their end, room for them, cancels in each state, restarts. On a real store. */
#include "jobs/jobs.h"

#include "support/job_fixture.h"

/* --- To its end --- */

static void test_to_its_end(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, BODY, id);
    struct call *call = take(fixture);
    assert_string_equal(call->id, id);
    assert_true(str_equal_cstr(call->generation.model, CALL_FIXTURE_MODEL));
    call->sink->accepted(call);
    await_state(fixture, id, STORE_JOB_RUNNING);
    finish(call, "hello");
    const struct found found = await_end(fixture, id);
    assert_int_equal(found.state, STORE_JOB_COMPLETED);
    assert_int_equal(found.charge_nano, 100);
    assert_non_null(strstr(found.result, "\"content\":\"hello\""));
    assert_null(fixture->jobs->accounts);
    assert_int_equal(fixture->jobs->total, 0);
}

static void test_in_the_sandbox(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    fixture->workflow.calls.auth.kind = STORE_KEY_TEST;
    post(fixture, 1, BODY, id);
    finish(take(fixture), "hello");
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_COMPLETED);
    assert_int_equal(fixture->workflow.calls.sandboxed, 1);
}

static void test_a_body_that_cannot_be_read(void **state) {
    static const char *const bodies[] = {"no JSON", "[]", "{\"model\":\"m\",\"messages\":7}"};
    struct job_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        char id[STORE_ID_MAX];
        post(fixture, (char)i, bodies[i], id);
        const struct found found = await_end(fixture, id);
        assert_int_equal(found.state, STORE_JOB_FAILED);
        assert_non_null(strstr(found.result, "INVALID_REQUEST"));
    }
    assert_int_equal(fixture->workflow.calls.submitted, 0);
}

/* --- Room --- */

static void test_no_more_than_the_tier_allows(void **state) {
    struct job_fixture *fixture = *state;
    struct call_fixture *calls = &fixture->workflow.calls;
    char ids[4][STORE_ID_MAX];
    calls->view = (struct core_account_view){.concurrent = 2};
    post(fixture, 0, BODY, ids[0]);
    post(fixture, 1, BODY, ids[1]);
    NET_UNTIL(net_of(fixture), calls->submitted == 2);
    post(fixture, 2, BODY, ids[2]);
    post(fixture, 3, BODY, ids[3]);
    for (int i = 0; i < 5; i++) {
        call_fixture_turn(calls);
    }
    assert_int_equal(calls->submitted, 2);
    finish(take(fixture), "hello");
    NET_UNTIL(net_of(fixture), calls->submitted >= 3); /* between its reading and its call nobody counts a job */
    calls->view = (struct core_account_view){.concurrent = 0}; /* no limit */
    NET_UNTIL(net_of(fixture), calls->submitted == 4);
    while (calls->waiting_count > 0) {
        finish(take(fixture), "hello");
    }
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(await_end(fixture, ids[i]).state, STORE_JOB_COMPLETED);
    }
}

static void test_so_many_may_be_open(void **state) {
    struct job_fixture *fixture = *state;
    const struct auth_identity identity = {.account_id = "acct_1"}, other = {.account_id = "acct_2"},
                               sandbox = {.account_id = "acct_1", .kind = STORE_KEY_TEST};
    struct fault fault;
    for (int i = 0; i < JOBS_OPEN_MAX; i++) {
        assert_true(jobs_reserve(fixture->jobs, &identity, &fault));
    }
    assert_false(jobs_reserve(fixture->jobs, &identity, &fault));
    assert_int_equal(fault.code, FAULT_RATE_LIMIT_EXCEEDED);
    assert_true(fault.retry_after_ms > 0);
    assert_true(jobs_reserve(fixture->jobs, &other, &fault));
    assert_true(jobs_reserve(fixture->jobs, &sandbox, &fault));
    const size_t total = fixture->jobs->total;
    fixture->jobs->total = JOBS_TOTAL_MAX;
    assert_false(jobs_reserve(fixture->jobs, &other, &fault));
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
    fixture->jobs->total = total;
    jobs_release(fixture->jobs, "acct_1", false);
    assert_true(jobs_reserve(fixture->jobs, &identity, &fault));
    for (int i = 0; i < JOBS_OPEN_MAX; i++) {
        jobs_release(fixture->jobs, "acct_1", false);
    }
    jobs_release(fixture->jobs, "acct_1", true);
    jobs_release(fixture->jobs, "acct_2", false);
    assert_null(fixture->jobs->accounts);
}

/* --- Cancelled --- */

static void test_cancelled_in_each_state(void **state) {
    static const enum entry_state states[] = {ENTRY_WAITING, ENTRY_READING, ENTRY_RUNNING};
    struct job_fixture *fixture = *state;
    jobs_cancel(fixture->jobs, "job_never");
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        char id[STORE_ID_MAX];
        fixture->holds = states[i] == ENTRY_WAITING;
        post(fixture, (char)i, BODY, id);
        if (!fixture->holds) {
            NET_UNTIL(net_of(fixture), entry_of(fixture, id)->state == states[i]);
        }
        if (states[i] == ENTRY_READING) { /* the store has been asked, and then it is cancelled */
            jobs_cancel(fixture->jobs, id);
        }
        cancel(fixture, id);
        await_state(fixture, id, STORE_JOB_CANCELLED);
        NET_UNTIL(net_of(fixture), fixture->jobs->accounts == NULL);
    }
    assert_int_equal(calls_count(calls_of(fixture)), 0);
    assert_int_equal(fixture->workflow.calls.abandoned, fixture->workflow.calls.submitted);
}

/* The store has decided already. */
static void test_cancelled_as_it_ends(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, BODY, id);
    finish(take(fixture), "hello");
    assert_int_equal(entry_of(fixture, id)->state, ENTRY_ENDING);
    jobs_cancel(fixture->jobs, id);
    cancel(fixture, id);
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_COMPLETED);
}

/* In the store alone, as from another gateway; it finds that out when it is read. */
static void test_ended_by_somebody_else(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    fixture->holds = true;
    post(fixture, 1, BODY, id);
    struct store_job_end end = {
        .state = STORE_JOB_CANCELLED, .ended_ms = clock_wall_ms(), .result = STR(""), .event = STR("")};
    struct found found = {0};
    (void)str_copy(end.id, sizeof(end.id), str_from(id));
    store_job_end(store_of(fixture), &end, on_found, &found);
    NET_UNTIL(net_of(fixture), found.told);
    entry_of(fixture, id)->patience.not_before_ms = 0;
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_CANCELLED);
    assert_int_equal(fixture->workflow.calls.submitted, 0);
}

/* --- The gateway stops, and begins anew --- */

static void test_a_gateway_that_stops(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, BODY, id);
    struct call *call = take(fixture);
    calls_of(fixture)->draining = true;
    break_off(call, FAULT_UNAVAILABLE, 0);
    assert_int_equal(entry_of(fixture, id)->state, ENTRY_WAITING); /* the next gateway has it */
    assert_int_equal(entry_of(fixture, id)->patience.tries, 0);
    await_state(fixture, id, STORE_JOB_QUEUED);
    post(fixture, 2, BODY, id);
    for (int i = 0; i < 5; i++) {
        call_fixture_turn(&fixture->workflow.calls);
    }
    assert_int_equal(fixture->workflow.calls.submitted, 1); /* nothing begins any more */
}

/* What the gateway failed for by itself is no reason to wait for the next one. */
static void test_a_failure_while_it_stops(void **state) {
    struct job_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    post(fixture, 1, BODY, id);
    struct call *call = take(fixture);
    calls_of(fixture)->draining = true;
    break_off(call, FAULT_CONTEXT_LENGTH, 0);
    assert_int_equal(await_end(fixture, id).state, STORE_JOB_FAILED);
}

static void test_goes_on_after_a_restart(void **state) {
    struct job_fixture *fixture = *state;
    struct found found = {0};
    struct store_job_new new = new_job(fixture, 1, BODY);
    char waiting[STORE_ID_MAX];
    fixture->holds = true;
    post(fixture, 2, BODY, waiting); /* this one came in the moment in which they are read */
    store_job_add(store_of(fixture), &new, on_found, &found);
    NET_UNTIL(net_of(fixture), found.told);
    store_job_move(store_of(fixture), new.job.id, STORE_JOB_RUNNING, 1); /* when the one before was killed */
    jobs_open(fixture->jobs);
    NET_UNTIL(net_of(fixture), job_queue_find(fixture->jobs, new.job.id) != NULL);
    assert_true(entry_of(fixture, new.job.id)->again); /* it may have been settled */
    assert_false(entry_of(fixture, waiting)->again);
    struct call *call = take(fixture);
    assert_string_equal(call->id, new.job.id);
    finish(call, "hello");
    assert_int_equal(await_end(fixture, new.job.id).state, STORE_JOB_COMPLETED);
    cancel(fixture, waiting);
    NET_UNTIL(net_of(fixture), fixture->jobs->entries == NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, jobs_setup, jobs_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_to_its_end),
        TEST(test_in_the_sandbox),
        TEST(test_a_body_that_cannot_be_read),
        TEST(test_no_more_than_the_tier_allows),
        TEST(test_so_many_may_be_open),
        TEST(test_cancelled_in_each_state),
        TEST(test_cancelled_as_it_ends),
        TEST(test_ended_by_somebody_else),
        TEST(test_a_gateway_that_stops),
        TEST(test_a_failure_while_it_stops),
        TEST(test_goes_on_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
