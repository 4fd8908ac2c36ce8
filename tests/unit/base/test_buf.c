#include "base/buf.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_append_grows_and_keeps(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    assert_string_equal(buf_cstr(&buf), "");
    for (int i = 0; i < 10000; i++) {
        assert_true(buf_append(&buf, "0123456789", 10));
    }
    assert_int_equal(buf.len, 100000);
    assert_memory_equal(buf.data + 99990, "0123456789", 10);
    buf_clear(&buf);
    assert_int_equal(buf_str(&buf).len, 0);
    assert_int_equal(buf.limit, 1 << 20);
}

static void test_limit_changes_nothing_and_sticks(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, 8);
    assert_true(buf_append_cstr(&buf, "12345678"));
    assert_false(buf.overflow);
    assert_false(buf_append(&buf, "9", 1));
    assert_true(buf.overflow);
    assert_string_equal(buf_cstr(&buf), "12345678");
    buf_consume(&buf, 4);
    assert_true(buf_append_cstr(&buf, "abcd"));
    assert_string_equal(buf_cstr(&buf), "5678abcd");
    assert_true(buf.overflow);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    buf_reset(&buf);
    assert_false(buf.overflow);
    assert_false(buf_append_format(&buf, "%s", "123456789"));
    assert_int_equal(buf.len, 0);
    buf_clear(&buf);
}

static void test_format_and_numbers(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, 4096);
    char longer[600];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_true(buf_append_format(&buf, "<%s>", longer));
    assert_int_equal(buf.len, sizeof(longer) + 1);
    assert_int_equal(buf.data[600], '>');
    buf_reset(&buf);
    buf_append_u64(&buf, 0);
    buf_append_cstr(&buf, " ");
    buf_append_u64(&buf, UINT64_MAX);
    assert_string_equal(buf_cstr(&buf), "0 18446744073709551615");
    buf_clear(&buf);
}

static void test_reserve_then_write(void **state) {
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    char *place = buf_reserve(&buf, 100);
    assert_non_null(place);
    memset(place, 'z', 100);
    buf.len += 100;
    assert_int_equal(strlen(buf_cstr(&buf)), 100);
    assert_non_null(buf_reserve(&buf, 0));
    buf_consume(&buf, 1000);
    assert_int_equal(buf.len, 0);
    buf_clear(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_grows_and_keeps),
        cmocka_unit_test(test_limit_changes_nothing_and_sticks),
        cmocka_unit_test(test_format_and_numbers),
        cmocka_unit_test(test_reserve_then_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
