/* The operator's commands, from argv to what they print, on a data folder without a gateway. */
#include "base/json_read.h"
#include "cmd/command.h"
#include "cmd/owner.h"

#include "support/store_fixture.h"

#include <sqlite3.h>

enum { ARGUMENTS_MAX = 24, OUTPUT_MAX = 64 * 1024 };

struct world {
    struct store_fixture *base;
    char output[OUTPUT_MAX]; /* of the last command */
    char account[64];
};

/* Runs `nataris <words> --data FOLDER`; words are separated by '|'. Returns the exit status; its stdout is kept. */
static int run(struct world *world, const char *words) {
    static const struct command *const COMMANDS[] = {
        &COMMAND_ACCOUNT_CREATE,  &COMMAND_ACCOUNT_LIST,  &COMMAND_ACCOUNT_SHOW,      &COMMAND_ACCOUNT_SET_TIER,
        &COMMAND_ACCOUNT_SUSPEND, &COMMAND_KEY_CREATE,    &COMMAND_KEY_LIST,          &COMMAND_KEY_REVOKE,
        &COMMAND_CREDIT_GRANT,    &COMMAND_CREDIT_REFUND, &COMMAND_PROVIDER_EARNINGS, &COMMAND_PROVIDER_PAYOUT,
        &COMMAND_LEDGER_CHECK,    &COMMAND_LEDGER_EXPORT, &COMMAND_AUDIT_LIST,
    };
    char copy[512], path[128], *argv[ARGUMENTS_MAX];
    int argc = 0;
    snprintf(copy, sizeof copy, "nataris|%s|--data|%s", words, world->base->folder.path);
    for (char *at = copy; at != NULL && argc < ARGUMENTS_MAX;) {
        argv[argc++] = at;
        at = strchr(at, '|');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    temp_folder_file(&world->base->folder, "stdout", path);
    fflush(stdout);
    const int before = dup(STDOUT_FILENO);
    assert_non_null(freopen(path, "w+", stdout));
    const int status = command_dispatch(COMMANDS, COUNT_OF(COMMANDS), argc, argv);
    fflush(stdout);
    rewind(stdout);
    const size_t len = fread(world->output, 1, OUTPUT_MAX - 1, stdout);
    world->output[len] = '\0';
    dup2(before, STDOUT_FILENO);
    close(before);
    return status;
}

static int run_on_account(struct world *world, const char *format_head, const char *tail) {
    char words[256];
    snprintf(words, sizeof words, "%s|%s%s", format_head, world->account, tail);
    return run(world, words);
}

static void assert_prints(struct world *world, const char *part) {
    if (strstr(world->output, part) == NULL) {
        fail_msg("no '%s' in: %s", part, world->output);
    }
}

static int setup(void **state) {
    struct world *world = (struct world *)calloc(1, sizeof *world);
    struct owner owner = {0};
    void *base;
    store_fixture_setup(&base);
    world->base = base;
    store_fixture_close(world->base);
    temp_folder_file(&world->base->folder, "nataris.db", world->base->path);
    assert_true(store_open(&world->base->store, store_backend()->driver, world->base->path, &world->base->err));
    assert_true(owner_ensure(world->base->store, world->base->folder.path, &owner, &world->base->err));
    store_fixture_close(world->base);
    assert_int_equal(run(world, "account|create|Ada|--json"), COMMAND_OK);
    str_copy(world->account, sizeof world->account, (struct str){world->output + sizeof "{\"id\":", 25});
    assert_true(str_starts_with(str_from(world->account), STR("acct_")));
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *base = world->base;
    store_fixture_teardown(&base);
    free(world);
    return 0;
}

static void test_accounts(void **state) {
    struct world *world = *state;
    assert_prints(world, "\"api_key\":\"nat_live_");
    assert_prints(world, "\"test_key\":\"nat_test_");
    assert_prints(world, "\"balance_usd\":5}\n");
    assert_int_equal(run(world, "account|list"), COMMAND_OK);
    assert_prints(world, "owner");
    assert_prints(world, "1000005");
    assert_prints(world, world->account);
    assert_int_equal(run(world, "account|list|--limit|1"), COMMAND_OK);
    assert_prints(world, "There are more: --after acct_");
    assert_int_equal(run_on_account(world, "account|set-tier", "|starter"), COMMAND_OK);
    assert_prints(world, "tier starter, active");
    assert_int_equal(run_on_account(world, "account|suspend", ""), COMMAND_OK);
    assert_prints(world, "suspended");
    assert_int_equal(run_on_account(world, "account|suspend", "|--undo"), COMMAND_OK);
    assert_int_equal(run_on_account(world, "account|show", "|--json"), COMMAND_OK);
    assert_prints(world, "\"tier\":\"starter\",\"suspended\":false");
    assert_int_equal(run(world, "account|show|acct_none"), COMMAND_FAILED);
    assert_int_equal(run(world, "account|show"), COMMAND_USAGE);
}

static void test_keys(void **state) {
    struct world *world = *state;
    char words[128], id[32];
    assert_int_equal(run_on_account(world, "key|create",
                                    "|--test|--name|ci|--cap-usd|1.5|--expires-days|3|--model|a|--model|b|--json"),
                     COMMAND_OK);
    assert_prints(world, "\"kind\":\"test\",\"name\":\"ci\"");
    assert_prints(world, "\"cap_usd\":1.5,\"spent_usd\":0,\"models\":[\"a\",\"b\"],\"key\":\"nat_test_");
    str_copy(id, sizeof id, (struct str){world->output + sizeof "{\"id\":", 24});
    snprintf(words, sizeof words, "key|revoke|%s", id);
    assert_int_equal(run(world, words), COMMAND_OK);
    assert_int_equal(run_on_account(world, "key|list", ""), COMMAND_OK);
    assert_prints(world, id);
    assert_null(strstr(world->output, "nat_"));
    assert_int_equal(run_on_account(world, "key|create", "|--cap-usd|lots"), COMMAND_FAILED);
}

static void test_money(void **state) {
    struct world *world = *state;
    assert_int_equal(run_on_account(world, "credit|grant", "|0.000000001|--note|thanks, \"all\""), COMMAND_OK);
    assert_prints(world, "its balance is $5.000000001 now");
    assert_int_equal(run_on_account(world, "credit|refund", "|1"), COMMAND_OK);
    assert_int_equal(run_on_account(world, "credit|grant", "|-1"), COMMAND_FAILED);
    assert_int_equal(run_on_account(world, "provider|payout", "|1"), COMMAND_FAILED); /* nothing was earned */
    assert_int_equal(run(world, "provider|earnings|--json"), COMMAND_OK);
    assert_prints(world, "\"earned_usd\":0,\"paid_usd\":0,\"owed_usd\":0");
    assert_int_equal(run(world, "audit|list"), COMMAND_OK);
    assert_prints(world, "credit.refund");
    assert_int_equal(run(world, "ledger|export"), COMMAND_OK);
    assert_prints(world, "number,transaction,created_at,ledger_account,amount_usd,kind,job_id,note\r\n");
    assert_prints(world, "promotions,-0.000000001,grant,,\"thanks, \"\"all\"\"\"\r\n");
    assert_int_equal(run(world, "ledger|export|--format|json"), COMMAND_OK);
    struct json_parser *parser = json_parser_new(OUTPUT_MAX, 8);
    struct json_value entries;
    assert_true(json_parse(parser, str_from(world->output), &entries, NULL));
    assert_int_equal(json_count(entries), 10); /* five transactions */
    json_parser_free(parser);
    assert_int_equal(run(world, "ledger|export|--format|xml"), COMMAND_USAGE);
}

static void test_the_ledger_is_proven(void **state) {
    struct world *world = *state;
    sqlite3 *db;
    assert_int_equal(run(world, "ledger|check"), COMMAND_OK);
    assert_prints(world, "3 transactions, 6 entries, ");
    assert_prints(world, "everything adds up");
    assert_int_equal(sqlite3_open(world->base->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE balances SET amount_nano = amount_nano + 1 WHERE amount_nano = 5000000000",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
    assert_int_equal(run(world, "ledger|check"), COMMAND_FAILED);
    assert_prints(world, "PROBLEM: ");
    assert_int_equal(run(world, "ledger|check|--json"), COMMAND_FAILED);
    assert_prints(world, "{\"ok\":false,\"transactions\":3,");
    assert_prints(world, "\"messages\":[\"");
}

#define COMMAND_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(test_accounts),
        COMMAND_TEST(test_keys),
        COMMAND_TEST(test_money),
        COMMAND_TEST(test_the_ledger_is_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
