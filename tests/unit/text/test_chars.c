#include "text/chars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_reads_forward_and_back(void **state) {
    (void)state;
    const struct str text = STR("aß漢𝄞");
    static const int32_t expected[] = {'a', 0xdf, 0x6f22, 0x1d11e};
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(chars_next(text, &at), expected[i]);
    }
    assert_int_equal(chars_next(text, &at), CHARS_END);
    assert_int_equal(at, text.len);
    for (size_t i = 4; i-- > 0;) {
        assert_int_equal(chars_before(text, &at), expected[i]);
    }
    assert_int_equal(chars_before(text, &at), CHARS_END);
    assert_int_equal(chars_count(text), 4);
    assert_int_equal(chars_back(text, 2), 1);
    assert_int_equal(chars_back(text, 9), 6);
    assert_int_equal(chars_back(text, 99), text.len);
}

static void test_malformed_bytes_are_replaced(void **state) {
    (void)state;
    const struct str text = {"a\xff\xe6\xbc", 4};
    size_t at = 1;
    assert_int_equal(chars_next(text, &at), 0xfffd);
    assert_int_equal(chars_next(text, &at), 0xfffd);
    assert_int_equal(at, text.len);
    assert_int_equal(chars_before(text, &at), 0xfffd);
}

static void test_what_characters_are(void **state) {
    (void)state;
    static const int32_t blanks[] = {' ', '\n', 0x85, 0xa0, 0x2003, 0x2028, 0x202f, 0x3000, 0x200b, 0xfeff};
    static const int32_t words[] = {'a',   '9',   '_',   0xe4,  0x301, 0x416, 0x5d0,
                                    0x628, 0x661, 0x928, 0x93f, 0xe19, 0x6f22};
    static const int32_t neither[] = {'-', '"', 0x2019, 0x201c, 0x3002, 0xff01, 0x61f, 0x1f600};
    static const int32_t unseen[] = {0, 7, 0x7f, 0x85, 0xad, 0x200e, 0x200f, 0x2028, 0x202e, 0x2066, 0x2069, 0xfeff};
    static const int32_t joined[] = {0x6f22, 0x3042, 0x30ab, 0x30fc, 0xac00, 0xe01, 0xe81, 0x1780, 0x1000};
    for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        assert_true(chars_is_blank(blanks[i]));
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_true(chars_is_word(words[i]) && !chars_is_blank(words[i]) && !chars_is_unseen(words[i]));
    }
    for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++) {
        assert_false(chars_is_word(neither[i]) || chars_is_blank(neither[i]) || chars_is_unseen(neither[i]));
    }
    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
        assert_true(chars_is_unseen(unseen[i]));
    }
    for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++) {
        assert_true(chars_is_joined(joined[i]));
    }
    assert_false(chars_is_joined('a') || chars_is_joined(0x416) || chars_is_joined(0x628) || chars_is_joined(0x928));
    assert_false(chars_is_blank(CHARS_END) || chars_is_word(CHARS_END) || chars_is_joined(CHARS_END));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_forward_and_back),
        cmocka_unit_test(test_malformed_bytes_are_replaced),
        cmocka_unit_test(test_what_characters_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
