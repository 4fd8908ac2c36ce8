#include "tokens/rates.h"

#include "base/utf8.h"
#include "unit/tokens/sample_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct tokens_rates *rates_of(const char *model) {
    return &tokens_prior_of(str_from(model))->rates;
}

/* Against what the vocabularies themselves count, in more than twenty scripts and kinds of text. One letter again and
 * again is the one text that is much less than it looks. */
static void test_usual_text_is_within_a_quarter(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
        for (size_t m = 0; m < SAMPLE_MODELS; m++) {
            const int64_t real = sample_texts[i].tokens[m];
            const int64_t said = tokens_rates_count_str(rates_of(sample_models[m]), sample_texts[i].text);
            const bool repeats = strcmp(sample_texts[i].name, "repeat") == 0;
            if (said * 4 < real * 3 || (!repeats && said * 4 > real * 5)) {
                print_error("%s, %s: %lld instead of %lld\n", sample_models[m], sample_texts[i].name, (long long)said,
                            (long long)real);
                fail();
            }
        }
    }
}

/* All of the texts together: single ones are wrong in both directions. */
static void test_many_texts_are_within_five_percent(void **state) {
    (void)state;
    for (size_t m = 0; m < SAMPLE_MODELS; m++) {
        int64_t real = 0, said = 0;
        for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
            real += sample_texts[i].tokens[m];
            said += tokens_rates_count_str(rates_of(sample_models[m]), sample_texts[i].text);
        }
        assert_true(said * 100 >= real * 95 && said * 100 <= real * 105);
    }
}

/* A model of no known family is taken for one with a small vocabulary: hardly ever too few. */
static void test_an_unknown_family_is_careful(void **state) {
    const struct tokens_prior *prior = tokens_prior_of(STR("some-model-7b"));
    struct tokens_rates rates = prior->rates;
    (void)state;
    tokens_rates_scale(&rates, prior->margin);
    for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
        const int64_t said = tokens_rates_count_str(&rates, sample_texts[i].text);
        assert_true(said >= sample_texts[i].tokens[1] * 95 / 100 && said >= sample_texts[i].tokens[2] * 95 / 100);
    }
}

static void test_families(void **state) {
    (void)state;
    assert_string_equal(tokens_prior_of(STR("qwen2.5-0.5b-instruct-q6_k"))->family, "qwen");
    assert_string_equal(tokens_prior_of(STR("bartowski/Qwen2.5-7B"))->family, "qwen");
    assert_string_equal(tokens_prior_of(STR("smollm2-135m-instruct-q4_1"))->family, "smollm");
    assert_string_equal(tokens_prior_of(STR("phi-3-mini-4k-instruct-q4_k_m"))->family, "phi-3");
    assert_string_equal(tokens_prior_of(STR(""))->family, "");
}

/* For each length in tokens: it fits, and one piece more would not. */
static void test_beginnings_and_ends(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
        const struct str text = sample_texts[i].text;
        const struct tokens_rates *rates = rates_of(sample_models[1]);
        const int64_t all = tokens_rates_count_str(rates, text);
        for (int64_t tokens = 0; tokens <= all + 1; tokens++) {
            const size_t first = tokens_rates_first(rates, text, tokens), last = tokens_rates_last(rates, text, tokens);
            assert_true(first <= text.len && last <= text.len);
            assert_true(tokens_rates_count_str(rates, (struct str){text.data, first}) <= tokens);
            assert_true(tokens_rates_count_str(rates, (struct str){text.data + last, text.len - last}) <= tokens);
            assert_true(utf8_valid(text.data, first) && utf8_valid(text.data + last, text.len - last));
            assert_true(tokens < all || (first == text.len && last == 0));
        }
        assert_int_equal(tokens_rates_first(rates, text, -1), 0);
        assert_int_equal(tokens_rates_last(rates, text, -1), text.len);
    }
}

static void test_scaled(void **state) {
    struct tokens_rates rates = *rates_of("qwen");
    (void)state;
    tokens_rates_scale(&rates, 200);
    assert_int_equal(rates.of[TOKENS_WORD], 2 * rates_of("qwen")->of[TOKENS_WORD]);
    for (int i = 0; i < 20; i++) {
        tokens_rates_scale(&rates, UINT32_MAX); /* stays within bounds */
    }
    assert_true(tokens_rates_count_str(&rates, STR("one two")) > 1000 * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual_text_is_within_a_quarter),
        cmocka_unit_test(test_many_texts_are_within_five_percent),
        cmocka_unit_test(test_an_unknown_family_is_careful),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_beginnings_and_ends),
        cmocka_unit_test(test_scaled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
