/* Who is let in, before the body is read. */
#include "support/api_fixture.h"

#define POST "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
#define GOOD "Authorization: Bearer good\r\n"
#define REST "Content-Length: 60000\r\n\r\n{"

static const char *until_status(struct api_fixture *fixture, const char *request) {
    api_fixture_connect(fixture);
    api_fixture_send(fixture, str_from(request));
    api_fixture_expect(fixture, "\r\n\r\n");
    return buf_cstr(&fixture->received);
}

static void expect(struct api_fixture *fixture, const char *request, const char *status, const char *words) {
    const char *all = until_status(fixture, request);
    if (strncmp(all, status, strlen(status)) != 0 || strstr(all, words) == NULL) {
        fail_msg("%s", all);
    }
    api_fixture_disconnect(fixture);
}

static void test_keys_come_before_bodies(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_disconnect(fixture);
    expect(fixture, POST REST, "HTTP/1.1 401", "Connection: close");
    expect(fixture, POST "Authorization: Bearer wrong\r\n" REST, "HTTP/1.1 401", "Connection: close");
    expect(fixture, POST "Authorization: Bearer broken\r\n" REST, "HTTP/1.1 500", "");
    expect(fixture, "POST /v1/nowhere HTTP/1.1\r\nHost: a\r\n" REST, "HTTP/1.1 404", "");
    expect(fixture, POST "Authorization: Bearer later\r\nExpect: 100-continue\r\nContent-Length: 60000\r\n\r\n",
           "HTTP/1.1 100", "");
    api_fixture_connect(fixture);
    assert_int_equal(fixture->submitted, 0);
}

static void test_accounts_are_told_at_the_head(void **state) {
    static const char *const NEW[] = {"/v1/conversations", "/v1/jobs", "/v1/webhooks", "/v1/inference"};
    struct api_fixture *fixture = *state;
    api_fixture_disconnect(fixture);
    fixture->view = (struct core_account_view){.requests_per_minute = 1, .wait_ms = 2500};
    expect(fixture, POST GOOD REST, "HTTP/1.1 429", "Retry-After: 3");
    fixture->view.suspended = true;
    expect(fixture, POST GOOD REST, "HTTP/1.1 403", "suspended");
    for (size_t i = 0; i < COUNT_OF(NEW); i++) {
        char head[256];
        snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: a\r\n%s%s", NEW[i], GOOD, REST);
        expect(fixture, head, "HTTP/1.1 403", "suspended");
        snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: 2\r\n\r\n{}", NEW[i], GOOD);
        if (i < 3) { /* a generation is refused when it is admitted */
            expect(fixture, head, "HTTP/1.1 403", "suspended");
        }
    }
    expect(fixture, "GET /v1/models HTTP/1.1\r\nHost: a\r\n" GOOD "\r\n", "HTTP/1.1 200", "");
    fixture->view.suspended = false;
    fixture->view.wait_ms = 0;
    fixture->call_wait_ms = 1500;
    expect(fixture, POST GOOD REST, "HTTP/1.1 429", "retry-after-ms: 1500");
    expect(fixture, "GET /v1/models HTTP/1.1\r\nHost: a\r\n" GOOD "\r\n", "HTTP/1.1 429", "x-request-id");
    fixture->call_wait_ms = 0;
    fixture->disk_low = true;
    expect(fixture, POST GOOD REST, "HTTP/1.1 503", "disk");
    expect(fixture, "GET /v1/models HTTP/1.1\r\nHost: a\r\n" GOOD "\r\n", "HTTP/1.1 200", "");
    expect(fixture, "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 503", "disk");
    api_fixture_connect(fixture);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, api_fixture_setup, api_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_keys_come_before_bodies),
        TEST(test_accounts_are_told_at_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
