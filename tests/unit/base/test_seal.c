#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_a_text_comes_back(void **state) {
    (void)state;
    const uint8_t key[SEAL_KEY_SIZE] = {1};
    const struct str texts[] = {STR(""), STR("a"), STR("a longer text, more than one block of it")};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t sealed[128];
        char open[128];
        size_t length;
        seal_text(key, texts[i], sealed);
        assert_true(seal_open(key, (struct str){(const char *)sealed, texts[i].len + SEAL_EXTRA}, open, &length));
        assert_int_equal(length, texts[i].len);
        assert_memory_equal(open, texts[i].data, length);
    }
}

static void test_the_text_is_not_to_be_seen(void **state) {
    (void)state;
    const uint8_t key[SEAL_KEY_SIZE] = {1};
    const struct str text = STR("the quick brown fox");
    uint8_t one[64], two[64];
    seal_text(key, text, one);
    seal_text(key, text, two);
    assert_null(memmem(one, text.len + SEAL_EXTRA, "quick", 5));
    assert_memory_not_equal(one, two, text.len + SEAL_EXTRA); /* the nonce is new each time */
}

static void test_another_key_and_changed_bytes_are_refused(void **state) {
    (void)state;
    const uint8_t key[SEAL_KEY_SIZE] = {1}, other[SEAL_KEY_SIZE] = {0};
    const struct str text = STR("text");
    uint8_t sealed[64];
    char open[64];
    size_t length;
    seal_text(key, text, sealed);
    const struct str whole = {(const char *)sealed, text.len + SEAL_EXTRA};
    assert_false(seal_open(other, whole, open, &length));
    assert_false(seal_open(key, (struct str){whole.data, whole.len - 1}, open, &length));
    assert_false(seal_open(key, (struct str){whole.data, SEAL_EXTRA - 1}, open, &length));
    for (size_t i = 0; i < whole.len; i++) {
        sealed[i] ^= 1;
        assert_false(seal_open(key, whole, open, &length));
        sealed[i] ^= 1;
    }
    assert_true(seal_open(key, whole, open, &length));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_comes_back),
        cmocka_unit_test(test_the_text_is_not_to_be_seen),
        cmocka_unit_test(test_another_key_and_changed_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
