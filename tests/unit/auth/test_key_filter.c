/* The filter over the hashes of keys. */
#include "auth/key_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void hash_of(uint32_t number, uint8_t out[DIGEST_SHA256_SIZE]) {
    digest_sha256(&number, sizeof(number), out);
}

/* How many of so many keys that were not added it lets through. */
static int let_through(uint64_t room, uint32_t added) {
    struct key_filter filter = {0};
    uint8_t sha256[DIGEST_SHA256_SIZE];
    int through = 0;
    key_filter_init(&filter, room);
    for (uint32_t i = 0; i < added; i++) {
        hash_of(i, sha256);
        key_filter_add(&filter, sha256);
    }
    for (uint32_t i = 0; i < added; i++) {
        hash_of(i, sha256);
        assert_true(key_filter_may_hold(&filter, sha256));
    }
    for (uint32_t i = 0; i < 10000; i++) {
        hash_of(added + i, sha256);
        through += key_filter_may_hold(&filter, sha256);
    }
    key_filter_clear(&filter);
    return through;
}

static void test_it_holds_what_was_added_and_little_else(void **state) {
    (void)state;
    assert_int_equal(let_through(0, 0), 0);
    assert_in_range(let_through(16384, 16384), 0, 40);      /* of 10,000; 24 are expected */
    assert_in_range(let_through(16384, 2 * 16384), 0, 400); /* 240 */
}

static void test_without_room_it_says_no_to_nobody(void **state) {
    struct key_filter filter = {0};
    uint8_t sha256[DIGEST_SHA256_SIZE];
    (void)state;
    hash_of(1, sha256);
    key_filter_add(&filter, sha256);
    assert_true(key_filter_may_hold(&filter, sha256));
    key_filter_clear(&filter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_holds_what_was_added_and_little_else),
        cmocka_unit_test(test_without_room_it_says_no_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
