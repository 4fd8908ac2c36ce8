#include "tokens/learned.h"

#include "unit/tokens/sample_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct sample_text *sample(const char *name) {
    for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
        if (strcmp(sample_texts[i].name, name) == 0) {
            return &sample_texts[i];
        }
    }
    fail();
    return NULL;
}

static int64_t likely(const struct tokens_learned *learned, const char *model, const char *name) {
    const struct tokens_rates rates = tokens_learned_rates(learned, str_from(model), TOKENS_LIKELY);
    return tokens_rates_count_str(&rates, sample(name)->text);
}

static void tell(struct tokens_learned *learned, const char *model, const char *who, const char *name,
                 uint32_t tokens) {
    struct tokens_text text = {0};
    tokens_text_add(&text, sample(name)->text);
    const struct tokens_taught taught = {
        .model = str_from(model), .who = str_from(who), .text = &text, .messages = who[0] != '\0', .tokens = tokens};
    tokens_learned_take(learned, &taught);
}

enum { TEMPLATE = 24 /* of one message */ };

/* A model of no known family that counts like Qwen: what is thought of it comes close to that. */
static void test_counts_teach_each_script_by_itself(void **state) {
    static const char *const names[] = {"chinese", "thai",     "arabic",  "hindi",
                                        "korean",  "japanese", "russian", "hebrew"};
    struct tokens_learned *learned = tokens_learned_new();
    (void)state;
    const int64_t english = likely(learned, "some-model", "english");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const int64_t real = sample(names[i])->tokens[2];
        const int64_t greek = likely(learned, "some-model", "greek");
        for (int n = 0; n < 12; n++) {
            tell(learned, "some-model", "acc_1", names[i], (uint32_t)real + TEMPLATE);
        }
        const int64_t after = likely(learned, "some-model", names[i]);
        assert_true(after * 100 <= real * 135 && after * 100 >= real * 85);
        assert_int_equal(likely(learned, "some-model", "greek"), greek);
    }
    assert_int_equal(likely(learned, "some-model", "english"), english);
    assert_int_equal(likely(learned, "another-model", "chinese"), likely(learned, "third", "chinese"));
    tokens_learned_free(learned);
}

/* The first count already takes half of the way. */
static void test_one_count_is_much(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    (void)state;
    const int64_t before = likely(learned, "some-model", "chinese");
    tell(learned, "some-model", "acc_1", "chinese", 100 + TEMPLATE);
    const int64_t after = likely(learned, "some-model", "chinese");
    assert_true(after < before && after <= (before + 100) / 2 + 8);
    tokens_learned_free(learned);
}

/* Whatever it tells: within the bounds of the family. */
static void test_a_liar_alone_stays_within_bounds(void **state) {
    static const uint32_t lies[] = {0, 1, 1000000, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        struct tokens_learned *learned = tokens_learned_new();
        const struct tokens_prior *prior = tokens_prior_of(STR("qwen"));
        const int64_t before = likely(learned, "qwen", "chinese");
        for (int n = 0; n < 100; n++) {
            tell(learned, "qwen", "acc_1", "chinese", lies[i]);
        }
        const int64_t after = likely(learned, "qwen", "chinese");
        assert_true(after >= before * prior->least / 100 - 1 && after <= before * prior->most / 100 + 1);
        tokens_learned_free(learned);
    }
}

/* However often it tells it, and with however many devices: an account has one voice. */
static void test_a_liar_among_honest_ones_changes_nothing(void **state) {
    struct tokens_learned *learned = tokens_learned_new(), *honest = tokens_learned_new();
    const uint32_t real = (uint32_t)sample("chinese")->tokens[2] + TEMPLATE;
    (void)state;
    for (int n = 0; n < 50; n++) {
        tell(learned, "qwen", "acc_liar", "chinese", 100000);
        tell(learned, "qwen", "acc_1", "chinese", real);
        tell(learned, "qwen", "acc_2", "chinese", real);
        tell(honest, "qwen", "acc_1", "chinese", real);
    }
    assert_int_equal(likely(learned, "qwen", "chinese"), likely(honest, "qwen", "chinese"));
    tokens_learned_free(learned);
    tokens_learned_free(honest);
}

/* One honest and one lying: neither is known to be right, so the family's rate stands between them. */
static void test_a_liar_against_one_is_outvoted(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    const int64_t before = likely(learned, "qwen", "chinese");
    (void)state;
    for (int n = 0; n < 50; n++) {
        tell(learned, "qwen", "acc_liar", "chinese", 100000);
        tell(learned, "qwen", "acc_1", "chinese", (uint32_t)sample("chinese")->tokens[2] + TEMPLATE);
    }
    const int64_t after = likely(learned, "qwen", "chinese");
    assert_true(after >= before * 95 / 100 && after <= before * 105 / 100);
    tokens_learned_free(learned);
}

static void test_our_own_count_silences_devices(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    const int64_t real = sample("thai")->tokens[1];
    (void)state;
    for (int n = 0; n < 20; n++) {
        tell(learned, "smollm-x", "acc_1", "thai", 1);
        tell(learned, "smollm-x", "acc_2", "thai", 1);
        tell(learned, "smollm-x", "acc_3", "thai", 1);
        tell(learned, "smollm-x", "", "thai", (uint32_t)real);
    }
    const int64_t after = likely(learned, "smollm-x", "thai");
    assert_true(after >= real * 95 / 100 && after <= real * 105 / 100);
    tokens_learned_free(learned);
}

static void test_short_and_mixed_texts_teach_nothing(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    struct tokens_text text = {0};
    (void)state;
    tokens_text_add(&text, STR("Hi!"));
    const struct tokens_taught taught = {
        .model = STR("qwen"), .who = STR("acc_1"), .text = &text, .messages = 1, .tokens = 500};
    const int64_t english = likely(learned, "qwen", "english"), mixed = likely(learned, "qwen", "mixed");
    tokens_learned_take(learned, &taught);
    tell(learned, "qwen", "acc_1", "mixed", 500);
    assert_int_equal(likely(learned, "qwen", "english"), english);
    assert_int_equal(likely(learned, "qwen", "mixed"), mixed);
    tokens_learned_free(learned);
}

/* The margin is there, shrinks with what was learned, and never makes more of a character than its bytes. */
static void test_margins(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    const struct tokens_rates much = tokens_learned_rates(learned, STR("some-model"), TOKENS_MOST);
    (void)state;
    assert_true(much.of[TOKENS_WORD] > tokens_learned_rates(learned, STR("some-model"), TOKENS_LIKELY).of[TOKENS_WORD]);
    for (int n = 0; n < 12; n++) {
        tell(learned, "some-model", "acc_1", "chinese", (uint32_t)sample("chinese")->tokens[1] + TEMPLATE);
    }
    const struct tokens_rates less = tokens_learned_rates(learned, STR("some-model"), TOKENS_MOST);
    assert_true(less.of[TOKENS_HAN] < much.of[TOKENS_HAN]);
    assert_true(tokens_learned_rates(learned, STR("nataris-demo-2m"), TOKENS_MOST).of[TOKENS_HAN] <=
                3 * TOKENS_RATE_ONE);
    tokens_learned_free(learned);
}

/* The bound of a bill is above every count there is, whatever was learned before; and not far above most. */
static void test_the_bound_is_above_every_text(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    (void)state;
    for (size_t m = 0; m < SAMPLE_MODELS; m++) {
        for (int n = 0; n < 12; n++) { /* usual text that has few tokens says nothing of odd one */
            tell(learned, sample_models[m], "", "english", (uint32_t)sample("english")->tokens[m] * 4 / 5);
        }
        const struct tokens_rates bound = tokens_learned_rates(learned, str_from(sample_models[m]), TOKENS_BOUND);
        for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
            const int64_t most = tokens_rates_count_str(&bound, sample_texts[i].text);
            const bool repeats = strcmp(sample_texts[i].name, "repeat") == 0;
            /* Scripts without blanks are bounded by their bytes; the blanks between them are not looked at. */
            if (most * 100 < sample_texts[i].tokens[m] * 95 || (!repeats && most > sample_texts[i].tokens[m] * 2)) {
                print_error("%s, %s: at most %lld instead of %lld\n", sample_models[m], sample_texts[i].name,
                            (long long)most, (long long)sample_texts[i].tokens[m]);
                fail();
            }
        }
    }
    tokens_learned_free(learned);
}

static void test_memory_is_bounded(void **state) {
    struct tokens_learned *learned = tokens_learned_new();
    char model[32], who[32];
    (void)state;
    for (int i = 0; i < TOKENS_MODELS_MAX + 10; i++) {
        snprintf(model, sizeof(model), "model-%d", i);
        tell(learned, model, "acc_1", "chinese", 1);
    }
    assert_true(likely(learned, "model-0", "chinese") < likely(learned, "model-new", "chinese"));
    tell(learned, "model-new", "acc_1", "chinese", 1);
    assert_int_equal(likely(learned, "model-new", "chinese"), likely(learned, "model-newer", "chinese"));
    for (int i = 0; i < 5 * TOKENS_VOICES_MAX; i++) {
        snprintf(who, sizeof(who), "acc_%d", i);
        tell(learned, "model-1", who, "chinese", (uint32_t)i * 10);
    }
    tell(learned, "", "acc_1", "chinese", 1);
    tokens_learned_free(learned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_teach_each_script_by_itself),
        cmocka_unit_test(test_one_count_is_much),
        cmocka_unit_test(test_a_liar_alone_stays_within_bounds),
        cmocka_unit_test(test_a_liar_among_honest_ones_changes_nothing),
        cmocka_unit_test(test_a_liar_against_one_is_outvoted),
        cmocka_unit_test(test_our_own_count_silences_devices),
        cmocka_unit_test(test_short_and_mixed_texts_teach_nothing),
        cmocka_unit_test(test_margins),
        cmocka_unit_test(test_the_bound_is_above_every_text),
        cmocka_unit_test(test_memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
