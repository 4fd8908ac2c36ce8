#include "base/buf.h"
#include "base/compiler.h"
#include "base/json_read.h"
#include "base/json_repeated.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MAX_BYTES = 64 * 1024 * 1024, MAX_DEPTH = 32 };

static int setup(void **state) {
    *state = json_parser_new(MAX_BYTES, MAX_DEPTH);
    return 0;
}

static int teardown(void **state) {
    json_parser_free((struct json_parser *)*state);
    return 0;
}

static struct json_value parse(void **state, const char *text) {
    struct json_value root = {0};
    struct err err = {0};
    if (!json_parse((struct json_parser *)*state, str_from(text), &root, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return root;
}

static struct json_value member(struct json_value object, const char *key) {
    struct json_value value = {0};
    assert_true(json_get(object, key, &value));
    return value;
}

static void test_values(void **state) {
    struct json_value root = parse(state, " {\"s\":\"a\\u0000\\u00fc\\ud83d\\ude00\",\"i\":-5,\"d\":2.5,\"t\":true,"
                                          "\"n\":null,\"a\":[1,[2],{\"x\":3}],\"s\":\"second\",\"\":7} ");
    struct str text;
    int64_t number;
    double real;
    bool truth;
    assert_int_equal(json_type_of(root), JSON_OBJECT);
    assert_true(json_as_str(member(root, "s"), &text));
    assert_true(str_equal(text, STR("a\0\xc3\xbc\xf0\x9f\x98\x80")));
    assert_true(json_as_int64(member(root, "i"), &number) && number == -5);
    assert_true(json_as_double(member(root, "i"), &real) && real == -5);
    assert_true(json_as_double(member(root, "d"), &real) && real == 2.5);
    assert_true(json_as_bool(member(root, "t"), &truth) && truth);
    assert_int_equal(json_type_of(member(root, "n")), JSON_NULL);
    assert_true(json_as_int64(member(root, ""), &number) && number == 7);
    struct json_value absent;
    assert_false(json_get(root, "none", &absent));
    assert_int_equal(json_count(root), 8);
    assert_int_equal(json_count(member(root, "a")), 3);
}

static void test_wrong_types_are_refused(void **state) {
    struct json_value root = parse(state, "[null,true,1,\"x\",[],{}]");
    struct json_value items[7] = {{0}};
    struct json_iterator iterator;
    size_t count = 0;
    for (json_iterate(root, &iterator); json_next(&iterator, NULL, &items[count]);) {
        count++;
    }
    assert_int_equal(count, 6);
    for (size_t i = 0; i < COUNT_OF(items); i++) { /* the last one is zeroed: it reads as null */
        struct str text;
        int64_t number;
        double real;
        bool truth;
        struct json_value out;
        enum json_type type = json_type_of(items[i]);
        assert_int_equal(type, i < 6 ? i : JSON_NULL);
        assert_int_equal(json_as_bool(items[i], &truth), type == JSON_BOOL);
        assert_int_equal(json_as_int64(items[i], &number), type == JSON_NUMBER);
        assert_int_equal(json_as_double(items[i], &real), type == JSON_NUMBER);
        assert_int_equal(json_as_str(items[i], &text), type == JSON_STRING);
        assert_false(json_get(items[i], "x", &out));
        assert_int_equal(json_count(items[i]), 0);
        json_iterate(items[i], &iterator);
        assert_false(json_next(&iterator, NULL, &out));
        assert_false(json_next(&iterator, NULL, &out));
    }
}

static void test_numbers(void **state) {
    static const struct {
        const char *text;
        bool fits;
        int64_t whole;
        double real;
    } cases[] = {
        {"0", true, 0, 0},
        {"-0", true, 0, 0},
        {"3.0", true, 3, 3},
        {"3e2", true, 300, 300},
        {"3.5", false, 0, 3.5},
        {"9223372036854775807", true, INT64_MAX, 9223372036854775807.0},
        {"-9223372036854775808", true, INT64_MIN, -9223372036854775808.0},
        {"9223372036854775808", false, 0, 9223372036854775808.0},
        {"-9223372036854775809", false, 0, -9223372036854775808.0}, /* as a double it is -2^63 */
        {"18446744073709551615", false, 0, 18446744073709551615.0},
        {"18446744073709551616", false, 0, 18446744073709551616.0},
        {"123456789012345678901234567890", false, 0, 123456789012345678901234567890.0},
        {"1e300", false, 0, 1e300},
        {"-1e300", false, 0, -1e300},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_value root = parse(state, cases[i].text);
        int64_t whole = 0;
        double real = 0;
        assert_int_equal(json_type_of(root), JSON_NUMBER);
        assert_int_equal(json_as_int64(root, &whole), cases[i].fits);
        assert_true(whole == cases[i].whole);
        assert_true(json_as_double(root, &real));
        assert_true(real == cases[i].real);
    }
}

static void test_long_integers_leave_the_rest_alone(void **state) {
    struct json_value root =
        parse(state, "{\"12345678901234567890\":\"\\\"12345678901234567890\\\\\",\"a\":"
                     "[12345678901234567890123,-12345678901234567890123.5,1234567890123456789e1]}");
    struct str text;
    double real = 0;
    assert_true(json_as_str(member(root, "12345678901234567890"), &text));
    assert_true(str_equal(text, STR("\"12345678901234567890\\")));
    struct json_iterator iterator;
    struct json_value item;
    json_iterate(member(root, "a"), &iterator);
    assert_true(json_next(&iterator, NULL, &item) && json_as_double(item, &real));
    assert_true(real == 12345678901234567890123.0);
    assert_true(json_next(&iterator, NULL, &item) && json_as_double(item, &real));
    assert_true(real == -12345678901234567890123.5);
    assert_true(json_next(&iterator, NULL, &item) && json_as_double(item, &real));
    assert_true(real == 1234567890123456789e1);
}

static void test_malformed_texts(void **state) {
    static const struct str bad[] = {
        STR(""),
        STR("  \n"),
        STR("{"),
        STR("[1,]"),
        STR("{\"a\":1,}"),
        STR("{\"a\"}"),
        STR("{a:1}"),
        STR("{'a':1}"),
        STR("{\"a\":1} x"),
        STR("{} {}"),
        STR("1 2"),
        STR("nul"),
        STR("True"),
        STR("NaN"),
        STR("Infinity"),
        STR("01"),
        STR("+1"),
        STR("1."),
        STR(".5"),
        STR("1e999"),
        STR("00012345678901234567890"),
        STR("\"abc"),
        STR("\"a\nb\""),
        STR("\"\\x\""),
        STR("\"\\ud800\""),
        STR("\"\xff\""),
        STR("\"\xed\xa0\x80\""),
        STR("\xef\xbb\xbf{}"),
        STR("{}\0"),
        STR("\0{}"),
        STR("[\0]"),
        STR("\"a\0b\""),
        STR("/* c */ {}"),
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct json_value root;
        struct err err = {0};
        if (json_parse((struct json_parser *)*state, bad[i], &root, &err)) {
            fail_msg("case %zu was accepted", i);
        }
        assert_int_equal(err.code, ERR_INVALID);
        assert_memory_equal(err.message, "invalid JSON: ", strlen("invalid JSON: "));
    }
    parse(state, "{\"still\":\"works\"}");
}

static bool parse_nested(void **state, size_t depth, const char *open, const char *inside, const char *close) {
    struct buf text;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < depth; i++) {
        buf_append_cstr(&text, open);
    }
    buf_append_cstr(&text, inside);
    for (size_t i = 0; i < depth; i++) {
        buf_append_cstr(&text, close);
    }
    struct json_value root;
    struct err err = {0};
    bool parsed = json_parse((struct json_parser *)*state, buf_str(&text), &root, &err);
    if (!parsed) {
        assert_string_equal(err.message, "invalid JSON: nested too deeply");
    }
    buf_clear(&text);
    return parsed;
}

static void test_depth(void **state) {
    assert_true(parse_nested(state, MAX_DEPTH, "[", "", "]"));
    assert_true(parse_nested(state, MAX_DEPTH, "[", "1", "]"));
    /* simdjson does not count an empty array or object. */
    assert_true(parse_nested(state, MAX_DEPTH + 1, "[", "", "]"));
    assert_false(parse_nested(state, MAX_DEPTH + 2, "[", "", "]"));
    assert_false(parse_nested(state, MAX_DEPTH + 1, "[", "1", "]"));
    assert_true(parse_nested(state, MAX_DEPTH, "{\"a\":", "1", "}"));
    assert_false(parse_nested(state, MAX_DEPTH + 1, "{\"a\":", "1", "}"));
    assert_false(parse_nested(state, 100000, "[", "", "]"));
}

static void test_size_limit(void **state) {
    (void)state;
    struct json_parser *parser = json_parser_new(16, 4);
    struct json_value root;
    struct err err = {0};
    assert_true(json_parse(parser, STR("\"12345678901234\""), &root, &err));
    assert_false(json_parse(parser, STR("\"123456789012345\""), &root, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    json_parser_free(parser);
    json_parser_free(NULL);
}

static void test_iterating_an_object_gives_keys(void **state) {
    struct json_value root = parse(state, "{\"a\":[1,{\"inner\":2}],\"b\":{\"c\":[]},\"\\u0064\":1.5}");
    static const char *const keys[] = {"a", "b", "d"};
    static const enum json_type types[] = {JSON_ARRAY, JSON_OBJECT, JSON_NUMBER};
    struct json_iterator iterator;
    struct str key = {0};
    struct json_value item = {0};
    size_t count = 0;
    for (json_iterate(root, &iterator); count < COUNT_OF(keys) && json_next(&iterator, &key, &item); count++) {
        assert_true(str_equal_cstr(key, keys[count]));
        assert_int_equal(json_type_of(item), types[count]);
    }
    assert_int_equal(count, 3);
    assert_false(json_next(&iterator, &key, &item));
    json_iterate(member(root, "a"), &iterator);
    assert_true(json_next(&iterator, &key, &item));
    assert_int_equal(key.len, 0);
}

/* simdjson's own counter stops at 0xffffff. */
static void test_count_is_exact_for_large_arrays(void **state) {
    const size_t count = 0xffffff + 2;
    struct buf text;
    buf_init(&text, MAX_BYTES);
    buf_append_cstr(&text, "[0");
    for (size_t i = 1; i < count; i++) {
        buf_append(&text, ",0", 2);
    }
    buf_append_cstr(&text, "]");
    struct json_value root;
    struct err err = {0};
    assert_true(json_parse((struct json_parser *)*state, buf_str(&text), &root, &err));
    assert_int_equal(json_count(root), count);
    buf_clear(&text);
    assert_int_equal(json_count(parse(state, "[1,2]")), 2); /* the large buffers are given back and made anew */
}

static void test_repeated_keys(void **state) {
    static const struct {
        const char *text, *key; /* NULL: none is there twice */
    } cases[] = {
        {"1", NULL},
        {"{}", NULL},
        {"[{\"a\":1},{\"a\":1}]", NULL},
        {"{\"a\":{\"a\":{\"a\":1}}}", NULL},
        {"{\"a\":1,\"A\":1,\"\":1,\"a \":1}", NULL},
        {"{\"a\":1,\"a\":1}", "a"},
        {"{\"b\":1,\"a\":2,\"c\":3,\"a\":2}", "a"},
        {"{\"a\":1,\"\\u0061\":1}", "a"},
        {"{\"\":1,\"\":1}", ""},
        {"[[[{\"x\":[{\"y\":1,\"y\":2}]}]]]", "y"},
        {"{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"10\":0,\"11\":0,\"12\":0,"
         "\"13\":0,\"14\":0,\"15\":0,\"16\":{\"z\":0,\"z\":0}}",
         "z"},
        {"{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"10\":0,\"11\":0,\"12\":0,"
         "\"13\":0,\"14\":0,\"15\":0,\"16\":0,\"3\":0}",
         "3"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str key;
        if (json_repeated_key(parse(state, cases[i].text), &key) != (cases[i].key != NULL) ||
            (cases[i].key != NULL && !str_equal_cstr(key, cases[i].key))) {
            fail_msg("%s", cases[i].text);
        }
    }
}

/* Objects of any size, where the number of comparisons must not be that of all pairs: with a million keys this test
 * would not end. */
static void test_repeated_among_many_keys(void **state) {
    enum { KEYS = 1000 * 1000 };
    struct buf text;
    struct str key;
    buf_init(&text, MAX_BYTES);
    buf_append_cstr(&text, "{");
    for (int i = 0; i < KEYS; i++) {
        buf_append_format(&text, "\"key%07d\":0,", i);
    }
    const size_t len = text.len;
    buf_append_cstr(&text, "\"last\":0}");
    assert_false(json_repeated_key(parse(state, buf_cstr(&text)), &key));
    text.len = len;
    buf_append_cstr(&text, "\"key0500000\":0}");
    assert_true(json_repeated_key(parse(state, buf_cstr(&text)), &key));
    assert_true(str_equal(key, STR("key0500000")));
    buf_clear(&text);
}

static void test_serialize(void **state) {
    struct buf out;
    buf_init(&out, 4096);
    json_serialize(parse(state, " { \"a\\n\" : [ 1 , -2.50 , 1e2, true , null , \"\\u00fc\\/\" , { } , [ ] ] , "
                                "\"b\" : 18446744073709551615 } "),
                   &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"a\\n\":[1,-2.5,100,true,null,\"\xc3\xbc/\",{},[]],\"b\":18446744073709551615}");
    buf_reset(&out);
    json_serialize((struct json_value){0}, &out);
    assert_string_equal(buf_cstr(&out), "null");
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_wrong_types_are_refused),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_long_integers_leave_the_rest_alone),
        cmocka_unit_test(test_malformed_texts),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_iterating_an_object_gives_keys),
        cmocka_unit_test(test_count_is_exact_for_large_arrays),
        cmocka_unit_test(test_repeated_keys),
        cmocka_unit_test(test_repeated_among_many_keys),
        cmocka_unit_test(test_serialize),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
