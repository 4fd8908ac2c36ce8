/* The names of fields that change nothing. */
#include "format/ignored.h"

#include "base/utf8.h"
#include "support/request_reader.h"

static void test_known_fields_are_not_named(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, "\"user\":\"u\",\"metadata\":{\"a\":\"b\"},\"store\":true,\"top_k\":1,"
                                            "\"nothing\":null"));
    assert_int_equal(reader->input.ignored.len, 0);
}

static void test_unknown_ones_are(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_members(reader, "\"trace\":{\"deep\":[1]},\"keep_alive\":\"5m\",\"a\\\"b\\u0000\":0"));
    assert_str_equal(reader->input.ignored, "\"ignored\":[\"trace\",\"keep_alive\",\"a\\\"b\\u0000\"]");
    assert_true(reader_read_members(reader, "\"stream\":true,\"stream_options\":{\"include_usage\":true,"
                                            "\"include_obfuscation\":false,\"continuous_usage_stats\":true}"));
    assert_str_equal(reader->input.ignored, "\"ignored\":[\"stream_options.continuous_usage_stats\"]");
}

static void test_more_than_are_told(void **state) {
    struct request_reader *reader = *state;
    struct buf members;
    buf_init(&members, 1 << 16);
    for (int i = 0; i < IGNORED_NAMES_MAX + 3; i++) {
        buf_append_format(&members, "%s\"x%d\":%d", i > 0 ? "," : "", i, i);
    }
    assert_true(reader_read_members(reader, buf_cstr(&members)));
    assert_non_null(strstr(reader->input.ignored.data, ",\"x15\"],\"ignored_more\":3"));
    buf_reset(&members);
    for (int i = 0; i <= LIMIT_UNKNOWN_FIELDS; i++) {
        buf_append_format(&members, "%s\"x%d\":%d", i > 0 ? "," : "", i, i);
    }
    assert_false(reader_read_members(reader, buf_cstr(&members)));
    assert_non_null(strstr(reader->err.message, "more than 256 fields"));
    buf_clear(&members);
}

static void test_long_names_are_cut_between_characters(void **state) {
    struct ignored ignored = {0};
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char name[200];
        memset(name, 'x', shift);
        for (size_t at = shift; at + 4 <= sizeof(name); at += 4) {
            memcpy(name + at, "\xF0\x9F\x99\x82", 4);
        }
        ignored_add(&ignored, "messages[].", (struct str){.data = name, .len = 196 + shift});
        const struct ignored_name *made = &ignored.names[shift];
        assert_in_range(made->len, IGNORED_NAME_BYTES - 3, IGNORED_NAME_BYTES);
        assert_true(utf8_valid(made->text, made->len));
    }
    assert_int_equal(ignored.count, 4);
    ignored_add(&ignored, "", STR(""));
    ignored_add(&ignored, "", STR(""));
    assert_int_equal(ignored.count, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_fields_are_not_named),
        cmocka_unit_test(test_unknown_ones_are),
        cmocka_unit_test(test_more_than_are_told),
        cmocka_unit_test(test_long_names_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, reader_setup, reader_teardown);
}
