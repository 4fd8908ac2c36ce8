#include "auth/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_generated_keys_pass(void **state) {
    (void)state;
    char live[KEY_SIZE], test[KEY_SIZE], other[KEY_SIZE];
    key_generate(STORE_KEY_LIVE, live);
    key_generate(STORE_KEY_LIVE, other);
    key_generate(STORE_KEY_TEST, test);
    assert_int_equal(strlen(live), 9 + 32 + 6);
    assert_int_equal(strlen(test), 9 + 32 + 6);
    assert_string_not_equal(live, other);
    assert_int_equal(strncmp(live, "nat_live_", 9), 0);
    assert_int_equal(strncmp(test, "nat_test_", 9), 0);
    enum store_key_kind kind = STORE_KEY_TEST;
    assert_true(key_check(str_from(live), &kind));
    assert_int_equal(kind, STORE_KEY_LIVE);
    assert_true(key_check(str_from(test), &kind));
    assert_int_equal(kind, STORE_KEY_TEST);
}

/* The checksum as another program (Python's zlib.crc32) computed it. */
static void test_golden(void **state) {
    (void)state;
    enum store_key_kind kind;
    assert_true(key_check(STR("nat_live_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7S"), &kind));
    assert_true(key_check(STR("nat_test_0123456789ABCDEFGHIJKLMNOPQRSTUV0ZxPbj"), &kind));
    assert_false(key_check(STR("nat_test_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7S"), &kind)); /* the live key's */
}

static void test_malformed_keys_are_refused(void **state) {
    (void)state;
    static const char *const malformed[] = {
        "",
        "nat_live_",
        "nat_test_",
        "nat_live_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7",
        "nat_live_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7SS",
        "nat_live_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7s",
        "nat_live_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7 ",
        "NAT_LIVE_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7S",
        "nat_dead_0123456789ABCDEFGHIJKLMNOPQRSTUV3Dlb7S",
        "sk-0123456789abcdefghijklmnopqrstuvwxyz0123456789",
    };
    enum store_key_kind kind;
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        assert_false(key_check(str_from(malformed[i]), &kind));
    }
}

static void test_every_swap_of_neighbours_is_noticed(void **state) {
    (void)state;
    enum store_key_kind kind;
    char key[KEY_SIZE];
    key_generate(STORE_KEY_LIVE, key);
    for (size_t i = 0; i + 1 < strlen(key); i++) {
        char swapped[KEY_SIZE];
        memcpy(swapped, key, sizeof(swapped));
        swapped[i] = key[i + 1];
        swapped[i + 1] = key[i];
        assert_int_equal(key_check(str_from(swapped), &kind), key[i] == key[i + 1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated_keys_pass),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_malformed_keys_are_refused),
        cmocka_unit_test(test_every_swap_of_neighbours_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
