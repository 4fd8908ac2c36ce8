/* GET /v1/usage, /v1/usage/requests and /v1/provider/earnings: golden answers, what is asked of the store, what is
 * refused. */
#include "support/api_calls.h"

#include "api/period.h"
#include "api/request.h"

static int get(struct api_fixture *fixture, const char *path, const char **body) {
    char line[512];
    snprintf(line, sizeof(line), "GET %s", path);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, "", NULL);
    return api_fixture_answer(fixture, body);
}

static const struct store_model_usage models[] = {
    {.model = "qwen2.5-0.5b-instruct-q6_k",
     .requests = 1000,
     .prompt_tokens = 60000,
     .completion_tokens = 40000,
     .charge_nano = 7000000},
    {.model = "mine/\"1\"", .requests = 250, .prompt_tokens = 20000, .completion_tokens = 5000, .charge_nano = 1},
};
static const struct store_usage usage = {.balance_nano = INT64_C(4750000000),
                                         .requests = 1250,
                                         .prompt_tokens = 80000,
                                         .completion_tokens = 45000,
                                         .charge_nano = 7000001,
                                         .models = models,
                                         .model_count = COUNT_OF(models)};

#define USAGE_JANUARY                                                                                                  \
    "{\"object\":\"usage\",\"period_start\":\"2026-01-01T00:00:00Z\",\"period_end\":\"2026-01-31T23:59:59Z\","

#define KEPT_NOT(name) "\"" name "\":{\"rows\":0,\"rows_max\":null,\"bytes\":0,\"bytes_max\":null}"
#define KEPT_WITH(jobs)                                                                                                \
    "\"kept\":{" KEPT_NOT("conversations") "," jobs "," KEPT_NOT("workflows") "," KEPT_NOT("answers") "," KEPT_NOT(    \
        "deliveries") "}"
#define KEPT KEPT_WITH("\"jobs\":{\"rows\":3,\"rows_max\":10,\"bytes\":300,\"bytes_max\":4000}")
#define NOTHING_KEPT KEPT_WITH(KEPT_NOT("jobs"))

static void test_usage(void **state) {
    struct api_fixture *fixture = *state;
    struct store *store = &fixture->store;
    const char *body;
    store->usage = usage;
    store->usage.kept.kept[STORE_KEPT_JOBS] = (struct store_amount){3, 300};
    store->usage.kept.quota[STORE_KEPT_JOBS] = (struct store_amount){10, 4000};
    assert_int_equal(get(fixture, "/v1/usage?period=2026-01", &body), 200);
    assert_string_equal(
        body, USAGE_JANUARY
        "\"given_balance_usd\":0,\"given_cost_usd\":0,\"balance_usd\":4.75,\"total_requests\":1250,\"total_tokens\":"
        "125000,\"total_cost_usd\":0.007000001,"
        "\"by_model\":{\"qwen2.5-0.5b-instruct-q6_k\":{\"requests\":1000,\"tokens\":100000,\"cost_usd\":0.007,\"given_"
        "cost_usd\":0},"
        "\"mine/\\\"1\\\"\":{\"requests\":250,\"tokens\":25000,\"cost_usd\":0.000000001,\"given_cost_usd\":0}}," KEPT
        "}");
    assert_string_equal(store->account_id, "acct_1");
    assert_string_equal(store->key_id, "");
    assert_int_equal(store->from_ms, INT64_C(1767225600000));
    assert_int_equal(store->to_ms, INT64_C(1769904000000));
    /* Nothing used. */
    store->usage = (struct store_usage){.balance_nano = INT64_C(5000000000)};
    assert_int_equal(get(fixture, "/v1/usage?x=1&period=2026-01&period=nonsense", &body), 200);
    assert_string_equal(
        body, USAGE_JANUARY
        "\"given_balance_usd\":0,\"given_cost_usd\":0,\"balance_usd\":5,\"total_requests\":0,\"total_tokens\":0,"
        "\"total_cost_usd\":0,\"by_model\":{}," NOTHING_KEPT "}");
}

static void test_period_of_now(void **state) {
    struct api_fixture *fixture = *state;
    struct period before, after;
    const char *body;
    char start[64];
    do { /* until a month did not end meanwhile */
        period_at(clock_wall_ms(), &before);
        assert_int_equal(get(fixture, "/v1/usage", &body), 200);
        period_at(clock_wall_ms(), &after);
    } while (before.from_ms != after.from_ms);
    snprintf(start, sizeof(start), "\"period_start\":\"%s\"", before.start);
    assert_non_null(strstr(body, start));
    assert_int_equal(fixture->store.from_ms, before.from_ms);
    assert_int_equal(fixture->store.to_ms, before.to_ms);
}

static void assert_refused(struct api_fixture *fixture, const char *path, int status, const char *param) {
    const char *body;
    char expected[64];
    if (get(fixture, path, &body) != status) {
        fail_msg("%s: %s", path, body);
    }
    snprintf(expected, sizeof(expected), "\"param\":\"%s\"", param);
    assert_non_null(strstr(body, expected));
    assert_non_null(strstr(body, status == 404   ? "\"NOT_FOUND\""
                                 : status == 403 ? "\"FORBIDDEN\""
                                                 : "\"INVALID_REQUEST\""));
    if (status == 404) { /* it says what there is none of */
        assert_non_null(strstr(body, strcmp(param, "key") == 0 ? "There is no key with this id."
                                                               : "There is no request with this id."));
    }
}

static void test_bad_queries(void **state) {
    struct api_fixture *fixture = *state;
    assert_refused(fixture, "/v1/usage?period=", 400, "period");
    assert_refused(fixture, "/v1/usage?period=2026-13", 400, "period");
    assert_refused(fixture, "/v1/usage?period=2026-1", 400, "period");
    assert_refused(fixture, "/v1/provider/earnings?period=last", 400, "period");
    static const char *const limits[] = {"0", "101", "-1", "", "x", "1.5", "99999999999999999999"};
    static const char *const paths[] = {"/v1/usage/requests", "/v1/provider/earnings"};
    for (size_t i = 0; i < COUNT_OF(limits) * COUNT_OF(paths); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s?limit=%s", paths[i % 2], limits[i / 2]);
        assert_refused(fixture, path, 400, "limit");
    }
    /* What cannot be an id is like one that is not there. */
    assert_refused(fixture, "/v1/usage?key=", 404, "key");
    assert_refused(fixture, "/v1/usage?key=%zz", 404, "key");
    assert_refused(fixture, "/v1/usage?key=a%00b", 404, "key");
    assert_refused(fixture, "/v1/usage?key=0123456789012345678901234567890123456789", 404, "key");
    assert_refused(fixture, "/v1/usage/requests?after=0123456789012345678901234567890123456789", 404, "after");
    assert_refused(fixture, "/v1/provider/earnings?after=", 404, "after");
    assert_string_equal(fixture->store.account_id, ""); /* it was not asked */
}

static void test_one_key(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(get(fixture, "/v1/usage?key=key_%31&period=2026-01", &body), 200);
    assert_non_null(strstr(body, "\"total_cost_usd\":0,\"key_id\":\"key_1\",\"by_model\""));
    assert_string_equal(fixture->store.key_id, "key_1");
    assert_string_equal(fixture->store.account_id, "acct_1");
    /* Somebody else's key: the store says what it says of a missing one. */
    err_set(&fixture->store.err, ERR_NOT_FOUND, "no such key");
    assert_refused(fixture, "/v1/usage?key=key_2", 404, "key");
    assert_refused(fixture, "/v1/usage/requests?after=chatcmpl-2", 404, "after");
    assert_refused(fixture, "/v1/provider/earnings?after=chatcmpl-2", 404, "after");
    err_set(&fixture->store.err, ERR_UNAVAILABLE, "busy");
    assert_int_equal(get(fixture, "/v1/usage", &body), 503);
    assert_int_equal(get(fixture, "/v1/usage/requests", &body), 503);
    assert_int_equal(get(fixture, "/v1/provider/earnings", &body), 503);
}

static const struct store_generation jobs[] = {
    {.id = "chatcmpl-2",
     .account_id = "acct_secret",
     .key_id = "key_1",
     .model = "nataris-demo-2m",
     .device_id = "prov_1",
     .label = "chat \"7\"",
     .outcome = STORE_OUTCOME_COMPLETED,
     .prompt_tokens = 10,
     .completion_tokens = 5,
     .latency_ms = 245,
     .created_ms = INT64_C(1767225600999),
     .charge_nano = 200,
     .given_nano = 50,
     .provider_nano = 170,
     .provider_given_nano = 40},
    {.id = "inf_1", .key_id = "key_2", .model = "m", .outcome = STORE_OUTCOME_FAILED, .created_ms = 1000},
    {.id = "inf_0", .key_id = "key_2", .model = "m", .outcome = STORE_OUTCOME_CANCELLED, .own_devices = true},
};

static void test_requests(void **state) {
    struct api_fixture *fixture = *state;
    struct store *store = &fixture->store;
    const char *body;
    store->jobs = jobs;
    store->job_count = COUNT_OF(jobs);
    store->more = true;
    assert_int_equal(get(fixture, "/v1/usage/requests?limit=3&after=chatcmpl-9", &body), 200);
    assert_string_equal(
        body, "{\"object\":\"list\",\"data\":["
              "{\"id\":\"chatcmpl-2\",\"created\":1767225600,\"model\":\"nataris-demo-2m\",\"status\":\"completed\","
              "\"prompt_tokens\":10,\"completion_tokens\":5,\"cost_usd\":0.0000002,\"given_cost_usd\":0.00000005,"
              "\"own_devices\":false,\"latency_ms\":245,\"key_id\":\"key_1\","
              "\"label\":\"chat \\\"7\\\"\"},"
              "{\"id\":\"inf_1\",\"created\":1,\"model\":\"m\",\"status\":\"failed\",\"prompt_tokens\":0,"
              "\"completion_tokens\":0,\"cost_usd\":0,\"given_cost_usd\":0,\"own_devices\":false,\"latency_ms\":0,"
              "\"key_id\":\"key_2\",\"label\":null},"
              "{\"id\":\"inf_0\",\"created\":0,\"model\":\"m\",\"status\":\"cancelled\",\"prompt_tokens\":0,"
              "\"completion_tokens\":0,\"cost_usd\":0,\"given_cost_usd\":0,\"own_devices\":true,\"latency_ms\":0,\"key_"
              "id\":\"key_2\",\"label\":null}],"
              "\"has_more\":true}");
    assert_string_equal(store->account_id, "acct_1");
    assert_string_equal(store->after, "chatcmpl-9");
    assert_int_equal(store->limit, 3);
    assert_false(store->earned);
    store->job_count = 0;
    store->more = false;
    assert_int_equal(get(fixture, "/v1/usage/requests", &body), 200);
    assert_string_equal(body, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
    assert_string_equal(store->after, "");
    assert_int_equal(store->limit, 20);
}

static void test_earnings(void **state) {
    struct api_fixture *fixture = *state;
    struct store *store = &fixture->store;
    const char *body;
    store->earnings = (struct store_earnings){.earned_nano = 1700, .paid_nano = 5000, .generations = 2, .tokens = 30};
    store->owed = (struct store_owed){.earnings_nano = 4000,
                                      .ripening_nano = 1000,
                                      .payable_nano = 3000,
                                      .escrow_nano = 500,
                                      .given_escrow_nano = 6,
                                      .days = {{1000, 1000}},
                                      .day_count = 1};
    store->jobs = jobs;
    store->job_count = 1;
    assert_int_equal(get(fixture, "/v1/provider/earnings?period=2026-01&limit=100", &body), 200);
    /* Of the client only what its job was; neither who it is nor what it called it. */
    assert_string_equal(
        body, "{\"object\":\"provider.earnings\",\"period_start\":\"2026-01-01T00:00:00Z\","
              "\"period_end\":\"2026-01-31T23:59:59Z\",\"given_usd\":0,\"payable_usd\":0.000003,"
              "\"ripening_usd\":0.000001,\"escrow_usd\":0.0000005,\"given_escrow_usd\":0.000000006,\"hold_days\":7,"
              "\"ripens\":[{\"by\":\"1970-01-01T00:00:01.000Z\",\"amount_usd\":0.000001}],\"earned_usd\":0.0000017,"
              "\"paid_usd\":0.000005,"
              "\"owed_usd\":0.000004,\"jobs\":2,\"tokens\":30,\"data\":[{\"id\":\"chatcmpl-2\",\"created\":1767225600,"
              "\"model\":\"nataris-demo-2m\",\"provider_id\":\"prov_1\",\"prompt_tokens\":10,\"completion_tokens\":5,"
              "\"earned_usd\":0.00000017,\"given_usd\":0.00000004}],\"has_more\":false}");
    assert_string_equal(store->account_id, "acct_1");
    assert_true(store->earned);
    assert_int_equal(store->limit, 100);
    assert_int_equal(store->from_ms, INT64_C(1767225600000));
}

static void test_of_a_test_key(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->auth.kind = STORE_KEY_TEST;
    fixture->sandbox = usage;
    assert_int_equal(get(fixture, "/v1/usage", &body), 200);
    assert_non_null(strstr(body, "\"balance_usd\":4.75,\"total_requests\":1250,"));
    assert_int_equal(get(fixture, "/v1/usage?period=1999-12", &body), 200);
    assert_non_null(strstr(body, "\"balance_usd\":4.75,\"total_requests\":0,\"total_tokens\":0,\"total_cost_usd\":0,"
                                 "\"by_model\":{}}"));
    assert_refused(fixture, "/v1/usage?key=key_1", 403, "key");
    assert_int_equal(get(fixture, "/v1/usage/requests", &body), 200);
    assert_string_equal(body, "{\"object\":\"list\",\"data\":[],\"has_more\":false}");
    assert_int_equal(get(fixture, "/v1/provider/earnings", &body), 200);
    assert_non_null(
        strstr(body, "\"earned_usd\":0,\"paid_usd\":0,\"owed_usd\":0,\"jobs\":0,\"tokens\":0,\"data\":[],"));
    assert_string_equal(fixture->store.account_id, ""); /* the live account's figures are not touched */
}

static void test_client_leaves_meanwhile(void **state) {
    static const char *const paths[] = {"/v1/usage", "/v1/usage/requests", "/v1/provider/earnings"};
    struct api_fixture *fixture = *state;
    fixture->store.held = true;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char line[64];
        snprintf(line, sizeof(line), "GET %s", paths[i]);
        api_fixture_request(fixture, line, "", NULL);
        while (fixture->store.question_count == 0) {
            api_fixture_turn(fixture);
        }
        assert_int_equal(calls_count(fixture->calls), 1);
        api_fixture_disconnect(fixture);
        while (calls_count(fixture->calls) > 0) {
            api_fixture_turn(fixture);
        }
        api_fixture_connect(fixture);
        api_store_answer_all(&fixture->store);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_usage),    TEST(test_period_of_now), TEST(test_bad_queries),   TEST(test_one_key),
        TEST(test_requests), TEST(test_earnings),      TEST(test_of_a_test_key), TEST(test_client_leaves_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
