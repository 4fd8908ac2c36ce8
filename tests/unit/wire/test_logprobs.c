/* Log-probabilities as they go from engines to clients. */
#include "wire/logprobs.h"

#include "base/compiler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct buf text;

static int setup(void **state) {
    (void)state;
    buf_init(&text, 1 << 20);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    buf_clear(&text);
    return 0;
}

static void test_they_read_back(void **state) {
    struct gen_token_logprobs token = {.taken = {.id = UINT32_MAX, .logprob = -0.5F, .bytes = STR("\xc3")},
                                       .other_count = 2,
                                       .others = {{7, 0.0F, STR("")}, {8, GEN_LOGPROB_LEAST, STR("\0x")}}};
    struct gen_token_logprobs got;
    (void)state;
    gen_logprobs_append(&text, &token);
    const size_t one = text.len;
    token.other_count = 0;
    gen_logprobs_append(&text, &token);
    struct str rest = buf_str(&text);
    assert_true(gen_logprobs_are_of(rest, 2));
    assert_false(gen_logprobs_are_of(rest, 1) || gen_logprobs_are_of(rest, 3));
    assert_int_equal(gen_logprobs_prefix(rest, 1), one);
    assert_int_equal(gen_logprobs_prefix(rest, 2), rest.len);
    assert_int_equal(gen_logprobs_prefix(rest, 0), 0);
    assert_true(gen_logprobs_next(&rest, &got));
    assert_int_equal(got.taken.id, UINT32_MAX);
    assert_true(got.taken.logprob == -0.5F && got.others[1].logprob == GEN_LOGPROB_LEAST);
    assert_true(str_equal(got.taken.bytes, STR("\xc3")) && str_equal(got.others[1].bytes, STR("\0x")));
    assert_true(gen_logprobs_next(&rest, &got));
    assert_int_equal(got.other_count, 0);
    assert_false(gen_logprobs_next(&rest, &got));
}

/* What no honest device says, in the taken token and in another one. */
static void test_what_is_none(void **state) {
    const float values[] = {NAN, INFINITY, -INFINITY, 1e-30F, 1.0F};
    struct gen_token_logprobs got;
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(values); i++) {
        const float value = values[i / 2];
        const struct gen_token_logprobs token = {.taken = {.logprob = i % 2 == 0 ? value : -1.0F, .bytes = STR("a")},
                                                 .other_count = 1,
                                                 .others = {{1, i % 2 == 0 ? -1.0F : value, STR("b")}}};
        buf_reset(&text);
        gen_logprobs_append(&text, &token);
        struct str rest = buf_str(&text);
        assert_false(gen_logprobs_next(&rest, &got));
    }
}

/* Cut anywhere, and with a count of others that nobody may have. */
static void test_cut_short(void **state) {
    const struct gen_token_logprobs token = {
        .taken = {.logprob = -1.0F, .bytes = STR("abc")}, .other_count = 1, .others = {{1, -2.0F, STR("de")}}};
    (void)state;
    gen_logprobs_append(&text, &token);
    for (size_t len = 0; len < text.len; len++) {
        assert_false(gen_logprobs_are_of((struct str){text.data, len}, 1));
    }
    text.data[0] = (char)(LIMIT_LOGPROB_OTHERS + 1);
    assert_false(gen_logprobs_are_of(buf_str(&text), 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_they_read_back, setup, teardown),
                                       cmocka_unit_test_setup_teardown(test_what_is_none, setup, teardown),
                                       cmocka_unit_test_setup_teardown(test_cut_short, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
