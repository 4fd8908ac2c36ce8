/* What links say of devices, in the words of the core: each word has one of its own. */
#include "gateway/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_states_of_models(void **state) {
    (void)state;
    assert_int_equal(words_model_state(LINK_MODEL_DOWNLOADING), CORE_MODEL_DOWNLOADING);
    assert_int_equal(words_model_state(LINK_MODEL_LOADING), CORE_MODEL_LOADING);
    assert_int_equal(words_model_state(LINK_MODEL_WARM), CORE_MODEL_WARM);
    assert_int_equal(words_model_state(LINK_MODEL_FAILED), CORE_MODEL_FAILED);
    assert_int_equal(words_model_state(LINK_MODEL_COLD), CORE_MODEL_COLD);
}

static void test_heat(void **state) {
    (void)state;
    assert_int_equal(words_heat(LINK_HEAT_NOMINAL), CORE_HEAT_NOMINAL);
    assert_int_equal(words_heat(LINK_HEAT_FAIR), CORE_HEAT_FAIR);
    assert_int_equal(words_heat(LINK_HEAT_SERIOUS), CORE_HEAT_SERIOUS);
    assert_int_equal(words_heat(LINK_HEAT_CRITICAL), CORE_HEAT_CRITICAL);
}

/* Nothing is asked of a device that does not say that it can do it. */
static void test_abilities(void **state) {
    static const struct gen_bias bias = {.token = 1, .bias = 1};
    struct gen_request request;
    struct link_model model = {.kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE)};
    (void)state;
    gen_request_init(&request);
    assert_int_equal(words_abilities(&request), 0);
    assert_int_equal(words_offered_abilities(&model), 0);
    request.grammar = STR("root ::= \"a\"");
    assert_int_equal(words_abilities(&request), CORE_ABILITY_GRAMMAR);
    request.biases = &bias;
    request.bias_count = 1;
    assert_int_equal(words_abilities(&request), CORE_ABILITY_GRAMMAR | CORE_ABILITY_SAMPLE);
    model.kinds |= LINK_JOB_KIND_BIT(LINK_JOB_KIND_SAMPLE);
    assert_int_equal(words_offered_abilities(&model), CORE_ABILITY_SAMPLE);
    model.kinds |= LINK_JOB_KIND_BIT(LINK_JOB_KIND_GRAMMAR);
    assert_int_equal(words_offered_abilities(&model), CORE_ABILITY_GRAMMAR | CORE_ABILITY_SAMPLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_of_models),
        cmocka_unit_test(test_heat),
        cmocka_unit_test(test_abilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
