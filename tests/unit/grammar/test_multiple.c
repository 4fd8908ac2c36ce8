/* Multiples: what the grammar allows is what can be divided, for every number of up to four digits. */
#include "grammar/multiple.h"

#include "grammar/gbnf.h"
#include "grammar/network.h"

#include "unit/grammar/grammar_fixture.h"

static struct matcher *matcher_of(int64_t step, const struct number_range *range) {
    struct gbnf gbnf;
    struct buf body;
    struct err err;
    gbnf_init(&gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    assert_true(multiple_append(&body, step, range));
    assert_true(gbnf_finish(&gbnf, &body));
    struct matcher *matcher = matcher_new(buf_str(&gbnf.text), NETWORK_STEPS_MAX, &err);
    assert_non_null(matcher);
    buf_clear(&body);
    gbnf_clear(&gbnf);
    return matcher;
}

/* Read a whole text from the beginning: a matcher has no way back. */
static bool allows(int64_t step, const struct number_range *range, int value) {
    char text[16];
    struct matcher *matcher = matcher_of(step, range);
    matcher_set_budget(matcher, 1 << 20);
    snprintf(text, sizeof(text), "%d", value);
    const bool good = matcher_accept(matcher, str_from(text)) && matcher_may_end(matcher);
    matcher_free(matcher);
    return good;
}

static void test_every_number(void **state) {
    static const struct {
        int64_t step;
        struct number_range range;
    } cases[] = {
        {2, {0}},
        {20, {0}},
        {125, {0}},
        {5, {.has_least = true, .least = 0}},
        {4, {.has_least = true, .least = -3}},
        {50, {.has_least = true, .least = 1}},
        {7, {.has_least = true, .has_most = true, .least = -100, .most = 1000}},
        {13, {.has_least = true, .has_most = true, .least = 5, .most = 14}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct number_range *range = &cases[i].range;
        for (int value = -1100; value <= 1100; value++) {
            const bool within =
                (!range->has_least || value >= range->least) && (!range->has_most || value <= range->most);
            if (allows(cases[i].step, range, value) != (within && value % cases[i].step == 0)) {
                fail_msg("case %zu: %d", i, value);
            }
        }
    }
}

static void test_what_cannot_be_told(void **state) {
    static const struct {
        int64_t step;
        struct number_range range;
    } cases[] = {
        {3, {0}},
        {1024, {.has_least = true, .least = 0}}, /* told by ten digits */
        {5, {.has_most = true, .most = 100}},
        {5, {.has_least = true, .least = 100}},
        {7, {.has_least = true, .has_most = true, .least = 0, .most = 100000}},
    };
    struct buf body;
    (void)state;
    buf_init(&body, GBNF_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(multiple_append(&body, cases[i].step, &cases[i].range));
        assert_int_equal(body.len, 0);
    }
    buf_clear(&body);
    assert_false(
        multiple_is_within(7, &(struct number_range){.has_least = true, .has_most = true, .least = 1, .most = 6}));
    assert_true(
        multiple_is_within(7, &(struct number_range){.has_least = true, .has_most = true, .least = -6, .most = 6}));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_number), cmocka_unit_test(test_what_cannot_be_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
