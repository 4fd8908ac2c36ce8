#include "base/random_source.h"
#include "engine/llama_child/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

enum { WORDS = 8, MANY = 400 };

/* Probabilities 0.4, 0.3, 0.2, 0.05, 0.03, 0.01, 0.006, 0.004 at temperature 1. */
static const double SHARES[WORDS] = {0.4, 0.3, 0.2, 0.05, 0.03, 0.01, 0.006, 0.004};

static void fill(float *logits) {
    for (int i = 0; i < WORDS; i++) {
        logits[i] = (float)log(SHARES[i]);
    }
}

static struct gen_score score_one(const struct score_rule *rule, const float *logits, uint32_t size, uint32_t id) {
    struct gen_score score = {0};
    struct score_maker *maker = score_maker_new(size);
    const struct score_place place = {.logits = logits, .ids = &id, .count = 1};
    score_add(maker, rule, &place, &score);
    score_maker_free(maker);
    return score;
}

/* By the formula of docs/AUDITS.md over the first `count` words. */
static double tilted(int count, double temperature, double lambda, int word) {
    double asked = 0, other = 0;
    for (int i = 0; i < count; i++) {
        asked += pow(SHARES[i], 1 / temperature);
        other += pow(SHARES[i], (1 - lambda) / temperature);
    }
    return log(pow(SHARES[word], (1 - lambda) / temperature) / other) - log(pow(SHARES[word], 1 / temperature) / asked);
}

static void assert_near(double value, double wanted) {
    if (fabs(value - wanted) > 1e-5) {
        fail_msg("%f is not %f", value, wanted);
    }
}

static void tilts_are_those_of_the_asked_for_distribution(void **state) {
    (void)state;
    float logits[WORDS];
    fill(logits);
    /* top_k 5 leaves 0.98; top_p 0.9 of that is reached by the third word. */
    const struct score_rule rule = {.top_k = 5, .top_p = 0.9, .repeat_penalty = 1.0, .temperature = 0.7};
    for (uint32_t word = 0; word < 3; word++) {
        const struct gen_score score = score_one(&rule, logits, WORDS, word);
        assert_int_equal(score.tokens, 1);
        assert_int_equal(score.near + score.far, 0);
        assert_near(score.ratios[GEN_RATIO_FLATTER], tilted(3, 0.7, 0.2, (int)word));
        assert_near(score.ratios[GEN_RATIO_FLATTEST], tilted(3, 0.7, 0.4, (int)word));
        assert_near(score.ratios[GEN_RATIO_SHARPER], tilted(3, 0.7, -0.5, (int)word));
        assert_near(score.ratios[GEN_RATIO_FAR], log(0.98 / 0.9999));
    }
}

static void without_limits_every_token_can_be_drawn(void **state) {
    (void)state;
    float logits[WORDS];
    fill(logits);
    const struct score_rule rule = {.top_p = 1.0, .repeat_penalty = 1.0, .temperature = 1.5};
    for (uint32_t word = 0; word < WORDS; word++) {
        const struct gen_score score = score_one(&rule, logits, WORDS, word);
        assert_int_equal(score.near + score.far, 0);
        assert_near(score.ratios[GEN_RATIO_FLATTEST], tilted(WORDS, 1.5, 0.4, (int)word));
    }
}

/* The first word behind the nucleus: the mass before it is 0.9 of 0.98, 0.918 of the whole, within 0.03 of 0.9. */
static void near_the_edge_nothing_counts(void **state) {
    (void)state;
    float logits[WORDS];
    fill(logits);
    const struct score_rule rule = {.top_k = 5, .top_p = 0.9, .repeat_penalty = 1.0, .temperature = 0.7};
    const struct gen_score near = score_one(&rule, logits, WORDS, 3);
    assert_int_equal(near.tokens, 1);
    assert_int_equal(near.near, 1);
    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
        assert_true(near.ratios[i] == 0.0);
    }
    const struct gen_score far = score_one(&rule, logits, WORDS, 4);
    assert_int_equal(far.far, 1);
    assert_near(far.ratios[GEN_RATIO_FAR], log(0.02 / 1e-4));
    assert_true(far.ratios[GEN_RATIO_FLATTER] == 0.0);
}

static void ranks_behind_top_k_are_near(void **state) {
    (void)state;
    float logits[100];
    for (int i = 0; i < 100; i++) {
        logits[i] = -(float)i;
    }
    const struct score_rule rule = {.top_k = 20, .top_p = 1.0, .repeat_penalty = 1.0, .temperature = 1.0};
    assert_int_equal(score_one(&rule, logits, 100, 19).near, 0);
    assert_int_equal(score_one(&rule, logits, 100, 19).far, 0);
    assert_int_equal(score_one(&rule, logits, 100, 20).near, 1);
    assert_int_equal(score_one(&rule, logits, 100, 29).near, 1);
    assert_int_equal(score_one(&rule, logits, 100, 30).far, 1);
}

static void at_temperature_0_the_likeliest_is_asked_for(void **state) {
    (void)state;
    float logits[WORDS] = {5, 4.8F, 3, 0, 0, 0, 0, 0};
    const struct score_rule rule = {.top_k = 40, .top_p = 0.9, .repeat_penalty = 1.0, .temperature = 0};
    const struct gen_score first = score_one(&rule, logits, WORDS, 0), second = score_one(&rule, logits, WORDS, 1),
                           third = score_one(&rule, logits, WORDS, 2);
    double cold = 0, warm = 0;
    for (int i = 0; i < WORDS; i++) {
        cold += exp(logits[i] / 0.2);
        warm += exp((double)logits[i]);
    }
    assert_near(first.ratios[GEN_RATIO_FLATTER], 5 - log(warm) - (25 - log(cold)));
    assert_near(third.ratios[GEN_RATIO_FLATTER], 3 - log(warm) - (15 - log(cold)));
    assert_true(first.ratios[GEN_RATIO_FLATTER] < 0);
    assert_true(second.ratios[GEN_RATIO_FLATTER] < 2);
    assert_true(third.ratios[GEN_RATIO_FLATTER] > 5);
    assert_int_equal(first.far + second.far, 0);
    assert_int_equal(third.far, 1);
    assert_true(first.ratios[GEN_RATIO_SHARPER] == 0.0);
}

/* top_k 1, a tiny top_p and min_p 1 ask for the likeliest token as temperature 0 does, and are scored as that is. */
static void one_token_alone_is_temperature_0(void **state) {
    static const struct score_rule rules[] = {
        {.top_k = 1, .top_p = 0.9, .repeat_penalty = 1.0, .temperature = 0.7},
        {.top_k = 40, .top_p = 0.01, .repeat_penalty = 1.0, .temperature = 0.7},
        {.top_k = 40, .top_p = 0, .repeat_penalty = 1.0, .temperature = 2},
        {.top_p = 1, .min_p = 1, .repeat_penalty = 1.0, .temperature = 1},
    };
    static const struct score_rule cold = {.top_p = 1, .repeat_penalty = 1.0};
    float logits[WORDS] = {5, 4.4F, 3, 0, 0, 0, 0, 0};
    (void)state;
    for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
        for (uint32_t word = 0; word < WORDS; word++) {
            const struct gen_score asked = score_one(&rules[k], logits, WORDS, word),
                                   wanted = score_one(&cold, logits, WORDS, word);
            assert_int_equal(asked.far, word >= 2);
            assert_int_equal(asked.near, 0);
            for (int i = 0; i < GEN_RATIO_COUNT; i++) {
                assert_near(asked.ratios[i], wanted.ratios[i]);
            }
        }
    }
}

/* Where top_p leaves one token, an honest device may have taken another that is about as likely; and few ranks are near
 * where few were asked for. */
static void few_tokens_have_few_neighbours(void **state) {
    const float logits[WORDS] = {5, 4.4F, 3.8F, 3.2F, 2.6F, 2, 1.4F, 0.8F};
    const struct score_rule narrow = {.top_p = 0.2, .repeat_penalty = 1.0, .temperature = 0.7};
    const struct score_rule few = {.top_k = 2, .top_p = 1, .repeat_penalty = 1.0, .temperature = 0.7};
    (void)state;
    assert_int_equal(score_one(&narrow, logits, WORDS, 0).near, 0);
    assert_int_equal(score_one(&narrow, logits, WORDS, 1).near, 1);
    assert_int_equal(score_one(&narrow, logits, WORDS, 2).far, 1);
    assert_int_equal(score_one(&few, logits, WORDS, 1).near, 0);
    assert_int_equal(score_one(&few, logits, WORDS, 2).near, 1);
    assert_int_equal(score_one(&few, logits, WORDS, 3).far, 1);
}

/* A scorer whose own logits are no numbers knows nothing of the device; nor does a penalty that leaves none. */
static void broken_logits_say_nothing(void **state) {
    static const float odd[] = {NAN, INFINITY};
    static const struct score_rule rules[] = {{.top_p = 1.0, .repeat_penalty = 1.0, .temperature = 1},
                                              {.top_k = 40, .top_p = 0.9, .repeat_penalty = 1.0}};
    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        const float logits[4] = {1, odd[i], 0, -1};
        for (uint32_t id = 0; id < 4; id++) {
            const struct gen_score score = score_one(&rules[i], logits, 4, id);
            assert_int_equal(score.near, 1);
            assert_int_equal(score.far, 0);
            assert_true(score.ratios[GEN_RATIO_FAR] == 0.0);
        }
    }
    const float logits[4] = {1, 2, 0, -1};
    const uint32_t recent[] = {1};
    const uint32_t id = 0;
    const struct score_rule rule = {.top_p = 1.0, .repeat_penalty = 0, .temperature = 1};
    const struct score_place place = {.logits = logits, .ids = &id, .count = 1, .recent = recent, .recent_count = 1};
    struct gen_score score = {0};
    struct score_maker *maker = score_maker_new(4);
    score_add(maker, &rule, &place, &score);
    assert_int_equal(score.near, 1);
    score_maker_free(maker);
}

static void ends_are_one_token(void **state) {
    (void)state;
    float logits[WORDS];
    fill(logits);
    const struct score_rule rule = {.top_p = 1.0, .repeat_penalty = 1.0, .temperature = 1.0};
    const uint32_t ends[] = {2, 3, WORDS + 7};
    struct gen_score score = {0};
    struct score_maker *maker = score_maker_new(WORDS);
    const struct score_place end = {.logits = logits, .ids = ends, .count = 3};
    score_add(maker, &rule, &end, &score);
    double other = 0;
    for (int i = 0; i < WORDS; i++) {
        other += pow(SHARES[i], 0.8);
    }
    assert_near(score.ratios[GEN_RATIO_FLATTER], log((pow(0.2, 0.8) + pow(0.05, 0.8)) / other) - log(0.25));
    const struct score_place nothing = {.logits = logits};
    score_add(maker, &rule, &nothing, &score);
    assert_int_equal(score.far, 1);
    score_maker_free(maker);
}

/* As llama.cpp has them: each token that came before once by repeat_penalty, and by how often it came. */
static void penalties_are_those_of_the_chain(void **state) {
    (void)state;
    const float logits[4] = {2, 1, -1, 0.5F};
    const uint32_t recent[] = {2, 0, 2, 9};
    const uint32_t id = 3;
    const struct score_rule rule = {
        .repeat_penalty = 2.0, .frequency_penalty = 0.25, .presence_penalty = 0.125, .top_p = 1.0, .temperature = 1.0};
    const double then[4] = {1 - 0.375, 1, -2 - 0.625, 0.5};
    const struct score_place place = {.logits = logits, .ids = &id, .count = 1, .recent = recent, .recent_count = 4};
    double asked = 0, other = 0;
    for (int i = 0; i < 4; i++) {
        asked += exp(then[i]);
        other += exp(0.8 * then[i]);
    }
    struct gen_score score = {0};
    struct score_maker *maker = score_maker_new(4);
    score_add(maker, &rule, &place, &score);
    assert_near(score.ratios[GEN_RATIO_FLATTER], 0.4 - log(other) - (0.5 - log(asked)));
    score_maker_free(maker);
}

/* Whatever is in the logits, sums stay numbers. */
static void sums_stay_numbers(void **state) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 0};
    static const struct score_rule rules[] = {{.top_p = 1.0, .repeat_penalty = 1.0, .temperature = 1e-4},
                                              {.repeat_penalty = 1.0, .temperature = 0},
                                              {.top_k = 2, .top_p = 0.5, .repeat_penalty = 1.0, .temperature = 100},
                                              {.top_p = 0.9, .min_p = 0.1, .repeat_penalty = 1.0, .temperature = 1}};
    (void)state;
    for (size_t a = 0; a < sizeof(odd) / sizeof(odd[0]); a++) {
        for (size_t b = 0; b < sizeof(odd) / sizeof(odd[0]); b++) {
            const float logits[4] = {1, odd[a], odd[b], -1};
            for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
                for (uint32_t id = 0; id < 5; id++) {
                    const struct gen_score score = score_one(&rules[k], logits, 4, id);
                    assert_int_equal(score.tokens, 1);
                    for (int i = 0; i < GEN_RATIO_COUNT; i++) {
                        assert_true(isfinite(score.ratios[i]));
                    }
                }
            }
        }
    }
}

/* Under what was asked for, the mean of exp(ratio) is 1 and that of the ratio below 0: what makes the bound hold. */
static void ratios_are_fair_over_what_was_asked_for(void **state) {
    (void)state;
    float *logits = calloc(MANY, sizeof(*logits));
    const struct score_rule rule = {.top_p = 1.0, .repeat_penalty = 1.0, .temperature = 0.8};
    struct random_source random = {.state = 7};
    double sum = 0, mean[3] = {0}, fair[3] = {0};
    assert_non_null(logits);
    for (int i = 0; i < MANY; i++) {
        logits[i] = (float)random_below(&random, 12000) / 1000;
        sum += exp(logits[i] / 0.8);
    }
    struct score_maker *maker = score_maker_new(MANY);
    for (uint32_t id = 0; id < MANY; id++) {
        struct gen_score score = {0};
        const struct score_place place = {.logits = logits, .ids = &id, .count = 1};
        score_add(maker, &rule, &place, &score);
        const double share = exp(logits[id] / 0.8) / sum;
        for (int i = 0; i < 3; i++) {
            mean[i] += share * score.ratios[i];
            fair[i] += share * exp(score.ratios[i]);
        }
    }
    for (int i = 0; i < 3; i++) {
        assert_true(mean[i] < 0);
        assert_true(fair[i] < 1.001);
    }
    score_maker_free(maker);
    free(logits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tilts_are_those_of_the_asked_for_distribution),
        cmocka_unit_test(without_limits_every_token_can_be_drawn),
        cmocka_unit_test(near_the_edge_nothing_counts),
        cmocka_unit_test(ranks_behind_top_k_are_near),
        cmocka_unit_test(at_temperature_0_the_likeliest_is_asked_for),
        cmocka_unit_test(one_token_alone_is_temperature_0),
        cmocka_unit_test(few_tokens_have_few_neighbours),
        cmocka_unit_test(broken_logits_say_nothing),
        cmocka_unit_test(ends_are_one_token),
        cmocka_unit_test(penalties_are_those_of_the_chain),
        cmocka_unit_test(sums_stay_numbers),
        cmocka_unit_test(ratios_are_fair_over_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
