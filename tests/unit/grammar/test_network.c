/* Grammars as networks; what texts they allow is told in test_matcher.c. */
#include "grammar/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Steps lead from states to states that are there, and through rules that are there. */
static void assert_sound(const struct network *network) {
    assert_in_range(network->root, 0, network->rule_count - 1);
    for (uint32_t i = 0; i < network->rule_count; i++) {
        assert_in_range(network->rules[i].begin, 0, network->state_count - 1);
        assert_in_range(network->rules[i].end, 0, network->state_count - 1);
    }
    assert_int_equal(network->steps_of[0], 0);
    for (uint32_t s = 0; s < network->state_count; s++) {
        assert_true(network->steps_of[s] <= network->steps_of[s + 1]);
        for (uint32_t i = network->steps_of[s]; i < network->steps_of[s + 1]; i++) {
            const struct network_step *step = &network->steps[i];
            assert_in_range(step->to, 0, network->state_count - 1);
            if (step->kind == NETWORK_RULE) {
                assert_in_range(step->rule, 0, network->rule_count - 1);
            } else if (step->kind == NETWORK_BYTE) {
                assert_true(step->byte.first <= step->byte.last);
            }
        }
    }
}

static void test_is_sound(void **state) {
    struct network network;
    struct err err;
    (void)state;
    assert_true(network_read(STR("root ::= \"a\"? [b-dé-日] (x | root){2,5} x*\nx ::= \"\" | \"y\"+\n"),
                             NETWORK_STEPS_MAX, &network, &err));
    assert_sound(&network);
    network_clear(&network);
    assert_int_equal(network.state_count, 0);
}

/* What is repeated is written once, and gone through as often as it may come. */
static void test_repetitions_are_short(void **state) {
    struct network once, often;
    struct err err;
    (void)state;
    assert_true(network_read(STR("root ::= ([a-z] | \"日\" [à-ÿ])\n"), NETWORK_STEPS_MAX, &once, &err));
    assert_true(network_read(STR("root ::= ([a-z] | \"日\" [à-ÿ]){0,1000}\n"), NETWORK_STEPS_MAX, &often, &err));
    assert_sound(&often);
    assert_in_range(often.steps_of[often.state_count], 2000, 2000 + once.steps_of[once.state_count] + 16);
    network_clear(&once);
    network_clear(&often);
}

/* A few bytes may ask for many steps: whoever reads says how many it has the time for. */
static void test_steps_are_bounded(void **state) {
    struct network network;
    struct err err;
    (void)state;
    assert_true(network_read(STR("root ::= [a-z]{0,1000}\n"), 3000, &network, &err));
    assert_in_range(network_bytes(&network), 2000 * sizeof(struct network_step), 200 * 1024);
    network_clear(&network);
    assert_int_equal(network_bytes(&network), 0);
    assert_false(network_read(STR("root ::= [a-z]{0,2000}\n"), 3000, &network, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void test_refused_ones_are_empty(void **state) {
    struct network network;
    struct err err;
    (void)state;
    assert_false(network_read(STR("root ::= \"a\" (\n"), NETWORK_STEPS_MAX, &network, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.field, "grammar");
    assert_null(network.steps);
    assert_null(network.rules);
    network_clear(&network);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_is_sound), cmocka_unit_test(test_repetitions_are_short),
                                       cmocka_unit_test(test_steps_are_bounded),
                                       cmocka_unit_test(test_refused_ones_are_empty)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
