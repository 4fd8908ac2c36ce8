/* The routes over a real connection: keys, errors, CORS, models, health. Calls are in test_call.c. */
#include "support/api_fixture.h"

#include "embedded_api.h"

#define CHAT "/v1/chat/completions"
#define GOOD_CHAT "{\"model\":\"nataris-demo-2m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

/* The status of one exchange; the body is in *body and the headers are readable until the next. */
static int exchange(struct api_fixture *fixture, const char *line, const char *headers, const char *content,
                    const char **body) {
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, headers, content);
    return api_fixture_answer(fixture, body);
}

static void assert_error(const char *body, const char *code, const char *param) {
    char expected[160];
    snprintf(expected, sizeof(expected),
             param != NULL ? "\"code\":\"%s\",\"param\":\"%s\"" : "\"code\":\"%s\",\"param\":null", code, param);
    if (strncmp(body, "{\"error\":{\"message\":\"", 20) != 0 || strstr(body, expected) == NULL) {
        fail_msg("%s in %s", expected, body);
    }
}

static void finish_call(struct api_fixture *fixture, struct call *call) {
    const struct call_result result = {.inference_type = "p2p"};
    (void)fixture;
    call->sink->finished(call, &result);
}

static void fail_call(struct api_fixture *fixture, struct call *call) {
    const struct fault fault = {.code = FAULT_RATE_LIMIT_EXCEEDED, .message = "Later.", .retry_after_ms = 5001};
    (void)fixture;
    call->sink->failed(call, &fault);
}

static void test_health(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "GET /healthz", "Authorization: none\r\n", NULL, &body), 200);
    assert_string_equal(body, "{\"status\":\"ok\"}");
    assert_string_equal(api_fixture_header(fixture, "Content-Type"), "application/json");
    assert_int_equal(exchange(fixture, "GET /readyz?x=1", "Authorization: none\r\n", NULL, &body), 200);
    assert_string_equal(body, "{\"status\":\"ready\"}");
    fixture->ready = false;
    assert_int_equal(exchange(fixture, "GET /readyz", "", NULL, &body), 503);
    assert_error(body, "SERVICE_UNAVAILABLE", NULL);
    assert_string_equal(api_fixture_header(fixture, "Retry-After"), "5");
    assert_string_equal(api_fixture_header(fixture, "retry-after-ms"), "5000");
    assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "");
}

static void test_openapi_and_head(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "GET /openapi.json", "Authorization: none\r\n", NULL, &body), 200);
    assert_int_equal(strlen(body), api_json_openapi_len);
    assert_memory_equal(body, api_json_openapi, api_json_openapi_len);
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "HEAD /v1/models", "", NULL);
    assert_int_equal(api_fixture_answer_of(fixture, true, &body), 200);
    assert_string_equal(body, "");
}

static void test_unknown_routes_and_methods(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "GET /v1/nothing", "Authorization: none\r\n", NULL, &body), 404);
    assert_error(body, "NOT_FOUND", NULL);
    assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "false");
    assert_int_equal(exchange(fixture, "GET /v1/models/", "", NULL, &body), 200);
    assert_int_equal(exchange(fixture, "GET //v1/models", "", NULL, &body), 404);
    assert_non_null(strstr(body, "Did you mean GET /v1/models?"));
    assert_int_equal(exchange(fixture, "GET " CHAT, "", NULL, &body), 405);
    assert_error(body, "METHOD_NOT_ALLOWED", NULL);
    assert_string_equal(api_fixture_header(fixture, "Allow"), "POST, OPTIONS");
    assert_int_equal(exchange(fixture, "DELETE /v1/models", "", NULL, &body), 405);
    assert_string_equal(api_fixture_header(fixture, "Allow"), "GET, HEAD, OPTIONS");
    static const char *const lines[] = {"QUERY /v1/models", "TRACE /v1/models/", "get /v1/models", "PRI /v1/models",
                                        "LINK /v1/models?x"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) { /* whatever llhttp knows of them */
        assert_int_equal(exchange(fixture, lines[i], "", NULL, &body), 405);
        assert_error(body, "METHOD_NOT_ALLOWED", NULL);
        assert_string_equal(api_fixture_header(fixture, "Allow"), "GET, HEAD, OPTIONS");
    }
}

static void test_every_answer_has_an_id_and_cors(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    char first[64];
    exchange(fixture, "GET /v1/models", "", NULL, &body);
    (void)str_copy(first, sizeof(first), str_from(api_fixture_header(fixture, "x-request-id")));
    assert_int_equal(strlen(first), 4 + 22);
    assert_memory_equal(first, "req_", 4);
    assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Origin"), "*");
    exchange(fixture, "GET /nothing", "", NULL, &body);
    assert_string_not_equal(api_fixture_header(fixture, "x-request-id"), first);
    assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Origin"), "*");
    assert_non_null(strstr(api_fixture_header(fixture, "Access-Control-Expose-Headers"), "x-request-id"));
}

/* What the HTTP parser refuses is answered like all else: a page has to be able to read why. */
static void test_refusals_of_the_parser_have_cors_too(void **state) {
    static const struct {
        const char *line, *headers;
        int status;
    } cases[] = {
        {"GET v1/models", "", 400},
        {"GET /v1/models", "Host: b\r\n", 400},
        {"GET /v1/models", "X y\r\n", 400},
        {"CONNECT a:443", "", 405},
        {"POST " CHAT, "Content-Length: 9999999999\r\n", 413},
        {"POST " CHAT, "Transfer-Encoding: gzip\r\n", 501},
        {"POST " CHAT, "Expect: tea\r\n", 417},
    };
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body;
        assert_int_equal(exchange(fixture, cases[i].line, cases[i].headers, NULL, &body), cases[i].status);
        assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Origin"), "*");
        assert_non_null(strstr(body, "{\"error\":{\"message\":"));
        assert_string_equal(api_fixture_header(fixture, "Allow"),
                            cases[i].status == 405 ? "GET, HEAD, POST, PATCH, DELETE, OPTIONS" : "");
        api_fixture_disconnect(fixture);
        api_fixture_connect(fixture);
    }
}

static void test_preflight(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "OPTIONS " CHAT,
                              "Authorization: none\r\nOrigin: http://x\r\nAccess-Control-Request-Method: POST\r\n"
                              "Access-Control-Request-Headers: authorization,x-title , a b,,HTTP-Referer;q=1,x@y,\r\n",
                              NULL, &body),
                     204);
    assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Headers"),
                        "Authorization, Content-Type, Idempotency-Key, authorization, x-title");
    assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Methods"),
                        "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
    assert_string_equal(api_fixture_header(fixture, "Access-Control-Allow-Origin"), "*");
    assert_int_equal(exchange(fixture, "OPTIONS /anything", "", NULL, &body), 204);
    char many[16 * 1024];
    size_t len = (size_t)snprintf(many, sizeof(many), "Access-Control-Request-Headers: a");
    while (len < sizeof(many) - 16) {
        len += (size_t)snprintf(many + len, sizeof(many) - len, ",bbbbbbb");
    }
    snprintf(many + len, sizeof(many) - len, "\r\n");
    assert_int_equal(exchange(fixture, "OPTIONS " CHAT, many, NULL, &body), 204);
    assert_in_range(fixture->received.len, 4096, 4096 + 1024);
}

static void test_keys(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    static const char *const lines[] = {"GET /v1/models", "GET /v1/models/x"};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_int_equal(exchange(fixture, lines[i], "Authorization: Bearer bad\r\n", NULL, &body), 401);
        assert_error(body, "INVALID_API_KEY", NULL);
        assert_string_equal(api_fixture_header(fixture, "WWW-Authenticate"), "Bearer");
        assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "false");
    }
    /* The key comes before the body. */
    assert_int_equal(exchange(fixture, "POST " CHAT, "Authorization: Bearer bad\r\n", "not JSON", &body), 401);
    assert_int_equal(exchange(fixture, "POST /v1/inference", "Authorization: Bearer bad\r\n", "{}", &body), 401);
    assert_int_equal(exchange(fixture, "GET /v1/models", "Authorization: Bearer later\r\n", NULL, &body), 200);
    assert_int_equal(exchange(fixture, "GET /v1/models", "Authorization: Bearer broken\r\n", NULL, &body), 500);
    assert_error(body, "INTERNAL_ERROR", NULL);
    assert_int_equal(fixture->submitted, 0);
}

static void test_client_leaves_during_key_lookup(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_request(fixture, "GET /v1/models", "Authorization: Bearer never\r\n", NULL);
    while (fixture->auth.context == NULL) {
        api_fixture_turn(fixture);
    }
    assert_int_equal(fixture->auth.cancelled, 0);
    api_fixture_disconnect(fixture);
    while (fixture->auth.cancelled == 0) {
        api_fixture_turn(fixture);
    }
    api_fixture_connect(fixture);
}

static void test_models(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->offered = "mine/model \"1\"";
    assert_int_equal(exchange(fixture, "GET /v1/models", "", NULL, &body), 200);
    assert_non_null(strstr(body, "{\"object\":\"list\",\"data\":[{\"id\":\"nataris-demo-2m\",\"object\":\"model\","));
    assert_non_null(strstr(body, "\"available\":true,\"status\":\"available\",\"tier\":\"P2P\",\"context_length\":512,"
                                 "\"pricing\":{\"prompt_usd_per_"
                                 "million\":0.01,\"completion_usd_per_million\":0.02},"));
    assert_non_null(strstr(body, "{\"id\":\"qwen2.5-0.5b-instruct-q6_k\",\"object\":\"model\","));
    assert_non_null(strstr(body,
                           "\"description\":\"Qwen 2.5 0.5B - Fast, efficient language "
                           "model\",\"available\":false,\"status\":\"unavailable\","
                           "\"tier\":\"P2P\",\"context_length\":32768,\"pricing\":{\"prompt_usd_per_million\":0.05,"
                           "\"completion_usd_per_million\":0.1},\"aliases\":[\"nataris-fast\"]}"));
    assert_non_null(strstr(
        body, ",{\"id\":\"mine/model \\\"1\\\"\",\"object\":\"model\",\"created\":0,"
              "\"owned_by\":\"provider\",\"type\":\"llm\",\"description\":\"Offered by a provider; not in "
              "the catalog\",\"available\":false,\"status\":\"warming\",\"tier\":\"P2P\",\"context_length\":null,"
              "\"pricing\":{\"prompt_usd_per_million\":0.1,\"completion_usd_per_million\":0.2},"
              "\"aliases\":[]}]}"));
    /* What the catalog has is listed once. */
    assert_null(strstr(strstr(body, "\"nataris-demo-2m\"") + 1, "\"nataris-demo-2m\""));
}

/* Providers can make up as many ids as they like: the answer stays one that can be sent. */
static void test_models_are_bounded(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->offered = "mine";
    fixture->more_offered = 1000 * 1000;
    assert_int_equal(exchange(fixture, "GET /v1/models", "", NULL, &body), 200);
    assert_non_null(strstr(body, "{\"id\":\"mine\","));
    assert_non_null(strstr(body, "{\"id\":\"more-0\","));
    assert_null(strstr(body, "{\"id\":\"more-999999\","));
    size_t len = strlen(body);
    assert_in_range(len, 0, 1024 * 1024);
    assert_string_equal(body + len - 4, "]}]}");
}

static void test_one_model(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->offered = "mine/model";
    assert_int_equal(exchange(fixture, "GET /v1/models/nataris-demo-2m", "", NULL, &body), 200);
    assert_memory_equal(body, "{\"id\":\"nataris-demo-2m\",", 24);
    assert_int_equal(exchange(fixture, "GET /v1/models/nataris-fast", "", NULL, &body), 200);
    assert_memory_equal(body, "{\"id\":\"qwen2.5-0.5b-instruct-q6_k\",", 35);
    assert_int_equal(exchange(fixture, "GET /v1/models/mine%2Fmodel", "", NULL, &body), 200);
    assert_memory_equal(body, "{\"id\":\"mine/model\",", 19);
    assert_int_equal(exchange(fixture, "GET /v1/models/mine%2fmode%6C", "", NULL, &body), 200);
    static const char *const unknown[] = {"gpt-4", "%", "%2", "%zz", "a%00b", "%22%3Cscript%3E", "%2F"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        char line[64];
        snprintf(line, sizeof(line), "GET /v1/models/%s", unknown[i]);
        assert_int_equal(exchange(fixture, line, "", NULL, &body), 404);
        assert_error(body, "MODEL_NOT_FOUND", "model");
        assert_null(strstr(body, "script"));
    }
    char line[512];
    snprintf(line, sizeof(line), "GET /v1/models/%0300d", 0);
    assert_int_equal(exchange(fixture, line, "", NULL, &body), 404);
}

/* In the sandbox every model of the catalog answers. */
static void test_models_of_a_test_key(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->auth.kind = STORE_KEY_TEST;
    fixture->offered = "mine";
    assert_int_equal(exchange(fixture, "GET /v1/models/nataris-quality", "", NULL, &body), 200);
    assert_non_null(strstr(body, "\"available\":true"));
    assert_int_equal(exchange(fixture, "GET /v1/models/mine", "", NULL, &body), 200);
    assert_non_null(strstr(body, "\"available\":false"));
}

/* A key that is bound to models sees all of them, and is refused by name where it asks for another. */
static void test_models_of_a_bound_key(void **state) {
    static const struct {
        const char *models, *asked;
        bool allowed;
    } cases[] = {
        {"", "nataris-demo-2m", true},
        {NULL, "nataris-demo-2m", true},
        {"nataris-demo-2m", "nataris-demo-2m", true},
        {"nataris-fast", "nataris-demo-2m", false},
        {"nataris-fast, nataris-demo-2m", "nataris-demo-2m", true},
        {"nataris-fast", "qwen2.5-0.5b-instruct-q6_k", true},
        {"qwen2.5-0.5b-instruct-q6_k", "nataris-fast", true},
        {"nataris-demo-2m-x,nataris-demo-2", "nataris-demo-2m", false},
        {"mine", "mine", true},
        {",", "nataris-demo-2m", false},
    };
    struct api_fixture *fixture = *state;
    fixture->offered = "mine";
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const char *body;
        char content[256];
        int submitted = fixture->submitted;
        fixture->auth.kind = i % 2 == 0 ? STORE_KEY_LIVE : STORE_KEY_TEST;
        fixture->auth.models = cases[i / 2].models;
        fixture->on_submit = finish_call;
        snprintf(content, sizeof(content), "{\"model\":\"%s\",\"prompt\":\"hi\"}", cases[i / 2].asked);
        int status = exchange(fixture, "POST /v1/inference", "", content, &body);
        assert_int_equal(status, cases[i / 2].allowed ? 200 : 403);
        assert_int_equal(fixture->submitted, submitted + cases[i / 2].allowed);
        if (status == 403) {
            assert_error(body, "FORBIDDEN", "model");
            assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "false");
        }
    }
    fixture->auth.models = "nataris-fast";
    const char *body;
    assert_int_equal(exchange(fixture, "GET /v1/models", "", NULL, &body), 200);
    assert_non_null(strstr(body, "\"nataris-demo-2m\""));
    assert_int_equal(exchange(fixture, "GET /v1/models/nataris-demo-2m", "", NULL, &body), 200);
}

/* What the hold is made of. */
static void test_price_of_a_call(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_request(fixture, "POST " CHAT, "", GOOD_CHAT);
    const struct call *call = api_fixture_await_call(fixture);
    assert_int_equal(call->prompt_tokens_max, 8 + 8 + 2);
    assert_int_equal(call->prompt_price_nano, 10);
    assert_int_equal(call->completion_price_nano, 20);
}

static void assert_rate(struct api_fixture *fixture, const char *limit, const char *remaining, const char *reset) {
    assert_string_equal(api_fixture_header(fixture, "x-ratelimit-limit-requests"), limit);
    assert_string_equal(api_fixture_header(fixture, "x-ratelimit-remaining-requests"), remaining);
    assert_string_equal(api_fixture_header(fixture, "x-ratelimit-reset-requests"), reset);
}

static void test_rate_headers(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "GET /v1/models", "", NULL, &body), 200);
    assert_rate(fixture, "", "", "");
    fixture->view = (struct core_account_view){.requests_per_minute = 10, .remaining = 9, .reset_ms = 6000};
    assert_int_equal(exchange(fixture, "GET /v1/models", "", NULL, &body), 200);
    assert_rate(fixture, "10", "9", "6s");
    assert_non_null(strstr(api_fixture_header(fixture, "Access-Control-Expose-Headers"),
                           "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests"));
    assert_int_equal(exchange(fixture, "POST " CHAT, "", "{", &body), 400);
    assert_rate(fixture, "10", "9", "6s");
    fixture->on_submit = finish_call;
    assert_int_equal(exchange(fixture, "POST " CHAT, "", GOOD_CHAT, &body), 200);
    assert_rate(fixture, "10", "9", "6s");
    fixture->view.remaining = 0;
    fixture->view.reset_ms = 59999;
    fixture->on_submit = fail_call;
    assert_int_equal(exchange(fixture, "POST " CHAT, "", GOOD_CHAT, &body), 429);
    assert_rate(fixture, "10", "0", "59.999s");
    /* Exact for machines, rounded up for those that know whole seconds only. */
    assert_string_equal(api_fixture_header(fixture, "Retry-After"), "6");
    assert_string_equal(api_fixture_header(fixture, "retry-after-ms"), "5001");
    assert_non_null(strstr(body, "\"retry_after\":6}"));
    fixture->on_submit = finish_call;
    api_fixture_forget(fixture);
    api_fixture_request(fixture, "POST " CHAT, "",
                        "{\"model\":\"nataris-demo-2m\",\"stream\":true,\"messages\":[{\"role\":\"user\","
                        "\"content\":\"hi\"}]}");
    free(api_fixture_stream(fixture));
    assert_rate(fixture, "10", "0", "59.999s");
    /* Not without a key, and not in the sandbox, which has no limits. */
    assert_int_equal(exchange(fixture, "GET /healthz", "", NULL, &body), 200);
    assert_rate(fixture, "", "", "");
    assert_int_equal(exchange(fixture, "GET /v1/models", "Authorization: Bearer bad\r\n", NULL, &body), 401);
    assert_rate(fixture, "", "", "");
    fixture->auth.kind = STORE_KEY_TEST;
    assert_int_equal(exchange(fixture, "GET /v1/models", "", NULL, &body), 200);
    assert_rate(fixture, "", "", "");
}

/* One key, in whichever header; never one of two. */
static void test_keys_in_other_headers(void **state) {
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"Authorization:\r\nx-api-key: good\r\n", 200},
        {"Authorization: \r\nAPI-Key: good\r\n", 200},
        {"x-api-key: good\r\n", 200}, /* and Authorization with the same */
        {"x-api-key: bad\r\n", 400},
        {"Authorization: Basic Z29vZA==\r\nx-api-key: good\r\n", 400},
        {"Authorization:\r\nx-api-key: bad\r\n", 401},
        {"Authorization: Bearer good\r\nauthorization: Bearer good\r\n", 400},
        {"Idempotency-Key: a\r\nIdempotency-Key: b\r\n", 400},
    };
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body;
        assert_int_equal(exchange(fixture, "GET /v1/models", cases[i].headers, NULL, &body), cases[i].status);
    }
}

static void test_unknown_model(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "POST " CHAT, "",
                              "{\"model\":\"gpt-4\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", &body),
                     404);
    assert_string_equal(body, "{\"error\":{\"message\":\"There is no model 'gpt-4'. GET /v1/models lists the models.\","
                              "\"type\":\"not_found_error\",\"code\":\"MODEL_NOT_FOUND\",\"param\":\"model\"}}");
    assert_int_equal(
        exchange(fixture, "POST /v1/inference", "", "{\"model\":\"my secret prompt\",\"prompt\":\"hi\"}", &body), 404);
    assert_error(body, "MODEL_NOT_FOUND", "model");
    assert_null(strstr(body, "secret"));
}

/* What the server refuses before it is a request comes in the same envelope. */
static void test_refused_requests(void **state) {
    static const struct {
        const char *bytes;
        int status;
        const char *code;
    } cases[] = {
        {"nonsense\r\n\r\n", 400, "INVALID_REQUEST"},
        {"POST /v1/inference HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413, "REQUEST_TOO_LARGE"},
        {"GET / HTTP/1.1\r\n\r\n", 400, "INVALID_REQUEST"},
    };
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body;
        api_fixture_send(fixture, str_from(cases[i].bytes));
        assert_int_equal(api_fixture_answer(fixture, &body), cases[i].status);
        assert_error(body, cases[i].code, NULL);
        assert_memory_equal(api_fixture_header(fixture, "x-request-id"), "req_", 4);
        api_fixture_disconnect(fixture);
        api_fixture_connect(fixture);
    }
}

static void test_link(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    assert_int_equal(exchange(fixture, "GET /link", "", NULL, &body), 426);
    assert_error(body, "INVALID_REQUEST", NULL);
    assert_string_equal(api_fixture_header(fixture, "Upgrade"), "websocket");
    assert_int_equal(fixture->linked, 0);
    exchange(fixture, "GET /link", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n", NULL, &body);
    assert_int_equal(fixture->linked, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_health),
        TEST(test_openapi_and_head),
        TEST(test_unknown_routes_and_methods),
        TEST(test_every_answer_has_an_id_and_cors),
        TEST(test_refusals_of_the_parser_have_cors_too),
        TEST(test_preflight),
        TEST(test_keys),
        TEST(test_client_leaves_during_key_lookup),
        TEST(test_models),
        TEST(test_models_are_bounded),
        TEST(test_one_model),
        TEST(test_models_of_a_test_key),
        TEST(test_models_of_a_bound_key),
        TEST(test_price_of_a_call),
        TEST(test_rate_headers),
        TEST(test_keys_in_other_headers),
        TEST(test_unknown_model),
        TEST(test_refused_requests),
        TEST(test_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
