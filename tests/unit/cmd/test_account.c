/* Accounts, from the command line to what is printed, on a data folder without a gateway. */
#include "cmd/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void a_new_account_shows_its_keys_once(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "account|create|Ada|--data|@");
    assert_prints(fixture, "Account   acct_");
    assert_prints(fixture, "\nAPI key   nat_live_");
    assert_prints(fixture, "\nTest key  nat_test_");
    assert_prints(fixture, "\nBalance   $5\n\nThe keys are shown only now.\n");
    command_fixture_expect(fixture, COMMAND_OK, "account|create|Bo|--tier|pro|--json|--data|@");
    assert_prints(fixture, "\"api_key\":\"nat_live_");
    assert_prints(fixture, "\"test_key\":\"nat_test_");
    assert_prints(fixture, "\"balance_usd\":5}\n");
    command_fixture_refuse(fixture, COMMAND_FAILED, "nataris: tier must be free, starter, pro or unlimited.\n",
                           "account|create|Cy|--tier|gold|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "NAME is missing", "account|create|--data|@");
}

static void the_list_has_a_row_for_each(void **state) {
    struct command_fixture *fixture = *state;
    char id[64];
    command_fixture_account(fixture, "Ada", id, sizeof(id));
    command_fixture_expect(fixture, COMMAND_OK, "account|suspend|%s|--data|@", id);
    command_fixture_expect(fixture, COMMAND_OK, "account|list|--data|@");
    assert_prints(fixture, "ID                         NAME                 TIER            BALANCE USD  SINCE\nacct_");
    assert_prints(fixture, " owner                unlimited           1000005  20");
    assert_prints(fixture, " owner\n");
    assert_prints(fixture, "\n%-26s %-20s %-10s %16s  20", id, "Ada", "free", "5");
    assert_prints(fixture, " suspended\n");
    assert_prints_not(fixture, "There are more");
}

static void the_list_comes_in_pages(void **state) {
    struct command_fixture *fixture = *state;
    char id[64], first[64];
    command_fixture_account(fixture, "Ada", id, sizeof(id));
    command_fixture_expect(fixture, COMMAND_OK, "account|list|--limit|1|--json|--data|@");
    assert_prints(fixture, "\"has_more\":true");
    command_fixture_member(fixture, "id", first, sizeof(first));
    command_fixture_expect(fixture, COMMAND_OK, "account|list|--limit|1|--data|@");
    assert_prints(fixture, "There are more: --after %s\n", first);
    command_fixture_expect(fixture, COMMAND_OK, "account|list|--after|%s|--data|@", first);
    assert_prints(fixture, "%s", id);
    assert_prints_not(fixture, first);
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "account|list|--after|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "limit", "account|list|--limit|0|--data|@");
}

static void one_account_in_lines(void **state) {
    struct command_fixture *fixture = *state;
    char id[64];
    command_fixture_account(fixture, "Ada", id, sizeof(id));
    command_fixture_expect(fixture, COMMAND_OK, "account|show|%s|--data|@", id);
    assert_prints(fixture, "Account    %s\nName       Ada\nTier       free\nSuspended  no\nOwner      no\nSince      ",
                  id);
    assert_prints(fixture, "\nBalance    5\nGiven      5\nOn hold    0\nRequests   0\nAudits     yes\n");
    command_fixture_expect(fixture, COMMAND_OK, "account|show|%s|--json|--data|@", id);
    assert_prints(fixture, "\"tier\":\"free\",\"suspended\":false");
    command_fixture_refuse(fixture, COMMAND_FAILED, "There is no such account.", "account|show|acct_none|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'../keys' is no id", "account|show|../keys|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "ID is missing", "account|show|--data|@");
}

static void tiers_and_suspension(void **state) {
    struct command_fixture *fixture = *state;
    char id[64];
    command_fixture_account(fixture, "Ada", id, sizeof(id));
    command_fixture_expect(fixture, COMMAND_OK, "account|set-tier|%s|starter|--data|@", id);
    assert_printed(fixture, "%s: tier starter, active\n", id);
    command_fixture_expect(fixture, COMMAND_OK, "account|suspend|%s|--data|@", id);
    assert_printed(fixture, "%s: tier starter, suspended\n", id);
    command_fixture_expect(fixture, COMMAND_OK, "account|suspend|%s|--undo|--json|--data|@", id);
    assert_prints(fixture, "\"tier\":\"starter\",\"suspended\":false");
    command_fixture_expect(fixture, COMMAND_OK, "account|set-audits|%s|off|--data|@", id);
    assert_printed(fixture, "%s: audits off: none of its prompts is shown to a device that does not answer it\n", id);
    command_fixture_expect(fixture, COMMAND_OK, "account|set-audits|%s|on|--json|--data|@", id);
    assert_prints(fixture, "\"audits\":true");
    command_fixture_expect(fixture, COMMAND_USAGE, "account|set-audits|%s|maybe|--data|@", id);
    assert_complains(fixture, "audits are on or off, not maybe");
    command_fixture_expect(fixture, COMMAND_USAGE, "account|set-tier|%s|--data|@", id);
    assert_complains(fixture, "TIER is missing");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a b' is no id", "account|suspend|a b|--data|@");
}

static void a_data_folder_is_needed(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_FAILED, "--data DIR is needed: the gateway's data folder", "account|list");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/none is no data folder: start a gateway there first",
                           "account|list|--data|@/none");
    setenv("NATARIS_DATA", fixture->tree.path, 1);
    command_fixture_expect(fixture, COMMAND_OK, "account|list");
    unsetenv("NATARIS_DATA");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(a_new_account_shows_its_keys_once),
        DATA_TEST(the_list_has_a_row_for_each),
        DATA_TEST(the_list_comes_in_pages),
        DATA_TEST(one_account_in_lines),
        DATA_TEST(tiers_and_suspension),
        DATA_TEST(a_data_folder_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
