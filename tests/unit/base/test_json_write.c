#include "base/compiler.h"
#include "base/json_write.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_nesting_and_commas(void **state) {
    (void)state;
    struct buf out;
    struct json_writer writer;
    buf_init(&out, 4096);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    json_member_str(&writer, "s", STR("a\"b"));
    json_member_cstr(&writer, "n", NULL);
    json_member_int(&writer, "i", INT64_MIN);
    json_member_bool(&writer, "b", true);
    json_write_key(&writer, "a");
    json_begin_array(&writer);
    json_write_int(&writer, 0);
    json_begin_object(&writer);
    json_end_object(&writer);
    json_begin_array(&writer);
    json_end_array(&writer);
    json_write_null(&writer);
    json_write_raw(&writer, STR("[1,2]"));
    json_write_bool(&writer, false);
    json_end_array(&writer);
    json_member_double(&writer, "d", 0.5);
    json_write_key_str(&writer, STR("k\"\n"));
    json_write_int(&writer, 1);
    json_end_object(&writer);
    assert_string_equal(buf_cstr(&out), "{\"s\":\"a\\\"b\",\"n\":null,\"i\":-9223372036854775808,\"b\":true,"
                                        "\"a\":[0,{},[],null,[1,2],false],\"d\":0.5,\"k\\\"\\n\":1}");
    assert_false(out.overflow);
    buf_clear(&out);
}

static void check_escape(struct str text, const char *expected) {
    struct buf out;
    buf_init(&out, 4096);
    assert_true(json_escape(&out, text));
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void test_escape(void **state) {
    (void)state;
    check_escape(STR(""), "");
    check_escape(STR("a\nb\rc\td\be\ff"), "a\\nb\\rc\\td\\be\\ff");
    check_escape(STR("\0\x01\x1f \x7f"), "\\u0000\\u0001\\u001f \x7f");
    check_escape(STR("\"\\/"), "\\\"\\\\/");
    check_escape(STR("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \xe2\x80\xa8"),
                 "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \xe2\x80\xa8");
    check_escape(STR("a\xff"
                     "b\xed\xa0\x80\xc3"),
                 "a\xef\xbf\xbd"
                 "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

/* The scan goes eight bytes at a time: every byte value at every place of a word must come out right. */
static void test_escape_every_byte_at_every_place(void **state) {
    (void)state;
    for (size_t place = 0; place < 19; place++) {
        for (int byte = 0; byte < 128; byte++) {
            char text[20], expected[40];
            memset(text, 'x', 19);
            text[place] = (char)byte;
            struct buf out;
            buf_init(&out, 64);
            assert_true(json_escape(&out, (struct str){.data = text, .len = 19}));
            bool plain = byte >= 0x20 && byte != '"' && byte != '\\';
            assert_int_equal(out.len == 19, plain);
            memset(expected, 'x', 19);
            expected[place] = plain ? (char)byte : '\\';
            assert_memory_equal(out.data, expected, place + 1);
            assert_int_equal(out.data[out.len - 1], place == 18 && plain ? byte
                                                    : place == 18        ? out.data[out.len - 1]
                                                                         : 'x');
            buf_clear(&out);
        }
    }
}

static void test_escape_past_the_limit_leaves_nothing_behind(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 8);
    assert_true(buf_append_cstr(&out, "ab"));
    assert_false(json_escape(&out, STR("cdef\n\n\n")));
    assert_true(out.overflow);
    assert_string_equal(buf_cstr(&out), "ab");
    buf_clear(&out);
}

static void check_double(double value, const char *expected) {
    struct buf out;
    struct json_writer writer;
    buf_init(&out, 64);
    json_writer_init(&writer, &out);
    json_write_double(&writer, value);
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
}

static void test_double_is_the_shortest_that_reads_back(void **state) {
    (void)state;
    check_double(0.1, "0.1");
    check_double(0.1 + 0.2, "0.30000000000000004");
    check_double(3, "3");
    check_double(-0.0, "0");
    check_double(0.7, "0.7");
    check_double(-1.05, "-1.05");
    check_double(0.0001, "0.0001");
    check_double(0.00012, "0.00012");
    check_double(999999999.9999, "999999999.9999");
    check_double(0.7000000000000001, "0.7000000000000001");
    check_double(nextafter(0.5, 1), "0.5000000000000001");
    check_double(12345678901.5, "12345678901.5");
    check_double(1e300, "1e+300");
    check_double(5e-324, "4.94065645841247e-324"); /* 15 digits suffice, though one would */
    check_double(9007199254740993.0, "9007199254740992");
    check_double(1.7976931348623157e308, "1.7976931348623157e+308");
    check_double(INFINITY, "null");
    check_double(NAN, "null");
}

static void test_double_in_a_locale_with_a_comma(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (setlocale(LC_NUMERIC, names[i]) != NULL) {
            check_double(0.1, "0.1");
            check_double(2.5e-300, "2.5e-300");
        }
    }
    setlocale(LC_NUMERIC, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_and_commas),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_every_byte_at_every_place),
        cmocka_unit_test(test_escape_past_the_limit_leaves_nothing_behind),
        cmocka_unit_test(test_double_is_the_shortest_that_reads_back),
        cmocka_unit_test(test_double_in_a_locale_with_a_comma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
