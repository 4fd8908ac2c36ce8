#include "engine/llama_child/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct pace_load ONE = {.prompts = 1}, TWO = {.prompts = 2}, BESIDE = {.prompts = 1, .answers = 1};

static void a_prompt_by_itself_gets_a_large_step(void **state) {
    (void)state;
    struct pace pace;
    pace_init(&pace, 0.1);
    assert_int_equal(pace_tokens(&pace, &ONE), 200); /* in 2 s */
    pace_init(&pace, 10);
    assert_int_equal(pace_tokens(&pace, &ONE), 20000); /* the batch is the bound */
}

static void several_prompts_wait_less_for_each_other(void **state) {
    (void)state;
    struct pace pace;
    pace_init(&pace, 0.4);
    assert_int_equal(pace_tokens(&pace, &TWO), 200); /* in 0.5 s */
    pace_init(&pace, 0.1);
    assert_int_equal(pace_tokens(&pace, &TWO), PACE_TILE); /* 50 would be read at two thirds of the speed */
    pace_init(&pace, 0.02);
    assert_int_equal(pace_tokens(&pace, &TWO), 40); /* 64 would take longer than a step may */
}

static void answers_that_go_on_keep_steps_short(void **state) {
    (void)state;
    struct pace pace;
    pace_init(&pace, 0.1);
    for (int i = 0; i < 40; i++) {
        pace_learn(&pace, 0, 1, 20 * 1000);
    }
    assert_int_equal(pace_tokens(&pace, &BESIDE), 7); /* in 90 - 20 ms */
    for (int i = 0; i < 40; i++) {
        pace_learn(&pace, 0, 8, 200 * 1000); /* nothing of 90 ms is left */
    }
    pace_init(&pace, 1);
    pace.answers_ms = 200;
    assert_int_equal(pace_tokens(&pace, &BESIDE), 22); /* prompts have their quarter all the same */
    pace_init(&pace, 0.001);
    assert_int_equal(pace_tokens(&pace, &BESIDE), PACE_LEAST);
}

/* The machine reads `per_ms` tokens in a millisecond and goes on with answers in `answers_ms`; after a few steps a step
 * takes what it should. */
static void a_step_comes_to_take_what_it_should(void **state) {
    (void)state;
    const double speeds[] = {0.025, 0.05, 0.4, 3.0};
    for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
        struct pace pace;
        pace_init(&pace, 0.5);
        double ms = 0;
        pace_learn(&pace, 0, 1, 15 * 1000);
        for (int step = 0; step < 30; step++) {
            uint32_t tokens = pace_tokens(&pace, &BESIDE);
            ms = 15.0 + tokens / speeds[i];
            pace_learn(&pace, tokens, 1, (uint64_t)(ms * 1000));
        }
        assert_true(ms < 100);
        assert_true(ms > 60 || speeds[i] < 0.1);
    }
}

/* A machine that turns slow makes one long step, not several. */
static void what_turns_slow_is_noticed_at_once(void **state) {
    (void)state;
    struct pace pace;
    pace_init(&pace, 1.0);
    pace_learn(&pace, 90, 1, 90 * 1000);
    uint32_t before = pace_tokens(&pace, &BESIDE);
    pace_learn(&pace, before, 1, (uint64_t)before * 4000);
    uint32_t after = pace_tokens(&pace, &BESIDE);
    assert_true(after < before * 6 / 10);
    pace_learn(&pace, after, 1, (uint64_t)after * 250); /* one quick step is no reason to make it so large again */
    assert_true(pace_tokens(&pace, &BESIDE) < before * 2);
}

static void a_slow_step_of_its_own_says_nothing_about_those_beside_answers(void **state) {
    (void)state;
    struct pace pace;
    pace_init(&pace, 1.0);
    pace_learn(&pace, 500, 0, 5000 * 1000);
    assert_int_equal(pace_tokens(&pace, &BESIDE), 90);
    assert_true(pace_tokens(&pace, &ONE) < 1000);
    pace_learn(&pace, 1, 0, 1000 * 1000); /* the last token of a prompt */
    assert_true(pace_tokens(&pace, &ONE) > PACE_TILE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_by_itself_gets_a_large_step),
        cmocka_unit_test(several_prompts_wait_less_for_each_other),
        cmocka_unit_test(answers_that_go_on_keep_steps_short),
        cmocka_unit_test(a_step_comes_to_take_what_it_should),
        cmocka_unit_test(what_turns_slow_is_noticed_at_once),
        cmocka_unit_test(a_slow_step_of_its_own_says_nothing_about_those_beside_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
