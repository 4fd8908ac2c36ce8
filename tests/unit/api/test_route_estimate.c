/* What a workflow will likely take, before it runs. */
#include "support/api_calls.h"
#include "workflow/workflows.h"

#define ESTIMATE "/v1/workflows/estimate"

struct range {
    double low, likely, high;
};

static struct json_parser *parser;

static struct json_value member(struct json_value object, const char *key) {
    struct json_value value = {0};
    if (!json_get(object, key, &value)) {
        fail_msg("there is no %s", key);
    }
    return value;
}

static double number(struct json_value object, const char *key) {
    double value = -1;
    assert_true(json_as_double(member(object, key), &value));
    return value;
}

static struct range range_of(struct json_value object, const char *key) {
    const struct json_value value = member(object, key);
    const struct range range = {number(value, "low"), number(value, "likely"), number(value, "high")};
    assert_true(range.low > 0 && range.low <= range.likely && range.likely <= range.high);
    return range;
}

static const char *post(struct api_fixture *fixture, const char *body, int status) {
    const char *answer;
    api_fixture_forget(fixture);
    api_fixture_post(fixture, ESTIMATE, body);
    const int got = api_fixture_answer(fixture, &answer);
    if (got != status) {
        fail_msg("%d: %s", got, answer);
    }
    return answer;
}

/* The answer, whose sums are those of its steps. */
static struct json_value estimate(struct api_fixture *fixture, const char *body) {
    const char *answer = post(fixture, body, 200);
    struct json_value root, step;
    struct json_iterator iterator;
    struct err err;
    double tokens = 0, cost = 0;
    assert_true(json_parse(parser, str_from(answer), &root, &err));
    for (json_iterate(member(root, "steps"), &iterator); json_next(&iterator, NULL, &step);) {
        tokens += range_of(step, "prompt_tokens").high + range_of(step, "completion_tokens").high;
        cost += range_of(step, "cost_usd").high;
    }
    assert_true(range_of(root, "total_tokens").high == tokens);
    const double difference = range_of(root, "estimated_cost_usd").high - cost;
    assert_true(difference < 1e-9 && difference > -1e-9);
    return root;
}

static void assert_member(struct json_value root, const char *key, const char *expected) {
    struct str text;
    assert_true(json_as_str(member(root, key), &text));
    if (!str_equal_cstr(text, expected)) {
        fail_msg("%s is %.*s", key, STR_ARG(text));
    }
}

static struct json_value step_of(struct json_value root, const char *name) {
    struct json_value step;
    struct json_iterator iterator;
    struct str text;
    for (json_iterate(member(root, "steps"), &iterator); json_next(&iterator, NULL, &step);) {
        if (json_as_str(member(step, "name"), &text) && str_equal_cstr(text, name)) {
            return step;
        }
    }
    fail_msg("there is no step %s", name);
    return root;
}

static void test_needs_a_model_and_a_workflow_only(void **state) {
    static const struct {
        const char *workflow, *last;
        size_t names;
    } cases[] = {{"research", "write", 3}, {"code", "review", 3}, {"agent", "think", 1}, {"MAP_REDUCE", "reduce", 2}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"model\":\"" MODEL "\",\"workflow\":\"%s\"}", cases[i].workflow);
        const struct json_value root = estimate(*state, body);
        assert_int_equal(json_count(member(root, "steps")), cases[i].names);
        (void)step_of(root, cases[i].last);
        assert_member(root, "basis", "defaults");
        assert_member(root, "model", MODEL);
    }
}

static void test_max_tokens_bound_the_answer(void **state) {
    const struct json_value root =
        estimate(*state, "{\"model\":\"" MODEL "\",\"workflow\":\"research\",\"max_tokens\":77,\"task\":\"Why?\"}");
    assert_true(range_of(step_of(root, "write"), "completion_tokens").high == 77);
    assert_true(number(root, "input_bytes") == 4);
}

static void test_no_prompt_is_longer_than_the_context(void **state) {
    const struct json_value root = estimate(*state, "{\"model\":\"" MODEL "\",\"workflow\":\"research\"}");
    assert_true(range_of(step_of(root, "write"), "prompt_tokens").high <= 512);
}

static void test_max_steps_bound_the_plan(void **state) {
    const struct json_value root =
        estimate(*state, "{\"model\":\"" MODEL "\",\"workflow\":\"map_reduce\",\"max_steps\":2}");
    assert_true(number(step_of(root, "map"), "count") + number(step_of(root, "reduce"), "count") == 2);
}

static void test_auto_is_chosen(void **state) {
    const struct json_value root =
        estimate(*state, "{\"model\":\"" MODEL "\",\"task\":\"Write a python function\",\"workflow\":\"auto\"}");
    assert_member(root, "workflow", "code");
}

static void test_takes_a_whole_chat(void **state) {
    const struct json_value root = estimate(*state, "{\"model\":\"" MODEL "\"," MESSAGES
                                                    ",\"orchestration\":{\"enabled\":true,\"workflow\":\"code\"}}");
    assert_member(root, "workflow", "code");
    assert_true(number(root, "input_bytes") == 2);
}

static void test_history_takes_the_place_of_guesses(void **state) {
    static const struct store_step_history history[] = {
        {STORE_STEP_RESEARCH, 5, 11, 22, 33, 44, 55, 66}, /* enough */
        {STORE_STEP_ANALYZE, 4, 11, 22, 33, 44, 55, 66},  /* too few */
        {STORE_STEP_WRITE, 9, 1, 2, 1 << 30, 3, 1 << 30, 1 << 30},
        {STORE_STEP_MAP, 9, 1, 2, 3, 4, 5, 6}, /* none of the plan */
    };
    api_workflows.history = history;
    api_workflows.history_count = COUNT_OF(history);
    const struct json_value root = estimate(*state, "{\"model\":\"" MODEL "\",\"workflow\":\"research\"}");
    assert_member(root, "basis", "history");
    assert_true(number(root, "samples") == 14);
    const struct range prompt = range_of(step_of(root, "research"), "prompt_tokens");
    assert_true(prompt.low == 11 && prompt.likely == 22);
    assert_true(range_of(step_of(root, "analyze"), "prompt_tokens").low != 11);
    const struct range answer = range_of(step_of(root, "write"), "completion_tokens");
    assert_true(answer.likely == answer.high && answer.high == 256); /* the bound stays one */
}

static void test_refusals(void **state) {
    static const struct {
        const char *body, *param;
        int status;
    } cases[] = {
        {"{\"workflow\":\"research\"}", "model", 400},
        {"{\"model\":\"absent\",\"workflow\":\"research\"}", "model", 404},
        {"{\"model\":\"" MODEL "\",\"workflow\":\"poetry\"}", "workflow", 400},
        {"{\"model\":\"" MODEL "\",\"workflow\":3}", "workflow", 400},
        {"{\"model\":\"" MODEL "\",\"max_steps\":0}", "max_steps", 400},
        {"{\"model\":\"" MODEL "\",\"max_tokens\":0}", "max_tokens", 400},
        {"{\"model\":\"" MODEL "\",\"task\":\"a\"," MESSAGES "}", "task", 400},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char words[64];
        snprintf(words, sizeof(words), "\"param\":\"%s\"", cases[i].param);
        const char *answer = post(*state, cases[i].body, cases[i].status);
        if (strstr(answer, words) == NULL) {
            fail_msg("%s: %s", cases[i].body, answer);
        }
    }
    (void)post(*state, "[]", 400);
}

static int setup(void **state) {
    parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    return api_fixture_setup(state);
}

static int teardown(void **state) {
    json_parser_free(parser);
    return api_fixture_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_needs_a_model_and_a_workflow_only),
        TEST(test_max_tokens_bound_the_answer),
        TEST(test_no_prompt_is_longer_than_the_context),
        TEST(test_max_steps_bound_the_plan),
        TEST(test_auto_is_chosen),
        TEST(test_takes_a_whole_chat),
        TEST(test_history_takes_the_place_of_guesses),
        TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
