/* The audit log's list, on a data folder without a gateway. */
#include "cmd/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

static void the_newest_line_comes_first(void **state) {
    struct command_fixture *fixture = *state;
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "audit|list|--data|@");
    assert_prints(fixture, "NUMBER AT                       ACTOR  ACTION             SUBJECT                    "
                           "    AMOUNT USD  NOTE\n");
    assert_prints(fixture, " cli    account.create     %-26s              5  ", account);
    assert_prints(fixture, " up     credit.grant       ");
    assert_prints(fixture, "        1000000  own use\n");
    const char *newest = strstr(buf_cstr(&fixture->output), " cli ");
    assert_true(newest < strstr(buf_cstr(&fixture->output), " up "));
}

static void pages_go_back_in_time(void **state) {
    struct command_fixture *fixture = *state;
    char number[24];
    command_fixture_expect(fixture, COMMAND_OK, "audit|list|--limit|1|--data|@");
    assert_prints(fixture, "There are more: --before ");
    const char *more = strstr(buf_cstr(&fixture->output), "--before ") + strlen("--before ");
    str_copy(number, sizeof(number), (struct str){more, strcspn(more, "\n")});
    command_fixture_expect(fixture, COMMAND_OK, "audit|list|--before|%s|--json|--data|@", number);
    assert_prints(fixture, "{\"");
    assert_prints_not(fixture, "\"has_more\":true");
    command_fixture_refuse(fixture, COMMAND_FAILED, "is no id", "audit|list|--before|1&limit=2|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "unexpected argument 'extra'", "audit|list|extra|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(the_newest_line_comes_first),
        DATA_TEST(pages_go_back_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
