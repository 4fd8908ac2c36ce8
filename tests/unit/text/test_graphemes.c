#include "base/buf.h"
#include "base/compiler.h"
#include "base/utf8.h"
#include "text/graphemes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a reader sees as one character, in many scripts. */
static const char *const graphemes[] = {
    "a",
    "e\xcc\x81",
    "\r\n",
    "漢",
    "か\xe3\x82\x99",
    "한",
    "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
    "नि",
    "क्षि",
    "স্ত্র",
    "น้ำ",
    "ที่",
    "ស្ត្រី",
    "မြ",
    "שָׁ",
    "كُّ",
    "த்தி",
    "👩‍👩‍👧‍👦",
    "👍🏽",
    "🇩🇪",
    "❤️",
    "1️⃣",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "👩🏽‍❤️‍💋‍👨🏽",
    "ǰ\xcc\xa3\xcc\x88",
    "\xf0\x9d\x84\x9e",
};

static void assert_places(const char *const *pieces, size_t count, size_t times) {
    struct buf text;
    buf_init(&text, 1 << 20);
    for (size_t n = 0; n < times; n++) {
        for (size_t i = 0; i < count; i++) {
            buf_append_cstr(&text, pieces[i]);
        }
    }
    size_t start = 0;
    for (size_t n = 0; n < times * count; n++) {
        const size_t end = start + strlen(pieces[n % count]);
        for (size_t at = start; at < end; at++) {
            assert_int_equal(graphemes_back(buf_str(&text), at), start);
            assert_int_equal(graphemes_forward(buf_str(&text), at), at == start ? start : end);
        }
        start = end;
    }
    assert_int_equal(graphemes_back(buf_str(&text), start), start);
    assert_int_equal(graphemes_back(buf_str(&text), start + 9), start);
    buf_clear(&text);
}

static void test_none_is_cut_among_others(void **state) {
    (void)state;
    assert_places(graphemes, COUNT_OF(graphemes), 2);
}

static void test_none_is_cut_in_a_row_of_its_own_kind(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(graphemes); i++) {
        assert_places(&graphemes[i], 1, 3 + 600 / strlen(graphemes[i]));
    }
}

/* Two hundred flags have no mark between them that would say where one begins. */
static void test_long_rows_of_flags(void **state) {
    (void)state;
    static const char *const behind_a_letter[] = {"\xf0\x9f\x87\xa9"};
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_append_cstr(&text, "x");
    for (int i = 0; i < 401; i++) {
        buf_append_cstr(&text, behind_a_letter[0]);
    }
    assert_int_equal(graphemes_back(buf_str(&text), 1 + 8 * 150 + 4), 1 + 8 * 150);
    assert_int_equal(graphemes_forward(buf_str(&text), 1 + 8 * 150 + 1), 1 + 8 * 151);
    buf_clear(&text);
}

/* A letter under a million marks is cut between its characters, and soon. */
static void test_endless_ones_are_cut_between_characters(void **state) {
    (void)state;
    enum { MARKS = 500 * 1000 };
    struct buf text;
    buf_init(&text, 4 << 20);
    buf_append_cstr(&text, "x");
    for (int i = 0; i < MARKS; i++) {
        buf_append_cstr(&text, "\xcc\x81");
    }
    for (size_t at = 100 * 1000; at < 100 * 1000 + 8; at++) {
        const size_t back = graphemes_back(buf_str(&text), at), forward = graphemes_forward(buf_str(&text), at);
        assert_true(back <= at && at - back < 2 && forward >= at && forward - at < 2);
        assert_int_equal(back % 2, 1);
        assert_int_equal(forward % 2, 1);
    }
    assert_int_equal(graphemes_prefix(buf_str(&text), 60).len, 59);
    assert_int_equal(graphemes_prefix(buf_str(&text), 5000).len, 4999);
    buf_clear(&text);
}

static void test_malformed_text_is_no_trouble(void **state) {
    (void)state;
    char text[1024];
    unsigned seed = 7;
    for (size_t i = 0; i < sizeof(text); i++) {
        seed = seed * 1103515245u + 12345u;
        text[i] = (char)(0x80 | (seed >> 16));
    }
    for (size_t at = 0; at <= sizeof(text); at++) {
        assert_true(graphemes_back((struct str){text, sizeof(text)}, at) <= at);
        assert_true(graphemes_forward((struct str){text, sizeof(text)}, at) >= at);
    }
    assert_int_equal(graphemes_prefix(STR(""), 5).len, 0);
}

static void test_prefixes_are_whole(void **state) {
    (void)state;
    const struct str text = STR("ab👩‍👩‍👧‍👦c");
    assert_int_equal(graphemes_prefix(text, 26).len, 2);
    assert_int_equal(graphemes_prefix(text, 27).len, 27);
    assert_int_equal(graphemes_prefix(text, 28).len, 28);
    assert_int_equal(graphemes_prefix(text, 99).len, 28);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_is_cut_among_others),
        cmocka_unit_test(test_none_is_cut_in_a_row_of_its_own_kind),
        cmocka_unit_test(test_long_rows_of_flags),
        cmocka_unit_test(test_endless_ones_are_cut_between_characters),
        cmocka_unit_test(test_malformed_text_is_no_trouble),
        cmocka_unit_test(test_prefixes_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
