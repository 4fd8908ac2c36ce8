/* The bytes of receipts, their chain and their signatures, as docs/RECEIPTS.md has them. */
#include "wire/receipt.h"

#include "base/compiler.h"
#include "wire/receipt_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct receipt example(void) {
    struct receipt receipt = {.id = STR("chatcmpl-1"),
                              .account_id = STR("acct_1"),
                              .model = STR("m"),
                              .purpose = STR("request"),
                              .outcome = STR("completed"),
                              .created_ms = 0x0102030405,
                              .request_of = STR("body"),
                              .answer_bytes = 7,
                              .prompt_tokens = 3,
                              .completion_tokens = 5,
                              .charge_nano = 510,
                              .part_count = 2};
    memset(receipt.request_sha256, 1, sizeof(receipt.request_sha256));
    memset(receipt.answer_sha256, 2, sizeof(receipt.answer_sha256));
    memset(receipt.name, 3, sizeof(receipt.name));
    receipt.parts[0] = (struct receipt_part){.device_id = STR("prov_1"), .attempt = 1, .tokens = 2};
    memset(receipt.parts[0].sha256, 4, DIGEST_SHA256_SIZE);
    receipt.parts[1] = (struct receipt_part){.device_id = STR("prov_2"),
                                             .attempt = 2,
                                             .tokens = 3,
                                             .has_file = true,
                                             .has_claim = true,
                                             .claim = {.prompt_tokens = 3, .completion_tokens = 4}};
    memset(receipt.parts[1].sha256, 5, DIGEST_SHA256_SIZE);
    memset(receipt.parts[1].claim.sha256, 6, DIGEST_SHA256_SIZE);
    memset(receipt.parts[1].claim.signature, 7, ED25519_SIGNATURE_SIZE);
    return receipt;
}

static void written(const struct receipt *receipt, struct buf *out) {
    buf_init(out, RECEIPT_FILE_BYTES);
    receipt_write_bytes(receipt, out);
    assert_false(out->overflow);
}

static void what_is_written_is_read(void **state) {
    struct receipt receipt = example(), read;
    struct buf bytes, again;
    struct err err;
    (void)state;
    for (int differs = 0; differs < 2; differs++) {
        if (!differs) {
            memset(receipt.parts[1].claim.sha256, 5, DIGEST_SHA256_SIZE); /* the same is not there twice */
        } else {
            memset(receipt.parts[1].claim.sha256, 6, DIGEST_SHA256_SIZE);
        }
        written(&receipt, &bytes);
        assert_true(receipt_read_bytes(buf_str(&bytes), &read, &err));
        assert_true(str_equal(read.id, receipt.id));
        assert_int_equal(read.created_ms, receipt.created_ms);
        assert_int_equal(read.part_count, 2);
        assert_true(str_equal_cstr(read.parts[1].device_id, "prov_2"));
        assert_memory_equal(read.parts[1].claim.sha256, receipt.parts[1].claim.sha256, DIGEST_SHA256_SIZE);
        written(&read, &again);
        assert_int_equal(bytes.len, again.len);
        assert_memory_equal(bytes.data, again.data, bytes.len);
        buf_clear(&bytes);
        buf_clear(&again);
    }
}

static void anything_else_is_no_receipt(void **state) {
    const struct receipt receipt = example();
    struct receipt read;
    struct buf bytes;
    struct err err;
    (void)state;
    written(&receipt, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_false(receipt_read_bytes((struct str){bytes.data, len}, &read, &err));
    }
    buf_append_cstr(&bytes, "x");
    assert_false(receipt_read_bytes(buf_str(&bytes), &read, &err));
    bytes.data[0]++;
    assert_false(receipt_read_bytes((struct str){bytes.data, bytes.len - 1}, &read, &err));
    buf_clear(&bytes);
}

/* Of the bytes that docs/RECEIPTS.md shows. */
static void the_bytes_are_the_documented_ones(void **state) {
    static const char HEAD[] = "nataris receipt 1\n\x0a"
                               "chatcmpl-1\x06"
                               "acct_1\x01m\x07request\x09"
                               "completed\0\0\0\x01\x02\x03\x04\x05\x04"
                               "body\x01\x01";
    const struct receipt receipt = example();
    struct buf bytes;
    (void)state;
    written(&receipt, &bytes);
    assert_memory_equal(bytes.data, HEAD, sizeof(HEAD) - 1);
    buf_clear(&bytes);
}

static void each_link_hangs_on_all_of_it(void **state) {
    struct receipt_link link = {.day = 20787, .place = 1}, other;
    uint8_t first[DIGEST_SHA256_SIZE], second[DIGEST_SHA256_SIZE], leaf[DIGEST_SHA256_SIZE];
    (void)state;
    receipt_hash(&link, STR("bytes"), first);
    digest_sha256("bytes", 5, leaf);
    receipt_hash_on(&link, leaf, second);
    assert_memory_equal(first, second, sizeof(first));
    receipt_hash(&link, STR("bytez"), second);
    assert_memory_not_equal(first, second, sizeof(first));
    other = link;
    other.day++;
    receipt_hash(&other, STR("bytes"), second);
    assert_memory_not_equal(first, second, sizeof(first));
    other = link;
    other.place++;
    receipt_hash(&other, STR("bytes"), second);
    assert_memory_not_equal(first, second, sizeof(first));
    other = link;
    other.previous[31] = 1;
    receipt_hash(&other, STR("bytes"), second);
    assert_memory_not_equal(first, second, sizeof(first));
}

static void days_have_one_name(void **state) {
    static const char *const WRONG[] = {"",           "2026-11-3",   "2026-11-300", "2026-13-01", "2026-00-10",
                                        "2026-02-29", "2026-11-00",  "2026/11/30",  "x026-11-30", "2026-1-001",
                                        " 026-11-30", "2026-11-30 ", "+026-11-30"};
    char name[RECEIPT_DAY_SIZE];
    int64_t day = 0;
    (void)state;
    receipt_day_name(20787, name);
    assert_string_equal(name, "2026-11-30");
    assert_true(receipt_day_read(STR("2026-11-30"), &day));
    assert_int_equal(day, 20787);
    assert_true(receipt_day_read(STR("1970-01-01"), &day));
    assert_int_equal(day, 0);
    assert_true(receipt_day_read(STR("2028-02-29"), &day));
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        assert_false(receipt_day_read(str_from(WRONG[i]), &day));
    }
}

static void signatures_are_of_one_thing(void **state) {
    uint8_t private_key[ED25519_KEY_SIZE] = {1}, hash[DIGEST_SHA256_SIZE] = {2};
    struct receipt_signature signature;
    struct receipt_head head = {.day = 1, .count = 2};
    (void)state;
    receipt_sign(private_key, hash, &signature);
    assert_true(receipt_verify(&signature, hash));
    memcpy(head.hash, hash, sizeof(hash));
    assert_false(receipt_head_verify(&signature, &head)); /* a receipt's is no head's */
    hash[31]++;
    assert_false(receipt_verify(&signature, hash));
    receipt_head_sign(private_key, &head, &signature);
    assert_true(receipt_head_verify(&signature, &head));
    head.count++;
    assert_false(receipt_head_verify(&signature, &head));
    head.count--;
    head.day++;
    assert_false(receipt_head_verify(&signature, &head));
}

static void a_device_signs_what_it_has_delivered(void **state) {
    const uint8_t private_key[ED25519_KEY_SIZE] = {9};
    uint8_t public_key[ED25519_KEY_SIZE], salt[RECEIPT_SALT_SIZE] = {1}, name[RECEIPT_NAME_SIZE];
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    struct receipt_claim claim = {.prompt_tokens = 3, .completion_tokens = 4, .sha256 = {5}};
    (void)state;
    receipt_name(salt, name);
    assert_true(ed25519_public_from_private(private_key, public_key));
    const size_t len = receipt_claim_bytes(&claim, name, 2, bytes);
    assert_true(ed25519_sign(private_key, (struct str){(const char *)bytes, len}, claim.signature));
    assert_true(receipt_claim_verify(&claim, name, 2, public_key));
    assert_false(receipt_claim_verify(&claim, name, 3, public_key));
    name[0]++;
    assert_false(receipt_claim_verify(&claim, name, 2, public_key));
    name[0]--;
    claim.completion_tokens++;
    assert_false(receipt_claim_verify(&claim, name, 2, public_key));
    claim.completion_tokens--;
    claim.prompt_tokens++;
    assert_false(receipt_claim_verify(&claim, name, 2, public_key));
    claim.prompt_tokens--;
    claim.sha256[31]++;
    assert_false(receipt_claim_verify(&claim, name, 2, public_key));
}

static void files_are_read_as_they_were_written(void **state) {
    struct receipt_file file = {.receipt = example(), .link = {.day = 20787, .place = 9}, .has_salt = true}, read;
    struct json_parser *parser = json_parser_new(RECEIPT_FILE_BYTES, 8);
    struct json_writer writer;
    struct json_value root;
    struct buf text, again;
    struct err err;
    (void)state;
    for (int salted = 0; salted < 2; salted++) {
        file.has_salt = salted != 0;
        buf_init(&text, RECEIPT_FILE_BYTES);
        buf_init(&again, RECEIPT_FILE_BYTES);
        json_writer_init(&writer, &text);
        receipt_file_write(&file, &writer);
        assert_true(json_parse(parser, buf_str(&text), &root, &err));
        assert_true(receipt_file_read(root, &read, &err));
        json_writer_init(&writer, &again);
        receipt_file_write(&read, &writer);
        assert_string_equal(buf_cstr(&text), buf_cstr(&again));
        buf_clear(&text);
        buf_clear(&again);
    }
    json_parser_free(parser);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(anything_else_is_no_receipt),
        cmocka_unit_test(the_bytes_are_the_documented_ones),
        cmocka_unit_test(each_link_hangs_on_all_of_it),
        cmocka_unit_test(days_have_one_name),
        cmocka_unit_test(signatures_are_of_one_thing),
        cmocka_unit_test(a_device_signs_what_it_has_delivered),
        cmocka_unit_test(files_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
