/* The ledger's proof finds planted damage of every kind, and the database refuses what would do it by mistake. */
#include "base/compiler.h"
#include "store/admin.h"
#include "store/ledger.h"
#include "support/store_fixture.h"

#include <sqlite3.h>

/* acct_1 (number 1) pays, acct_dev (number 2) earns. Transactions: 1 the grant, 2 and 3 settlements of the jobs 1 and
 * 2, 4 a payout. Job 3 failed. */
static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .account = store_fixture_account("acct_1", true),
                                        .keys = {store_fixture_key("key_1", "", STORE_KEY_LIVE)},
                                        .key_count = 1,
                                        .amount_nano = 1000};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
    struct store_account earner = store_fixture_account("acct_dev", false);
    assert_true(store_account_add(fixture->store, &earner, &fixture->err));
    store_fixture_start(fixture);
    for (uint32_t i = 0; i < 3; i++) {
        struct store_settlement settlement = {.generation = store_fixture_job(i), .provider_account_id = "acct_dev"};
        if (i < 2) {
            settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
            settlement.generation.charge_nano = 100;
            settlement.generation.provider_nano = 85;
        }
        store_settle(fixture->store, &settlement, NULL, NULL);
    }
    store_fixture_reopen(fixture);
    admin = (struct store_admin){.kind = STORE_ADMIN_PAYOUT, .account = earner, .amount_nano = 10};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
    return 0;
}

struct problems {
    const char *wanted;
    int count;
    bool found;
    char all[1024];
};

static void on_problem(void *context, const char *text) {
    struct problems *problems = context;
    problems->count++;
    problems->found |= strstr(text, problems->wanted) != NULL;
    size_t length = strlen(problems->all);
    snprintf(problems->all + length, sizeof(problems->all) - length, "%s\n", text);
}

static struct problems check(struct store_fixture *fixture, const char *wanted) {
    struct problems problems = {.wanted = wanted};
    struct store_ledger_report report;
    if (!store_ledger_check(fixture->store, on_problem, &problems, &report, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
    assert_int_equal(report.problems, problems.count);
    return problems;
}

static int execute(const char *path, const char *sql) {
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    int result = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    return result;
}

static void test_a_sound_ledger(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct problems problems = {.wanted = ""};
    struct store_ledger_report report;
    assert_true(store_ledger_check(fixture->store, on_problem, &problems, &report, &fixture->err));
    assert_string_equal(problems.all, "");
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.transactions, 4);
    assert_int_equal(report.entries, 2 + 3 + 3 + 2);
    assert_int_equal(report.accounts, 5); /* wallet, promotions, earnings, revenue, payouts */
}

static void test_an_empty_ledger(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    assert_int_equal(check(fixture, "").count, 0);
}

#define UNGUARDED                                                                                                      \
    "DROP TRIGGER entries_no_update; DROP TRIGGER entries_no_delete;"                                                  \
    " DROP TRIGGER transactions_no_update; DROP TRIGGER transactions_no_delete; "

static const struct {
    const char *damage, *told;
} damages[] = {
    {"UPDATE entries SET amount_nano = amount_nano - 1 WHERE number = 3", "transaction 2 sums to -1"},
    {"UPDATE entries SET amount_nano = amount_nano - 1 WHERE number = 3", "all entries together sum to -1"},
    {"UPDATE entries SET amount_nano = amount_nano * 2 WHERE transaction_number = 1", "says that it moves 1000"},
    {"DELETE FROM entries WHERE transaction_number = 2", "transaction 2 has fewer than two entries"},
    {"DELETE FROM entries WHERE number IN (3, 4)", "transaction 2 has fewer than two entries"},
    {"DELETE FROM transactions WHERE number = 4", "name transaction 4, which does not exist"},
    {"UPDATE entries SET ledger_account = 16 * 9 WHERE number = 3", "ledger account 144 does not exist"},
    {"UPDATE entries SET ledger_account = 9 WHERE number = 5", "ledger account 9 does not exist"},
    {"UPDATE entries SET ledger_account = 21 WHERE number = 3", "ledger account 21 does not exist"},
    {"UPDATE balances SET amount_nano = amount_nano + 1 WHERE ledger_account = 16", "has the cached balance 801"},
    {"DELETE FROM balances WHERE ledger_account = 1", "ledger account 1 has no cached balance"},
    {"INSERT INTO balances VALUES (32, 5)", "ledger account 32 has the cached balance 5"},
    {"UPDATE entries SET amount_nano = amount_nano / 10 WHERE transaction_number = 1", "wallet of account 1 is below"},
    {"UPDATE entries SET amount_nano = amount_nano * 90 WHERE transaction_number = 4", "owed of account 2 is below"},
    {"DELETE FROM transactions WHERE number = 2; DELETE FROM entries WHERE transaction_number = 2",
     "job job_00000000 was charged 100 and has 0 settlements"},
    {"INSERT INTO transactions VALUES (9, 0, 1, NULL, 1, 0, '')",
     "job job_00000000 was charged 100 and has 2 settlements"},
    {"UPDATE generations SET charge_nano = 1 WHERE number = 3", "job job_00000002 failed and has a charge"},
    {"UPDATE generations SET provider_nano = 101 WHERE number = 1",
     "was charged 100, of which 101 went to the provider"},
    {"INSERT INTO transactions VALUES (9, 0, 77, NULL, 1, 0, '')", "transaction 9 settles a job that does not exist"},
    {"INSERT INTO transactions VALUES (9, 0, 3, NULL, 1, 0, '')", "transaction 9 settles a job that was free"},
    {"DELETE FROM generations WHERE number = 1", "transaction 2 settles a job that does not exist"},
    {"UPDATE generations SET charge_nano = 99 WHERE number = 1", "does not have the parts of job job_00000000"},
    {"UPDATE generations SET provider_nano = 84 WHERE number = 1", "does not have the parts of job job_00000000"},
    {"UPDATE generations SET account_number = 2 WHERE number = 1", "does not have the parts of job job_00000000"},
    {"UPDATE generations SET provider_account_number = 1 WHERE number = 1",
     "does not have the parts of job job_00000000"},
    {"UPDATE entries SET ledger_account = 2 WHERE number = 5", "does not have the parts of job job_00000000"},
    {"UPDATE entries SET amount_nano = -50 WHERE number = 3; INSERT INTO entries VALUES (99, 2, 32, -50)",
     "does not have the parts of job job_00000000"},
    {"UPDATE transactions SET kind = 2 WHERE number = 1", "transaction 1 moves money in a way"},
    {"UPDATE transactions SET account_number = 1 WHERE number = 4", "transaction 4 moves money in a way"},
    {"UPDATE earned_until SET generation_number = 99",
     "account 2, what is listed as earned differs from its jobs by -2 jobs"},
    {"INSERT INTO earned VALUES (2, 0, 1, 85, 3, 0)",
     "earned differs from its jobs by 1 jobs, 85 nano-dollars, 3 tokens"},
    {"DELETE FROM earned_until", "there is no number of the last job"},
    {"UPDATE usage_totals SET requests = requests + 1", "used of nataris-demo-2m differs from its jobs by 1 requests"},
    {"UPDATE usage_totals SET charge_nano = charge_nano - 3",
     "differs from its jobs by 0 requests, 0 and 0 tokens, -3"},
    {"UPDATE usage_totals SET month = month + 1", "differs from its jobs by -2 requests"},
    {"UPDATE usage_totals SET kind = 1", "differs from its jobs by -2 requests"},
    {"DELETE FROM usage_totals", "key key_1 has spent 200 by its cache, but its jobs were charged 0"},
    {"INSERT INTO earned_totals VALUES (2, 672, 1, 85, 3, 0, 0, 0, 0, 0)",
     "earned differs from its list by 1 jobs, 85"},
    {"UPDATE rolled_up SET generation_number = 1; DELETE FROM generations WHERE number = 1",
     "1 settlements are of jobs that were rolled up, but 0 such jobs were"},
    {"UPDATE rolled_up SET generation_number = 1, settled = 1; DELETE FROM generations WHERE number = 1",
     "differs from its jobs by 1 requests"},
    {"UPDATE rolled_up SET generation_number = 1, settled = 1; DELETE FROM generations WHERE number = 1;"
     " UPDATE usage_totals SET rolled_requests = 1, rolled_charge_nano = 99",
     "ledger account 16: the settlements of jobs that were rolled up differ by -1 from what is kept of them"},
    {"UPDATE usage_totals SET rolled_requests = 3", "more is rolled up than there was for account 1"},
    {"UPDATE keys SET spent_nano = 0", "key key_1 has spent 0 by its cache, but its jobs were charged 200"},
};

static void test_planted_damage_is_found(void **state) {
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        char sql[512];
        assert_int_equal(setup(state), 0);
        struct store_fixture *fixture = (struct store_fixture *)*state;
        snprintf(sql, sizeof(sql), UNGUARDED "%s", damages[i].damage);
        store_fixture_close(fixture);
        assert_int_equal(execute(fixture->path, sql), SQLITE_OK);
        assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
        struct problems problems = check(fixture, damages[i].told);
        if (!problems.found) {
            fail_msg("%s\nis not told as: %s\nbut: %s", damages[i].damage, damages[i].told, problems.all);
        }
        store_fixture_teardown(state);
    }
}

/* A fourth job, made by a device of each of the accounts 2 and 1. */
static void add_job_of_two(struct store_fixture *fixture) {
    const struct store_part parts[] = {
        {.device_id = "prov_1", .account_id = "acct_dev", .tokens = 4, .amount_nano = 40},
        {.device_id = "prov_2", .account_id = "acct_1", .tokens = 6, .amount_nano = 45},
    };
    struct store_settlement settlement = {
        .generation = store_fixture_job(3), .parts = parts, .part_count = COUNT_OF(parts)};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.completion_tokens = 10;
    settlement.generation.charge_nano = 100;
    settlement.generation.provider_nano = 85;
    store_fixture_start(fixture);
    store_settle(fixture->store, &settlement, NULL, NULL);
    store_fixture_close(fixture);
}

static void test_damaged_parts_are_found(void **state) {
    static const struct {
        const char *damage, *told;
    } cases[] = {
        {"UPDATE generation_parts SET amount_nano = 41 WHERE device_id = 'prov_1'", "2 parts of job 4 do not add up"},
        {"UPDATE generation_parts SET completion_tokens = 7 WHERE device_id = 'prov_1'",
         "2 parts of job 4 do not add up"},
        {"DELETE FROM generation_parts WHERE device_id = 'prov_1'", "1 parts of job 4 do not add up"},
        {"UPDATE generation_parts SET account_number = 1", "ledger account 33 got -40 less than its parts of job 4"},
        {"UPDATE generations SET provider_account_number = 2 WHERE number = 4", "2 parts of job 4 do not add up"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(setup(state), 0);
        struct store_fixture *fixture = (struct store_fixture *)*state;
        add_job_of_two(fixture);
        assert_int_equal(execute(fixture->path, cases[i].damage), SQLITE_OK);
        assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
        struct problems problems = check(fixture, cases[i].told);
        if (!problems.found) {
            fail_msg("%s\nis not told as: %s\nbut: %s", cases[i].damage, cases[i].told, problems.all);
        }
        store_fixture_teardown(state);
    }
}

/* --- Two wallets and escrow --- */

static void act(struct store_fixture *fixture, enum store_admin_kind kind, int64_t amount_nano, bool given) {
    struct store_admin result, admin = {.kind = kind,
                                        .account = store_fixture_account("acct_1", true),
                                        .device = {.id = "prov_1"},
                                        .amount_nano = amount_nano,
                                        .given = given};
    if (!store_admin_now(fixture->store, &admin, &result, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
}

static void settle_colours(struct store_fixture *fixture, uint32_t number, int64_t given_nano, bool escrow) {
    struct store_settlement settlement = {
        .generation = store_fixture_job(number), .provider_account_id = "acct_dev", .escrow = escrow};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = 100;
    settlement.generation.provider_nano = 85;
    settlement.generation.given_nano = given_nano;
    settlement.generation.provider_given_nano = 85 - 85 * (100 - given_nano) / 100;
    store_settle(fixture->store, &settlement, NULL, NULL);
}

/* Behind the four transactions of `setup`: 5 a gift of 500, 6 the mixed job 4 (30 given, 26 of it earned), 7 and 8 the
 * job 5 of given credit and its way into escrow, 9 and 10 the paid job 6 likewise, 11 the release of both, 12 and 13
 * the job 7, which stays in escrow, 14 a refund of 60 as given credit (nothing but that was spent since the last). */
static void setup_colours(void **state) {
    assert_int_equal(setup(state), 0);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    act(fixture, STORE_ADMIN_CREDIT_GRANT, 500, true);
    store_fixture_start(fixture);
    settle_colours(fixture, 3, 30, false);
    settle_colours(fixture, 4, 100, true);
    settle_colours(fixture, 5, 0, true);
    store_fixture_reopen(fixture);
    act(fixture, STORE_ADMIN_ESCROW_RELEASE, 0, false);
    store_fixture_start(fixture);
    settle_colours(fixture, 6, 50, true);
    store_fixture_reopen(fixture);
    act(fixture, STORE_ADMIN_CREDIT_REFUND, 60, false);
}

static const struct {
    const char *damage, *told;
} colour_damages[] = {
    /* Wallets: what was given becomes owed, paid or another's. */
    {"UPDATE entries SET ledger_account = 33 WHERE transaction_number = 6 AND ledger_account = 34",
     "transaction 6 does not have the parts of job"},
    {"UPDATE entries SET ledger_account = 16 WHERE transaction_number = 6 AND ledger_account = 18",
     "transaction 6 does not have the parts of job"},
    {"UPDATE entries SET ledger_account = 34 WHERE transaction_number = 7 AND ledger_account = 18",
     "transaction 7 does not have the parts of job"},
    {"UPDATE entries SET ledger_account = 18 WHERE transaction_number = 7 AND ledger_account = 34",
     "transaction 7 does not have the parts of job"},
    {"UPDATE entries SET amount_nano = amount_nano / 10 WHERE transaction_number = 5",
     "the given credit of account 1 is"},
    {"UPDATE balances SET amount_nano = amount_nano + 1 WHERE ledger_account = 34", "34 has the cached balance"},
    {"UPDATE balances SET amount_nano = amount_nano + 1 WHERE ledger_account = 18", "18 has the cached balance"},
    {"UPDATE balances SET amount_nano = amount_nano + 1 WHERE ledger_account = 35", "35 has the cached balance"},
    {"UPDATE balances SET amount_nano = amount_nano + 1 WHERE ledger_account = 36", "36 has the cached balance"},
    {"UPDATE entries SET ledger_account = 37 WHERE transaction_number = 7 AND ledger_account = 34",
     "ledger account 37 does not exist"},
    /* Of given credit no more is earned than was paid of it, and of paid credit likewise. */
    {"UPDATE generations SET given_nano = 101 WHERE number = 4", "of it 101 of given credit"},
    {"UPDATE generations SET provider_given_nano = 31 WHERE number = 4", "and earned 85, of it 31 of given credit"},
    {"UPDATE generations SET provider_given_nano = 14 WHERE number = 4", "and earned 85, of it 14 of given credit"},
    {"UPDATE generations SET provider_given_nano = 0 WHERE number = 5", "and earned 85, of it 0 of given credit"},
    {"UPDATE generations SET given_nano = 31 WHERE number = 4", "transaction 6 does not have the parts of job"},
    {"UPDATE generations SET provider_given_nano = 27 WHERE number = 4",
     "transaction 6 does not have the parts of job"},
    /* Ripening: what is kept by day, and what is listed. */
    {"INSERT INTO earned_days VALUES (2, 20454, 85)", "what is kept by day as earned differs by 85"},
    {"INSERT INTO earned VALUES (2, 0, 1, 85, 3, 85)", "3 tokens, 85 nano-dollars of given credit"},
    {"INSERT INTO earned_totals VALUES (2, 672, 0, 0, 0, 0, 0, 0, 1, 0)",
     "what is kept as earned differs from its list"},
    {"UPDATE usage_totals SET given_nano = given_nano + 1", "what is kept as used of nataris-demo-2m differs"},
    /* Escrow: what lies there is what waits there. */
    {"UPDATE escrow SET paid_nano = paid_nano + 1 WHERE state = 0", "account 2 has 43 in escrow by what waits there"},
    {"UPDATE escrow SET given_nano = given_nano - 1 WHERE state = 0", "account 2 has 42 in escrow by what waits there"},
    {"UPDATE escrow SET state = 1 WHERE state = 0", "account 2 has 0 in escrow by what waits there"},
    {"UPDATE escrow SET state = 0", "in escrow by what waits there, but ledger account 35"},
    {"UPDATE escrow SET account_number = 1 WHERE state = 0", "account 1 has 42 in escrow by what waits there"},
    {"DELETE FROM escrow", "ledger account 35 has 42 in escrow, and nothing waits there"},
    {"UPDATE entries SET amount_nano = amount_nano * 9 WHERE transaction_number = 11",
     "the escrow of account 2 is below"},
    /* Kinds: each moves money in its way only. */
    {"UPDATE transactions SET kind = 1 WHERE number = 5", "transaction 5 moves money in a way"}, /* a gift as a grant */
    {"UPDATE transactions SET kind = 9 WHERE number = 1", "transaction 1 moves money in a way"}, /* and back */
    {"UPDATE transactions SET kind = 5 WHERE number = 8", "transaction 8 moves money in a way"}, /* into escrow */
    {"UPDATE transactions SET kind = 4 WHERE number = 11", "transaction 11 moves money in a way"}, /* a release */
    {"UPDATE transactions SET kind = 6 WHERE number = 11", "transaction 11 moves money in a way"},
    {"UPDATE transactions SET kind = 7 WHERE number = 11", "transaction 11 moves money in a way"},
    {"UPDATE transactions SET kind = 8 WHERE number = 14", "transaction 14 moves money in a way"}, /* a refund */
    {"UPDATE transactions SET kind = 3 WHERE number = 11", "transaction 11 moves money in a way"}, /* as a payout */
    {"UPDATE transactions SET account_number = 1 WHERE number = 11", "transaction 11 moves money in a way"},
    {"UPDATE entries SET ledger_account = 33 WHERE transaction_number = 11 AND ledger_account = 34;"
     " UPDATE transactions SET kind = 6 WHERE number = 11",
     "transaction 11 moves money in a way"},
    {"UPDATE entries SET ledger_account = 33 WHERE transaction_number = 5 AND ledger_account = 18",
     "transaction 5 moves money in a way"}, /* a gift that could be paid out */
};

static void test_damage_to_wallets_and_escrow_is_found(void **state) {
    for (size_t i = 0; i < COUNT_OF(colour_damages); i++) {
        char sql[512];
        setup_colours(state);
        struct store_fixture *fixture = (struct store_fixture *)*state;
        if (i == 0) {
            assert_string_equal(check(fixture, "").all, ""); /* sound until then */
        }
        snprintf(sql, sizeof(sql), UNGUARDED "%s", colour_damages[i].damage);
        store_fixture_close(fixture);
        assert_int_equal(execute(fixture->path, sql), SQLITE_OK);
        assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
        struct problems problems = check(fixture, colour_damages[i].told);
        if (!problems.found) {
            fail_msg("%s\nis not told as: %s\nbut: %s", colour_damages[i].damage, colour_damages[i].told, problems.all);
        }
        store_fixture_teardown(state);
    }
}

/* More jobs than one slice of the list of what was earned, all paid with given credit, some by two devices. */
static void test_a_sound_ledger_of_given_credit(void **state) {
    enum { JOBS = 2100, EACH_OF_TWO = 10 };
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_part parts[] = {
        {.device_id = "prov_1", .account_id = "acct_dev", .tokens = 4, .amount_nano = 40, .given_nano = 40},
        {.device_id = "prov_2", .account_id = "acct_1", .tokens = 6, .amount_nano = 45, .given_nano = 45},
    };
    struct store_admin result, admin = {.kind = STORE_ADMIN_CREDIT_GRANT,
                                        .account = store_fixture_account("acct_1", true),
                                        .amount_nano = 100 * JOBS,
                                        .given = true};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
    store_fixture_start(fixture);
    for (uint32_t i = 3; i < 3 + JOBS; i++) {
        struct store_settlement settlement = {.generation = store_fixture_job(i), .provider_account_id = "acct_dev"};
        settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
        settlement.generation.completion_tokens = 10;
        settlement.generation.charge_nano = settlement.generation.given_nano = 100;
        settlement.generation.provider_nano = settlement.generation.provider_given_nano = 85;
        if (i % EACH_OF_TWO == 0) {
            settlement.provider_account_id[0] = '\0';
            settlement.generation.provider_given_nano = 0;
            settlement.parts = parts;
            settlement.part_count = COUNT_OF(parts);
        }
        store_settle(fixture->store, &settlement, NULL, NULL);
    }
    store_fixture_reopen(fixture);
    const struct problems problems = check(fixture, "");
    assert_string_equal(problems.all, "");
}

static void test_what_was_written_is_not_changed(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    static const char *const attempts[] = {
        "UPDATE entries SET amount_nano = 1", "DELETE FROM entries",          "UPDATE transactions SET note = 'x'",
        "DELETE FROM transactions",           "UPDATE audit SET actor = 'x'", "DELETE FROM audit",
    };
    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        assert_int_equal(execute(fixture->path, attempts[i]), SQLITE_CONSTRAINT);
    }
    assert_int_equal(check(fixture, "").count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_sound_ledger, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_ledger, store_fixture_setup, store_fixture_teardown),
        cmocka_unit_test(test_planted_damage_is_found),
        cmocka_unit_test(test_damaged_parts_are_found),
        cmocka_unit_test(test_damage_to_wallets_and_escrow_is_found),
        cmocka_unit_test_setup_teardown(test_a_sound_ledger_of_given_credit, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_written_is_not_changed, setup, store_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
