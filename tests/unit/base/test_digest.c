#include "base/compiler.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_hashes(void **state) {
    (void)state;
    uint8_t hash[DIGEST_SHA256_SIZE], sha1[DIGEST_SHA1_SIZE];
    char hex[DIGEST_HEX_SIZE];
    digest_sha256("abc", 3, hash);
    digest_hex(hash, sizeof(hash), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256("", 0, hash);
    digest_hex(hash, sizeof(hash), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_sha1("abc", 3, sha1);
    digest_hex(sha1, sizeof(sha1), hex);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(digest_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(digest_crc32("", 0), 0);
}

static void test_stream_equals_one_call(void **state) {
    (void)state;
    uint8_t whole[DIGEST_SHA256_SIZE], pieces[DIGEST_SHA256_SIZE];
    struct digest_stream *stream = digest_stream_new();
    digest_stream_update(stream, "hello ", 6);
    digest_stream_update(stream, "", 0);
    digest_stream_update(stream, "world", 5);
    digest_stream_finish(stream, pieces);
    digest_sha256("hello world", 11, whole);
    assert_true(digest_equal(whole, pieces, sizeof(whole)));
    pieces[31] ^= 1;
    assert_false(digest_equal(whole, pieces, sizeof(whole)));
}

static void test_base64(void **state) {
    (void)state;
    /* RFC 4648, section 10. */
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff", "+/8="},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char text[16];
        uint8_t bytes[8];
        size_t len = 99;
        digest_base64_encode(pairs[i][0], strlen(pairs[i][0]), text);
        assert_string_equal(text, pairs[i][1]);
        assert_true(digest_base64_decode(str_from(text), bytes, sizeof(bytes), &len));
        assert_int_equal(len, strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], len);
    }
}

static void test_base64_is_strict(void **state) {
    (void)state;
    static const char *const bad[] = {"Zg",   "Zg=",      "Zg===",  "=",    "====", "Z===",     "Zh==",
                                      "Zm9=", "Zg==Zg==", "Zm9v\n", "Zm v", "Zm-_", "Zm9vY=g=", "Zm9vZm9vZm9v"};
    uint8_t bytes[8];
    size_t len;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(digest_base64_decode(str_from(bad[i]), bytes, sizeof(bytes), &len));
    }
    assert_false(digest_base64_decode(STR("Zm9\0"), bytes, sizeof(bytes), &len));
    assert_true(digest_base64_decode(STR("Zm9v"), bytes, 3, &len));
    assert_false(digest_base64_decode(STR("Zm9v"), bytes, 2, &len));
}

static void read_hex(const char *hex, uint8_t *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        out[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 | (strchr(digits, hex[2 * i + 1]) - digits));
    }
}

static void test_ed25519_known_answer(void **state) {
    (void)state;
    /* RFC 8032, section 7.1, test 2. */
    uint8_t private_key[ED25519_KEY_SIZE], expected[ED25519_SIGNATURE_SIZE], public_key[ED25519_KEY_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    char hex[DIGEST_HEX_SIZE];
    read_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", private_key);
    read_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
             expected);
    assert_true(ed25519_public_from_private(private_key, public_key));
    digest_hex(public_key, sizeof(public_key), hex);
    assert_string_equal(hex, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    assert_true(ed25519_sign(private_key, STR("\x72"), signature));
    struct ed25519_signer *signer = ed25519_signer_new(private_key);
    for (int i = 0; i < 2; i++) {
        uint8_t again[ED25519_SIGNATURE_SIZE];
        assert_true(ed25519_signer_sign(signer, STR("\x72"), again));
        assert_memory_equal(again, signature, sizeof(again));
    }
    ed25519_signer_free(signer);
    assert_memory_equal(signature, expected, sizeof(expected));
    assert_true(ed25519_verify(public_key, STR("\x72"), signature));
}

static void test_ed25519_refuses_changes(void **state) {
    (void)state;
    uint8_t private_key[ED25519_KEY_SIZE], public_key[ED25519_KEY_SIZE], signature[ED25519_SIGNATURE_SIZE];
    ed25519_generate(private_key, public_key);
    assert_true(ed25519_sign(private_key, STR("challenge"), signature));
    assert_true(ed25519_verify(public_key, STR("challenge"), signature));
    assert_false(ed25519_verify(public_key, STR("challengf"), signature));
    signature[0] ^= 1;
    assert_false(ed25519_verify(public_key, STR("challenge"), signature));
    signature[0] ^= 1;
    public_key[5] ^= 1;
    assert_false(ed25519_verify(public_key, STR("challenge"), signature));
    memset(public_key, 0xff, sizeof(public_key));
    assert_false(ed25519_verify(public_key, STR("challenge"), signature));
    assert_true(ed25519_sign(private_key, STR(""), signature));
}

/* The eight points of small order, each with both signs, and the names that some of them have beside their own: with
 * such a key, R the neutral point and S 0 the signature is good for every message, or for every eighth. */
static void test_ed25519_refuses_keys_of_small_order(void **state) {
    static const char *const KEYS[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p, which is 0 */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* another y above p */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t signature[ED25519_SIGNATURE_SIZE] = {1};
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(KEYS); i++) {
        uint8_t key[ED25519_KEY_SIZE];
        for (size_t j = 0; j < sizeof(key); j++) {
            char byte[3] = {KEYS[i / 2][2 * j], KEYS[i / 2][2 * j + 1], '\0'};
            key[j] = (uint8_t)strtoul(byte, NULL, 16);
        }
        key[ED25519_KEY_SIZE - 1] = (uint8_t)(key[ED25519_KEY_SIZE - 1] | (i % 2 == 1 ? 0x80 : 0));
        assert_false(ed25519_key_is_sound(key));
        static const char messages[] = "abcdefghijklmnopqrstuvwxyz";
        for (size_t j = 0; messages[j] != '\0'; j++) {
            assert_false(ed25519_verify(key, (struct str){&messages[j], 1}, signature));
        }
    }
}

static void test_ed25519_keys_are_sound(void **state) {
    (void)state;
    for (int i = 0; i < 64; i++) {
        uint8_t private_key[ED25519_KEY_SIZE], public_key[ED25519_KEY_SIZE];
        ed25519_generate(private_key, public_key);
        assert_true(ed25519_key_is_sound(public_key));
    }
    uint8_t nearly[ED25519_KEY_SIZE]; /* p - 2: the largest y that is not special */
    memset(nearly, 0xff, sizeof(nearly));
    nearly[0] = 0xeb;
    nearly[ED25519_KEY_SIZE - 1] = 0x7f;
    assert_true(ed25519_key_is_sound(nearly));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_stream_equals_one_call),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_ed25519_known_answer),
        cmocka_unit_test(test_ed25519_refuses_changes),
        cmocka_unit_test(test_ed25519_refuses_keys_of_small_order),
        cmocka_unit_test(test_ed25519_keys_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
