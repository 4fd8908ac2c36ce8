/* Workflows that go on after a gateway was killed, and those that are asked for again. On a real store. */
#include "workflow/resume.h"

#include "support/workflow_fixture.h"

/* --- After a restart --- */

static void test_goes_on_where_it_was(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0}, again = {.fixture = fixture};
    char run_id[ID_SIZE];
    struct asking asking;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why is the sky blue?");
    step_says(fixture, "facts about air");
    struct call *call = call_fixture_take(&fixture->calls);
    (void)str_copy(run_id, sizeof(run_id), str_from(call->id));
    workflow_restart(fixture);
    call = call_fixture_take(&fixture->calls);
    assert_string_equal(call->id, run_id); /* under its id, so that it is paid once */
    assert_non_null(strstr(prompt_text(call), "facts about air"));
    /* Who asked for it by its id waits for it again. */
    asking_init(&asking, fixture, CORE_WORKFLOW_RESEARCH, "Why is the sky blue?");
    asking.request.id = waiter.id;
    assert_non_null(waiter_start(&again, &asking));
    workflow_fixture_finish(call, "thoughts", GEN_FINISH_STOP, 100);
    step_says(fixture, "Because of the air.");
    waiter_await(&again);
    assert_string_equal(again.text, "Because of the air.");
    assert_int_equal(again.answer.steps_executed, 3);
    assert_int_equal(again.answer.cost_nano, 300);
    assert_int_equal(fixture->calls.submitted, 4);
    assert_int_equal(waiter.ended + waiter.failed, 0); /* that one was killed with the gateway */
}

static void test_parallel_steps_go_on(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0}, again = {.fixture = fixture};
    struct asking asking;
    char *document = document_make();
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_MAP_REDUCE, document);
    for (int i = 0; i < 2; i++) {
        step_says(fixture, "note before");
    }
    const int before = fixture->calls.submitted;
    workflow_restart(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_MAP_REDUCE, document);
    asking.request.id = waiter.id;
    assert_non_null(waiter_start(&again, &asking));
    while (again.ended + again.failed == 0) {
        call_fixture_turn(&fixture->calls);
        while (fixture->calls.waiting_count > 0) {
            workflow_fixture_finish(call_fixture_take(&fixture->calls), "note behind", GEN_FINISH_STOP, 100);
        }
    }
    assert_int_equal(again.ended, 1);
    assert_int_equal(again.answer.cost_nano, 100 * (int64_t)again.answer.steps_executed); /* each of them once */
    assert_true(fixture->calls.submitted > before);
    free(document);
}

/* A step that says nothing by a model: it is done anew. */
static void test_a_local_step_is_done_again(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0}, again = {.fixture = fixture};
    struct asking asking;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_AGENT, "What is six times seven?");
    struct workflow *workflow = waiter.workflow;
    step_says(fixture, "Action: calculator[6*7]");
    NET_UNTIL(&fixture->calls.net, workflow->step_count == 3 && workflow->steps[2]->phase == STEP_UNDER_WAY);
    workflow_restart(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "What is six times seven?");
    asking.request.id = waiter.id;
    assert_non_null(waiter_start(&again, &asking));
    struct call *call = call_fixture_take(&fixture->calls);
    if (strstr(prompt_text(call), "42") == NULL) { /* the one before the restart */
        call = call_fixture_take(&fixture->calls);
    }
    assert_non_null(strstr(prompt_text(call), "42"));
    workflow_fixture_finish(call, "Answer: 42", GEN_FINISH_STOP, 100);
    waiter_await(&again);
    assert_string_equal(again.text, "42");
}

static void test_cancelled_while_it_is_read(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    (void)call_fixture_take(&fixture->calls);
    workflow_restart(fixture);
    struct workflow *workflow;
    NET_UNTIL(&fixture->calls.net, (workflow = workflow_find(fixture->workflows, waiter.id)) != NULL);
    assert_int_equal(workflow->state, WORKFLOW_READING);
    workflow_leave(workflow, true);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_int_equal(fixture->calls.submitted, 1);
}

/* Its key was revoked meanwhile: it fails, and says why. */
static void test_of_a_revoked_key(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0}, again = {.fixture = fixture};
    struct asking asking;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    (void)call_fixture_take(&fixture->calls);
    fixture->calls.auth.revoked = true;
    workflow_restart(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    asking.request.id = waiter.id;
    NET_UNTIL(&fixture->calls.net, workflow_find(fixture->workflows, waiter.id) != NULL);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_non_null(waiter_start(&again, &asking));
    waiter_await(&again);
    assert_int_equal(again.fault.code, FAULT_INVALID_API_KEY);
}

/* The gateway stops while it goes on: the next one has it. */
static void test_a_gateway_that_stops(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0}, next = {.fixture = fixture};
    struct asking asking;
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    struct call *call = call_fixture_take(&fixture->calls);
    fixture->calls.calls->draining = true;
    workflows_drain(fixture->workflows);
    assert_int_equal(waiter.failed, 0); /* what is under way goes on */
    call->sink->failed(call, &(struct fault){.code = FAULT_UNAVAILABLE, .message = "the gateway stops"});
    waiter_await(&waiter);
    assert_int_equal(waiter.fault.code, FAULT_UNAVAILABLE);
    assert_non_null(strstr(waiter.fault.message, waiter.id)); /* where to ask for it */
    assert_true(waiter.fault.retry_after_ms > 0);
    fixture->calls.calls->draining = false;
    workflow_restart(fixture);
    asking_init(&asking, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    asking.request.id = waiter.id;
    assert_non_null(waiter_start(&next, &asking));
    step_says(fixture, "facts");
    step_says(fixture, "thoughts");
    step_says(fixture, "So.");
    waiter_await(&next);
    assert_string_equal(next.text, "So.");
}

static void test_begins_no_step_while_it_drains(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_RESEARCH, "Why?");
    fixture->calls.calls->draining = true; /* while it is on its way into the store */
    waiter_await(&waiter);
    assert_int_equal(waiter.fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fixture->calls.submitted, 0);
}

/* --- Under an idempotency key --- */

static void asking_set_key(struct asking *asking, enum idempotency_kind kind, char key, char body) {
    asking->idempotency.kind = kind;
    memset(asking->idempotency.scope_sha256, key, DIGEST_SHA256_SIZE);
    memset(asking->idempotency.body_sha256, body, DIGEST_SHA256_SIZE);
    asking->request.idempotency = &asking->idempotency;
}

static void ask(struct waiter *waiter, struct workflow_fixture *fixture, enum idempotency_kind kind, char body) {
    struct asking asking;
    *waiter = (struct waiter){.fixture = fixture};
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Why?");
    asking_set_key(&asking, kind, 'k', body);
    assert_non_null(waiter_start(waiter, &asking));
}

static void test_a_twin_while_it_runs(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter first;
    ask(&first, fixture, IDEMPOTENCY_KEY, 1);
    struct call *call = call_fixture_take(&fixture->calls);
    struct waiter twin, other;
    ask(&twin, fixture, IDEMPOTENCY_KEY, 1);
    ask(&other, fixture, IDEMPOTENCY_KEY, 2);
    waiter_await(&twin);
    waiter_await(&other);
    assert_int_equal(twin.fault.code, FAULT_CONFLICT);
    assert_true(fault_is_retryable(&twin.fault));
    assert_int_equal(other.fault.code, FAULT_CONFLICT);
    assert_false(fault_is_retryable(&other.fault));
    workflow_fixture_finish(call, "Answer: so", GEN_FINISH_STOP, 1);
    waiter_await(&first);
    assert_string_equal(first.text, "so");
}

static void test_a_twin_behind_it(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter first;
    ask(&first, fixture, IDEMPOTENCY_KEY, 1);
    step_says(fixture, "Answer: so");
    waiter_await(&first);
    struct waiter twin;
    ask(&twin, fixture, IDEMPOTENCY_KEY, 1);
    waiter_await(&twin);
    assert_int_equal(twin.ended, 1);
    assert_true(twin.answer.repeated);
    assert_string_equal(twin.text, "so");
    assert_string_equal(twin.id, first.id);
    assert_int_equal(fixture->calls.submitted, 1);
}

/* As with a call: what failed is tried again, under the same key. */
static void test_a_twin_of_one_that_failed(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter first;
    ask(&first, fixture, IDEMPOTENCY_KEY, 1);
    step_fails(fixture, FAULT_FORBIDDEN);
    waiter_await(&first);
    assert_int_equal(first.failed, 1);
    struct waiter twin;
    ask(&twin, fixture, IDEMPOTENCY_KEY, 1);
    step_says(fixture, "Answer: now");
    waiter_await(&twin);
    assert_string_equal(twin.text, "now");
    assert_false(twin.answer.repeated);
    assert_string_not_equal(twin.id, first.id);
}

/* An SDK's first try is a new one, whatever ran before; its retry is not. */
static void test_of_an_sdk(void **state) {
    struct workflow_fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        struct waiter waiter;
        ask(&waiter, fixture, IDEMPOTENCY_SDK_FIRST, 1);
        step_says(fixture, i == 0 ? "Answer: first" : "Answer: second");
        waiter_await(&waiter);
        assert_false(waiter.answer.repeated);
    }
    struct waiter retry;
    ask(&retry, fixture, IDEMPOTENCY_SDK_RETRY, 1);
    waiter_await(&retry);
    assert_true(retry.answer.repeated);
    assert_string_equal(retry.text, "second");
}

/* Two wait for one workflow by its id: the second is told to come back. */
static void test_a_second_waiter(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter first = {.fixture = fixture}, second = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Why?");
    asking.request.id = "wf_000000000000000000000009";
    assert_non_null(waiter_start(&first, &asking));
    assert_null(waiter_start(&second, &asking));
    assert_int_equal(second.fault.code, FAULT_CONFLICT);
    assert_true(fault_is_retryable(&second.fault));
    step_says(fixture, "Answer: so");
    waiter_await(&first);
    assert_int_equal(first.ended, 1);
}

static void test_one_that_was_cancelled(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter first = {.fixture = fixture}, again = {.fixture = fixture};
    struct asking asking;
    asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Why?");
    asking.request.id = "wf_000000000000000000000008";
    struct workflow *workflow = waiter_start(&first, &asking);
    (void)call_fixture_take(&fixture->calls);
    workflow_leave(workflow, true);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_non_null(waiter_start(&again, &asking));
    waiter_await(&again);
    assert_int_equal(again.failed, 1);
    assert_string_equal(again.fault.message, "The workflow was cancelled.");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, workflow_setup, workflow_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_goes_on_where_it_was),
        TEST(test_parallel_steps_go_on),
        TEST(test_a_local_step_is_done_again),
        TEST(test_cancelled_while_it_is_read),
        TEST(test_of_a_revoked_key),
        TEST(test_a_gateway_that_stops),
        TEST(test_begins_no_step_while_it_drains),
        TEST(test_a_twin_while_it_runs),
        TEST(test_a_twin_behind_it),
        TEST(test_a_twin_of_one_that_failed),
        TEST(test_of_an_sdk),
        TEST(test_a_second_waiter),
        TEST(test_one_that_was_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
