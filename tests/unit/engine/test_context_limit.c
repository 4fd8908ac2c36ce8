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
    assert_true(context_limit_fit(100, &(struct context_use){.prompt_tokens = 40, .given = true, .chat = true}, &most,
                                  message));
    assert_int_equal(most, 60);
}

static void refuses_what_was_asked_for_and_does_not_fit(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 61;
    assert_false(context_limit_fit(100, &(struct context_use){.prompt_tokens = 40, .given = true, .chat = true}, &most,
                                   message));
    assert_string_equal(message, "This model's maximum context length is 100 tokens. However, you requested 101 tokens "
                                 "(40 in the messages, 61 in the completion).");
}

static void lowers_a_default(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 256;
    assert_true(context_limit_fit(100, &(struct context_use){.prompt_tokens = 99, .chat = true}, &most, message));
    assert_int_equal(most, 1);
}

static void wants_room_for_one_token(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    uint32_t most = 256;
    assert_false(context_limit_fit(100, &(struct context_use){.prompt_tokens = 100}, &most, message));
    assert_string_equal(message, "This model's maximum context length is 100 tokens. However, you requested 356 tokens "
                                 "(100 in the prompt, 256 in the completion).");
    assert_false(
        context_limit_fit(100, &(struct context_use){.prompt_tokens = UINT32_MAX, .chat = true}, &most, message));
}

static void leaves_a_continuation_what_is_left(void **state) {
    (void)state;
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    struct context_use use = {.prompt_tokens = 40, .continued_tokens = 30, .continues = true, .given = true};
    uint32_t most = 20;
    assert_true(context_limit_fit(100, &use, &most, message));
    assert_int_equal(most, 20);
    most = 60; /* what fitted elsewhere, a little more of it used up */
    assert_true(context_limit_fit(100, &use, &most, message));
    assert_int_equal(most, 30);
    use.continued_tokens = UINT32_MAX;
    assert_true(context_limit_fit(100, &use, &most, message));
    assert_int_equal(most, 0);
    use.prompt_tokens = 100;
    most = 1;
    assert_false(context_limit_fit(100, &use, &most, message));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_fits),
        cmocka_unit_test(refuses_what_was_asked_for_and_does_not_fit),
        cmocka_unit_test(lowers_a_default),
        cmocka_unit_test(wants_room_for_one_token),
        cmocka_unit_test(leaves_a_continuation_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
