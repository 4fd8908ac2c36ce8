#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/context_limit.h"

static void keeps_what_fits(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 60;
    assert_true(context_limit_fit(100, 40, true, true, &most, message));
    assert_int_equal(most, 60);
}

static void refuses_what_was_asked_for_and_does_not_fit(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 61;
    assert_false(context_limit_fit(100, 40, true, true, &most, message));
    assert_string_equal(message, "This model's maximum context length is 100 tokens. However, you requested 101 tokens "
                                 "(40 in the messages, 61 in the completion).");
}

static void lowers_a_default(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 256;
    assert_true(context_limit_fit(100, 99, false, true, &most, message));
    assert_int_equal(most, 1);
}

static void wants_room_for_one_token(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 256;
    assert_false(context_limit_fit(100, 100, false, false, &most, message));
    assert_string_equal(message, "This model's maximum context length is 100 tokens. However, you requested 356 tokens "
                                 "(100 in the prompt, 256 in the completion).");
    assert_false(context_limit_fit(100, UINT32_MAX, false, true, &most, message));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_fits),
        cmocka_unit_test(refuses_what_was_asked_for_and_does_not_fit),
        cmocka_unit_test(lowers_a_default),
        cmocka_unit_test(wants_room_for_one_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
