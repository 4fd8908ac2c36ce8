/* The scripted engine's words as tokens. */
#include "engine/script_words.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct script_bias *bias_for(const struct gen_bias *items, size_t count) {
    struct gen_request request;
    gen_request_init(&request);
    request.biases = items;
    request.bias_count = count;
    return script_bias_new(&request);
}

static void a_word_stays_the_likeliest_until_it_is_made_less_so(void **state) {
    const struct str right = STR(" brackish");
    (void)state;
    for (int step = 0; step < 12; step++) {
        const double amount = 0.5 + 9.0 * step;
        const struct gen_bias item = {.token = script_token_id(right), .bias = -amount};
        struct script_bias *bias = bias_for(&item, 1);
        const bool kept = str_equal(script_bias_choose(bias, 7, false, right), right);
        assert_int_equal(kept, amount < 4 || (kept && amount < 9));
        script_bias_free(bias);
    }
}

static void a_word_of_the_list_can_be_asked_for(void **state) {
    (void)state;
    for (int first = 0; first < 2; first++) {
        const struct str word = script_word(99, first == 1);
        const struct gen_bias item = {.token = script_token_id(word), .bias = 50};
        struct script_bias *bias = bias_for(&item, 1);
        assert_true(script_bias_all_known(bias));
        for (uint64_t seed = 0; seed < 20; seed++) {
            assert_true(str_equal(script_bias_choose(bias, seed, first == 1, STR(" else")), word));
        }
        script_bias_free(bias);
    }
}

static void words_are_known_when_they_were_told(void **state) {
    const struct gen_bias items[] = {{script_token_id(STR(" brackish")), 1}, {12345, -1}};
    struct script_bias *bias = bias_for(items, 1);
    (void)state;
    assert_false(script_bias_all_known(bias));
    script_bias_know(bias, STR(" brackish"));
    assert_true(script_bias_all_known(bias));
    script_bias_free(bias);
    bias = bias_for(items, COUNT_OF(items));
    script_bias_know(bias, STR(" brackish"));
    assert_false(script_bias_all_known(bias));
    script_bias_free(bias);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_word_stays_the_likeliest_until_it_is_made_less_so),
                                       cmocka_unit_test(a_word_of_the_list_can_be_asked_for),
                                       cmocka_unit_test(words_are_known_when_they_were_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
