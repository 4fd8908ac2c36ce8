/* What devices have earned, on a data folder without a gateway. */
#include "cmd/provider_earnings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void of_the_operator_and_of_others(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_expect(fixture, COMMAND_OK, "provider|earnings|--json|--data|@");
    assert_prints(fixture, "\"earned_usd\":0,\"paid_usd\":0,\"owed_usd\":0");
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "provider|earnings|%s|--data|@", account);
    assert_printed(fixture,
                   "Account   %s\nEarned    0\nPaid out  0\nOwed      0\nJobs      0\nTokens    0\n"
                   "Payable   0\nRipening  0\nIn escrow 0\nGiven     0\n",
                   account);
    command_fixture_refuse(fixture, COMMAND_FAILED, "There is no such account.",
                           "provider|earnings|acct_none|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|earnings|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "is no data folder", "provider|earnings|--data|@/none");
}

static void without_an_owner(void **state) {
    struct command_fixture *fixture = *state;
    store_close(command_fixture_store(fixture));
    command_fixture_refuse(fixture, COMMAND_FAILED, "there is no owner's account: name the ACCOUNT",
                           "provider|earnings|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(of_the_operator_and_of_others),
        COMMAND_TEST(without_an_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
