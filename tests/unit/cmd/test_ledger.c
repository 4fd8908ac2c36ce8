/* The proof and the export of the books, on a data folder without a gateway. */
#include "cmd/ledger.h"

#include "base/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"
#include "support/store_backends.h"

static void grant(struct command_fixture *fixture, const char *amount, const char *note) {
    char account[64];
    command_fixture_account(fixture, "Ada", account, sizeof(account));
    command_fixture_expect(fixture, COMMAND_OK, "credit|grant|%s|%s|--note|%s|--data|@", account, amount, note);
}

static void every_entry_as_csv(void **state) {
    struct command_fixture *fixture = *state;
    grant(fixture, "0.000000001", "thanks, \"all\"");
    command_fixture_expect(fixture, COMMAND_OK, "ledger|export|--data|@");
    assert_prints(fixture, "number,transaction,created_at,ledger_account,amount_usd,kind,job_id,note\r\n1,1,20");
    assert_prints(fixture, "promotions,-0.000000001,grant,,\"thanks, \"\"all\"\"\"\r\n");
}

static void every_entry_as_json(void **state) {
    struct command_fixture *fixture = *state;
    struct json_value entries;
    grant(fixture, "1", "thanks");
    command_fixture_expect(fixture, COMMAND_OK, "ledger|export|--format|json|--data|@");
    struct json_parser *parser = json_parser_new(COMMAND_FIXTURE_OUTPUT, 8);
    assert_true(json_parse(parser, buf_str(&fixture->output), &entries, &fixture->err));
    assert_int_equal(json_count(entries), 8); /* four transactions */
    json_parser_free(parser);
    assert_prints(fixture, "[\n{\"number\":1,\"transaction\":1,\"created_at\":\"20");
    assert_prints(fixture, "\"ledger_account\":\"promotions\",\"amount_usd\":-1,\"kind\":\"grant\",\"job_id\":null,"
                           "\"note\":\"thanks\"}\n]\n");
    command_fixture_expect(fixture, COMMAND_OK, "ledger|export|--json|--data|@");
    assert_prints(fixture, "[\n{\"number\":1,");
}

static void what_cannot_be_exported(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_USAGE, "--format is csv or json, not 'xml'",
                           "ledger|export|--format|xml|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "is no data folder", "ledger|export|--data|@/none");
    command_fixture_refuse(fixture, COMMAND_FAILED, "--data DIR is needed", "ledger|check");
}

static void the_books_are_proven(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "ledger|check|--data|@");
    assert_printed(fixture, "2 transactions, 4 entries, 2 ledger accounts, 0 receipts: everything adds up\n");
    command_fixture_expect(fixture, COMMAND_OK, "ledger|check|--json|--data|@");
    assert_printed(fixture,
                   "{\"ok\":true,\"transactions\":2,\"entries\":4,\"accounts\":2,\"receipts\":0,\"problems\":0,"
                   "\"messages\":[]}\n");
    store_backend()->change(temp_tree_path(&fixture->tree, "nataris.db"),
                            "UPDATE balances SET amount_nano = amount_nano + 1 WHERE amount_nano > 0");
    command_fixture_expect(fixture, COMMAND_FAILED, "ledger|check|--data|@");
    assert_prints(fixture, "PROBLEM: ");
    assert_prints(fixture, " problem");
    command_fixture_expect(fixture, COMMAND_FAILED, "ledger|check|--json|--data|@");
    assert_prints(fixture, "{\"ok\":false,\"transactions\":2,");
    assert_prints(fixture, "\"messages\":[\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(every_entry_as_csv),
        DATA_TEST(every_entry_as_json),
        DATA_TEST(what_cannot_be_exported),
        DATA_TEST(the_books_are_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
