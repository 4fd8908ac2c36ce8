/* Money that the operator moves, from the command line to what is printed, on a data folder without a gateway. */
#include "cmd/credit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static void amounts_are_exact(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "credit|grant|%s|0.000000001|--note|thanks|--data|@", account);
    assert_printed(fixture, "$0.000000001 to %s; its balance is $5.000000001 now.\n", account);
    command_fixture_expect(fixture, COMMAND_OK, "credit|refund|%s|1|--json|--data|@", account);
    assert_prints(fixture, "\"balance_usd\":6.000000001");
    command_fixture_expect(fixture, COMMAND_OK, "audit|list|--data|@");
    assert_prints(fixture, "credit.refund");
    assert_prints(fixture, "  thanks\n");
}

static void amounts_that_are_none(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_FAILED, "credit|grant|%s|-1|--data|@", account);
    assert_complains(fixture, "amount_usd");
    command_fixture_expect(fixture, COMMAND_FAILED, "credit|refund|%s|much|--data|@", account);
    command_fixture_expect(fixture, COMMAND_USAGE, "credit|grant|%s|--data|@", account);
    assert_complains(fixture, "USD is missing: dollars, such as 4.75");
    command_fixture_refuse(fixture, COMMAND_FAILED, "There is no account acct_none",
                           "credit|grant|acct_none|1|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "credit|grant|a/b|1|--data|@");
}

static void only_what_was_earned_is_paid_out(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|payout|%s|1|--data|@", account);
    assert_complains(fixture, "Only $0 can be paid out now: $0 is owed");
}

static void a_payout_is_recorded(void **state) {
    admin_socket_expect(*state, "provider|payout|acct_1|2.5|--note|bank",
                        "POST /admin/accounts/acct_1/payouts {\"type\":null,\"amount_usd\":\"2.5\",\"note\":\"bank\"}",
                        "{\"account_id\":\"acct_1\",\"amount_usd\":2.5}", "$2.5 is recorded as paid out to acct_1.\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(amounts_are_exact),
        DATA_TEST(amounts_that_are_none),
        DATA_TEST(only_what_was_earned_is_paid_out),
        ADMIN_SOCKET_TEST(a_payout_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
