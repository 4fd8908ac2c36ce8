/* The log-probabilities of an answer: those of the tokens whose text is in it. */
#include "call/logprobs.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void add(struct call_logprobs *logprobs, const char *shown, const struct str *tokens, size_t count) {
    struct buf came;
    buf_init(&came, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        const struct gen_token_logprobs token = {.taken = {.id = (uint32_t)i, .logprob = -1.0F, .bytes = tokens[i]},
                                                 .other_count = 2,
                                                 .others = {{1, -1.0F, STR("x")}, {2, -2.0F, STR("y")}}};
        gen_logprobs_append(&came, &token);
    }
    call_logprobs_add(logprobs, str_from(shown), buf_str(&came));
    buf_clear(&came);
}

static size_t count_of(struct str logprobs) {
    struct gen_token_logprobs token;
    size_t count = 0;
    while (gen_logprobs_next(&logprobs, &token)) {
        count++;
    }
    assert_int_equal(logprobs.len, 0);
    return count;
}

/* What is shown of these tokens, and how many of them have a part in it. */
static void those_that_are_shown(void **state) {
    static const struct {
        const char *shown;
        struct str tokens[4];
        size_t count, kept;
    } cases[] = {
        {"one two", {STR("one"), STR(" two")}, 2, 2},
        {"one", {STR("one"), STR(" st"), STR("op")}, 3, 1},                      /* a stop string behind it */
        {"one ", {STR("one"), STR(" stop")}, 2, 2},                              /* it begins within a token */
        {"", {STR("stop")}, 1, 0},                                               /* nothing but it */
        {"\xf0\x9f\xa6\x80", {STR("\xf0"), STR("\x9f\xa6"), STR("\x80")}, 3, 3}, /* one character of three tokens */
        {"a\xef\xbf\xbd"
         "b",
         {STR("a"), STR("\xff"), STR("b"), STR("STOP")},
         4,
         3}, /* a byte of no character */
        {"\xef\xbf\xbd\xef\xbf\xbd", {STR("\xe2\x82"), STR("x")}, 2, 1},
        {"a", {STR(""), STR("a"), STR("")}, 3, 2}, /* tokens without text */
        {"longer than what came", {STR("a")}, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct call_logprobs *logprobs = call_logprobs_new(1);
        add(logprobs, cases[i].shown, cases[i].tokens, cases[i].count);
        if (count_of(call_logprobs_all(logprobs)) != cases[i].kept) {
            fail_msg("case %zu: %zu", i, count_of(call_logprobs_all(logprobs)));
        }
        call_logprobs_free(logprobs);
    }
}

static void a_stream_takes_them_as_they_come(void **state) {
    const struct str tokens[] = {STR("one"), STR(" two")};
    struct gen_token_logprobs token;
    struct call_logprobs *logprobs = call_logprobs_new(1);
    (void)state;
    assert_int_equal(call_logprobs_take(logprobs).len, 0);
    add(logprobs, "one two", tokens, 2);
    struct str taken = call_logprobs_take(logprobs);
    assert_int_equal(count_of(taken), 2);
    assert_true(gen_logprobs_next(&taken, &token));
    assert_int_equal(token.other_count, 1); /* more came than was asked for */
    assert_int_equal(call_logprobs_take(logprobs).len, 0);
    add(logprobs, "one", tokens, 1);
    assert_int_equal(count_of(call_logprobs_take(logprobs)), 1);
    assert_int_equal(count_of(call_logprobs_all(logprobs)), 3);
    call_logprobs_free(logprobs);
}

/* A device that tells more than anybody would read: what is kept stays whole tokens, and it shows. */
static void more_than_is_kept(void **state) {
    static char piece[LIMIT_LOGPROB_TOKEN_BYTES + 1];
    struct call_logprobs *logprobs = call_logprobs_new(0);
    (void)state;
    memset(piece, 'a', LIMIT_LOGPROB_TOKEN_BYTES);
    const struct str token = str_from(piece);
    for (size_t bytes = 0; bytes <= LIMIT_LOGPROBS_BYTES; bytes += token.len) {
        assert_true(call_logprobs_are_whole(logprobs) || bytes + (bytes / token.len) * 11 > LIMIT_LOGPROBS_BYTES);
        add(logprobs, piece, &token, 1);
    }
    assert_false(call_logprobs_are_whole(logprobs));
    assert_true(count_of(call_logprobs_all(logprobs)) > 1000);
    call_logprobs_free(logprobs);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(those_that_are_shown),
                                       cmocka_unit_test(a_stream_takes_them_as_they_come),
                                       cmocka_unit_test(more_than_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
