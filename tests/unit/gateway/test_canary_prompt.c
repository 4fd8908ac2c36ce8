#include "gateway/canary_prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PROMPTS = 400 };

/* No two are alike, and they differ as those of people do. */
static void prompts_are_never_the_same(void **state) {
    static struct canary_prompt prompts[PROMPTS];
    (void)state;
    unsigned greedy = 0, usual = 0, streams = 0, system = 0, large = 0, equal = 0;
    for (int i = 0; i < PROMPTS; i++) {
        struct random_source random = {.state = (uint64_t)i * 7919 + 1};
        struct gen_request request;
        gen_request_init(&request);
        const double usual_temperature = request.temperature;
        canary_prompt_make(&prompts[i], &random, &request);
        const struct gen_message *last = &request.messages[request.message_count - 1];
        assert_int_equal(last->role, GEN_ROLE_USER);
        assert_true(last->content.len > 30 && last->content.len < 8000);
        assert_true(request.max_tokens >= 32 && request.max_tokens_given);
        assert_true(request.repeat_penalty == 1.0);
        greedy += request.temperature == 0.0;
        usual += request.temperature == usual_temperature;
        streams += request.stream;
        system += request.message_count == 2;
        large += last->content.len > 600;
        for (int k = 0; k < i; k++) {
            equal += str_equal(buf_str(&prompts[k].user), buf_str(&prompts[i].user));
        }
    }
    assert_true(equal < 3);
    assert_in_range(greedy, PROMPTS / 10, PROMPTS / 2);
    assert_in_range(usual, PROMPTS / 10, PROMPTS * 9 / 10);
    assert_in_range(streams, PROMPTS / 5, PROMPTS * 9 / 10);
    assert_in_range(system, PROMPTS / 5, PROMPTS * 9 / 10);
    assert_in_range(large, PROMPTS / 20, PROMPTS / 2);
    for (int i = 0; i < PROMPTS; i++) {
        canary_prompt_clear(&prompts[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(prompts_are_never_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
