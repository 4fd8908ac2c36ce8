/* Steps and ends that the store refuses or has no room for: they are tried again, or left to whoever has the workflow.
 * On a fake store. */
#include "workflow/step.h"

#define WORKFLOW_FIXTURE_FAKE_STORE

#include "support/workflow_fixture.h"

static void begin(struct workflow_fixture *fixture, struct waiter *waiter) {
    *waiter = (struct waiter){0};
    waiter_begin(waiter, fixture, CORE_WORKFLOW_AGENT, "Why?");
}

static void test_it_cannot_be_added(void **state) {
    static const struct {
        enum err_code err;
        enum fault_code fault;
    } cases[] = {{ERR_UNAVAILABLE, FAULT_UNAVAILABLE}, {ERR_IO, FAULT_INTERNAL}};
    struct workflow_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct waiter waiter;
        api_workflows.fails[API_WORKFLOWS_ADD] = cases[i].err;
        begin(fixture, &waiter);
        waiter_await(&waiter);
        assert_int_equal(waiter.fault.code, cases[i].fault);
        assert_null(fixture->workflows->list);
    }
    assert_int_equal(api_workflows.count, 0);
}

/* Nothing was written: once more, until there is room. */
static void test_no_room_for_its_beginning(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter;
    api_workflows.fails[API_WORKFLOWS_STEP] = ERR_UNAVAILABLE;
    begin(fixture, &waiter);
    step_says(fixture, "Answer: so");
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "so");
    assert_int_equal(fixture->calls.submitted, 1);
}

static void test_no_room_for_its_end(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter;
    begin(fixture, &waiter);
    struct call *call = call_fixture_take(&fixture->calls);
    api_workflows.fails[API_WORKFLOWS_STEP] = ERR_UNAVAILABLE;
    workflow_fixture_finish(call, "Answer: so", GEN_FINISH_STOP, 1);
    waiter_await(&waiter);
    assert_string_equal(waiter.text, "so");
    assert_int_equal(fixture->calls.submitted, 1); /* it is stored again, not run again */
}

static void test_no_room_for_the_end_of_all(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter;
    api_workflows.fails[API_WORKFLOWS_END] = ERR_UNAVAILABLE;
    begin(fixture, &waiter);
    step_says(fixture, "Answer: so");
    waiter_await(&waiter);
    assert_int_equal(waiter.ended, 1);
    assert_string_equal(waiter.text, "so");
}

/* Somebody else has ended it, or has it: whoever waits here is told, and nothing more is done. */
static void test_it_is_lost(void **state) {
    static const struct {
        enum api_workflows_question question;
        enum err_code err;
        enum fault_code fault;
    } cases[] = {
        {API_WORKFLOWS_STEP, ERR_CONFLICT, FAULT_INVALID_REQUEST},
        {API_WORKFLOWS_STEP, ERR_IO, FAULT_INTERNAL},
        {API_WORKFLOWS_END, ERR_NOT_FOUND, FAULT_INVALID_REQUEST},
        {API_WORKFLOWS_END, ERR_IO, FAULT_INTERNAL},
    };
    struct workflow_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int at_end = 0; at_end < 2; at_end++) { /* as the step begins, as it ends */
            struct waiter waiter;
            begin(fixture, &waiter);
            if (at_end == 0) {
                api_workflows.fails[cases[i].question] = cases[i].err;
            }
            if (at_end > 0 || cases[i].question == API_WORKFLOWS_END) {
                struct call *call = call_fixture_take(&fixture->calls);
                api_workflows.fails[cases[i].question] = cases[i].err;
                workflow_fixture_finish(call, "Answer: so", GEN_FINISH_STOP, 1);
            }
            waiter_await(&waiter);
            assert_int_equal(waiter.failed, 1);
            assert_int_equal(waiter.fault.code, cases[i].fault);
            assert_null(fixture->workflows->list);
            api_workflows_clear();
        }
    }
}

/* Others of it run then: they are cancelled. */
static void test_it_is_lost_while_others_run(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter = {0};
    char *document = document_make();
    fixture->calls.view = (struct core_account_view){.concurrent = 2};
    waiter_begin(&waiter, fixture, CORE_WORKFLOW_MAP_REDUCE, document);
    NET_UNTIL(&fixture->calls.net, fixture->calls.waiting_count == 2);
    fixture->calls.view.active = 2;
    struct call *call = call_fixture_take(&fixture->calls);
    api_workflows.fails[API_WORKFLOWS_STEP] = ERR_CONFLICT;
    workflow_fixture_finish(call, "a note", GEN_FINISH_STOP, 1);
    waiter_await(&waiter);
    assert_int_equal(fixture->calls.abandoned, 1);
    assert_int_equal(calls_count(fixture->calls.calls), 0);
    assert_null(fixture->workflows->list);
    free(document);
}

/* --- After a restart --- */

static void leave_running(struct workflow_fixture *fixture, struct waiter *waiter) {
    begin(fixture, waiter);
    (void)call_fixture_take(&fixture->calls);
}

static void test_those_open_cannot_be_read(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter;
    leave_running(fixture, &waiter);
    api_workflows.fails[API_WORKFLOWS_OPEN] = ERR_IO;
    workflow_restart(fixture);
    for (int i = 0; i < 5; i++) {
        call_fixture_turn(&fixture->calls);
    }
    assert_null(fixture->workflows->list); /* the next gateway may have more luck */
    api_workflows.fails[API_WORKFLOWS_FIND] = ERR_IO;
    workflow_restart(fixture);
    NET_UNTIL(&fixture->calls.net, api_workflows.fails[API_WORKFLOWS_FIND] == ERR_NONE); /* it was asked for */
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_int_equal(api_workflows.rows[0].status, CORE_WORKFLOW_RUNNING);
    assert_int_equal(fixture->calls.submitted, 1);
}

static void await_failed(struct workflow_fixture *fixture) {
    NET_UNTIL(&fixture->calls.net, api_workflows.rows[0].status == STORE_WORKFLOW_FAILED);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_non_null(strstr(api_workflows.rows[0].error.data, "cannot be read"));
    assert_int_equal(fixture->calls.submitted, 1);
}

static void test_a_request_that_cannot_be_read(void **state) {
    static const char *const requests[] = {"", "no JSON", "{}", "{\"generation\":{},\"orchestration\":{}}",
                                           "{\"generation\":{\"model\":\"m\"},\"orchestration\":7}"};
    struct workflow_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct waiter waiter;
        leave_running(fixture, &waiter);
        api_workflows_drop(&api_workflows.rows[0].request);
        api_workflows.rows[0].request = api_jobs_copy(str_from(requests[i]));
        workflow_restart(fixture);
        await_failed(fixture);
        api_workflows_clear();
        fixture->calls.submitted = 0;
    }
}

/* As another version may have stored them. */
static void test_steps_of_another_workflow(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter;
    leave_running(fixture, &waiter);
    api_workflows.steps[0][0].name = STORE_STEP_MAP;
    workflow_restart(fixture);
    await_failed(fixture);
}

static void test_a_step_that_had_failed(void **state) {
    struct workflow_fixture *fixture = *state;
    struct waiter waiter;
    leave_running(fixture, &waiter);
    api_workflows.steps[0][0].state = STORE_STEP_FAILED; /* but its workflow's end was not stored any more */
    workflow_restart(fixture);
    NET_UNTIL(&fixture->calls.net, api_workflows.rows[0].status == STORE_WORKFLOW_FAILED);
    NET_UNTIL(&fixture->calls.net, fixture->workflows->list == NULL);
    assert_non_null(strstr(api_workflows.rows[0].error.data, "A step of the workflow failed."));
}

/* --- What was stored of one that failed --- */

static void test_a_stored_error(void **state) {
    static const struct {
        const char *error;
        enum fault_code code;
        const char *message;
    } cases[] = {{"{\"code\":\"model_warming\",\"message\":\"soon\"}", FAULT_MODEL_WARMING, "soon"},
                 {"{\"code\":\"NOT_FOUND\",\"message\":\"gone\"}", FAULT_NOT_FOUND, "gone"},
                 {"{\"code\":\"NEVER\",\"message\":\"what\"}", FAULT_INTERNAL, "A step of the workflow failed."},
                 {"{\"code\":7}", FAULT_INTERNAL, "A step of the workflow failed."},
                 {"", FAULT_INTERNAL, "A step of the workflow failed."}};
    struct workflow_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct waiter waiter = {.fixture = fixture};
        struct asking asking;
        const struct store_workflow row = {.id = "wf_1",
                                           .account_id = "acct_1",
                                           .kind = STORE_WORKFLOW_AGENT,
                                           .status = STORE_WORKFLOW_FAILED,
                                           .request = STR(""),
                                           .answer = STR(""),
                                           .error = str_from(cases[i].error),
                                           .extra = STR("")};
        (void)api_workflows_add(&row);
        asking_init(&asking, fixture, CORE_WORKFLOW_AGENT, "Why?");
        asking.request.id = "wf_1";
        assert_non_null(waiter_start(&waiter, &asking));
        waiter_await(&waiter);
        assert_int_equal(waiter.fault.code, cases[i].code);
        assert_string_equal(waiter.fault.message, cases[i].message);
        api_workflows_clear();
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, workflow_setup, workflow_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_it_cannot_be_added),
        TEST(test_no_room_for_its_beginning),
        TEST(test_no_room_for_its_end),
        TEST(test_no_room_for_the_end_of_all),
        TEST(test_it_is_lost),
        TEST(test_it_is_lost_while_others_run),
        TEST(test_those_open_cannot_be_read),
        TEST(test_a_request_that_cannot_be_read),
        TEST(test_steps_of_another_workflow),
        TEST(test_a_step_that_had_failed),
        TEST(test_a_stored_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
