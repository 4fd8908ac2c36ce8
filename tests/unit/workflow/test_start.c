/* How a workflow comes to life and is told to end: room, waiters that leave, cancels by its id. On a real store. */
#include "workflow/start.h"

#include "base/clock.h"
#include "support/workflow_fixture.h"

/* --- Left and cancelled --- */

static void test_left_at_once(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    workflow_leave(waiter.workflow, true); /* it is on its way into the store */
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_int_equal(fixture->calls.submitted, 0);
    assert_int_equal(waiter.ended + waiter.failed, 0);
}

static void test_left_in_a_callback(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.leave_at_step = true};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_int_equal(waiter.begun, 1);
    assert_int_equal(fixture->calls.submitted, 0);
}

static void on_told(void *context, const struct store_workflow *workflow, const struct store_step *steps, size_t count,
                    bool changed, const struct err *err) {
    int *told = context;
    (void)workflow;
    (void)steps;
    (void)count;
    *told = err != NULL ? -1 : changed ? 2 : 1;
}

static int cancel(struct workflow_fixture *fixture, const char *id) {
    const struct auth_identity identity = call_fixture_identity(&fixture->calls.auth);
    int told = 0;
    workflow_cancel(fixture->workflows, &identity, id, on_told, &told);
    NET_UNTIL(&fixture->calls.net, told != 0);
    return told;
}

static void test_cancelled_by_its_id(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0}, done = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    (void)call_fixture_take(&fixture->calls);
    assert_int_equal(cancel(fixture, waiter.id), 2);
    waiter_await(&waiter);
    assert_int_equal(waiter.fault.code, FAULT_INVALID_REQUEST);
    assert_string_equal(waiter.fault.message, "The workflow was cancelled.");
    assert_int_equal(fixture->calls.abandoned, fixture->calls.submitted);
    /* It had ended. The store takes an end of the same millisecond for the same one, told again. */
    const int64_t now_ms = clock_wall_ms();
    while (clock_wall_ms() == now_ms) {
    }
    assert_int_equal(cancel(fixture, waiter.id), 1);
    assert_int_equal(cancel(fixture, "wf_never"), -1); /* there is none */
    waiter_begin(&done, fixture, CORE_WORKFLOW_AGENT, "Why?");
    step_says(fixture, "Answer: so");
    waiter_await(&done);
    assert_int_equal(cancel(fixture, done.id), 1);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
}

/* Its cancel and its end are on their way at once: one of the two stays, and its waiter is told so. */
static void test_cancelled_as_it_ends(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_AGENT, "Why?");
    struct workflow *workflow = waiter.workflow;
    step_says(fixture, "Answer: so");
    NET_UNTIL(&fixture->calls.net, workflow->state == WORKFLOW_ENDING);
    assert_int_equal(cancel(fixture, waiter.id), 1);
    waiter_await(&waiter);
    assert_int_equal(waiter.ended, 1);
}

static void test_of_another_kind_of_key(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_AGENT, "Why?");
    fixture->calls.auth.kind = STORE_KEY_TEST;
    assert_int_equal(cancel(fixture, waiter.id), -1);
    fixture->calls.auth.kind = STORE_KEY_LIVE;
    step_says(fixture, "Answer: so");
    waiter_await(&waiter);
    assert_int_equal(waiter.ended, 1);
}

static void test_in_the_sandbox(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    fixture->calls.auth.kind = STORE_KEY_TEST;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_AGENT, "Why?");
    step_says(fixture, "Answer: so");
    waiter_await(&waiter);
    assert_true(waiter.answer.test);
    assert_int_equal(fixture->calls.sandboxed, 1);
    assert_string_equal(waiter.text, "so");
}

/* --- Room --- */

static void test_an_account_has_so_many(void **state) {
    struct workflow_fixture *fixture = *state;
    struct workflows *workflows = fixture->workflows;
    const struct auth_identity identity = {.account_id = "acct_1"},
                               sandbox = {.account_id = "acct_1", .kind = STORE_KEY_TEST};
    struct fault fault;
    char id[ID_SIZE];
    for (int i = 0; i < WORKFLOWS_OPEN_MAX; i++) {
        assert_true(workflow_has_room(workflows, &identity, &fault));
        snprintf(id, sizeof(id), "wf_%d", i);
        (void)workflow_new(workflows, id, "acct_1", false);
    }
    assert_false(workflow_has_room(workflows, &identity, &fault));
    assert_int_equal(fault.code, FAULT_RATE_LIMIT_EXCEEDED);
    assert_true(fault.retry_after_ms > 0);
    assert_true(workflow_has_room(workflows, &sandbox, &fault));
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Why?");
    assert_null(waiter_start(&waiter, &asking));
    assert_int_equal(waiter.fault.code, FAULT_RATE_LIMIT_EXCEEDED);
    workflow_drop(workflow_find(workflows, "wf_7"));
    assert_true(workflow_has_room(workflows, &identity, &fault));
    assert_null(workflow_find(workflows, "wf_7"));
    workflows->total = WORKFLOWS_TOTAL_MAX;
    assert_false(workflow_has_room(workflows, &sandbox, &fault));
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
    workflows->total = WORKFLOWS_OPEN_MAX - 1;
    fixture->calls.calls->draining = true;
    assert_false(workflow_has_room(workflows, &sandbox, &fault));
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
}

static void test_a_request_that_does_not_fit(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {.fixture = fixture};
    struct asking asking;
    const size_t size = (size_t)5 * LIMIT_HTTP_BODY_BYTES;
    char *text = mem_calloc(1, size + 1);
    memset(text, 'x', size);
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, text);
    assert_null(waiter_start(&waiter, &asking));
    assert_int_equal(waiter.fault.code, FAULT_TOO_LARGE);
    assert_null(fixture->workflows->list);
    free(text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, workflow_setup, workflow_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_left_at_once),           TEST(test_left_in_a_callback),          TEST(test_cancelled_by_its_id),
        TEST(test_cancelled_as_it_ends),   TEST(test_of_another_kind_of_key),      TEST(test_in_the_sandbox),
        TEST(test_an_account_has_so_many), TEST(test_a_request_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
