/* The JSON bodies of requests, over a real connection. */
#include "support/api_fixture.h"

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

static void test_bad_bodies(void **state) {
    static const struct {
        const char *headers, *body;
        int status;
        const char *param;
    } cases[] = {
        {"", "", 400, NULL},
        {"", "{", 400, NULL},
        {"", "[1]", 400, NULL},
        {"", "{\"model\":\"\xff\"}", 400, NULL},
        {"", "{\"model\":\"nataris-demo-2m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", 400, NULL},
        {"Content-Encoding: gzip\r\n", GOOD_CHAT, 415, NULL},
        {"", "{\"model\":\"nataris-demo-2m\",\"messages\":[]}", 400, "messages"},
        {"", "{\"model\":\"nataris-demo-2m\",\"messages\":[{\"role\":\"x\",\"content\":\"\"}]}", 400,
         "messages[0].role"},
        {"", "{\"model\":\"nataris-demo-2m\",\"temperature\":9}", 400, "temperature"},
        {"", "{\"model\":\"nataris-demo-2m\",\"temperature\":1,\"t\\u0065mperature\":1}", 400, "temperature"},
        {"", "{\"model\":\"nataris-demo-2m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\",\"role\":\"user\"}]}",
         400, "role"},
        {"", "\xef\xbb\xbf", 400, NULL},
        {"", "\xef\xbb\xbf\xef\xbb\xbf" GOOD_CHAT, 400, NULL},
    };
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body;
        assert_int_equal(exchange(fixture, "POST " CHAT, cases[i].headers, cases[i].body, &body), cases[i].status);
        assert_error(body, "INVALID_REQUEST", cases[i].param);
        assert_string_equal(api_fixture_header(fixture, "x-should-retry"), "false");
    }
    assert_int_equal(fixture->submitted, 0);
}

static void test_a_byte_order_mark_is_passed_over(void **state) {
    struct api_fixture *fixture = *state;
    const char *body;
    fixture->on_submit = finish_call;
    assert_int_equal(exchange(fixture, "POST " CHAT, "", "\xef\xbb\xbf" GOOD_CHAT, &body), 200);
    assert_int_equal(fixture->submitted, 1);
}

static void test_deep_nesting(void **state) {
    struct api_fixture *fixture = *state;
    char deep[4096];
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    const char *body;
    assert_int_equal(exchange(fixture, "POST " CHAT, "", deep, &body), 400);
    assert_error(body, "INVALID_REQUEST", NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_bad_bodies),
        TEST(test_a_byte_order_mark_is_passed_over),
        TEST(test_deep_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
