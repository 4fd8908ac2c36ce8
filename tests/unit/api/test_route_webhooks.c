/* /v1/webhooks: every route, what is refused, secrets that are shown once. On a real store. */
#include "store/webhooks.h"
#include "support/api_real.h"

#define HOOKS "/v1/webhooks"
#define HOOK "{\"url\":\"https://example.com/hook\"}"

static int ask(struct api_fixture *fixture, const char *method, const char *id, const char *rest, const char *body,
               const char **answer) {
    char line[512];
    snprintf(line, sizeof(line), "%s " HOOKS "%s%s%s", method, id[0] != '\0' ? "/" : "", id, rest);
    return api_real_ask(fixture, line, body, answer);
}

/* A new one; its id in the caller's buffer. */
static void create(struct api_fixture *fixture, char id[STORE_ID_MAX]) {
    const char *answer;
    assert_int_equal(ask(fixture, "POST", "", "", HOOK, &answer), 200);
    (void)str_copy(id, STORE_ID_MAX, str_from(api_real_member(answer, "id")));
}

static void assert_missing(const char *answer, const char *param) {
    char expected[64];
    snprintf(expected, sizeof(expected), "\"param\":\"%s\"", param);
    assert_non_null(strstr(answer, "\"code\":\"NOT_FOUND\""));
    assert_non_null(strstr(answer, expected));
}

static void test_create(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer;
    assert_int_equal(ask(fixture, "POST", "", "", HOOK, &answer), 200);
    assert_memory_equal(api_real_member(answer, "id"), "wh_", 3);
    assert_int_equal(strlen(api_real_member(answer, "id")), 3 + 22);
    assert_string_equal(api_real_member(answer, "object"), "webhook");
    assert_string_equal(api_real_member(answer, "status"), "enabled");
    assert_memory_equal(api_real_member(answer, "secret"), "whsec_", 6);
    /* All events, but for the test event, which nobody asks for. */
    assert_non_null(strstr(answer,
                           "\"events\":[\"job.completed\",\"job.failed\",\"workflow.completed\",\"balance.low\","
                           "\"usage.threshold\"],\"balance_low_usd\":1,\"usage_thresholds_usd\":[]"));
    assert_int_equal(ask(fixture, "POST", "", "",
                         "{\"url\":\"https://example.com/2\",\"description\":\"mine\",\"events\":[\"job.failed\"],"
                         "\"balance_low_usd\":4.75,\"usage_thresholds_usd\":[1,2.5],\"status\":\"disabled\"}",
                         &answer),
                     200);
    assert_non_null(
        strstr(answer, "\"events\":[\"job.failed\"],\"balance_low_usd\":4.75,\"usage_thresholds_usd\":[1,2.5]"));
    assert_string_equal(api_real_member(answer, "description"), "mine");
    assert_string_equal(api_real_member(answer, "status"), "disabled");
    /* An amount that is named twice, however it is spelled, is one. */
    char id[STORE_ID_MAX];
    create(fixture, id);
    assert_int_equal(ask(fixture, "PATCH", id, "",
                         "{\"usage_thresholds_usd\":[0.000001,1e-6,2.50,0.0000010,10E-7,2.5,25e-1]}", &answer),
                     200);
    assert_non_null(strstr(answer, "\"usage_thresholds_usd\":[0.000001,2.5]"));
    assert_int_equal(ask(fixture, "POST", "", "",
                         "{\"url\":\"https://example.com/2\",\"description\":\"mine\",\"url\":\"https://b.com\"}",
                         &answer),
                     400);
    assert_non_null(strstr(answer, "\"param\":\"url\""));
    assert_int_equal(
        ask(fixture, "POST", "", "", "{\"url\":\"https://example.com/2\",\"description\":\"mine\"}", &answer), 200);
}

static void test_an_account_has_so_many(void **state) {
    struct api_fixture *fixture = *state;
    const char *answer;
    char id[STORE_ID_MAX];
    for (int i = 0; i < STORE_WEBHOOKS_MAX; i++) {
        create(fixture, id);
    }
    assert_int_equal(ask(fixture, "POST", "", "", HOOK, &answer), 409);
    assert_non_null(strstr(answer, "\"code\":\"INVALID_REQUEST\""));
    fixture->auth.account = "acct_2";
    assert_int_equal(ask(fixture, "POST", "", "", HOOK, &answer), 200);
}

static void test_bad_bodies(void **state) {
    static const struct {
        const char *body, *param;
    } cases[] = {
        {"", "null"},
        {"{", "null"},
        {"[]", "null"},
        {"null", "null"},
        {"{}", "\"url\""},
        {"{\"url\":1}", "\"url\""},
        {"{\"url\":\"http://example.com/\"}", "\"url\""}, /* not in the clear */
        {"{\"url\":\"https://10.0.0.1/\"}", "\"url\""},   /* not into a private network */
        {"{\"url\":\"https://example.com/\",\"events\":[\"test\"]}", "\"events\""},
        {"{\"url\":\"https://example.com/\",\"status\":\"gone\"}", "\"status\""},
        {"{\"url\":\"https://example.com/\",\"balance_low_usd\":0}", "\"balance_low_usd\""},
    };
    struct api_fixture *fixture = *state;
    const char *answer;
    char expected[64], id[STORE_ID_MAX];
    create(fixture, id);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(expected, sizeof(expected), "\"code\":\"INVALID_REQUEST\",\"param\":%s}", cases[i].param);
        assert_int_equal(ask(fixture, "POST", "", "", cases[i].body, &answer), 400);
        assert_non_null(strstr(answer, expected));
        if (strcmp(cases[i].body, "{}") != 0) { /* which changes nothing */
            assert_int_equal(ask(fixture, "PATCH", id, "", cases[i].body, &answer), 400);
            assert_non_null(strstr(answer, expected));
        }
    }
    static const char *const redeliveries[] = {"{}", "[]", "", "{\"delivery_id\":1}"};
    for (size_t i = 0; i < COUNT_OF(redeliveries); i++) {
        assert_int_equal(ask(fixture, "POST", id, "/redeliver", redeliveries[i], &answer), 400);
    }
    assert_int_equal(ask(fixture, "POST", id, "/redeliver", "{}", &answer), 400);
    assert_non_null(strstr(answer, "\"param\":\"delivery_id\""));
}

static void test_a_compressed_body_is_415(void **state) {
    static const char *const lines[] = {"POST " HOOKS, "PATCH " HOOKS "/wh_1", "POST " HOOKS "/wh_1/redeliver"};
    struct api_fixture *fixture = *state;
    const char *answer;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        api_fixture_forget(fixture);
        api_fixture_request(fixture, lines[i], "Content-Encoding: gzip\r\n", HOOK);
        assert_int_equal(api_fixture_answer(fixture, &answer), 415);
        api_fixture_forget(fixture);
        api_fixture_request(fixture, lines[i], "Content-Encoding: identity\r\n", HOOK);
        assert_int_not_equal(api_fixture_answer(fixture, &answer), 415);
    }
}

static void test_a_secret_is_shown_once(void **state) {
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], first[128], second[128];
    const char *answer;
    assert_int_equal(ask(fixture, "POST", "", "", HOOK, &answer), 200);
    (void)str_copy(first, sizeof(first), str_from(api_real_member(answer, "secret")));
    (void)str_copy(id, sizeof(id), str_from(api_real_member(answer, "id")));
    assert_int_equal(ask(fixture, "GET", id, "", NULL, &answer), 200);
    assert_null(strstr(answer, "secret\""));
    assert_null(strstr(answer, "whsec_"));
    assert_int_equal(ask(fixture, "GET", "", "", NULL, &answer), 200);
    assert_null(strstr(answer, "whsec_"));
    assert_int_equal(ask(fixture, "PATCH", id, "", "{\"description\":\"new\"}", &answer), 200);
    assert_null(strstr(answer, "whsec_"));
    /* A new one, and for a day the old one beside it. */
    assert_int_equal(ask(fixture, "POST", id, "/rotate-secret", NULL, &answer), 200);
    (void)str_copy(second, sizeof(second), str_from(api_real_member(answer, "secret")));
    assert_string_not_equal(first, second);
    assert_null(strstr(answer, first));
    assert_non_null(strstr(answer, "\"old_secret_expires_at\":\"2"));
    assert_int_equal(ask(fixture, "GET", id, "", NULL, &answer), 200);
    assert_null(strstr(answer, "whsec_"));
}

static void test_change_and_delete(void **state) {
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], other[STORE_ID_MAX];
    const char *answer;
    create(fixture, id);
    create(fixture, other);
    assert_int_equal(ask(fixture, "PATCH", id, "",
                         "{\"url\":\"https://example.com/new\",\"status\":\"disabled\",\"events\":[\"balance.low\"],"
                         "\"description\":\"what for\"}",
                         &answer),
                     200);
    assert_string_equal(api_real_member(answer, "url"), "https://example.com/new");
    assert_string_equal(api_real_member(answer, "status"), "disabled");
    assert_non_null(strstr(answer, "\"events\":[\"balance.low\"]"));
    assert_int_equal(ask(fixture, "GET", id, "", NULL, &answer), 200);
    assert_string_equal(api_real_member(answer, "description"), "what for");
    assert_int_equal(ask(fixture, "GET", "", "", NULL, &answer), 200);
    assert_memory_equal(answer, "{\"object\":\"list\",\"data\":[{\"id\":\"wh_", 31);
    assert_non_null(strstr(answer, "\"has_more\":false}"));
    assert_true(strstr(answer, id) < strstr(answer, other)); /* in the order of their creation */
    assert_int_equal(ask(fixture, "DELETE", id, "", NULL, &answer), 200);
    char deleted[256];
    snprintf(deleted, sizeof(deleted), "{\"id\":\"%s\",\"object\":\"webhook\",\"deleted\":true}", id);
    assert_string_equal(answer, deleted);
    assert_int_equal(ask(fixture, "GET", "", "", NULL, &answer), 200);
    assert_null(strstr(answer, id));
    assert_non_null(strstr(answer, other));
}

/* Gone, foreign, never there, and what cannot be an id: all the same to whoever asks. */
static void test_missing_and_foreign(void **state) {
    static const struct {
        const char *method, *rest, *body;
    } routes[] = {{"GET", "", NULL},
                  {"PATCH", "", "{\"description\":\"mine now\"}"},
                  {"DELETE", "", NULL},
                  {"POST", "/rotate-secret", NULL},
                  {"POST", "/test", NULL},
                  {"GET", "/deliveries", NULL},
                  {"POST", "/redeliver", "{\"delivery_id\":\"whd_1\"}"}};
    struct api_fixture *fixture = *state;
    char mine[STORE_ID_MAX], theirs[STORE_ID_MAX];
    const char *answer;
    create(fixture, theirs);
    fixture->auth.account = "acct_2";
    create(fixture, mine);
    assert_int_equal(ask(fixture, "DELETE", mine, "", NULL, &answer), 200);
    const char *const ids[] = {theirs, mine,  "wh_never",
                               "%00",  "%zz", "0123456789012345678901234567890123456789012345678901234567890123456789"};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        for (size_t j = 0; j < COUNT_OF(routes); j++) {
            assert_int_equal(ask(fixture, routes[j].method, ids[i], routes[j].rest, routes[j].body, &answer), 404);
            assert_missing(answer, "id");
        }
    }
    fixture->auth.account = NULL;
    assert_int_equal(ask(fixture, "GET", theirs, "", NULL, &answer), 200); /* as it was */
    assert_null(strstr(answer, "mine now"));
}

static void test_deliveries(void **state) {
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], first[STORE_ID_MAX], second[STORE_ID_MAX], body[256];
    const char *answer;
    create(fixture, id);
    assert_int_equal(ask(fixture, "POST", id, "/test", NULL, &answer), 200);
    assert_string_equal(api_real_member(answer, "object"), "webhook.delivery");
    assert_string_equal(api_real_member(answer, "event"), "test");
    assert_non_null(strstr(answer, "\"status\":\"waiting\",\"requested\":true,\"attempts\":0"));
    (void)str_copy(first, sizeof(first), str_from(api_real_member(answer, "id")));
    char event[STORE_ID_MAX];
    (void)str_copy(event, sizeof(event), str_from(api_real_member(answer, "event_id")));
    /* Once more: another delivery of the same event. */
    snprintf(body, sizeof(body), "{\"delivery_id\":\"%s\"}", first);
    assert_int_equal(ask(fixture, "POST", id, "/redeliver", body, &answer), 200);
    assert_string_equal(api_real_member(answer, "event_id"), event);
    (void)str_copy(second, sizeof(second), str_from(api_real_member(answer, "id")));
    assert_string_not_equal(first, second);
    /* The newest first, in pages. */
    assert_int_equal(ask(fixture, "GET", id, "/deliveries?limit=1", NULL, &answer), 200);
    assert_string_equal(api_real_member(answer, "id"), second);
    assert_non_null(strstr(answer, "\"has_more\":true"));
    snprintf(body, sizeof(body), "/deliveries?after=%s", second);
    assert_int_equal(ask(fixture, "GET", id, body, NULL, &answer), 200);
    assert_string_equal(api_real_member(answer, "id"), first);
    assert_non_null(strstr(answer, "\"has_more\":false"));
}

static void test_deliveries_that_are_not_there(void **state) {
    static const char *const afters[] = {"/deliveries?after=whd_never", "/deliveries?after=%00", "/deliveries?after="};
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX], body[256];
    const char *answer;
    create(fixture, id);
    for (size_t i = 0; i < COUNT_OF(afters); i++) {
        assert_int_equal(ask(fixture, "GET", id, afters[i], NULL, &answer), 404);
        assert_missing(answer, "after");
        assert_non_null(strstr(answer, "There is no delivery with this id."));
    }
    assert_int_equal(ask(fixture, "GET", id, "/deliveries?limit=101", NULL, &answer), 400);
    assert_non_null(strstr(answer, "\"param\":\"limit\""));
    snprintf(body, sizeof(body), "{\"delivery_id\":\"%s\"}", "0123456789012345678901234567890123456789");
    assert_int_equal(ask(fixture, "POST", id, "/redeliver", body, &answer), 404);
    assert_missing(answer, "delivery_id");
}

static void test_asked_for_too_often(void **state) {
    struct api_fixture *fixture = *state;
    char id[STORE_ID_MAX];
    const char *answer;
    create(fixture, id);
    for (int i = 0; i < STORE_WEBHOOK_ASKED_MAX; i++) {
        assert_int_equal(ask(fixture, "POST", id, "/test", NULL, &answer), 200);
    }
    assert_int_equal(ask(fixture, "POST", id, "/test", NULL, &answer), 429);
    assert_string_equal(api_fixture_header(fixture, "Retry-After"), "60");
    assert_non_null(strstr(answer, "\"code\":\"RATE_LIMIT_EXCEEDED\",\"param\":null,\"retry_after\":60"));
    /* One that is disabled is never asked. */
    assert_int_equal(ask(fixture, "PATCH", id, "", "{\"status\":\"disabled\"}", &answer), 200);
    assert_int_equal(ask(fixture, "POST", id, "/test", NULL, &answer), 409);
}

/* Test keys lie about in more places. */
static void test_a_test_key_manages_none(void **state) {
    static const char *const lines[] = {"POST " HOOKS,
                                        "GET " HOOKS,
                                        "GET " HOOKS "/wh_1",
                                        "PATCH " HOOKS "/wh_1",
                                        "DELETE " HOOKS "/wh_1",
                                        "POST " HOOKS "/wh_1/rotate-secret",
                                        "POST " HOOKS "/wh_1/test",
                                        "GET " HOOKS "/wh_1/deliveries",
                                        "POST " HOOKS "/wh_1/redeliver"};
    struct api_fixture *fixture = *state;
    const char *answer;
    fixture->auth.kind = STORE_KEY_TEST;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_int_equal(api_real_ask(fixture, lines[i], HOOK, &answer), 403);
        assert_non_null(strstr(answer, "\"message\":\"Webhooks are managed with a live key.\""));
    }
}

/* Its client goes away while the store writes: nobody is answered, nothing leaks. */
static void test_a_client_that_goes(void **state) {
    static const char *const lines[] = {"POST " HOOKS,
                                        "GET " HOOKS,
                                        "GET " HOOKS "/wh_1",
                                        "DELETE " HOOKS "/wh_1",
                                        "POST " HOOKS "/wh_1/test",
                                        "GET " HOOKS "/wh_1/deliveries"};
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        api_fixture_request(fixture, lines[i], "", i == 0 ? HOOK : NULL);
        api_fixture_disconnect(fixture);
        api_fixture_connect(fixture);
    }
    const char *answer;
    assert_int_equal(api_real_ask(fixture, "GET " HOOKS, NULL, &answer), 200);
    assert_int_equal(calls_count(fixture->calls), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_create),
        TEST(test_an_account_has_so_many),
        TEST(test_bad_bodies),
        TEST(test_a_compressed_body_is_415),
        TEST(test_a_secret_is_shown_once),
        TEST(test_change_and_delete),
        TEST(test_missing_and_foreign),
        TEST(test_deliveries),
        TEST(test_deliveries_that_are_not_there),
        TEST(test_asked_for_too_often),
        TEST(test_a_test_key_manages_none),
        TEST(test_a_client_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
