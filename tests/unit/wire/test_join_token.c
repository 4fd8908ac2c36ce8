#include "wire/join_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_generated_tokens_pass_and_differ(void **state) {
    (void)state;
    char a[JOIN_TOKEN_SIZE], b[JOIN_TOKEN_SIZE];
    join_token_generate(a);
    join_token_generate(b);
    assert_int_equal(strlen(a), 5 + 32 + 6);
    assert_int_equal(strncmp(a, "join_", 5), 0);
    assert_true(join_token_check(str_from(a)));
    assert_true(join_token_check(str_from(b)));
    assert_string_not_equal(a, b);
}

/* The checksum is part of the format: CRC-32 over everything before it, in base62, computed here by another program. */
static void test_golden(void **state) {
    (void)state;
    assert_true(join_token_check(STR("join_0123456789ABCDEFGHIJKLMNOPQRSTUV2jgd5t")));
}

static void test_every_single_change_is_refused(void **state) {
    (void)state;
    char token[JOIN_TOKEN_SIZE];
    join_token_generate(token);
    for (size_t i = 0; i < strlen(token); i++) {
        char changed[JOIN_TOKEN_SIZE];
        memcpy(changed, token, sizeof(changed));
        changed[i] = token[i] == 'a' ? 'b' : 'a';
        assert_false(join_token_check(str_from(changed)));
    }
}

static void test_malformed(void **state) {
    (void)state;
    char token[JOIN_TOKEN_SIZE];
    join_token_generate(token);
    struct str whole = str_from(token);
    for (size_t length = 0; length < whole.len; length++) {
        assert_false(join_token_check((struct str){.data = token, .len = length}));
    }
    assert_false(join_token_check((struct str){.data = token, .len = sizeof(token)})); /* one byte more: the NUL */
    token[10] = '-';
    assert_false(join_token_check(whole));
    assert_false(join_token_check(STR("nat_live_0123456789ABCDEFGHIJKLMNOPQRST")));
}

static void test_hash_is_sha256_of_the_text(void **state) {
    (void)state;
    char hex[DIGEST_HEX_SIZE];
    uint8_t hash[DIGEST_SHA256_SIZE];
    join_token_hash(STR("abc"), hash);
    digest_hex(hash, sizeof(hash), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-2 B.1 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated_tokens_pass_and_differ), cmocka_unit_test(test_golden),
        cmocka_unit_test(test_every_single_change_is_refused),   cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_hash_is_sha256_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
