#include "base/compiler.h"
#include "base/str.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct str good[] = {
    STR(""),
    STR("plain ASCII text, longer than a word"),
    STR("\0"),
    STR("\xc2\x80"),
    STR("\xdf\xbf"),
    STR("\xe0\xa0\x80"),
    STR("\xed\x9f\xbf"),
    STR("\xee\x80\x80"),
    STR("\xef\xbf\xbf"),
    STR("\xf0\x90\x80\x80"),
    STR("\xf4\x8f\xbf\xbf"),
    STR("gr\xc3\xbc\xc3\x9f dich \xf0\x9f\x98\x80 \xe4\xbd\xa0\xe5\xa5\xbd"),
};

static const struct str bad[] = {
    STR("\x80"), /* continuation byte alone */
    STR("\xbf"),
    STR("\xc0\xaf"), /* overlong '/' */
    STR("\xc1\xbf"),
    STR("\xe0\x80\xaf"),
    STR("\xe0\x9f\xbf"),
    STR("\xf0\x80\x80\xaf"),
    STR("\xf0\x8f\xbf\xbf"),
    STR("\xf8\x88\x80\x80\x80"), /* five and six bytes */
    STR("\xfc\x84\x80\x80\x80\x80"),
    STR("\xed\xa0\x80"), /* surrogates */
    STR("\xed\xbf\xbf"),
    STR("\xed\xa0\xbd\xed\xb8\x80"),
    STR("\xf4\x90\x80\x80"), /* over U+10FFFF */
    STR("\xf5\x80\x80\x80"),
    STR("\xfe"),
    STR("\xff"),
    STR("\xc3("), /* a lead byte without its continuation */
    STR("\xe2\x82("),
    STR("\xf0\x9f\x98("),
    STR("ASCII before \xff"),
};

static void test_valid(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(utf8_valid(good[i].data, good[i].len));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(utf8_valid(bad[i].data, bad[i].len));
    }
    assert_false(utf8_valid("\xf0\x9f\x98", 3));
    assert_true(utf8_valid(NULL, 0));
}

static void test_stream_in_single_bytes(void **state) {
    (void)state;
    struct utf8_stream stream;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        utf8_stream_init(&stream);
        for (size_t at = 0; at < good[i].len; at++) {
            assert_true(utf8_stream_feed(&stream, good[i].data + at, 1));
        }
        assert_true(utf8_stream_done(&stream));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        utf8_stream_init(&stream);
        bool fine = true;
        for (size_t at = 0; at < bad[i].len; at++) {
            fine = utf8_stream_feed(&stream, bad[i].data + at, 1);
        }
        assert_false(fine); /* sticks to the end once broken */
        assert_false(utf8_stream_done(&stream));
    }
}

static void test_stream_fails_at_the_first_impossible_byte(void **state) {
    (void)state;
    struct utf8_stream stream;
    utf8_stream_init(&stream);
    assert_true(utf8_stream_feed(&stream, "\xf4", 1));
    assert_false(utf8_stream_done(&stream));
    assert_false(utf8_stream_feed(&stream, "\x90", 1));
    assert_false(utf8_stream_feed(&stream, "a", 1));
}

static void test_whole_prefix(void **state) {
    (void)state;
    assert_int_equal(utf8_whole_prefix("abc", 3), 3);
    assert_int_equal(utf8_whole_prefix("", 0), 0);
    assert_int_equal(utf8_whole_prefix("a\xc3", 2), 1);
    assert_int_equal(utf8_whole_prefix("a\xc3\xbc", 3), 3);
    assert_int_equal(utf8_whole_prefix("a\xe2\x82", 3), 1);
    assert_int_equal(utf8_whole_prefix("a\xf0\x9f\x98", 4), 1);
    assert_int_equal(utf8_whole_prefix("\xf0\x9f\x98\x80", 4), 4);
    assert_int_equal(utf8_whole_prefix("\xf0", 1), 0);
    /* What cannot become valid is not kept back. */
    assert_int_equal(utf8_whole_prefix("a\xff", 2), 2);
    assert_int_equal(utf8_whole_prefix("a\xed\xa0", 3), 3);
    assert_int_equal(utf8_whole_prefix("\x80\x80\x80", 3), 3);
    assert_int_equal(utf8_whole_prefix("\x80", 1), 1);
}

static void test_sequence_names_the_part_to_replace(void **state) {
    (void)state;
    bool valid;
    assert_int_equal(utf8_sequence("\xf0\x9f\x98\x80x", 5, &valid), 4);
    assert_true(valid);
    assert_int_equal(utf8_sequence("a", 1, &valid), 1);
    assert_true(valid);
    assert_int_equal(utf8_sequence("\xf0\x9f\x98x", 4, &valid), 3);
    assert_false(valid);
    assert_int_equal(utf8_sequence("\xe0\x80\x80", 3, &valid), 1);
    assert_false(valid);
    assert_int_equal(utf8_sequence("\xe2\x82", 2, &valid), 2);
    assert_false(valid);
}

/* As bytes, for a source must not have marks of direction in it, not even in an escape. */
static size_t encode(unsigned code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0U | code >> 6);
        out[1] = (char)(0x80U | (code & 0x3FU));
        return 2;
    }
    out[0] = (char)(0xE0U | code >> 12);
    out[1] = (char)(0x80U | (code >> 6 & 0x3FU));
    out[2] = (char)(0x80U | (code & 0x3FU));
    return 3;
}

static void test_what_steers_is_neutralised(void **state) {
    (void)state;
    static const unsigned STEER[] = {0x1B,   0x7F,   0x9B,   0x61C,  0x200E, 0x200F, 0x2028,
                                     0x2029, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF};
    static const unsigned PLAIN[] = {'a', 0xA0, 0xE9, 0x5D0, 0x200C, 0x200D, 0x20AC, 0x3042};
    char bytes[4], text[16] = "a";
    for (size_t i = 0; i < sizeof(STEER) / sizeof(*STEER); i++) {
        assert_true(utf8_steers(bytes, encode(STEER[i], bytes)));
    }
    for (size_t i = 0; i < sizeof(PLAIN) / sizeof(*PLAIN); i++) {
        assert_false(utf8_steers(bytes, encode(PLAIN[i], bytes)));
    }
    const size_t used = encode(0x202E, text + 1);
    memcpy(text + 1 + used, "b\xff\x1b[2J", sizeof("b\xff\x1b[2J"));
    assert_string_equal(utf8_neutralise(text), "a???b??[2J");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_steers_is_neutralised),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_stream_in_single_bytes),
        cmocka_unit_test(test_stream_fails_at_the_first_impossible_byte),
        cmocka_unit_test(test_whole_prefix),
        cmocka_unit_test(test_sequence_names_the_part_to_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
