/* The error envelope: golden texts for every code. */
#include "format/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_envelope(const struct fault *fault, const char *expected) {
    struct buf text;
    buf_init(&text, 4096);
    envelope_write(fault, &text);
    assert_string_equal(buf_cstr(&text), expected);
    buf_clear(&text);
}

static void test_every_code(void **state) {
    (void)state;
    static const struct {
        enum fault_code code;
        int status;
        const char *rest; /* of the envelope, behind the message */
    } cases[] = {
        {FAULT_INVALID_REQUEST, 400, "\"type\":\"invalid_request_error\",\"code\":\"INVALID_REQUEST\",\"param\":null"},
        {FAULT_CONTEXT_LENGTH, 400,
         "\"type\":\"invalid_request_error\",\"code\":\"context_length_exceeded\",\"param\":null"},
        {FAULT_INVALID_API_KEY, 401, "\"type\":\"authentication_error\",\"code\":\"INVALID_API_KEY\",\"param\":null"},
        {FAULT_INSUFFICIENT_CREDITS, 402,
         "\"type\":\"billing_error\",\"code\":\"INSUFFICIENT_CREDITS\",\"param\":null"},
        {FAULT_FORBIDDEN, 403, "\"type\":\"authentication_error\",\"code\":\"FORBIDDEN\",\"param\":null"},
        {FAULT_CONVERSATION_BUSY, 409,
         "\"type\":\"invalid_request_error\",\"code\":\"CONVERSATION_BUSY\",\"param\":null"},
        {FAULT_CONFLICT, 409, "\"type\":\"invalid_request_error\",\"code\":\"IDEMPOTENCY_CONFLICT\",\"param\":null"},
        {FAULT_NOT_FOUND, 404, "\"type\":\"not_found_error\",\"code\":\"NOT_FOUND\",\"param\":null"},
        {FAULT_MODEL_NOT_FOUND, 404, "\"type\":\"not_found_error\",\"code\":\"MODEL_NOT_FOUND\",\"param\":null"},
        {FAULT_NO_MATCHING_PROVIDER, 404,
         "\"type\":\"not_found_error\",\"code\":\"no_matching_provider\",\"param\":null"},
        {FAULT_METHOD_NOT_ALLOWED, 405,
         "\"type\":\"invalid_request_error\",\"code\":\"METHOD_NOT_ALLOWED\",\"param\":null"},
        {FAULT_REQUEST_TIMEOUT, 408, "\"type\":\"timeout_error\",\"code\":\"REQUEST_TIMEOUT\",\"param\":null"},
        {FAULT_TOO_LARGE, 413, "\"type\":\"invalid_request_error\",\"code\":\"REQUEST_TOO_LARGE\",\"param\":null"},
        {FAULT_RATE_LIMIT_EXCEEDED, 429,
         "\"type\":\"rate_limit_error\",\"code\":\"RATE_LIMIT_EXCEEDED\",\"param\":null,\"retry_after\":1"},
        {FAULT_INTERNAL, 500, "\"type\":\"server_error\",\"code\":\"INTERNAL_ERROR\",\"param\":null"},
        {FAULT_MODEL_WARMING, 503,
         "\"type\":\"service_unavailable_error\",\"code\":\"model_warming\",\"param\":null,\"retry_after\":300"},
        {FAULT_MODEL_UNAVAILABLE, 503,
         "\"type\":\"service_unavailable_error\",\"code\":\"model_unavailable\",\"param\":null"},
        {FAULT_UNAVAILABLE, 503,
         "\"type\":\"service_unavailable_error\",\"code\":\"SERVICE_UNAVAILABLE\",\"param\":null,\"retry_after\":5"},
    };
    assert_int_equal(COUNT_OF(cases), FAULT_CODES);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        char expected[512];
        fault_set(&fault, cases[i].code, "Number %zu.", i);
        snprintf(expected, sizeof(expected), "{\"error\":{\"message\":\"Number %zu.\",%s}}", i, cases[i].rest);
        assert_int_equal(fault_status(&fault), cases[i].status);
        assert_envelope(&fault, expected);
    }
}

static void test_param_retry_and_escaping(void **state) {
    (void)state;
    struct fault fault = {.code = FAULT_RATE_LIMIT_EXCEEDED,
                          .message = "a \"b\"\n",
                          .param = "messages[2].role",
                          .retry_after_ms = 59001};
    assert_envelope(&fault, "{\"error\":{\"message\":\"a \\\"b\\\"\\n\",\"type\":\"rate_limit_error\",\"code\":"
                            "\"RATE_LIMIT_EXCEEDED\",\"param\":\"messages[2].role\",\"retry_after\":60}}");
    fault = (struct fault){.code = FAULT_INVALID_REQUEST, .status = 415, .message = "m"};
    assert_int_equal(fault_status(&fault), 415);
}

/* OpenAI's holds everywhere; one of a path for what is below it, and not for what only begins alike. */
static void test_paths(void **state) {
    static const struct {
        const char *path;
        bool below;
    } cases[] = {{"/v1/a", true}, {"/v1/a/", true}, {"/v1/a/b/c", true},  {"/v1/ab", false},
                 {"v1", false},   {"", false},      {"/v1/b/v1/a", false}};
    const struct envelope envelope = {.below = "/v1/a"};
    struct buf text;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(envelope_is_for(&envelope, str_from(cases[i].path)), cases[i].below);
        assert_true(envelope_is_for(&ENVELOPE_OPENAI, str_from(cases[i].path)));
    }
    buf_init(&text, 4096);
    ENVELOPE_OPENAI.write(&(struct fault){.code = FAULT_TOO_LARGE, .message = "m"}, "req_1", &text);
    assert_non_null(strstr(buf_cstr(&text), "{\"error\":{\"message\":\"m\","));
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_param_retry_and_escaping),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
