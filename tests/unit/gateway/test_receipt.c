/* What a receipt says of who made an answer, and which signatures come into it. */
#include "gateway/receipt.h"

#include "unit/gateway/shell_fixture.h"

/* A device with a key of its own. */
struct signer {
    struct link_peer peer;
    uint8_t private_key[ED25519_KEY_SIZE], public_key[ED25519_KEY_SIZE];
};

static void join(struct shell_fixture *fixture, struct signer *signer, const char *name) {
    shell_join(fixture, &signer->peer, name, LINK_MODEL_WARM, 4096);
    ed25519_generate(signer->private_key, signer->public_key);
    struct gateway_provider *provider = signer->peer.user;
    memcpy(provider->device.public_key, signer->public_key, sizeof(signer->public_key));
}

static void salted(const char *text, uint8_t out[DIGEST_SHA256_SIZE]) {
    struct digest_stream *stream = digest_stream_new();
    digest_stream_update(stream, fake_store.receipt_salt, RECEIPT_SALT_SIZE);
    digest_stream_update(stream, text, strlen(text));
    digest_stream_finish(stream, out);
}

/* Done, signed; `wrong`: by nobody. */
static void sign_done(struct shell_fixture *fixture, struct signer *signer, const char *text, bool wrong) {
    struct link_done done = {.job = signer->peer.generation,
                             .finish = LINK_FINISH_STOP,
                             .usage = {.prompt_tokens = 10, .completion_tokens = 1},
                             .has_claim = true,
                             .claim = {.prompt_tokens = 10, .completion_tokens = 1}};
    uint8_t salt[RECEIPT_SALT_SIZE], name[RECEIPT_NAME_SIZE], bytes[RECEIPT_SIGNED_MAX];
    assert_true(digest_from_hex(str_from(signer->peer.salt), salt, sizeof(salt)));
    struct digest_stream *stream = digest_stream_new();
    digest_stream_update(stream, salt, sizeof(salt));
    digest_stream_update(stream, text, strlen(text));
    digest_stream_finish(stream, done.claim.sha256);
    receipt_name(salt, name);
    const size_t len = receipt_claim_bytes(&done.claim, name, signer->peer.attempt, bytes);
    assert_true(ed25519_sign(signer->private_key, (struct str){(const char *)bytes, len}, done.claim.signature));
    done.claim.signature[0] ^= wrong ? 1 : 0;
    PROVIDERS_LINK_EVENTS.on_done(&fixture->shell.providers, &signer->peer, &done);
}

static void read_receipt(struct receipt *out) {
    struct err err;
    assert_true(receipt_read_bytes((struct str){fake_store.receipt, fake_store.receipt_len}, out, &err));
}

static void test_one_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct signer signer;
    struct shell_call call = {0};
    struct receipt receipt;
    uint8_t sha256[DIGEST_SHA256_SIZE], name[RECEIPT_NAME_SIZE];
    join(fixture, &signer, "laptop");
    call.call.asked = STR("the body");
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &signer.peer);
    shell_delta(fixture, &signer.peer, "h", 0);
    shell_delta(fixture, &signer.peer, "i", 1);
    sign_done(fixture, &signer, "hi", false);
    read_receipt(&receipt);
    assert_true(str_equal_cstr(receipt.id, "chatcmpl-1"));
    assert_true(str_equal_cstr(receipt.outcome, "completed"));
    assert_true(str_equal_cstr(receipt.request_of, "body"));
    salted("the body", sha256);
    assert_memory_equal(receipt.request_sha256, sha256, sizeof(sha256));
    salted("hi", sha256);
    assert_memory_equal(receipt.answer_sha256, sha256, sizeof(sha256));
    assert_int_equal(receipt.answer_bytes, 2);
    receipt_name(fake_store.receipt_salt, name);
    assert_memory_equal(receipt.name, name, sizeof(name));
    assert_int_equal(receipt.part_count, 1);
    const struct receipt_part *part = &receipt.parts[0];
    assert_memory_equal(part->sha256, sha256, sizeof(sha256));
    assert_memory_equal(part->public_key, signer.public_key, sizeof(part->public_key));
    assert_true(part->has_claim);
    assert_true(receipt_claim_verify(&part->claim, receipt.name, part->attempt, part->public_key));
    shell_call_clear(&call);
}

static void test_two_devices(void **state) {
    struct shell_fixture *fixture = *state;
    static struct signer first, second;
    struct shell_call call = {0};
    struct receipt receipt;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    join(fixture, &first, "laptop");
    shell_ask(fixture, &call, "chatcmpl-1");
    join(fixture, &second, "phone");
    shell_accept(fixture, &first.peer);
    shell_delta(fixture, &first.peer, "one ", 1);
    shell_leave(&first.peer);
    SHELL_UNTIL(fixture, second.peer.generations > 0);
    shell_accept(fixture, &second.peer);
    shell_delta(fixture, &second.peer, "two", 1);
    sign_done(fixture, &second, "two", false);
    read_receipt(&receipt);
    assert_int_equal(receipt.part_count, 2);
    assert_true(str_equal_cstr(receipt.request_of, "messages"));
    salted("user 5\nhello\n", sha256);
    assert_memory_equal(receipt.request_sha256, sha256, sizeof(sha256));
    salted("one two", sha256);
    assert_memory_equal(receipt.answer_sha256, sha256, sizeof(sha256));
    salted("one ", sha256);
    assert_memory_equal(receipt.parts[0].sha256, sha256, sizeof(sha256));
    assert_false(receipt.parts[0].has_claim);
    salted("two", sha256);
    assert_memory_equal(receipt.parts[1].sha256, sha256, sizeof(sha256));
    assert_memory_equal(receipt.parts[1].claim.sha256, sha256, sizeof(sha256));
    assert_int_equal(receipt.parts[0].attempt + 1, receipt.parts[1].attempt);
    shell_call_clear(&call);
}

/* One that signs wrongly is paid, and none of its wrong ones is told from the first on. */
static void test_a_wrong_signature_is_left_out(void **state) {
    struct shell_fixture *fixture = *state;
    static struct signer signer;
    struct receipt receipt;
    join(fixture, &signer, "laptop");
    for (int i = 0; i < 200; i++) {
        struct shell_call call = {0};
        shell_ask(fixture, &call, "chatcmpl-1");
        shell_accept(fixture, &signer.peer);
        shell_delta(fixture, &signer.peer, "hi", 1);
        sign_done(fixture, &signer, "hi", i % 3 != 2);
        read_receipt(&receipt);
        assert_int_equal(call.finished, 1);
        assert_int_equal(receipt.part_count, 1);
        assert_int_equal(receipt.parts[0].has_claim, i % 3 == 2);
        shell_call_clear(&call);
    }
}

/* One that begins later is found, too. */
static void test_signatures_are_sampled(void **state) {
    const uint8_t name[RECEIPT_NAME_SIZE] = {1}, public_key[ED25519_KEY_SIZE] = {2};
    const struct receipt_claim wrong = {0};
    struct receipt_checks checks = {.seen = 1000};
    unsigned passed = 0;
    (void)state;
    while (passed < 100000 && receipt_checks_pass(&checks, &wrong, name, 1, public_key, "prov_1")) {
        passed++;
    }
    assert_true(passed < 100000);
    assert_true(checks.wrong);
    for (int i = 0; i < 100; i++) {
        assert_false(receipt_checks_pass(&checks, &wrong, name, 1, public_key, "prov_1"));
    }
}

static void test_an_empty_answer(void **state) {
    struct shell_fixture *fixture = *state;
    static struct signer signer;
    struct shell_call call = {0};
    struct receipt receipt;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    join(fixture, &signer, "laptop");
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &signer.peer);
    sign_done(fixture, &signer, "", false);
    read_receipt(&receipt);
    salted("", sha256);
    assert_memory_equal(receipt.answer_sha256, sha256, sizeof(sha256));
    assert_int_equal(receipt.answer_bytes, 0);
    assert_int_equal(receipt.charge_nano, 0);
    shell_call_clear(&call);
}

/* What comes after the client has gone is not in it. */
static void test_a_client_that_goes(void **state) {
    struct shell_fixture *fixture = *state;
    static struct signer signer;
    struct shell_call call = {.leaves_at_text = true};
    struct receipt receipt;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    join(fixture, &signer, "laptop");
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &signer.peer);
    shell_delta(fixture, &signer.peer, "seen", 1);
    shell_delta(fixture, &signer.peer, " unseen", 1);
    sign_done(fixture, &signer, "seen unseen", false);
    SHELL_UNTIL(fixture, fake_store.settled > 0);
    read_receipt(&receipt);
    assert_true(str_equal_cstr(receipt.outcome, "cancelled"));
    salted("seen", sha256);
    assert_memory_equal(receipt.answer_sha256, sha256, sizeof(sha256));
    assert_memory_equal(receipt.parts[0].sha256, sha256, sizeof(sha256));
    salted("seen unseen", sha256);
    assert_memory_equal(receipt.parts[0].claim.sha256, sha256, sizeof(sha256));
    shell_call_clear(&call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_one_device),
        SHELL_TEST(test_two_devices),
        SHELL_TEST(test_a_wrong_signature_is_left_out),
        cmocka_unit_test(test_signatures_are_sampled),
        SHELL_TEST(test_an_empty_answer),
        SHELL_TEST(test_a_client_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
