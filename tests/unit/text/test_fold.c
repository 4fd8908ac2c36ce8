#include "base/compiler.h"
#include "text/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_folded(const char *text, const char *expected) {
    struct buf out;
    buf_init(&out, 1 << 20);
    fold_append(str_from(text), &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void test_forms_of_a_letter_are_alike(void **state) {
    (void)state;
    assert_folded("", "");
    assert_folded("Plain ASCII_42.", "plain ascii_42.");
    assert_folded("ＦＵＬＬ　ｗｉｄｔｈ４２", "full width42");
    assert_folded("Straße GROẞ", "strasse gross");
    assert_folded("Café cafe\xcc\x81 CAFÉ", "cafe cafe cafe");
    assert_folded("İSTANBUL ıslak", "istanbul islak");
    assert_folded("Ёлка ЙОД", "елка иод");
    assert_folded("Σίσυφος", "σισυφοσ");
    assert_folded("مُحَمَّد مـحـمد", "محمد محمد");
    assert_folded("שָׁלוֹם", "שלום");
    assert_folded("ﬁn ½ Ⅳ ㎏ ﷺ", "fin 1⁄2 iv kg صلى الله عليه وسلم");
    assert_folded("sword\xc2\xad"
                  "fish\xe2\x80\x8b",
                  "swordfish");
}

static void test_letters_stay_letters(void **state) {
    (void)state;
    assert_folded("かきがぎ", "かきがぎ");
    assert_folded("ｶﾞ", "ガ");
    assert_folded("हिन्दी क़", "हिन्दी क़");
    assert_folded("น้ำใจ", "น้\xe0\xb9\x8d\xe0\xb8\xb2ใจ");
    assert_folded("ភាសាខ្មែរ", "ភាសាខ្មែរ");
    assert_folded("비밀번호", "비밀번호");
    assert_folded("தமிழ்", "தமிழ்");
}

static void test_whatever_the_pieces(void **state) {
    (void)state;
    struct buf text, folded, expected;
    buf_init(&text, 1 << 20);
    buf_init(&folded, 1 << 20);
    buf_init(&expected, 1 << 20);
    for (int i = 0; i < 300; i++) {
        buf_append_cstr(&text, i % 7 == 0 ? "Plain " : i % 3 == 0 ? "E\xcc\x81" : "가漢");
        buf_append_cstr(&expected, i % 7 == 0 ? "plain " : i % 3 == 0 ? "e" : "가漢");
    }
    fold_append(buf_str(&text), &folded);
    assert_string_equal(buf_cstr(&folded), buf_cstr(&expected));
    buf_clear(&text);
    buf_clear(&folded);
    buf_clear(&expected);
}

/* The place that is given back is a piece's beginning, a little before what is asked for. */
static void test_places_are_found_again(void **state) {
    (void)state;
    struct buf text, folded;
    buf_init(&text, 1 << 20);
    buf_init(&folded, 1 << 20);
    for (int i = 0; i < 200; i++) {
        buf_append_cstr(&text, "ÉÉÉ漢字ﷺ ");
    }
    const size_t place = text.len;
    buf_append_cstr(&text, "Ｈere");
    fold_append(buf_str(&text), &folded);
    const char *found = strstr(buf_cstr(&folded), "here");
    assert_non_null(found);
    const size_t source = fold_source(buf_str(&text), (size_t)(found - folded.data));
    assert_true(source <= place && place - source <= 128);
    assert_int_equal(fold_source(buf_str(&text), 0), 0);
    assert_int_equal(fold_source(STR("plain words only"), 6), 6);
    assert_int_equal(fold_source(buf_str(&text), folded.len), text.len);
    buf_clear(&text);
    buf_clear(&folded);
}

static void test_odd_texts_are_no_trouble(void **state) {
    (void)state;
    struct buf text, out;
    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_append_cstr(&text, "x");
    for (int i = 0; i < 5000; i++) {
        buf_append_cstr(&text, "\xcc\x81");
    }
    fold_append(buf_str(&text), &out);
    assert_string_equal(buf_cstr(&out), "x");
    buf_reset(&out);
    fold_append((struct str){"a\xff\xe6\xbcZ\0B", 7}, &out);
    assert_memory_equal(out.data, "a\xef\xbf\xbd\xef\xbf\xbdz\0b", 10);
    buf_clear(&out);
    buf_init(&out, 4);
    fold_append(STR("too long for it"), &out);
    assert_true(out.overflow);
    buf_clear(&text);
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_a_letter_are_alike), cmocka_unit_test(test_letters_stay_letters),
        cmocka_unit_test(test_whatever_the_pieces),         cmocka_unit_test(test_places_are_found_again),
        cmocka_unit_test(test_odd_texts_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
