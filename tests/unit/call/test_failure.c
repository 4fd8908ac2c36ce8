/* What failures of the core, of devices and of engines are to a client: the code, the words, whom they blame, when to
 * try again. */
#include "call/failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void failure_from_model(const struct core_effect *effect, struct str model, struct fault *out) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("hi")};
    failure_from_core(effect, &(struct gen_request){.model = model, .messages = &message, .message_count = 1}, out);
}

static struct fault of_core(enum core_failure failure, uint64_t retry_after_ms) {
    struct fault fault;
    const struct core_effect effect = {
        .kind = CORE_EFFECT_FAIL,
        .fail = {.failure = failure, .retry_after_ms = retry_after_ms, .param = STR("messages[0]")}};
    failure_from_model(&effect, STR("tiny"), &fault);
    return fault;
}

/* What each says when the core gives no advice, and what it makes of advice of 7.5 s. */
static const struct {
    enum core_failure failure;
    enum fault_code code;
    const char *words;
    uint64_t own_ms, advised_ms; /* 0: none of its own */
} CORE[] = {
    {CORE_FAILURE_QUEUE_FULL, FAULT_RATE_LIMIT_EXCEEDED, "the queue is full", 1000, 7500},
    {CORE_FAILURE_WARMING, FAULT_MODEL_WARMING, "The model 'tiny' is not ready yet", 1000, 7500},
    {CORE_FAILURE_TIMEOUT, FAULT_REQUEST_TIMEOUT, "did not respond in time", 1000, 1000},
    {CORE_FAILURE_BAD_REQUEST, FAULT_INVALID_REQUEST, "cannot make a prompt of this request", 0, 0},
    {CORE_FAILURE_CONTEXT_LENGTH, FAULT_CONTEXT_LENGTH, "does not fit the model's context", 0, 0},
    {CORE_FAILURE_LOST, FAULT_UNAVAILABLE, "was lost while it answered", 1000, 1000},
    {CORE_FAILURE_CREDITS, FAULT_INSUFFICIENT_CREDITS, "The balance does not cover", 0, 0},
    {CORE_FAILURE_KEY_CAP, FAULT_INSUFFICIENT_CREDITS, "spending cap", 0, 0},
    {CORE_FAILURE_RATE, FAULT_RATE_LIMIT_EXCEEDED, "Rate limit exceeded", 0, 7500},
    {CORE_FAILURE_CONCURRENCY, FAULT_RATE_LIMIT_EXCEEDED, "tier allows", 1000, 7500},
    {CORE_FAILURE_SUSPENDED, FAULT_FORBIDDEN, "suspended", 0, 0},
    {CORE_FAILURE_STORE, FAULT_UNAVAILABLE, "could not be settled", 1000, 1000},
    {CORE_FAILURE_ATTEMPTS, FAULT_UNAVAILABLE, "could not answer", 1000, 1000},
    {CORE_FAILURE_TOO_LONG, FAULT_UNAVAILABLE, "longer than 4194304 bytes", 0, 0},
    {CORE_FAILURE_STOPPED, FAULT_UNAVAILABLE, "The gateway is restarting", 1000, 1000},
    {CORE_FAILURE_UNPLACEABLE, FAULT_NO_MATCHING_PROVIDER, "region or of the privacy level", 0, 0},
    {CORE_FAILURE_UNSERVED, FAULT_MODEL_UNAVAILABLE, "No device serves the model 'tiny', and none may fetch it", 0,
     7500},
    {CORE_FAILURE_RESTING, FAULT_MODEL_UNAVAILABLE, "Each device that has the model 'tiny' is paused", 0, 0},
};

static void test_each_failure_of_the_core(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CORE); i++) {
        const struct fault fault = of_core(CORE[i].failure, 0);
        if (fault.code != CORE[i].code || strstr(fault.message, CORE[i].words) == NULL ||
            fault.retry_after_ms != CORE[i].own_ms || fault.status != 0) {
            fail_msg("failure %d: code %d, status %d, wait %llu: %s", (int)CORE[i].failure, (int)fault.code,
                     fault.status, (unsigned long long)fault.retry_after_ms, fault.message);
        }
        assert_int_equal(of_core(CORE[i].failure, 7500).retry_after_ms, CORE[i].advised_ms);
    }
    assert_int_equal(COUNT_OF(CORE), CORE_FAILURE_RESTING + 1); /* every one, as they stand one after the other */
    for (size_t i = 0; i < COUNT_OF(CORE); i++) {
        unsigned times = 0;
        for (size_t j = 0; j < COUNT_OF(CORE); j++) {
            times += CORE[j].failure == (enum core_failure)i;
        }
        assert_int_equal(times, 1);
    }
}

/* No failure of the network's own may look like one of the client, and none that costs nothing may keep silent about
 * it. */
static void test_the_client_is_blamed_for_its_own_only(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CORE); i++) {
        const struct fault fault = of_core(CORE[i].failure, 0);
        const bool own = CORE[i].failure == CORE_FAILURE_BAD_REQUEST || CORE[i].failure == CORE_FAILURE_CONTEXT_LENGTH;
        assert_string_equal(fault.param, own ? "messages" : "");
        assert_int_equal(fault_status(&fault) == 400, own);
        if (fault_status(&fault) == 503 && CORE[i].failure != CORE_FAILURE_WARMING) {
            assert_non_null(strstr(fault.message, "You were not charged."));
            assert_int_equal(fault_is_retryable(&fault), fault.code != FAULT_MODEL_UNAVAILABLE);
        }
    }
}

static void test_waits_in_words(void **state) {
    (void)state;
    assert_non_null(strstr(of_core(CORE_FAILURE_RATE, 7500).message, "after 8 seconds"));
    assert_non_null(strstr(of_core(CORE_FAILURE_WARMING, 0).message, "in about 1 seconds"));
    assert_non_null(strstr(of_core(CORE_FAILURE_WARMING, 119001).message, "in about 120 seconds"));
    assert_non_null(strstr(of_core(CORE_FAILURE_WARMING, 120000).message, "in about 2 minutes"));
    assert_non_null(strstr(of_core(CORE_FAILURE_WARMING, 120001).message, "in about 3 minutes"));
    assert_non_null(strstr(of_core(CORE_FAILURE_UNSERVED, 7500).message, "have just left"));
    assert_non_null(strstr(of_core(CORE_FAILURE_UNSERVED, 7500).message, "in about 8 seconds"));
    assert_null(strstr(of_core(CORE_FAILURE_UNSERVED, 0).message, "Retry in")); /* nobody can promise anything */
    assert_null(strstr(of_core(CORE_FAILURE_RESTING, 7500).message, "Retry in"));
}

static struct fault refused(enum core_failure failure, const char *param, bool chat) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = STR("hi")};
    const struct gen_request request = {
        .model = STR("tiny"), .messages = &message, .message_count = chat ? 1 : 0, .prompt = STR("hi")};
    const struct core_effect effect = {
        .fail = {.failure = failure, .param = str_from(param), .context_length = 4096, .max_tokens = 50}};
    struct fault fault;
    failure_from_core(&effect, &request, &fault);
    return fault;
}

/* A device may write what it likes; what a client sees of it is at most the name of a member that there is. */
static void test_words_of_a_device_reach_nobody(void **state) {
    static const char *const params[][2] = {
        {"messages", "messages"},
        {"messages[3].content", "messages"},
        {"top_p", "top_p"},
        {"tools.0", "tools"},
        {"", ""},
        {"pay at https://pay.example/", ""},
        {"messagesPayHere", ""},
        {"messages Pay here", ""},
        {"MESSAGES", ""},
        {"\xe2\x80\xaemessages\xe2\x80\xac", ""}, /* a direction turned, and back */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        const struct fault fault = refused(CORE_FAILURE_BAD_REQUEST, params[i][0], true);
        assert_string_equal(fault.param, params[i][1]);
        assert_null(strstr(fault.message, "pay"));
    }
    /* Whatever it says of the context, the gateway names what is too long. */
    const struct fault chat = refused(CORE_FAILURE_CONTEXT_LENGTH, "top_p", true);
    assert_string_equal(chat.param, "messages");
    assert_non_null(strstr(chat.message, "maximum context length is 4096 tokens"));
    assert_non_null(strstr(chat.message, "50 tokens for the answer"));
    assert_string_equal(refused(CORE_FAILURE_CONTEXT_LENGTH, "", false).param, "prompt");
}

/* No device was asked: the gateway says what it knows by itself. */
static void test_a_request_that_cannot_be_sent(void **state) {
    const struct core_effect effect = {.fail = {.failure = CORE_FAILURE_BAD_REQUEST, .by_gateway = true}};
    const struct gen_request request = {.model = STR("tiny")};
    struct fault fault;
    (void)state;
    failure_from_core(&effect, &request, &fault);
    assert_non_null(strstr(fault.message, "too large to be sent"));
}

/* The longest model id that a request may name fits, or is cut; the words stay whole characters. */
static void test_a_long_model(void **state) {
    char model[LIMIT_MODEL_ID_BYTES * 4];
    struct fault fault;
    const struct core_effect effect = {.fail = {.failure = CORE_FAILURE_WARMING}};
    (void)state;
    memset(model, 'm', sizeof(model));
    failure_from_model(&effect, (struct str){.data = model, .len = LIMIT_MODEL_ID_BYTES}, &fault);
    assert_non_null(strstr(fault.message, "Retry in about 1 seconds."));
    const struct core_effect unserved = {.fail = {.failure = CORE_FAILURE_UNSERVED}};
    const struct core_effect gone = {.fail = {.failure = CORE_FAILURE_UNSERVED, .retry_after_ms = 60000}};
    const struct core_effect resting = {.fail = {.failure = CORE_FAILURE_RESTING}};
    failure_from_model(&unserved, (struct str){.data = model, .len = LIMIT_MODEL_ID_BYTES}, &fault);
    assert_non_null(strstr(fault.message, "or connect a device that has this one."));
    failure_from_model(&gone, (struct str){.data = model, .len = LIMIT_MODEL_ID_BYTES}, &fault);
    assert_non_null(strstr(fault.message, "or use another model."));
    failure_from_model(&resting, (struct str){.data = model, .len = LIMIT_MODEL_ID_BYTES}, &fault);
    assert_non_null(strstr(fault.message, "or try again later."));
    failure_from_model(&effect, (struct str){.data = model, .len = sizeof(model)}, &fault);
    assert_true(strlen(fault.message) < ERR_MESSAGE_MAX);
}

static struct fault of_engine(enum gen_failure failure) {
    struct fault fault;
    failure_from_engine(failure, "too hot a temperature", "temperature", &fault);
    return fault;
}

static void test_each_failure_of_an_engine(void **state) {
    static const struct {
        enum gen_failure failure;
        enum fault_code code;
        const char *words, *param;
        uint64_t retry_after_ms;
    } cases[] = {
        {GEN_FAILURE_BAD_REQUEST, FAULT_INVALID_REQUEST, "too hot a temperature", "temperature", 0},
        {GEN_FAILURE_CONTEXT_LENGTH, FAULT_CONTEXT_LENGTH, "too hot a temperature", "temperature", 0},
        {GEN_FAILURE_OVERLOADED, FAULT_RATE_LIMIT_EXCEEDED, "The sandbox is busy. Retry shortly.", "", 1000},
        {GEN_FAILURE_MODEL_MISSING, FAULT_UNAVAILABLE, "The sandbox could not answer. Retry shortly.", "", 1000},
        {GEN_FAILURE_ENGINE, FAULT_UNAVAILABLE, "The sandbox could not answer. Retry shortly.", "", 1000},
        {GEN_FAILURE_DRAINING, FAULT_UNAVAILABLE, "The sandbox could not answer. Retry shortly.", "", 1000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct fault fault = of_engine(cases[i].failure);
        assert_int_equal(fault.code, cases[i].code);
        assert_string_equal(fault.message, cases[i].words);
        assert_string_equal(fault.param, cases[i].param);
        assert_int_equal(fault.retry_after_ms, cases[i].retry_after_ms);
    }
    assert_int_equal(COUNT_OF(cases), GEN_FAILURE_DRAINING + 1);
}

static void test_an_engine_without_words(void **state) {
    struct fault fault;
    (void)state;
    failure_from_engine(GEN_FAILURE_BAD_REQUEST, NULL, NULL, &fault);
    assert_string_equal(fault.message, "The request was refused.");
    assert_string_equal(fault.param, "");
}

static void test_those_by_name(void **state) {
    struct fault fault;
    (void)state;
    failure_suspended(&fault);
    assert_int_equal(fault.code, FAULT_FORBIDDEN);
    assert_false(fault_is_retryable(&fault));
    failure_too_long(&fault);
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fault_retry_after_ms(&fault), 5000); /* the code's own */
    failure_stopped(&fault);
    assert_int_equal(fault.code, FAULT_UNAVAILABLE);
    assert_int_equal(fault_retry_after_s(&fault), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_failure_of_the_core),
        cmocka_unit_test(test_the_client_is_blamed_for_its_own_only),
        cmocka_unit_test(test_waits_in_words),
        cmocka_unit_test(test_words_of_a_device_reach_nobody),
        cmocka_unit_test(test_a_request_that_cannot_be_sent),
        cmocka_unit_test(test_a_long_model),
        cmocka_unit_test(test_each_failure_of_an_engine),
        cmocka_unit_test(test_an_engine_without_words),
        cmocka_unit_test(test_those_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
