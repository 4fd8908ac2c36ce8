/* Keys, from the command line to what is printed, on a data folder without a gateway. */
#include "cmd/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void the_secret_is_shown_once(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "key|create|%s|--data|@", account);
    assert_prints(fixture, "Key       key_");
    assert_prints(fixture, "\nSecret    nat_live_");
    assert_prints(fixture, "\nExpires   -\n\nThe secret is shown only now.\n");
    command_fixture_expect(fixture, COMMAND_OK, "key|list|%s|--data|@", account);
    assert_prints(fixture, "ID                         KIND  NAME                  SPENT USD        CAP USD  EXPIRES"
                           "    REVOKED\nkey_");
    assert_prints_not(fixture, "nat_");
}

static void what_a_key_may_do(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(
        fixture, COMMAND_OK,
        "key|create|%s|--test|--name|ci|--cap-usd|1.5|--expires-days|3|--model|a|--model|b|--json|--data|@", account);
    assert_prints(fixture, "\"kind\":\"test\",\"name\":\"ci\"");
    assert_prints(fixture, "\"cap_usd\":1.5,\"spent_usd\":0,\"models\":[\"a\",\"b\"],\"key\":\"nat_test_");
    assert_prints_not(fixture, "\"expires_at\":null");
    command_fixture_expect(fixture, COMMAND_FAILED, "key|create|%s|--cap-usd|lots|--data|@", account);
    assert_complains(fixture, "cap_usd");
    command_fixture_refuse(fixture, COMMAND_FAILED, "There is no account acct_none", "key|create|acct_none|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "key|create|a/b|--data|@");
}

static void a_revoked_key_is_listed_as_such(void **state) {
    struct command_fixture *fixture = *state;
    char account[64], id[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "key|create|%s|--name|ci|--cap-usd|2|--json|--data|@", account);
    command_fixture_member(fixture, "id", id, sizeof(id));
    command_fixture_expect(fixture, COMMAND_OK, "key|revoke|%s|--data|@", id);
    assert_printed(fixture, "%s is revoked.\n", id);
    command_fixture_expect(fixture, COMMAND_OK, "key|list|%s|--data|@", account);
    assert_prints(fixture, "\n%-26s live  ci                            0              2  -          20", id);
    command_fixture_refuse(fixture, COMMAND_FAILED, "There is no key key_none", "key|revoke|key_none|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'nat live' is no id", "key|revoke|nat live|--data|@");
}

static void the_list_comes_in_pages(void **state) {
    struct command_fixture *fixture = *state;
    char account[64], first[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "key|list|%s|--limit|1|--json|--data|@", account);
    command_fixture_member(fixture, "id", first, sizeof(first));
    command_fixture_expect(fixture, COMMAND_OK, "key|list|%s|--limit|1|--data|@", account);
    assert_prints(fixture, "There are more: --after %s\n", first);
    command_fixture_expect(fixture, COMMAND_OK, "key|list|%s|--after|%s|--data|@", account, first);
    assert_prints_not(fixture, first);
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "key|list|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "ACCOUNT is missing: whose keys", "key|list|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(the_secret_is_shown_once),
        DATA_TEST(what_a_key_may_do),
        DATA_TEST(a_revoked_key_is_listed_as_such),
        DATA_TEST(the_list_comes_in_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
