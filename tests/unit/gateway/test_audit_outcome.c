/* What follows of audits is kept in two places, the book and the database: a crash in between changes nothing. */
#include "unit/gateway/audit_fixture.h"

/* The quarantine of one that failed was not on disk when the gateway was killed: its next answer makes up for it. */
static void test_a_quarantine_that_a_crash_took_is_made_up_for(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    struct gateway_provider *provider = stranger.user;
    audit_once(fixture, &trusted, &stranger, 50);
    audit_once(fixture, &trusted, &stranger, 50);
    provider->device.standing = STORE_STANDING_SERVING;
    audit_once(fixture, &trusted, &stranger, -9);
    assert_int_equal(provider->device.standing, STORE_STANDING_QUARANTINED);
    assert_string_equal(fake_store.admin.actor, "audits");
    audits_clear(&audits);
}

/* Likewise the book's line of a release: what it says is older than the operator's word. */
static void test_a_release_that_a_crash_took_from_the_book_holds(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    struct gateway_provider *provider = stranger.user;
    audit_once(fixture, &trusted, &stranger, 50);
    audit_once(fixture, &trusted, &stranger, 50);
    provider->device.standing = STORE_STANDING_SERVING;
    provider->device.standing_ms = INT64_MAX;
    audit_once(fixture, &trusted, &stranger, -9);
    assert_int_equal(provider->device.standing, STORE_STANDING_SERVING);
    assert_false(known_of(fixture, &stranger).failed);
    audits_clear(&audits);
}

/* And the release of one that was cleared. */
static void test_a_return_that_a_crash_took_is_made_up_for(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    struct gateway_provider *provider = stranger.user;
    for (int i = 0; i < CORE_AUDIT_NEW_PASSED; i++) {
        audit_once(fixture, &trusted, &stranger, -9);
    }
    provider->device.standing = STORE_STANDING_QUARANTINED;
    (void)str_copy(provider->device.standing_reason, sizeof(provider->device.standing_reason),
                   STR(STORE_STANDING_BY_AUDITS));
    audit_once(fixture, &trusted, &stranger, -9);
    assert_int_equal(provider->device.standing, STORE_STANDING_SERVING);
    audits_clear(&audits);
}

/* One whose other file has failed is not let back by good answers with this one. */
static void test_who_cheats_with_two_files_is_cleared_of_both(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer trusted, stranger;
    struct audit_key other;
    const struct audit_evidence bad = {.at_ms = 1, .found = {.tokens = 40, .ratios = {-1, -2, -2, 50}}};
    open_with_short_cooldowns(fixture);
    join(fixture, &trusted, "acct_operator", NULL);
    join(fixture, &stranger, "acct_bob", NULL);
    const struct store_device *device = &shell_provider(&stranger)->device;
    const uint8_t sha256[DIGEST_SHA256_SIZE] = {1};
    audit_key_init(&other, shell_device_id(&stranger), sha256);
    for (int i = 0; i < 2; i++) {
        (void)audit_book_add(&fixture->shell.audit_book, &other, "other", &bad);
        audit_once(fixture, &trusted, &stranger, 50);
    }
    assert_int_equal(device->standing, STORE_STANDING_QUARANTINED);
    for (int i = 0; i < CORE_AUDIT_NEW_PASSED + 20 && known_of(fixture, &stranger).failed; i++) {
        audit_once(fixture, &trusted, &stranger, -9);
    }
    assert_false(known_of(fixture, &stranger).failed);
    assert_int_equal(device->standing, STORE_STANDING_QUARANTINED);
    audits_clear(&audits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_a_quarantine_that_a_crash_took_is_made_up_for),
        SHELL_TEST(test_a_release_that_a_crash_took_from_the_book_holds),
        SHELL_TEST(test_a_return_that_a_crash_took_is_made_up_for),
        SHELL_TEST(test_who_cheats_with_two_files_is_cleared_of_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
