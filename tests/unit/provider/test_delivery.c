#include "provider/delivery.h"

#include "base/digest.h"
#include "provider/job_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t private_key[ED25519_KEY_SIZE] = {7};

static void what_was_delivered_is_signed(void **state) {
    const struct gen_signing asked = {.salt = STR("000102030405060708090a0b0c0d0e0f"), .attempt = 3};
    struct link_done done = {.usage = {.prompt_tokens = 5, .completion_tokens = 6}};
    uint8_t public_key[ED25519_KEY_SIZE], salt[RECEIPT_SALT_SIZE], name[RECEIPT_NAME_SIZE], sha256[DIGEST_SHA256_SIZE];
    (void)state;
    struct delivery *delivery = delivery_new(&asked);
    delivery_add(delivery, STR("one "));
    delivery_add(delivery, STR(""));
    delivery_add(delivery, STR("two"));
    struct ed25519_signer *signer = ed25519_signer_new(private_key);
    delivery_sign(delivery, signer, &done);
    ed25519_signer_free(signer);
    assert_true(done.has_claim);
    assert_true(digest_from_hex(asked.salt, salt, sizeof(salt)));
    receipt_name(salt, name);
    assert_true(ed25519_public_from_private(private_key, public_key));
    assert_int_equal(done.claim.prompt_tokens, 5);
    assert_int_equal(done.claim.completion_tokens, 6);
    assert_true(receipt_claim_verify(&done.claim, name, 3, public_key));
    digest_sha256("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0fone two", 16 + 7, sha256);
    assert_memory_equal(done.claim.sha256, sha256, sizeof(sha256));
    delivery_free(delivery);
}

static void nothing_is_asked_for(void **state) {
    const struct gen_signing asked = {.salt = STR("")};
    struct link_done done = {0};
    (void)state;
    struct delivery *delivery = delivery_new(&asked);
    assert_null(delivery);
    delivery_add(delivery, STR("text"));
    struct ed25519_signer *signer = ed25519_signer_new(private_key);
    delivery_sign(delivery, signer, &done);
    ed25519_signer_free(signer);
    assert_false(done.has_claim);
    delivery_free(delivery);
}

/* The table gives its jobs' deliveries free, at their end and at its own. */
static void the_table_owns_them(void **state) {
    const struct gen_signing asked = {.salt = STR("000102030405060708090a0b0c0d0e0f")};
    struct job_table table;
    (void)state;
    job_table_init(&table);
    for (int i = 0; i < 40; i++) {
        struct job_slot *slot = job_table_take(&table);
        job_table_set_state(&table, slot, JOB_RUNNING);
        slot->delivery = delivery_new(&asked);
        const uint64_t id = job_table_id(&table, slot);
        assert_ptr_equal(job_table_find(&table, id), slot);
        if (i % 2 == 0) {
            job_table_set_state(&table, slot, JOB_FREE);
            assert_null(job_table_find(&table, id));
        }
    }
    assert_int_equal(table.running, 20);
    job_table_clear(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_delivered_is_signed),
        cmocka_unit_test(nothing_is_asked_for),
        cmocka_unit_test(the_table_owns_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
