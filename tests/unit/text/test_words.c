#include "base/compiler.h"
#include "text/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t find(const char *text, const char *phrase) {
    return words_find(str_from(text), str_from(phrase));
}

static void test_whole_words_are_found(void **state) {
    (void)state;
    assert_int_equal(find("Please fix this bug—thanks", "bug"), 16);
    assert_int_equal(find("“swordfish”.", "swordfish"), 3);
    assert_int_equal(find("a\xc2\xa0word\xe2\x80\xaf!", "word"), 3);
    assert_int_equal(find("用Python写一个排序函数", "python"), 3);
    assert_int_equal(find("没有问题。", "问题"), 6);
    assert_int_equal(find("비밀번호는", "비밀번호"), 0);
    assert_int_equal(find("ÜBER alles", "über"), 0);
    assert_int_equal(find("МОЙ ПАРОЛЬ", "пароль"), 7);
    assert_int_equal(find("what is today’s date?", "today's date"), 8);
    assert_int_equal(find("C++ and c", "c++"), 0);
}

static void test_parts_of_words_are_not(void **state) {
    (void)state;
    assert_int_equal(find("debugging", "bug"), WORDS_NONE);
    assert_int_equal(find("пароли", "пароль"), WORDS_NONE);
    assert_int_equal(find("überall", "über"), WORDS_NONE);
    assert_int_equal(find("naïve", "na"), WORDS_NONE);
    assert_int_equal(find("cafe\xcc\x81", "cafe"), WORDS_NONE);
    assert_int_equal(find("ที่", "ท"), WORDS_NONE);
    assert_int_equal(find("a", ""), WORDS_NONE);
    assert_int_equal(find("", "a"), WORDS_NONE);
}

static void test_blanks_are_trimmed(void **state) {
    (void)state;
    assert_true(str_equal_cstr(words_trim(STR(" \n\t\xc2\xa0\xe3\x80\x80 a b \xe2\x80\x83\r\n")), "a b"));
    assert_int_equal(words_trim(STR(" \xe3\x80\x80 ")).len, 0);
    assert_int_equal(words_trim(STR("")).len, 0);
}

static void test_begins(void **state) {
    (void)state;
    assert_true(words_begin(STR("Answer: x"), STR("answer")));
    assert_true(words_begin(STR("ОТВЕТ: x"), STR("ответ")));
    assert_false(words_begin(STR("An\xc5\xbfwer"), STR("answer"))); /* of another length: callers go on behind it */
    assert_false(words_begin(STR("Ans"), STR("answer")));
}

static void test_edges(void **state) {
    (void)state;
    assert_true(words_is_edge(STR("ab"), 0) && words_is_edge(STR("ab"), 2));
    assert_false(words_is_edge(STR("ab"), 1));
    assert_true(words_is_edge(STR("a-"), 1));
    assert_true(words_is_edge(STR("密码"), 3));
    assert_true(words_is_edge(STR("a码"), 1));
    assert_false(words_is_edge(STR("か\xe3\x82\x99"), 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_words_are_found),
        cmocka_unit_test(test_parts_of_words_are_not),
        cmocka_unit_test(test_blanks_are_trimmed),
        cmocka_unit_test(test_begins),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
