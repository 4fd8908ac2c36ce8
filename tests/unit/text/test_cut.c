#include "base/buf.h"
#include "base/compiler.h"
#include "text/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text ends at `high` or later; it is cut behind `expected`. */
static void assert_cut(const char *expected, const char *behind, size_t more) {
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_append_cstr(&text, expected);
    const size_t place = text.len;
    buf_append_cstr(&text, behind);
    const size_t cut = cut_back(buf_str(&text), place > 40 ? place - 40 : 0, place + more);
    if (cut != place) {
        fail_msg("cut at %zu, not %zu: %s|%s", cut, place, expected, behind);
    }
    buf_clear(&text);
}

static void test_the_best_place_wins(void **state) {
    (void)state;
    assert_cut("One. Two.\n\n", "Three.\nFour. Five six", 18);
    assert_cut("One. Two.\r\n\r\n", "Three.\r\nFour. Five six", 18);
    assert_cut("One. Two.\n \n", "Three.\nFour. Five six", 18);
    assert_cut("One. Two.\n", "Three. Four five six", 16);
    assert_cut("One. Two. ", "Three four five six", 12);
    assert_cut("one two three ", "four", 2);
}

static void test_sentences_and_words_of_many_scripts(void **state) {
    (void)state;
    assert_cut("海边的小镇有很多船。", "渔民每天清晨出海打鱼", 15);
    assert_cut("私は猫が好きです！", "犬も少しだけ好きです", 15);
    assert_cut("هل هذا صحيح؟ ", "نعم هو كذلك بلا شك", 12);
    assert_cut("यह एक नाव है। ", "वह बहुत बड़ी है और", 12);
    assert_cut("ใน", "ที่นี่", 6); /* between two words, which have no blank */
}

static void test_no_grapheme_is_cut(void **state) {
    (void)state;
    assert_cut("xxxx", "👩‍👩‍👧‍👦xx", 12);
    assert_cut("ใจใจ", "น้ำ", 4);
    assert_cut("aaaaaaaaaaaaaaaaaaaaaaaaaaa", "e\xcc\x81", 2);
}

static void test_ends(void **state) {
    (void)state;
    assert_int_equal(cut_back(STR("abc"), 0, 3), 3);
    assert_int_equal(cut_back(STR("abc"), 0, 9), 3);
    assert_int_equal(cut_back(STR("\n\n\n\n"), 0, 2), 2);
    assert_int_equal(cut_back(STR("\nabc"), 0, 2), 1);
    assert_int_equal(cut_forward(STR("abc"), 0, 3), 0);
    assert_int_equal(cut_forward(STR("abc"), 9, 12), 3);
}

static void test_forward_to_a_word(void **state) {
    (void)state;
    assert_int_equal(cut_forward(STR("one two three"), 1, 9), 4);
    assert_int_equal(cut_forward(STR("one two three"), 4, 9), 4);
    assert_int_equal(cut_forward(STR("onetwothree one"), 1, 5), 1);
    assert_int_equal(cut_forward(STR("a👩‍👩‍👧‍👦b"), 5, 9), 26);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_place_wins), cmocka_unit_test(test_sentences_and_words_of_many_scripts),
        cmocka_unit_test(test_no_grapheme_is_cut),  cmocka_unit_test(test_ends),
        cmocka_unit_test(test_forward_to_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
