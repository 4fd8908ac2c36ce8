/* What is told of workflows that are stored: one, a page, and the ends of one. */
#include "support/api_calls.h"
#include "workflow/workflows.h"

#define WORKFLOWS "/v1/workflows"

static struct store_workflow *add(const char *id, enum store_workflow_kind kind, enum store_workflow_status status) {
    struct store_workflow row = {.kind = (int)kind,
                                 .status = (int)status,
                                 .max_steps = 10,
                                 .max_cost_nano = -1,
                                 .created_ms = 1769335200000,
                                 .ended_ms = status == STORE_WORKFLOW_RUNNING ? 0 : 1769335201000,
                                 .steps_executed = 1,
                                 .prompt_tokens = 5,
                                 .completion_tokens = 2,
                                 .cost_nano = 42000000,
                                 .request = STR("{}"),
                                 .answer = STR("The answer"),
                                 .error = STR(""),
                                 .extra = STR("")};
    (void)str_copy(row.id, sizeof(row.id), str_from(id));
    (void)str_copy(row.account_id, sizeof(row.account_id), STR("acct_1"));
    (void)str_copy(row.model, sizeof(row.model), STR(MODEL));
    (void)str_copy(row.task, sizeof(row.task), STR("Research renewable energy"));
    return api_workflows_add(&row);
}

static const char *ask(struct api_fixture *fixture, const char *line, int status) {
    const char *answer;
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, "", NULL);
    assert_int_equal(api_fixture_answer(fixture, &answer), status);
    return answer;
}

static void assert_has(const char *answer, const char *words) {
    if (strstr(answer, words) == NULL) {
        fail_msg("no %s in %s", words, answer);
    }
}

static void test_lists_as_the_reference_does(void **state) {
    struct api_fixture *fixture = *state;
    (void)add("wf_123", STORE_WORKFLOW_RESEARCH, STORE_WORKFLOW_COMPLETED);
    assert_string_equal(ask(fixture, "GET " WORKFLOWS, 200),
                        "{\"object\":\"list\",\"workflows\":[{\"id\":\"wf_123\",\"object\":\"workflow\","
                        "\"type\":\"RESEARCH\",\"status\":\"COMPLETED\",\"task\":\"Research renewable energy\","
                        "\"total_cost_usd\":0.042,\"steps_executed\":1,\"created_at\":\"2026-01-25T10:00:00.000Z\","
                        "\"completed_at\":\"2026-01-25T10:00:01.000Z\"}],\"total\":1,\"has_more\":false}");
    assert_int_equal(api_workflows.listed.status, -1);
    assert_int_equal(api_workflows.listed.limit, 20);
    assert_string_equal(api_workflows.listed.account_id, "acct_1");
    (void)ask(fixture, "GET " WORKFLOWS "?status=budget_exceeded&limit=7&after=wf_9", 200);
    assert_int_equal(api_workflows.listed.status, STORE_WORKFLOW_BUDGET_EXCEEDED);
    assert_int_equal(api_workflows.listed.limit, 7);
    assert_string_equal(api_workflows.listed.after, "wf_9");
    assert_has(ask(fixture, "GET " WORKFLOWS "?status=DONE", 400), "\"param\":\"status\"");
    assert_has(ask(fixture, "GET " WORKFLOWS "?limit=101", 400), "\"param\":\"limit\"");
}

static void test_tells_one_with_its_steps(void **state) {
    struct api_fixture *fixture = *state;
    (void)add("wf_1", STORE_WORKFLOW_MAP_REDUCE, STORE_WORKFLOW_MAX_STEPS);
    api_workflows.steps[0][0] = (struct store_step){.name = STORE_STEP_CHUNK,
                                                    .state = STORE_STEP_DONE,
                                                    .local = true,
                                                    .started_ms = 1769335200000,
                                                    .ended_ms = 1769335200000,
                                                    .output = api_jobs_copy(STR("{\"chunks\":2}"))};
    api_workflows.steps[0][1] = (struct store_step){.number = 1,
                                                    .name = STORE_STEP_MAP,
                                                    .state = STORE_STEP_RUNNING,
                                                    .started_ms = 1769335200000,
                                                    .provider_id = "prov_1",
                                                    .output = api_jobs_copy(STR(""))};
    api_workflows.step_counts[0] = 2;
    const char *answer = ask(fixture, "GET " WORKFLOWS "/wf_1", 200);
    assert_has(answer, "\"type\":\"MAP_REDUCE\",\"status\":\"MAX_STEPS\"");
    assert_has(answer, "\"max_cost_usd\":null");
    assert_has(answer, "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}");
    assert_has(answer, "\"answer\":\"The answer\",\"error\":null");
    assert_has(answer, "{\"number\":1,\"name\":\"chunk\",\"status\":\"COMPLETED\",\"prompt_sha256\":null,"
                       "\"output\":\"{\\\"chunks\\\":2}\"");
    assert_has(answer, "{\"number\":2,\"name\":\"map\",\"status\":\"RUNNING\",\"prompt_sha256\":\"00000000");
    assert_has(answer, "\"output\":null");
    assert_has(answer, "\"provider\":\"prov_1\"");
    api_workflows.rows[0].max_cost_nano = 250000000;
    assert_has(ask(fixture, "GET " WORKFLOWS "/wf_1", 200), "\"max_cost_usd\":0.25");
}

static void test_answers_are_of_good_ends_only(void **state) {
    struct api_fixture *fixture = *state;
    struct store_workflow *row = add("wf_1", STORE_WORKFLOW_CODE, STORE_WORKFLOW_FAILED);
    api_workflows_drop(&row->error);
    row->error = api_jobs_copy(STR("{\"message\":\"no\"}"));
    assert_has(ask(fixture, "GET " WORKFLOWS "/wf_1", 200), "\"answer\":null,\"error\":{\"message\":\"no\"}");
}

static void test_what_is_not_ones_own_is_not_there(void **state) {
    struct api_fixture *fixture = *state;
    struct store_workflow *row = add("wf_1", STORE_WORKFLOW_AGENT, STORE_WORKFLOW_COMPLETED);
    static const char *const lines[] = {"GET " WORKFLOWS "/wf_2", "GET " WORKFLOWS "/wf_1", "DELETE " WORKFLOWS "/wf_1",
                                        "POST " WORKFLOWS "/wf_1/cancel", "GET " WORKFLOWS "/%00"};
    (void)str_copy(row->account_id, sizeof(row->account_id), STR("acct_2"));
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_has(ask(fixture, lines[i], 404), "\"param\":\"id\"");
    }
}

static void test_is_cancelled_once(void **state) {
    struct api_fixture *fixture = *state;
    static const char *const lines[] = {"DELETE " WORKFLOWS "/wf_1", "POST " WORKFLOWS "/wf_1/cancel"};
    (void)add("wf_1", STORE_WORKFLOW_AGENT, STORE_WORKFLOW_RUNNING);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_has(ask(fixture, lines[i], 200), "\"status\":\"CANCELLED\"");
    }
    (void)add("wf_2", STORE_WORKFLOW_AGENT, STORE_WORKFLOW_COMPLETED);
    assert_has(ask(fixture, "DELETE " WORKFLOWS "/wf_2", 200), "\"status\":\"COMPLETED\"");
}

static void test_is_forgotten_once_it_has_ended(void **state) {
    struct api_fixture *fixture = *state;
    (void)add("wf_1", STORE_WORKFLOW_AGENT, STORE_WORKFLOW_RUNNING);
    assert_has(ask(fixture, "DELETE " WORKFLOWS "/wf_1?forget=true", 409), "has not ended");
    assert_has(ask(fixture, "DELETE " WORKFLOWS "/wf_1?forget=maybe", 400), "\"param\":\"forget\"");
    assert_has(ask(fixture, "DELETE " WORKFLOWS "/wf_1", 200), "\"status\":\"CANCELLED\"");
    assert_has(ask(fixture, "DELETE " WORKFLOWS "/wf_1?forget=true", 200), "\"status\":\"CANCELLED\"");
    assert_has(ask(fixture, "DELETE " WORKFLOWS "/wf_1?forget=true", 404), "\"param\":\"id\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_lists_as_the_reference_does),    TEST(test_tells_one_with_its_steps),
        TEST(test_answers_are_of_good_ends_only),  TEST(test_is_cancelled_once),
        TEST(test_is_forgotten_once_it_has_ended), TEST(test_what_is_not_ones_own_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
