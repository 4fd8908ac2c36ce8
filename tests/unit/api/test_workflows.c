/* Workflows over HTTP with a scripted backend: which steps run, what is stored between them, what the client gets. */
#include "api/request.h"
#include "support/api_calls.h"
#include "workflow/waits.h"
#include "workflow/workflows.h"

#define ORCHESTRATED(members, kind)                                                                                    \
    "{\"model\":\"" MODEL "\"," members MESSAGES ",\"orchestration\":{\"enabled\":true,\"workflow\":\"" kind "\"}}"
#define TOOLS                                                                                                          \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\","    \
    "\"properties\":{\"city\":{\"type\":\"string\"}}}}}],"

static const struct fault LATER = {.code = FAULT_UNAVAILABLE, .message = "later"};

static void turn(struct api_fixture *fixture) {
    uv_run(loop_uv(fixture->loop),
           UV_RUN_NOWAIT); /* what the fake store does in an iteration wakes no loop that waits */
    assert_false(fixture->timed_out);
}

static struct call *await_run(struct api_fixture *fixture) {
    while (fixture->call == NULL) {
        turn(fixture);
    }
    return fixture->call;
}

/* The first workflow, and its first step. */
static void assert_waits(struct api_fixture *fixture, enum waiting whole, enum waiting step) {
    const struct workflow *workflow = workflow_find(fixture->api->workflows, api_workflows.rows[0].id);
    assert_non_null(workflow);
    assert_int_equal(workflow_waits(workflow), whole);
    assert_int_equal(workflow_waits_at(workflow, 0), step);
    assert_int_equal(workflow_waits_at(workflow, 1000), WAITING_NOT);
}

static void run_end(struct api_fixture *fixture, const char *output) {
    struct call *call = await_run(fixture);
    deliver(call, output);
    fixture->call = NULL;
    call->sink->finished(call, &RESULT);
}

static void run_fail(struct api_fixture *fixture, const struct fault *fault) {
    struct call *call = await_run(fixture);
    fixture->call = NULL;
    call->sink->failed(call, fault);
}

static void await_status(struct api_fixture *fixture, enum store_workflow_status status) {
    while (api_workflows.count == 0 || api_workflows.rows[0].status != status) {
        turn(fixture);
    }
}

static const char *await_answer(struct api_fixture *fixture, int status) {
    const char *answer;
    while (strstr(api_fixture_text(fixture), "\r\n\r\n") == NULL) {
        turn(fixture);
    }
    assert_int_equal(api_fixture_answer(fixture, &answer), status);
    return answer;
}

static void test_research_is_three_steps(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    const char *outputs[] = {"facts", "thoughts", "the report"};
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        const struct call *call = await_run(fixture);
        assert_int_equal(api_workflows.step_counts[0], i + 1); /* it was stored before it began */
        assert_int_equal(api_workflows.steps[0][i].state, STORE_STEP_RUNNING);
        assert_string_equal(api_workflows.steps[0][i].run_id, call->id);
        run_end(fixture, outputs[i]);
    }
    const char *answer = await_answer(fixture, 200);
    assert_non_null(strstr(answer, "\"content\":\"the report\""));
    assert_non_null(strstr(answer, "\"workflow\":\"research\",\"status\":\"COMPLETED\",\"steps_executed\":3"));
    assert_non_null(strstr(answer, "\"prompt_tokens\":15")); /* of all steps */
    assert_int_equal(api_workflows.rows[0].status, STORE_WORKFLOW_COMPLETED);
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        assert_int_equal(api_workflows.steps[0][i].state, STORE_STEP_DONE);
        assert_true(str_equal_cstr(api_workflows.steps[0][i].output, outputs[i]));
    }
}

static void test_only_the_last_step_is_streamed(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("\"stream\":true,", "research"));
    run_end(fixture, "facts");
    run_end(fixture, "thoughts");
    deliver(await_run(fixture), "the ");
    api_fixture_expect(fixture, "\"content\":\"the \"");
    run_end(fixture, "report");
    while (strstr(api_fixture_text(fixture), "[DONE]") == NULL) {
        turn(fixture);
    }
    char *stream = api_fixture_stream(fixture);
    assert_null(strstr(stream, "facts"));
    assert_int_equal(count_of(stream, "\"content\":\"the \""), 1);
    assert_int_equal(count_of(stream, "\"content\":\"report\""), 1);
    assert_non_null(strstr(stream, ": step 2 analyze running\n\ndata: {"));
    assert_non_null(strstr(stream, "\"step\":{\"number\":3,\"name\":\"write\",\"status\":\"COMPLETED\"}"));
    assert_non_null(
        strstr(stream, "\"finish_reason\":\"stop\"}],\"nataris\":{\"inference_type\":\"p2p\",\"workflow_id\":\"wf_"));
    free(stream);
}

static void test_a_tool_of_the_caller_is_handed_back(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED(TOOLS, "agent"));
    run_end(fixture, "Action: get_weather[Oslo]\nObservation: warm");
    const char *answer = await_answer(fixture, 200);
    assert_non_null(strstr(answer, "\"content\":null,\"tool_calls\":[{\"id\":\"call_"));
    assert_non_null(
        strstr(answer, "\"function\":{\"name\":\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Oslo\\\"}\"}"));
    assert_non_null(strstr(answer, "\"finish_reason\":\"tool_calls\""));
}

static void test_a_tool_call_is_streamed_with_its_place(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("\"stream\":true," TOOLS, "agent"));
    run_end(fixture, "Action: get_weather[Oslo]");
    while (strstr(api_fixture_text(fixture), "[DONE]") == NULL) {
        turn(fixture);
    }
    char *stream = api_fixture_stream(fixture);
    assert_non_null(strstr(stream, "\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_"));
    assert_non_null(strstr(stream, "\"delta\":{},\"finish_reason\":\"tool_calls\""));
    free(stream);
}

static void test_an_agent_acts_by_itself(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "agent"));
    run_end(fixture, "Action: calculator[6 * 7]");
    (void)await_run(fixture);
    assert_int_equal(api_workflows.steps[0][1].name, STORE_STEP_ACT);
    assert_true(str_equal_cstr(api_workflows.steps[0][1].output, "42"));
    run_end(fixture, "Answer: It is 42.");
    const char *answer = await_answer(fixture, 200);
    assert_non_null(strstr(answer, "\"content\":\"It is 42.\""));
    assert_non_null(strstr(answer, "\"steps_executed\":2"));
}

static void test_a_step_waits_out_what_time_heals(void **state) {
    struct api_fixture *fixture = *state;
    char id[ID_SIZE];
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "agent"));
    (void)str_copy(id, sizeof(id), str_from(await_run(fixture)->id));
    run_fail(fixture, &LATER);
    assert_string_equal(await_run(fixture)->id, id); /* under the same id: paid once */
    run_end(fixture, "Answer: yes");
    assert_non_null(strstr(await_answer(fixture, 200), "\"content\":\"yes\""));
}

/* While the disk is nearly full what has begun is finished and stored, and the next step waits. */
static void test_a_step_waits_for_the_disk(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    (void)await_run(fixture);
    fixture->disk_low = true;
    run_end(fixture, "facts");
    while (api_workflows.steps[0][0].state != STORE_STEP_DONE) {
        turn(fixture);
    }
    for (int i = 0; i < 20; i++) {
        turn(fixture);
    }
    assert_int_equal(api_workflows.step_counts[0], 1);
    assert_waits(fixture, WAITING_DISK, WAITING_NOT);
    fixture->disk_low = false;
    (void)await_run(fixture);
    run_end(fixture, "thoughts");
    (void)await_run(fixture);
    run_end(fixture, "the report");
    assert_non_null(strstr(await_answer(fixture, 200), "\"content\":\"the report\""));
}

static void await_text(struct api_fixture *fixture, const char *text) {
    while (strstr(api_fixture_text(fixture), text) == NULL) {
        turn(fixture);
    }
}

/* A stream says what its workflow waits for, each time that it begins to. */
static void test_a_stream_tells_what_it_waits_for(void **state) {
    struct api_fixture *fixture = *state;
    static const struct fault warming = {.code = FAULT_MODEL_WARMING, .message = "later", .retry_after_ms = 1};
    static const struct fault limit = {.code = FAULT_RATE_LIMIT_EXCEEDED, .message = "later", .retry_after_ms = 1};
    api_fixture_post(fixture, CHAT, ORCHESTRATED("\"stream\":true,", "research"));
    (void)await_run(fixture);
    assert_waits(fixture, WAITING_DEVICE, WAITING_DEVICE);
    run_fail(fixture, &warming);
    assert_waits(fixture, WAITING_DEVICE, WAITING_DEVICE);
    await_text(fixture, ": step 1 research waiting for device\n");
    await_text(fixture, "\"status\":\"RUNNING\",\"waiting_for\":\"device\"}");
    run_fail(fixture, &limit);
    assert_waits(fixture, WAITING_LIMIT, WAITING_LIMIT);
    await_text(fixture, "\"waiting_for\":\"limit\"}");
    struct call *call = await_run(fixture);
    call->sink->accepted(call);
    assert_waits(fixture, WAITING_NOT, WAITING_NOT);
    fixture->disk_low = true;
    run_end(fixture, "facts");
    await_text(fixture, "\"step\":{\"number\":2,\"name\":\"analyze\",\"status\":\"READY\",\"waiting_for\":\"disk\"}");
    fixture->disk_low = false;
    run_end(fixture, "thoughts");
    run_end(fixture, "report");
    await_text(fixture, "[DONE]");
    assert_int_equal(count_of(api_fixture_text(fixture), "\"waiting_for\":\"disk\""), 1);
}

static void test_a_failure_that_stays_ends_it(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    run_end(fixture, "facts");
    run_fail(fixture, &(struct fault){.code = FAULT_INSUFFICIENT_CREDITS, .message = "no money"});
    assert_non_null(strstr(await_answer(fixture, 402), "no money"));
    assert_int_equal(api_workflows.rows[0].status, STORE_WORKFLOW_FAILED);
    assert_non_null(strstr(api_workflows.rows[0].error.data, "no money"));
    assert_int_equal(api_workflows.steps[0][1].state, STORE_STEP_FAILED);
}

static void test_a_prompt_that_does_not_fit_is_made_smaller(void **state) {
    struct api_fixture *fixture = *state;
    const struct fault too_long = {.code = FAULT_CONTEXT_LENGTH, .message = "too long"};
    char id[ID_SIZE];
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    (void)str_copy(id, sizeof(id), str_from(await_run(fixture)->id));
    for (int scale = 1; scale <= 16; scale *= 2) {
        assert_string_equal(await_run(fixture)->id, id);
        run_fail(fixture, &too_long);
    }
    assert_non_null(strstr(await_answer(fixture, 400), "too long"));
    assert_int_equal(fixture->submitted, 5);
}

static void test_a_revoked_key_begins_no_step(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    (void)await_run(fixture);
    fixture->auth.revoked = true;
    run_end(fixture, "facts");
    assert_non_null(strstr(await_answer(fixture, 401), "\"code\":\"INVALID_API_KEY\""));
    assert_int_equal(fixture->submitted, 1);
}

static void test_a_client_that_goes_cancels_it(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    (void)await_run(fixture);
    api_fixture_disconnect(fixture);
    await_status(fixture, STORE_WORKFLOW_CANCELLED);
    assert_int_equal(fixture->abandoned, 1);
    assert_int_equal(api_workflows.steps[0][0].state, STORE_STEP_FAILED);
    api_fixture_connect(fixture); /* for the teardown */
}

static void test_a_gateway_that_stops_leaves_it(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    (void)await_run(fixture);
    api_drain(fixture->api);
    run_end(fixture, "facts"); /* paid for, and stored; no further one begins */
    assert_non_null(strstr(await_answer(fixture, 503), "goes on by itself"));
    assert_int_equal(api_workflows.rows[0].status, STORE_WORKFLOW_RUNNING);
    assert_int_equal(api_workflows.steps[0][0].state, STORE_STEP_DONE);
    assert_int_equal(fixture->submitted, 1);
}

/* The gateway is killed while the step with that number runs, and another goes on. */
static void restart(struct api_fixture *fixture, size_t number) {
    const struct store_workflow row = api_workflows.rows[0];
    const struct store_step step = api_workflows.steps[0][number];
    api_workflows.rows[0].status = STORE_WORKFLOW_FAILED; /* whoever had it does not get it back */
    run_fail(fixture, &(struct fault){.code = FAULT_INTERNAL, .message = "killed"});
    (void)await_answer(fixture, 400);
    api_workflows.rows[0] = row;
    api_workflows.steps[0][number] = step;
    api_resume(fixture->api);
}

/* The same workflow in a new gateway: done steps stay, the one that ran runs again under its id. */
static void test_goes_on_after_a_restart(void **state) {
    struct api_fixture *fixture = *state;
    char id[ID_SIZE];
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    run_end(fixture, "facts");
    (void)str_copy(id, sizeof(id), str_from(await_run(fixture)->id));
    restart(fixture, 1);
    const struct call *call = await_run(fixture);
    assert_string_equal(call->id, id);
    assert_non_null(strstr(call->generation.messages[call->generation.message_count - 1].content.data, "facts"));
    run_end(fixture, "thoughts");
    run_end(fixture, "the report");
    await_status(fixture, STORE_WORKFLOW_COMPLETED);
    assert_true(str_equal_cstr(api_workflows.rows[0].answer, "the report"));
    assert_int_equal(fixture->submitted, 4);
}

/* Asks for a research of a long text, and lets a device find that its prompt does not fit. */
static void post_long(struct api_fixture *fixture) {
    const struct fault too_long = {.code = FAULT_CONTEXT_LENGTH, .message = "too long"};
    struct buf body;
    buf_init(&body, 64 * 1024);
    buf_append_cstr(&body, "{\"model\":\"" MODEL "\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    for (int i = 0; i < 2000; i++) {
        buf_append_cstr(&body, "of the sea ");
    }
    buf_append_cstr(&body, "\"}],\"orchestration\":{\"enabled\":true,\"workflow\":\"research\"}}");
    api_fixture_post(fixture, CHAT, buf_cstr(&body));
    buf_clear(&body);
    (void)await_run(fixture);
    run_fail(fixture, &too_long);
    (void)await_run(fixture);
}

static size_t prompt_length(const struct call *call) {
    size_t length = 0;
    for (size_t i = 0; i < call->generation.message_count; i++) {
        length += call->generation.messages[i].content.len;
    }
    return length;
}

static void test_a_smaller_prompt_stays_so_after_a_restart(void **state) {
    struct api_fixture *fixture = *state;
    post_long(fixture);
    const size_t length = prompt_length(await_run(fixture));
    const struct store_step made = api_workflows.steps[0][0];
    assert_int_equal(made.scale, 2);
    restart(fixture, 0);
    assert_int_equal(prompt_length(await_run(fixture)), length);
    run_end(fixture, "facts");
    (void)await_run(fixture);
    assert_int_equal(api_workflows.steps[0][0].scale, 2);
    assert_memory_equal(api_workflows.steps[0][0].prompt_sha256, made.prompt_sha256, DIGEST_SHA256_SIZE);
    run_fail(fixture, &(struct fault){.code = FAULT_INTERNAL, .message = "enough"});
    await_status(fixture, STORE_WORKFLOW_FAILED);
}

/* A row without its scale: the prompt is made as at first, and is told so. */
static void test_a_step_of_an_older_program_goes_on(void **state) {
    struct api_fixture *fixture = *state;
    post_long(fixture);
    const size_t length = prompt_length(await_run(fixture));
    const struct store_step made = api_workflows.steps[0][0];
    api_workflows.steps[0][0].scale = 0;
    restart(fixture, 0);
    assert_true(prompt_length(await_run(fixture)) > length);
    run_end(fixture, "facts");
    (void)await_run(fixture);
    assert_int_equal(api_workflows.steps[0][0].scale, 1);
    assert_memory_not_equal(api_workflows.steps[0][0].prompt_sha256, made.prompt_sha256, DIGEST_SHA256_SIZE);
    run_fail(fixture, &(struct fault){.code = FAULT_INTERNAL, .message = "enough"});
    await_status(fixture, STORE_WORKFLOW_FAILED);
}

/* The beginning and the end of each step, then the end of all, each told twice. */
static void test_what_is_in_doubt_is_told_again(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    run_end(fixture, "facts");
    api_workflows.doubts = true;
    run_end(fixture, "thoughts");
    run_end(fixture, "the report");
    assert_non_null(strstr(await_answer(fixture, 200), "\"content\":\"the report\""));
    assert_int_equal(api_workflows.rows[0].status, STORE_WORKFLOW_COMPLETED);
    assert_int_equal(fixture->submitted, 3);
    assert_in_range(api_workflows.in_doubt, 4, 6); /* the first may have been on its way before */
    assert_int_equal(api_workflows.writes, 2 * api_workflows.in_doubt);
}

static void test_goes_on_though_nobody_knew_that_it_was_stored(void **state) {
    struct api_fixture *fixture = *state;
    api_workflows.doubts = true;
    api_fixture_post(fixture, CHAT, ORCHESTRATED("", "research"));
    assert_non_null(strstr(await_answer(fixture, 503), "cannot be told"));
    run_end(fixture, "facts");
    run_end(fixture, "thoughts");
    run_end(fixture, "the report");
    await_status(fixture, STORE_WORKFLOW_COMPLETED);
    assert_int_equal(fixture->submitted, 3);
}

static void test_no_budget_begins_no_step(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_post(fixture, CHAT,
                     "{\"model\":\"" MODEL "\"," MESSAGES
                     ",\"orchestration\":{\"enabled\":true,\"workflow\":\"code\",\"max_cost_usd\":0}}");
    const char *answer = await_answer(fixture, 200);
    assert_non_null(strstr(answer, "\"status\":\"BUDGET_EXCEEDED\",\"steps_executed\":0"));
    assert_non_null(strstr(answer, "\"finish_reason\":\"length\""));
    assert_int_equal(fixture->submitted, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_research_is_three_steps),
        TEST(test_only_the_last_step_is_streamed),
        TEST(test_a_tool_of_the_caller_is_handed_back),
        TEST(test_a_tool_call_is_streamed_with_its_place),
        TEST(test_an_agent_acts_by_itself),
        TEST(test_a_step_waits_out_what_time_heals),
        TEST(test_a_step_waits_for_the_disk),
        TEST(test_a_stream_tells_what_it_waits_for),
        TEST(test_a_failure_that_stays_ends_it),
        TEST(test_a_prompt_that_does_not_fit_is_made_smaller),
        TEST(test_a_revoked_key_begins_no_step),
        TEST(test_a_client_that_goes_cancels_it),
        TEST(test_a_gateway_that_stops_leaves_it),
        TEST(test_goes_on_after_a_restart),
        TEST(test_a_smaller_prompt_stays_so_after_a_restart),
        TEST(test_what_is_in_doubt_is_told_again),
        TEST(test_goes_on_though_nobody_knew_that_it_was_stored),
        TEST(test_a_step_of_an_older_program_goes_on),
        TEST(test_no_budget_begins_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
