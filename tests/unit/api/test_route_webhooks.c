/* How the routes of webhooks read their bodies: as all others do. */
#include "support/api_calls.h"

#define WEBHOOKS "/v1/webhooks"

static const char *const LINES[] = {"POST " WEBHOOKS, "PATCH " WEBHOOKS "/wh_1", "POST " WEBHOOKS "/wh_1/redeliver"};

static void expect(struct api_fixture *fixture, const char *line, const char *headers, const char *body, int status,
                   const char *words) {
    const char *answer;
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, headers, body);
    assert_int_equal(api_fixture_answer(fixture, &answer), status);
    if (strstr(answer, words) == NULL) {
        fail_msg("%s: no \"%s\" in %s", line, words, answer);
    }
}

static void test_a_compressed_body_is_refused_by_name(void **state) {
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(LINES); i++) {
        expect(fixture, LINES[i], "Content-Encoding: gzip\r\n", "{}", 415, "Content-Encoding is not supported");
    }
}

static void test_what_is_no_object_is_refused(void **state) {
    struct api_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(LINES); i++) {
        expect(fixture, LINES[i], "", "", 400, "The request body is empty");
        expect(fixture, LINES[i], "", "{\"url\":", 400, "The request body cannot be read: invalid JSON");
        expect(fixture, LINES[i], "", "[]", 400, "must be a JSON object");
    }
}

static void test_what_is_missing_is_named(void **state) {
    struct api_fixture *fixture = *state;
    expect(fixture, LINES[0], "Content-Encoding: identity\r\n", "{}", 400, "\"param\":\"url\"");
    expect(fixture, LINES[2], "", "{}", 400, "\"param\":\"delivery_id\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_compressed_body_is_refused_by_name),
        TEST(test_what_is_no_object_is_refused),
        TEST(test_what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
