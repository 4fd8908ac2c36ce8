#include "cmd/owner.h"

#include "store/money.h"
#include "support/store_fixture.h"

#include <sys/stat.h>

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

static void write_owner_file(const struct store_fixture *fixture, const char *text) {
    char path[128];
    struct err err;
    assert_true(file_write_atomic(temp_folder_file(&fixture->folder, "owner.json", path), str_from(text), 0600, &err));
}

static void test_a_damaged_file_is_left_alone(void **state) {
    static const char *const TEXTS[] = {
        "", "{", "{}", "{\"api_key\":1,\"test_key\":2}", "{\"api_key\":\"nat_live_1\",\"test_key\":\"nat_test_1\"}",
    };
    struct store_fixture *fixture = *state;
    struct err err = {0};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct owner owner = {0};
        write_owner_file(fixture, TEXTS[i]);
        assert_false(owner_ensure(fixture->store, fixture->folder.path, &owner, &err));
        assert_non_null(strstr(err.message, "/owner.json is damaged; move it away to get new keys"));
    }
}

/* The only place where keys are kept in clear. */
static void test_the_file_is_for_its_owner_alone(void **state) {
    struct store_fixture *fixture = *state;
    struct owner owner = {0};
    struct stat facts;
    struct buf text;
    struct err err = {0};
    char path[128];
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &owner, &err));
    temp_folder_file(&fixture->folder, "owner.json", path);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    buf_init(&text, 4096);
    assert_true(file_read(path, &text, &err));
    assert_non_null(strstr(buf_cstr(&text), owner.live_key));
    assert_non_null(strstr(buf_cstr(&text), owner.test_key));
    assert_non_null(strstr(buf_cstr(&text), owner.account.id));
    buf_clear(&text);
}

static void test_invitations_differ(void **state) {
    struct store_fixture *fixture = *state;
    struct owner owner = {0};
    char first[JOIN_TOKEN_SIZE], second[JOIN_TOKEN_SIZE];
    struct err err = {0};
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &owner, &err));
    assert_true(owner_invite(fixture->store, &owner, 1, 1, first, &err));
    assert_true(owner_invite(fixture->store, &owner, 1, 1, second, &err));
    assert_string_not_equal(first, second);
    str_copy(owner.account.id, sizeof(owner.account.id), STR("acct_none"));
    assert_false(owner_invite(fixture->store, &owner, 1, 1, first, &err));
}

static void test_the_folder_of_the_store_is_made(void **state) {
    const struct store_fixture *fixture = *state;
    char folder[128], wanted[FILE_PATH_MAX], path[FILE_PATH_MAX];
    struct err err = {0};
    temp_folder_file(&fixture->folder, "made", folder);
    assert_true(owner_store_path(folder, path, &err));
    assert_true(file_join(wanted, folder, "nataris.db", &err));
    assert_string_equal(path, wanted);
    assert_true(file_exists(folder));
    assert_int_equal(rmdir(folder), 0);
}

#define OWNER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        OWNER_TEST(test_the_owner_is_made_once),
        OWNER_TEST(test_lost_keys_are_made_anew),
        OWNER_TEST(test_the_books_are_right),
        OWNER_TEST(test_a_damaged_file_is_left_alone),
        OWNER_TEST(test_the_file_is_for_its_owner_alone),
        OWNER_TEST(test_invitations_differ),
        OWNER_TEST(test_the_folder_of_the_store_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
