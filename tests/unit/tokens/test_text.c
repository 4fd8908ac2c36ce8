#include "tokens/text.h"

#include "unit/tokens/sample_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t units_of(const char *text, enum tokens_class class) {
    struct tokens_text sum = {0};
    tokens_text_add(&sum, str_from(text));
    return sum.units[class];
}

static void test_words(void **state) {
    (void)state;
    assert_int_equal(units_of("one two, three", TOKENS_WORD), 3);
    assert_int_equal(units_of("one two, three", TOKENS_MARK), 1);
    assert_int_equal(units_of("seventeen", TOKENS_LETTER), 4);
    assert_int_equal(units_of("größer", TOKENS_WORD), 1);
    assert_int_equal(units_of("größer", TOKENS_ACCENT), 2);
    assert_int_equal(units_of("in 2026", TOKENS_DIGIT), 4);
    assert_int_equal(units_of("getElementById", TOKENS_WORD), 1);
    assert_int_equal(units_of("one two", TOKENS_BLANK), 0);
    assert_int_equal(units_of("one\n    two", TOKENS_BLANK), 1);
}

static void test_what_is_no_word_is_dense(void **state) {
    char text[101] = {0};
    (void)state;
    memset(text, 'a', 100);
    assert_int_equal(units_of(text, TOKENS_DENSE), 100);
    assert_int_equal(units_of("k3J9x0Qz7Lm2", TOKENS_DENSE), 12);
    assert_int_equal(units_of("1d9614638d18024d", TOKENS_DENSE), 16);
    assert_int_equal(units_of("123456789012345678", TOKENS_DENSE), 0);
}

static void test_scripts(void **state) {
    static const struct {
        const char *text;
        enum tokens_class class;
        uint32_t units;
    } cases[] = {
        {"Привет", TOKENS_CYRILLIC, 6}, {"γλώσσα", TOKENS_GREEK, 6},    {"لغة", TOKENS_ARABIC, 3},
        {"שפה", TOKENS_HEBREW, 3},      {"भाषा", TOKENS_DEVANAGARI, 4}, {"ভাষা", TOKENS_INDIC, 4},
        {"ภาษา", TOKENS_THAI, 4},       {"ភាសា", TOKENS_RARE, 4},       {"语言。", TOKENS_HAN, 3},
        {"ことば", TOKENS_KANA, 3},     {"언어", TOKENS_HANGUL, 2},     {"👍🏽", TOKENS_EMOJI, 2},
        {"ენა", TOKENS_RARE, 3},        {"—…“”", TOKENS_MARK, 4},       {"\xff\xfe", TOKENS_RARE, 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(units_of(cases[i].text, cases[i].class), cases[i].units);
    }
}

/* Pieces together are the text, none is empty or cuts a character, and their units are those of the text. */
static void test_pieces_are_the_text(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sample_texts); i++) {
        const struct str text = sample_texts[i].text;
        struct tokens_text whole = {0}, pieces = {0};
        size_t at = 0;
        tokens_text_add(&whole, text);
        while (at < text.len) {
            const size_t bytes = tokens_text_add_piece(&pieces, (struct str){text.data + at, text.len - at});
            assert_true(bytes > 0 && bytes <= 256);
            at += bytes;
            assert_true(at == text.len || ((unsigned char)text.data[at] & 0xc0) != 0x80);
        }
        assert_int_equal(at, text.len);
        assert_int_equal(whole.bytes, text.len);
        assert_memory_equal(&whole, &pieces, sizeof(whole));
    }
    struct tokens_text none = {0};
    assert_int_equal(tokens_text_add_piece(&none, STR("")), 0);
}

/* A word without end, of any character, broken or not. */
static void test_long_runs_are_taken_in_pieces(void **state) {
    static const char *const units[] = {"a",        "1",   " ",       "\n", "ä", "中", "👩‍👩‍👧‍👦",
                                        "\xe4\xb8", "aB3", "\xcc\x88"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        const size_t len = strlen(units[i]), count = 30 * 1000;
        char *text = malloc(len * count);
        struct tokens_text sum = {0};
        for (size_t j = 0; j < count; j++) {
            memcpy(text + j * len, units[i], len);
        }
        tokens_text_add(&sum, (struct str){text, len * count});
        uint64_t all = 0;
        for (size_t class = 0; class < TOKENS_CLASSES; class ++) {
            all += sum.units[class];
        }
        assert_int_equal(sum.bytes, len * count);
        assert_true(all >= count / 16);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_is_no_word_is_dense),
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_pieces_are_the_text),
        cmocka_unit_test(test_long_runs_are_taken_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
