#include "cmd/owner.h"

#include "support/store_fixture.h"

static int setup(void **state) {
    return store_fixture_setup(state);
}

static void test_the_owner_is_made_once(void **state) {
    struct store_fixture *fixture = *state;
    struct owner first = {0}, again = {0};
    struct err err;
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &first, &err));
    assert_true(first.account.owner);
    assert_int_equal(first.account.tier, STORE_TIER_UNLIMITED);
    assert_int_equal(first.account.balance_nano, STORE_WELCOME_CREDIT_NANO + OWNER_OWN_USE_NANO);
    store_fixture_reopen(fixture);
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &again, &err));
    assert_string_equal(again.account.id, first.account.id);
    assert_int_equal(again.account.balance_nano, first.account.balance_nano);
    assert_string_equal(again.live_key, first.live_key);
    assert_string_equal(again.test_key, first.test_key);
}

static bool count_key(void *context, const struct store_key *key) {
    int *counts = context;
    assert_int_equal(key->cap_nano, -1);
    assert_true(key->owner);
    counts[key->kind]++;
    return true;
}

static void test_lost_keys_are_made_anew(void **state) {
    struct store_fixture *fixture = *state;
    struct owner first = {0}, again = {0};
    struct err err;
    char path[128];
    int counts[2] = {0};
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &first, &err));
    assert_int_equal(unlink(temp_folder_file(&fixture->folder, "owner.json", path)), 0);
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &again, &err));
    assert_string_equal(again.account.id, first.account.id);
    assert_string_not_equal(again.live_key, first.live_key);
    assert_true(store_each_key(fixture->store, count_key, counts, &err));
    assert_int_equal(counts[STORE_KEY_LIVE], 2);
    assert_int_equal(counts[STORE_KEY_TEST], 2);
}

static void on_problem(void *context, const char *text) {
    (void)context;
    fail_msg("%s", text);
}

static void test_the_books_are_right(void **state) {
    struct store_fixture *fixture = *state;
    struct owner owner = {0};
    struct store_ledger_report report;
    struct err err;
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &owner, &err));
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &err));
    assert_int_equal(report.transactions, 2);
}

#define OWNER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        OWNER_TEST(test_the_owner_is_made_once),
        OWNER_TEST(test_lost_keys_are_made_anew),
        OWNER_TEST(test_the_books_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
