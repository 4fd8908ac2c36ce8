/* Faults: what each code means to a client, and what functions that failed become. */
#include "call/fault.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum retry { NEVER, ALWAYS, WITH_A_WAIT };

static const struct {
    int status;
    const char *name, *type;
    enum retry retry;
    uint64_t wait_ms; /* when none is said */
} codes[FAULT_CODES] = {
    [FAULT_INVALID_REQUEST] = {400, "INVALID_REQUEST", "invalid_request_error", NEVER, 0},
    [FAULT_CONTEXT_LENGTH] = {400, "context_length_exceeded", "invalid_request_error", NEVER, 0},
    [FAULT_INVALID_API_KEY] = {401, "INVALID_API_KEY", "authentication_error", NEVER, 0},
    [FAULT_INSUFFICIENT_CREDITS] = {402, "INSUFFICIENT_CREDITS", "billing_error", NEVER, 0},
    [FAULT_FORBIDDEN] = {403, "FORBIDDEN", "authentication_error", NEVER, 0},
    [FAULT_NOT_FOUND] = {404, "NOT_FOUND", "not_found_error", NEVER, 0},
    [FAULT_MODEL_NOT_FOUND] = {404, "MODEL_NOT_FOUND", "not_found_error", NEVER, 0},
    [FAULT_NO_MATCHING_PROVIDER] = {404, "no_matching_provider", "not_found_error", NEVER, 0},
    [FAULT_METHOD_NOT_ALLOWED] = {405, "METHOD_NOT_ALLOWED", "invalid_request_error", NEVER, 0},
    [FAULT_REQUEST_TIMEOUT] = {408, "REQUEST_TIMEOUT", "timeout_error", ALWAYS, 1000},
    [FAULT_CONVERSATION_BUSY] = {409, "CONVERSATION_BUSY", "invalid_request_error", WITH_A_WAIT, 0},
    [FAULT_CONFLICT] = {409, "IDEMPOTENCY_CONFLICT", "invalid_request_error", WITH_A_WAIT, 0},
    [FAULT_TOO_LARGE] = {413, "REQUEST_TOO_LARGE", "invalid_request_error", NEVER, 0},
    [FAULT_RATE_LIMIT_EXCEEDED] = {429, "RATE_LIMIT_EXCEEDED", "rate_limit_error", ALWAYS, 1000},
    [FAULT_INTERNAL] = {500, "INTERNAL_ERROR", "server_error", ALWAYS, 0},
    [FAULT_MODEL_WARMING] = {503, "model_warming", "service_unavailable_error", ALWAYS, 300000},
    [FAULT_MODEL_UNAVAILABLE] = {503, "model_unavailable", "service_unavailable_error", WITH_A_WAIT, 0},
    [FAULT_UNAVAILABLE] = {503, "SERVICE_UNAVAILABLE", "service_unavailable_error", ALWAYS, 5000},
};

static void test_each_code(void **state) {
    (void)state;
    for (int i = 0; i < FAULT_CODES; i++) {
        const enum fault_code code = (enum fault_code)i;
        enum fault_code found;
        struct fault fault;
        fault_set(&fault, code, "Number %d.", i);
        assert_int_equal(fault.code, code);
        assert_string_equal(fault.param, "");
        assert_int_equal(fault_status(&fault), codes[i].status);
        assert_string_equal(fault_name(code), codes[i].name);
        assert_string_equal(fault_type(code), codes[i].type);
        assert_true(fault_code_of(str_from(codes[i].name), &found));
        assert_int_equal(found, code);
        assert_int_equal(fault_retry_after_ms(&fault), codes[i].wait_ms);
        assert_int_equal(fault_is_retryable(&fault), codes[i].retry == ALWAYS);
        fault.retry_after_ms = 1001;
        fault.status = 499;
        assert_int_equal(fault_status(&fault), 499);
        assert_int_equal(fault_retry_after_ms(&fault), 1001);
        assert_int_equal(fault_retry_after_s(&fault), 2);
        assert_int_equal(fault_is_retryable(&fault), codes[i].retry != NEVER);
    }
}

static void test_names_that_are_none(void **state) {
    static const char *const names[] = {"", "INTERNAL", "internal_error", "MODEL_WARMING", "INTERNAL_ERRORS"};
    enum fault_code code = FAULT_CODES;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_false(fault_code_of(str_from(names[i]), &code));
        assert_int_equal(code, FAULT_CODES);
    }
}

static void test_seconds_are_rounded_up(void **state) {
    static const struct { uint64_t ms, s; } cases[] = {{1, 1}, {999, 1}, {1000, 1}, {1001, 2}, {59001, 60}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fault fault = {.code = FAULT_UNAVAILABLE, .retry_after_ms = cases[i].ms};
        assert_int_equal(fault_retry_after_s(&fault), cases[i].s);
    }
}

/* Whatever does not fit is cut, and what was there before is gone. */
static void test_set(void **state) {
    struct fault fault = {.code = FAULT_INTERNAL, .status = 415, .retry_after_ms = 7, .param = "old"};
    char long_text[2 * ERR_MESSAGE_MAX];
    (void)state;
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    fault_set_param(&fault, FAULT_NOT_FOUND, long_text, "%s", long_text);
    assert_int_equal(strlen(fault.message), ERR_MESSAGE_MAX - 1);
    assert_int_equal(strlen(fault.param), ERR_FIELD_MAX - 1);
    assert_int_equal(fault.status, 0);
    assert_int_equal(fault.retry_after_ms, 0);
    fault_set_param(&fault, FAULT_NOT_FOUND, "id", "There is no %s.", "job");
    assert_string_equal(fault.message, "There is no job.");
    assert_string_equal(fault.param, "id");
    fault_set_too_large(&fault);
    assert_int_equal(fault.code, FAULT_TOO_LARGE);
    assert_string_equal(fault.param, "");
}

static void test_from_err(void **state) {
    static const struct {
        enum err_code code;
        enum fault_code expected;
    } cases[] = {
        {ERR_INVALID, FAULT_INVALID_REQUEST},
        {ERR_UNSUPPORTED, FAULT_INVALID_REQUEST},
        {ERR_TOO_LARGE, FAULT_TOO_LARGE},
        {ERR_DENIED, FAULT_INVALID_API_KEY},
        {ERR_UNAVAILABLE, FAULT_UNAVAILABLE},
        {ERR_TIMEOUT, FAULT_REQUEST_TIMEOUT},
        {ERR_IO, FAULT_INTERNAL},
        {ERR_INTERNAL, FAULT_INTERNAL},
        {ERR_CLOSED, FAULT_INTERNAL},
        {ERR_CONFLICT, FAULT_INTERNAL},
        {ERR_NOT_FOUND, FAULT_NOT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err;
        struct fault fault;
        err_set_field(&err, cases[i].code, "field", "words");
        fault_from_err(&fault, &err);
        assert_int_equal(fault.code, cases[i].expected);
        assert_string_equal(fault.param, "field");
        assert_int_equal(strcmp(fault.message, "words") == 0, cases[i].expected != FAULT_INTERNAL);
    }
}

static void test_a_quota_is_the_clients(void **state) {
    struct err err;
    struct fault fault;
    (void)state;
    err_set_field(&err, ERR_CONFLICT, "quota", "This account keeps 3 jobs");
    fault_from_err(&fault, &err);
    assert_int_equal(fault.code, FAULT_FORBIDDEN);
    assert_string_equal(fault.message, "This account keeps 3 jobs.");
    assert_string_equal(fault.param, "");
}

/* What is our fault is not explained to the world. */
static void test_internal_words_stay_inside(void **state) {
    struct err err;
    struct fault fault;
    (void)state;
    err_set(&err, ERR_IO, "/var/lib/secret.db: disk I/O error");
    fault_from_err(&fault, &err);
    assert_null(strstr(fault.message, "secret"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_code),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_seconds_are_rounded_up),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_from_err),
        cmocka_unit_test(test_a_quota_is_the_clients),
        cmocka_unit_test(test_internal_words_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
