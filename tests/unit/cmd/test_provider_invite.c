/* Join tokens, on a data folder with and without a gateway's address. */
#include "cmd/provider_invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "cmd/network.h"
#include "support/command_fixture.h"

#include <sqlite3.h>

/* The folder as a gateway at this address leaves it. */
static int setup(void **state) {
    command_fixture_setup_data(state);
    struct command_fixture *fixture = *state;
    struct store *store = command_fixture_store(fixture);
    assert_true(store_setting_set(store, "origin", "http://127.0.0.1:81", &fixture->err));
    store_close(store);
    return 0;
}

struct expected {
    const char *account; /* NULL: the owner's */
    int uses;
    int64_t hours;
};

/* The store knows the token that the last command printed as JSON. */
static void assert_stored(struct command_fixture *fixture, struct expected expected) {
    static const char SQL[] =
        "SELECT account_id, uses_left, expires_ms - created_ms FROM join_tokens WHERE sha256 = ?1";
    char token[JOIN_TOKEN_SIZE];
    uint8_t hash[DIGEST_SHA256_SIZE];
    sqlite3 *db;
    sqlite3_stmt *rows;
    command_fixture_member(fixture, "token", token, sizeof(token));
    join_token_hash(str_from(token), hash);
    assert_int_equal(sqlite3_open(temp_tree_path(&fixture->tree, "nataris.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, SQL, -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_blob(rows, 1, hash, sizeof(hash), SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    if (expected.account != NULL) {
        assert_string_equal((const char *)sqlite3_column_text(rows, 0), expected.account);
    }
    assert_int_equal(sqlite3_column_int(rows, 1), expected.uses);
    assert_int_equal(sqlite3_column_int64(rows, 2), expected.hours * 3600 * 1000);
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void a_command_to_paste(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|--data|@");
    assert_prints(fixture, "On the other device, within 24 hours:\n\n"
                           "  nataris provider --gateway http://127.0.0.1:81 --join ");
    assert_prints(fixture, " --data ~/.nataris\n");
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|--uses|3|--hours|1|--url|https://g|--data|@");
    assert_prints(fixture, "On each of the other devices, within 1 hours:\n\n"
                           "  nataris provider --gateway https://g --join ");
}

static void tokens_are_kept_as_hashes(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|--json|--data|@");
    assert_prints(fixture, "\",\"url\":\"http://127.0.0.1:81\"}\n");
    assert_stored(fixture, (struct expected){.uses = 1, .hours = 24});
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|--json|--uses|5|--hours|0|--account|%s|--data|@",
                           account);
    assert_stored(fixture, (struct expected){.account = account, .uses = 5, .hours = 0});
}

static void what_cannot_be(void **state) {
    struct command_fixture *fixture = *state;
    char url[NETWORK_URL_SIZE + 1];
    command_fixture_refuse(fixture, COMMAND_FAILED, "--data DIR is needed: the gateway's data folder",
                           "provider|invite");
    command_fixture_refuse(fixture, COMMAND_FAILED, "--uses must be at least 1", "provider|invite|--uses|0|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/none is no data folder: start a gateway there first",
                           "provider|invite|--data|@/none");
    command_fixture_refuse(fixture, COMMAND_FAILED, "there is no account 'acct_none'",
                           "provider|invite|--account|acct_none|--data|@");
    memset(url, 'a', sizeof(url));
    url[sizeof(url) - 1] = '\0';
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|invite|--url|%s|--data|@", url);
    assert_complains(fixture, "--url is too long");
}

/* No gateway has run in this folder yet, so nobody knows its address. */
static void the_address_must_be_known(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|invite|--data|@");
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|--data|@|--url|https://g");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_to_paste, setup, command_fixture_teardown),
        cmocka_unit_test_setup_teardown(tokens_are_kept_as_hashes, setup, command_fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be, setup, command_fixture_teardown),
        DATA_TEST(the_address_must_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
