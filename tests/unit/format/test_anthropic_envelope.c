/* Refusals of POST /v1/messages: the type and the status of every code, whole and in a stream. */
#include "format/anthropic_envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_every_code(void **state) {
    static const struct {
        enum fault_code code;
        int status;
        const char *type;
    } cases[] = {
        {FAULT_INVALID_REQUEST, 400, "invalid_request_error"},
        {FAULT_CONTEXT_LENGTH, 400, "invalid_request_error"},
        {FAULT_INVALID_API_KEY, 401, "authentication_error"},
        {FAULT_INSUFFICIENT_CREDITS, 402, "billing_error"},
        {FAULT_FORBIDDEN, 403, "permission_error"},
        {FAULT_NOT_FOUND, 404, "not_found_error"},
        {FAULT_MODEL_NOT_FOUND, 404, "not_found_error"},
        {FAULT_NO_MATCHING_PROVIDER, 404, "not_found_error"},
        {FAULT_METHOD_NOT_ALLOWED, 405, "invalid_request_error"},
        {FAULT_REQUEST_TIMEOUT, 408, "timeout_error"},
        {FAULT_CONVERSATION_BUSY, 409, "invalid_request_error"},
        {FAULT_CONFLICT, 409, "invalid_request_error"},
        {FAULT_TOO_LARGE, 413, "request_too_large"},
        {FAULT_RATE_LIMIT_EXCEEDED, 429, "rate_limit_error"},
        {FAULT_INTERNAL, 500, "api_error"},
        {FAULT_MODEL_WARMING, 529, "overloaded_error"},
        {FAULT_MODEL_UNAVAILABLE, 529, "overloaded_error"},
        {FAULT_UNAVAILABLE, 529, "overloaded_error"},
    };
    (void)state;
    assert_int_equal(COUNT_OF(cases), FAULT_CODES);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        char object[256], expected[320];
        struct buf text;
        buf_init(&text, 4096);
        fault_set(&fault, cases[i].code, "Number \"%zu\".", i);
        assert_int_equal(ENVELOPE_ANTHROPIC.status(&fault), cases[i].status);
        snprintf(object, sizeof(object),
                 "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"Number \\\"%zu\\\".\"}", cases[i].type,
                 i);
        ENVELOPE_ANTHROPIC.write(&fault, "req_1", &text);
        snprintf(expected, sizeof(expected), "%s,\"request_id\":\"req_1\"}", object);
        assert_string_equal(buf_cstr(&text), expected);
        buf_reset(&text);
        anthropic_envelope_write_event(&fault, &text);
        snprintf(expected, sizeof(expected), "event: error\ndata: %s}\n\n", object);
        assert_string_equal(buf_cstr(&text), expected);
        buf_clear(&text);
    }
}

static void test_where(void **state) {
    (void)state;
    assert_true(envelope_is_for(&ENVELOPE_ANTHROPIC, STR("/v1/messages/count_tokens")));
    assert_false(envelope_is_for(&ENVELOPE_ANTHROPIC, STR("/v1/models")));
}

/* For programs: they send the whole conversation then. */
static void test_threads(void **state) {
    struct fault fault;
    struct buf text;
    (void)state;
    buf_init(&text, 4096);
    fault_set_param(&fault, FAULT_INVALID_REQUEST, "thread", "m");
    ENVELOPE_ANTHROPIC.write(&fault, "req_1", &text);
    assert_string_equal(buf_cstr(&text),
                        "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"m\","
                        "\"details\":{\"error_code\":\"thread_unsupported_request\",\"unsupported\":["
                        "\"thread\"]}},\"request_id\":\"req_1\"}");
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
