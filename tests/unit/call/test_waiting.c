/* What something waits for, in a word. */
#include "call/waiting.h"

#include "support/call_fixture.h"

static void test_every_word_is_another(void **state) {
    static const enum waiting all[] = {WAITING_DISK, WAITING_LIMIT, WAITING_DEVICE, WAITING_RETRY};
    static const char *const words[] = {"disk", "limit", "device", "retry"};
    (void)state;
    assert_null(waiting_name(WAITING_NOT));
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_string_equal(waiting_name(all[i]), words[i]);
    }
}

static void test_after_a_failure(void **state) {
    static const struct {
        enum fault_code code;
        enum waiting waiting;
    } cases[] = {
        {FAULT_RATE_LIMIT_EXCEEDED, WAITING_LIMIT}, {FAULT_MODEL_WARMING, WAITING_DEVICE},
        {FAULT_MODEL_UNAVAILABLE, WAITING_DEVICE},  {FAULT_NO_MATCHING_PROVIDER, WAITING_DEVICE},
        {FAULT_REQUEST_TIMEOUT, WAITING_RETRY},     {FAULT_UNAVAILABLE, WAITING_RETRY},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(waiting_after(&(struct fault){.code = cases[i].code}), cases[i].waiting);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_word_is_another),
        cmocka_unit_test(test_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
