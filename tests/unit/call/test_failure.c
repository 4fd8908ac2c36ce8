/* What the core and engines failed with, in the words that clients get. */
#include "call/failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE_WORDS "what the device said"

static struct fault of_core(enum core_failure failure, uint64_t retry_after_ms) {
    const struct core_effect effect = {.fail = {.failure = failure,
                                                .retry_after_ms = retry_after_ms,
                                                .message = STR(DEVICE_WORDS),
                                                .param = STR("messages")}};
    struct fault fault = {.message = "old", .param = "old", .status = 415};
    failure_from_core(&effect, STR("the-model"), &fault);
    assert_int_equal(fault.status, 0);
    return fault;
}

static void test_of_the_core(void **state) {
    static const struct {
        enum core_failure failure;
        enum fault_code code;
        uint64_t said_ms, wait_ms; /* 0: the code's own */
        const char *words;
    } cases[] = {
        {CORE_FAILURE_CREDITS, FAULT_INSUFFICIENT_CREDITS, 0, 0, "The balance does not cover"},
        {CORE_FAILURE_KEY_CAP, FAULT_INSUFFICIENT_CREDITS, 0, 0, "spending cap"},
        {CORE_FAILURE_RATE, FAULT_RATE_LIMIT_EXCEEDED, 6001, 6001, "Retry after 7 seconds."},
        {CORE_FAILURE_CONCURRENCY, FAULT_RATE_LIMIT_EXCEEDED, 0, 1000, "tier"},
        {CORE_FAILURE_CONCURRENCY, FAULT_RATE_LIMIT_EXCEEDED, 50, 50, "tier"},
        {CORE_FAILURE_SUSPENDED, FAULT_FORBIDDEN, 0, 0, "suspended"},
        {CORE_FAILURE_QUEUE_FULL, FAULT_RATE_LIMIT_EXCEEDED, 0, 1000, "queue is full"},
        {CORE_FAILURE_QUEUE_FULL, FAULT_RATE_LIMIT_EXCEEDED, 9, 9, "queue is full"},
        {CORE_FAILURE_WARMING, FAULT_MODEL_WARMING, 0, 1000, "'the-model'"},
        {CORE_FAILURE_WARMING, FAULT_MODEL_WARMING, 119001, 119001, "in about 120 seconds"},
        {CORE_FAILURE_WARMING, FAULT_MODEL_WARMING, 120001, 120001, "in about 3 minutes"},
        {CORE_FAILURE_TIMEOUT, FAULT_REQUEST_TIMEOUT, 0, 1000, "You were not charged."},
        {CORE_FAILURE_LOST, FAULT_UNAVAILABLE, 0, 1000, "You were not charged."},
        {CORE_FAILURE_STORE, FAULT_UNAVAILABLE, 0, 1000, "could not be settled"},
        {CORE_FAILURE_ATTEMPTS, FAULT_UNAVAILABLE, 0, 1000, "that were asked"},
        {CORE_FAILURE_TOO_LONG, FAULT_UNAVAILABLE, 0, 0, "longer than"},
        {CORE_FAILURE_STOPPED, FAULT_UNAVAILABLE, 0, 1000, "restarting"},
        {CORE_FAILURE_UNPLACEABLE, FAULT_UNAVAILABLE, 0, 30000, "region"},
        {CORE_FAILURE_UNPLACEABLE, FAULT_UNAVAILABLE, 77, 77, "region"},
        {CORE_FAILURE_BAD_REQUEST, FAULT_INVALID_REQUEST, 0, 0, DEVICE_WORDS},
        {CORE_FAILURE_CONTEXT_LENGTH, FAULT_CONTEXT_LENGTH, 0, 0, DEVICE_WORDS},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fault fault = of_core(cases[i].failure, cases[i].said_ms);
        const bool of_client = strcmp(cases[i].words, DEVICE_WORDS) == 0;
        assert_int_equal(fault.code, cases[i].code);
        assert_int_equal(fault.retry_after_ms, cases[i].wait_ms);
        assert_non_null(strstr(fault.message, cases[i].words));
        /* A device's words reach the client only where the request is at fault. */
        assert_int_equal(strstr(fault.message, DEVICE_WORDS) != NULL, of_client);
        assert_string_equal(fault.param, of_client ? "messages" : "");
    }
}

static void test_of_an_engine(void **state) {
    static const struct {
        enum gen_failure failure;
        enum fault_code code;
        bool of_client;
    } cases[] = {
        {GEN_FAILURE_BAD_REQUEST, FAULT_INVALID_REQUEST, true},
        {GEN_FAILURE_CONTEXT_LENGTH, FAULT_CONTEXT_LENGTH, true},
        {GEN_FAILURE_OVERLOADED, FAULT_RATE_LIMIT_EXCEEDED, false},
        {GEN_FAILURE_MODEL_MISSING, FAULT_UNAVAILABLE, false},
        {GEN_FAILURE_ENGINE, FAULT_UNAVAILABLE, false},
        {GEN_FAILURE_DRAINING, FAULT_UNAVAILABLE, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        failure_from_engine(cases[i].failure, DEVICE_WORDS, "prompt", &fault);
        assert_int_equal(fault.code, cases[i].code);
        assert_int_equal(strcmp(fault.message, DEVICE_WORDS) == 0, cases[i].of_client);
        assert_string_equal(fault.param, cases[i].of_client ? "prompt" : "");
        assert_true(cases[i].of_client || fault.retry_after_ms > 0);
    }
}

/* Neither nothing nor too much of what others said. */
static void test_words_of_others_are_bounded(void **state) {
    char long_text[2 * ERR_MESSAGE_MAX];
    struct fault fault;
    (void)state;
    failure_from_engine(GEN_FAILURE_BAD_REQUEST, NULL, NULL, &fault);
    assert_string_equal(fault.message, "The request was refused.");
    assert_string_equal(fault.param, "");
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    failure_from_engine(GEN_FAILURE_BAD_REQUEST, long_text, long_text, &fault);
    assert_int_equal(strlen(fault.message), ERR_MESSAGE_MAX - 1);
    assert_int_equal(strlen(fault.param), ERR_FIELD_MAX - 1);
}

static void test_of_the_gateway(void **state) {
    struct fault fault;
    (void)state;
    failure_suspended(&fault);
    assert_int_equal(fault.code, FAULT_FORBIDDEN);
    failure_stopped(&fault);
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
    assert_true(fault.retry_after_ms > 0);
    failure_too_long(&fault);
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_the_core),
        cmocka_unit_test(test_of_an_engine),
        cmocka_unit_test(test_words_of_others_are_bounded),
        cmocka_unit_test(test_of_the_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
