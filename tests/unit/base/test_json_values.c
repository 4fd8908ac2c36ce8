#include "base/json_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_usd(void **state) {
    (void)state;
    struct buf text;
    struct json_writer writer;
    buf_init(&text, 1024);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_usd(&writer, "a", 4750000000);
    json_member_usd(&writer, "b", -1);
    json_member_usd(&writer, "c", 0);
    json_end_object(&writer);
    assert_string_equal(buf_cstr(&text), "{\"a\":4.75,\"b\":-0.000000001,\"c\":0}");
    buf_clear(&text);
}

static void test_times_and_texts(void **state) {
    (void)state;
    struct buf text;
    struct json_writer writer;
    buf_init(&text, 1024);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_time(&writer, "at", 1769903999123);
    json_member_time(&writer, "never", 0);
    json_member_text(&writer, "text", STR("a\"b"));
    json_member_text(&writer, "none", STR(""));
    json_end_object(&writer);
    assert_string_equal(buf_cstr(&text), "{\"at\":\"2026-01-31T23:59:59.123Z\",\"never\":null,"
                                         "\"text\":\"a\\\"b\",\"none\":null}");
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_usd), cmocka_unit_test(test_times_and_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
