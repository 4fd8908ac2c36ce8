/* Money, as every backend must keep it: settlements, admin actions, answers, usage, earnings. */
#include "base/compiler.h"
#include "store/admin.h"
#include "store/ledger.h"
#include "support/store_fixture.h"

enum { CHARGE_NANO = 1001, PROVIDER_NANO = 850, START_NANO = 1000000 };
static const int64_t noon_ms = INT64_C(1767225600000);

/* --- Admin --- */

static struct store_admin do_admin(struct store_fixture *fixture, const struct store_admin *admin) {
    struct store_admin result;
    if (!store_admin_now(fixture->store, admin, &result, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
    return result;
}

static void refuse_admin(struct store_fixture *fixture, const struct store_admin *admin, enum err_code code) {
    struct store_admin result;
    assert_false(store_admin_now(fixture->store, admin, &result, &fixture->err));
    assert_int_equal(fixture->err.code, code);
}

static struct store_admin about_account(enum store_admin_kind kind, const char *id, int64_t amount_nano) {
    struct store_admin admin = {.kind = kind, .actor = "cli", .amount_nano = amount_nano, .now_ms = noon_ms};
    str_copy(admin.account.id, sizeof(admin.account.id), str_from(id));
    str_copy(admin.note, sizeof(admin.note), STR("because"));
    return admin;
}

static void create_account(struct store_fixture *fixture, const char *id, const char *key_id, int64_t amount_nano) {
    struct store_admin admin = about_account(STORE_ADMIN_ACCOUNT_CREATE, id, amount_nano);
    admin.account = store_fixture_account(id, false);
    admin.keys[0] = store_fixture_key(key_id, "", STORE_KEY_LIVE);
    admin.key_count = 1;
    do_admin(fixture, &admin);
}

/* A client with a little credit, another client, and the owner of devices. */
static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create_account(fixture, "acct_1", "key_1", START_NANO);
    create_account(fixture, "acct_2", "key_2", START_NANO);
    create_account(fixture, "acct_dev", "key_dev", 0);
    return 0;
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static int64_t balance_of(struct store_fixture *fixture, const char *id) {
    struct store_admin admin = about_account(STORE_ADMIN_ACCOUNT_TIER, id, 0);
    return do_admin(fixture, &admin).account.balance_nano;
}

static int teardown(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_ledger_report report;
    store_fixture_reopen(fixture);
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
    return store_fixture_teardown(state);
}

static void test_a_new_account(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin admin = about_account(STORE_ADMIN_ACCOUNT_CREATE, "acct_new", STORE_WELCOME_CREDIT_NANO);
    admin.account.tier = STORE_TIER_PRO;
    admin.keys[0] = store_fixture_key("key_live", "", STORE_KEY_LIVE);
    admin.keys[0].cap_nano = 77;
    admin.keys[0].expires_ms = 88;
    str_copy(admin.keys[0].models, sizeof(admin.keys[0].models), STR("one,two"));
    admin.keys[1] = store_fixture_key("key_test", "", STORE_KEY_TEST);
    admin.key_count = 2;
    struct store_admin result = do_admin(fixture, &admin);
    assert_int_equal(result.account.number, 4);
    assert_int_equal(result.account.tier, STORE_TIER_PRO);
    assert_int_equal(result.account.balance_nano, STORE_WELCOME_CREDIT_NANO);
    assert_int_equal(result.key_count, 2);
    assert_int_equal(result.keys[0].number, 4);
    assert_int_equal(result.keys[0].account_number, 4);
    assert_string_equal(result.keys[0].account_id, "acct_new");
    assert_int_equal(result.keys[0].cap_nano, 77);
    assert_int_equal(result.keys[0].expires_ms, 88);
    assert_int_equal(result.keys[0].spent_nano, 0);
    assert_string_equal(result.keys[0].models, "one,two");
    assert_int_equal(result.keys[1].kind, STORE_KEY_TEST);
    assert_int_equal(result.keys[1].cap_nano, -1);

    str_copy(admin.account.id, sizeof(admin.account.id), STR("acct_other")); /* its keys are taken */
    refuse_admin(fixture, &admin, ERR_CONFLICT);
    admin = about_account(STORE_ADMIN_ACCOUNT_TIER, "acct_other", 0);
    refuse_admin(fixture, &admin, ERR_NOT_FOUND); /* so there is no account either */
}

static void test_accounts_change(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin admin = about_account(STORE_ADMIN_ACCOUNT_TIER, "acct_1", 0);
    admin.account.tier = STORE_TIER_STARTER;
    assert_int_equal(do_admin(fixture, &admin).account.tier, STORE_TIER_STARTER);
    admin.account.tier = (enum store_tier)9;
    refuse_admin(fixture, &admin, ERR_CONFLICT);
    admin = about_account(STORE_ADMIN_ACCOUNT_SUSPEND, "acct_1", 0);
    admin.account.suspended = true;
    struct store_admin result = do_admin(fixture, &admin);
    assert_true(result.account.suspended);
    assert_int_equal(result.account.tier, STORE_TIER_STARTER);
    admin = about_account(STORE_ADMIN_ACCOUNT_SUSPEND, "acct_nobody", 0);
    refuse_admin(fixture, &admin, ERR_NOT_FOUND);
    assert_false(result.account.unaudited);
    admin = about_account(STORE_ADMIN_ACCOUNT_AUDITS, "acct_1", 0);
    admin.account.unaudited = true;
    result = do_admin(fixture, &admin);
    assert_true(result.account.unaudited);
    assert_true(result.account.suspended);
    admin = about_account(STORE_ADMIN_ACCOUNT_TIER, "acct_1", 0); /* which leaves it as it is */
    assert_true(do_admin(fixture, &admin).account.unaudited);
    admin = about_account(STORE_ADMIN_ACCOUNT_AUDITS, "acct_1", 0);
    assert_false(do_admin(fixture, &admin).account.unaudited);
}

static void test_keys_change(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin admin = {.kind = STORE_ADMIN_KEY_CREATE, .actor = "cli", .now_ms = 5, .key_count = 1};
    admin.keys[0] = store_fixture_key("key_new", "acct_1", STORE_KEY_LIVE);
    assert_int_equal(do_admin(fixture, &admin).keys[0].account_number, 1);
    admin.keys[0] = store_fixture_key("key_stray", "acct_nobody", STORE_KEY_LIVE);
    refuse_admin(fixture, &admin, ERR_NOT_FOUND);

    admin.kind = STORE_ADMIN_KEY_REVOKE;
    admin.keys[0] = (struct store_key){.id = "key_new", .revoked_ms = 99};
    struct store_admin result = do_admin(fixture, &admin);
    assert_int_equal(result.keys[0].revoked_ms, 99);
    assert_string_equal(result.account.id, "acct_1");
    admin.keys[0].revoked_ms = 100; /* once is for good, and keeps its time */
    assert_int_equal(do_admin(fixture, &admin).keys[0].revoked_ms, 99);
    admin.keys[0] = (struct store_key){.id = "key_1"};
    assert_int_equal(do_admin(fixture, &admin).keys[0].revoked_ms, 5);
    admin.keys[0] = (struct store_key){.id = "key_nobody"};
    refuse_admin(fixture, &admin, ERR_NOT_FOUND);
}

static void test_credit(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin admin = about_account(STORE_ADMIN_CREDIT_GRANT, "acct_1", 50);
    assert_int_equal(do_admin(fixture, &admin).account.balance_nano, START_NANO + 50);
    admin.kind = STORE_ADMIN_CREDIT_REFUND;
    assert_int_equal(do_admin(fixture, &admin).account.balance_nano, START_NANO + 100);
    static const int64_t wrong[] = {0, -1, INT64_MIN, STORE_AMOUNT_MAX_NANO + 1, INT64_MAX};
    static const enum store_admin_kind kinds[] = {STORE_ADMIN_CREDIT_GRANT, STORE_ADMIN_CREDIT_REFUND,
                                                  STORE_ADMIN_PAYOUT};
    for (size_t i = 0; i < COUNT_OF(wrong) * COUNT_OF(kinds); i++) {
        admin = about_account(kinds[i % COUNT_OF(kinds)], "acct_1", wrong[i / COUNT_OF(kinds)]);
        refuse_admin(fixture, &admin, ERR_INVALID);
    }
    admin = about_account(STORE_ADMIN_CREDIT_GRANT, "acct_nobody", 1);
    refuse_admin(fixture, &admin, ERR_NOT_FOUND);
    assert_int_equal(balance_of(fixture, "acct_1"), START_NANO + 100);
    assert_int_equal(balance_of(fixture, "acct_2"), START_NANO);
}

static void test_balances_do_not_overflow(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin result, admin = about_account(STORE_ADMIN_CREDIT_GRANT, "acct_1", STORE_AMOUNT_MAX_NANO);
    int granted = 0;
    while (granted < 5000 && store_admin_now(fixture->store, &admin, &result, &fixture->err)) {
        granted++;
    }
    assert_in_range(granted, 1000, 4999);
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
    assert_int_equal(balance_of(fixture, "acct_1"), START_NANO + granted * STORE_AMOUNT_MAX_NANO);
}

/* --- Settlements --- */

static struct store_settlement settlement_of(uint32_t number) {
    struct store_settlement settlement = {.generation = store_fixture_job(number)};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.prompt_tokens = 10;
    settlement.generation.completion_tokens = 20;
    settlement.generation.charge_nano = CHARGE_NANO;
    settlement.generation.provider_nano = PROVIDER_NANO;
    settlement.generation.created_ms = noon_ms + number;
    str_copy(settlement.provider_account_id, sizeof(settlement.provider_account_id), STR("acct_dev"));
    return settlement;
}

static struct {
    unsigned good, bad;
    enum err_code code; /* of the last bad one */
} settled;

static void on_settled(void *context, const struct err *err) {
    (void)context;
    settled.good += err == NULL;
    settled.bad += err != NULL;
    settled.code = err == NULL ? settled.code : err->code;
}

static void settle(struct store_fixture *fixture, const struct store_settlement *settlement) {
    store_settle(fixture->store, settlement, on_settled, NULL);
}

static void expect_settled(struct store_fixture *fixture, unsigned good, unsigned bad) {
    settled.good = settled.bad = 0;
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(settled.good, good);
    assert_int_equal(settled.bad, bad);
    assert_int_equal(fixture->broken_count, 0);
    if (bad > 0) {
        assert_int_equal(settled.code, ERR_CONFLICT);
    }
}

struct entries {
    int count;
    struct store_entry rows[16];
};

static bool collect_entry(void *context, const struct store_entry *entry) {
    struct entries *entries = context;
    entries->rows[entries->count++ % 16] = *entry;
    return true;
}

static bool collect_key(void *context, const struct store_key *key) {
    struct store_key *keys = context;
    keys[(key->number - 1) % 8] = *key;
    return true;
}

static void test_a_settlement_moves_money(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_settlement settlement = settlement_of(1), failed = settlement_of(2);
    failed.generation.outcome = STORE_OUTCOME_FAILED;
    failed.generation.charge_nano = failed.generation.provider_nano = 0;
    store_fixture_start(fixture);
    settle(fixture, &settlement);
    settle(fixture, &failed);
    expect_settled(fixture, 2, 0);
    store_fixture_reopen(fixture);

    struct entries entries = {0};
    assert_true(store_each_entry(fixture->store, collect_entry, &entries, &fixture->err));
    assert_int_equal(entries.count, 2 * 2 + 3); /* two grants, one settlement */
    static const struct {
        const char *account;
        int64_t amount;
    } expected[] = {{"wallet:acct_1", -CHARGE_NANO},
                    {"earnings:acct_dev", PROVIDER_NANO},
                    {"revenue", CHARGE_NANO - PROVIDER_NANO}};
    for (int i = 0; i < 3; i++) {
        const struct store_entry *entry = &entries.rows[4 + i];
        assert_string_equal(entry->ledger_account, expected[i].account);
        assert_int_equal(entry->amount_nano, expected[i].amount);
        assert_string_equal(entry->kind, "settlement");
        assert_string_equal(entry->generation_id, "job_00000001");
        assert_int_equal(entry->created_ms, noon_ms + 1);
        assert_int_equal(entry->transaction, 3);
    }
    assert_string_equal(entries.rows[0].ledger_account, "wallet:acct_1");
    assert_string_equal(entries.rows[0].kind, "grant");
    assert_string_equal(entries.rows[0].note, "because");
    assert_int_equal(balance_of(fixture, "acct_1"), START_NANO - CHARGE_NANO);
    struct store_key keys[8];
    assert_true(store_each_key(fixture->store, collect_key, keys, &fixture->err));
    assert_int_equal(keys[0].spent_nano, CHARGE_NANO);
    assert_int_equal(keys[1].spent_nano, 0);
}

static void test_one_job_is_settled_once(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_settlement one = settlement_of(1), two = settlement_of(2);
    store_fixture_start(fixture);
    settle(fixture, &one);
    settle(fixture, &one); /* in one group, and its neighbour is fine */
    settle(fixture, &two);
    expect_settled(fixture, 2, 1);
    two.generation.charge_nano = two.generation.provider_nano = 0; /* nor as another thing */
    two.generation.outcome = STORE_OUTCOME_FAILED;
    two.generation.created_ms++;
    settle(fixture, &two);
    expect_settled(fixture, 0, 1);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    settle(fixture, &one);
    expect_settled(fixture, 0, 1);
    store_fixture_reopen(fixture);
    assert_int_equal(balance_of(fixture, "acct_1"), START_NANO - 2 * CHARGE_NANO);
}

static void test_what_breaks_a_rule_is_refused(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    enum { WRONG = 9 };
    struct store_settlement wrong[WRONG];
    for (uint32_t i = 0; i < WRONG; i++) {
        wrong[i] = settlement_of(i);
    }
    wrong[0].generation.charge_nano = START_NANO + 1; /* more than there is */
    wrong[1].generation.charge_nano = -1;
    wrong[2].generation.provider_nano = CHARGE_NANO + 1;
    wrong[3].generation.provider_nano = -1;
    wrong[4].generation.outcome = STORE_OUTCOME_FAILED;
    wrong[5].provider_account_id[0] = '\0';
    str_copy(wrong[6].provider_account_id, STORE_ID_MAX, STR("acct_nobody"));
    str_copy(wrong[7].generation.account_id, STORE_ID_MAX, STR("acct_nobody"));
    str_copy(wrong[8].generation.key_id, STORE_ID_MAX, STR("key_nobody"));
    store_fixture_start(fixture);
    for (int i = 0; i < WRONG; i++) {
        settle(fixture, &wrong[i]);
    }
    struct store_settlement all = settlement_of(20);
    all.generation.charge_nano = START_NANO; /* to the last nano-dollar */
    settle(fixture, &all);
    struct store_settlement more = settlement_of(21);
    more.generation.charge_nano = 1;
    more.generation.provider_nano = 0;
    settle(fixture, &more);
    expect_settled(fixture, 1, WRONG + 1);
    store_fixture_reopen(fixture);
    assert_int_equal(balance_of(fixture, "acct_1"), 0);
}

static void test_small_charges_have_no_empty_entries(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_settlement one = settlement_of(1), all_to_provider = settlement_of(2);
    one.generation.charge_nano = 1;
    one.generation.provider_nano = 0;
    all_to_provider.generation.provider_nano = CHARGE_NANO;
    store_fixture_start(fixture);
    settle(fixture, &one);
    settle(fixture, &all_to_provider);
    expect_settled(fixture, 2, 0);
    store_fixture_reopen(fixture);
    struct entries entries = {0};
    assert_true(store_each_entry(fixture->store, collect_entry, &entries, &fixture->err));
    assert_int_equal(entries.count, 4 + 2 + 2);
}

static void on_admin(void *context, const struct store_admin *result, const struct err *err) {
    *(int64_t *)context = err == NULL ? result->account.balance_nano : -(int64_t)err->code;
}

/* Admin actions stand in one group with settlements; a refused one takes nothing of them with it. */
static void test_admin_among_settlements(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    int64_t balance[3] = {0};
    struct store_settlement first = settlement_of(1), second = settlement_of(2);
    struct store_admin grant = about_account(STORE_ADMIN_CREDIT_GRANT, "acct_1", 5),
                       payout = about_account(STORE_ADMIN_PAYOUT, "acct_dev", PROVIDER_NANO + 1);
    store_fixture_start(fixture);
    settle(fixture, &first);
    store_admin(fixture->store, &payout, on_admin, &balance[0]);
    store_admin(fixture->store, &grant, on_admin, &balance[1]);
    settle(fixture, &second);
    payout.amount_nano = 2 * PROVIDER_NANO;
    store_admin(fixture->store, &payout, on_admin, &balance[2]);
    expect_settled(fixture, 2, 0);
    assert_int_equal(balance[0], -ERR_CONFLICT); /* more than was earned by then */
    assert_int_equal(balance[1], START_NANO - CHARGE_NANO + 5);
    assert_int_equal(balance[2], 0); /* the wallet of the devices' owner */
    store_fixture_reopen(fixture);
    assert_int_equal(balance_of(fixture, "acct_1"), START_NANO - 2 * CHARGE_NANO + 5);
    payout.amount_nano = 1;
    refuse_admin(fixture, &payout, ERR_CONFLICT);
}

/* Another program may write to the same file: what this one remembers of balances is then out of date. */
static void test_another_program_moves_money(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store *other;
    struct store_admin result, grant = about_account(STORE_ADMIN_CREDIT_GRANT, "acct_1", 7);
    struct store_settlement settlement = settlement_of(1);
    store_fixture_start(fixture);
    settle(fixture, &settlement);
    expect_settled(fixture, 1, 0);
    assert_true(store_open(&other, store_backend()->driver, fixture->path, &fixture->err));
    assert_true(store_admin_now(other, &grant, &result, &fixture->err));
    assert_int_equal(result.account.balance_nano, START_NANO - CHARGE_NANO + 7);
    store_close(other);
    settlement = settlement_of(2);
    settle(fixture, &settlement);
    expect_settled(fixture, 1, 0);
    store_fixture_reopen(fixture);
    assert_int_equal(balance_of(fixture, "acct_1"), START_NANO - 2 * CHARGE_NANO + 7);
}

/* --- The audit log --- */

struct audit_lines {
    int count;
    struct store_audit lines[8];
};

static bool collect_audit(void *context, const struct store_audit *audit) {
    struct audit_lines *lines = context;
    lines->lines[lines->count++ % 8] = *audit;
    return true;
}

static void test_admin_is_audited(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin admin = about_account(STORE_ADMIN_CREDIT_GRANT, "acct_1", 50);
    do_admin(fixture, &admin);
    admin = about_account(STORE_ADMIN_PAYOUT, "acct_1", 50); /* refused: not in the log */
    refuse_admin(fixture, &admin, ERR_CONFLICT);
    admin = (struct store_admin){.kind = STORE_ADMIN_KEY_REVOKE, .actor = "up", .now_ms = 9, .keys = {{.id = "key_2"}}};
    do_admin(fixture, &admin);
    struct audit_lines lines = {0};
    assert_true(store_each_audit(fixture->store, collect_audit, &lines, &fixture->err));
    assert_int_equal(lines.count, 5);
    assert_string_equal(lines.lines[0].action, "account.create");
    assert_string_equal(lines.lines[0].subject, "acct_1");
    assert_int_equal(lines.lines[0].amount_nano, START_NANO);
    const struct store_audit *grant = &lines.lines[3], *revoke = &lines.lines[4];
    assert_string_equal(grant->action, "credit.grant");
    assert_string_equal(grant->actor, "cli");
    assert_string_equal(grant->note, "because");
    assert_int_equal(grant->created_ms, noon_ms);
    assert_string_equal(revoke->action, "key.revoke");
    assert_string_equal(revoke->actor, "up");
    assert_string_equal(revoke->subject, "key_2");
}

#define MONEY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        MONEY_TEST(test_a_new_account),
        MONEY_TEST(test_accounts_change),
        MONEY_TEST(test_keys_change),
        MONEY_TEST(test_credit),
        MONEY_TEST(test_balances_do_not_overflow),
        MONEY_TEST(test_a_settlement_moves_money),
        MONEY_TEST(test_one_job_is_settled_once),
        MONEY_TEST(test_what_breaks_a_rule_is_refused),
        MONEY_TEST(test_small_charges_have_no_empty_entries),
        MONEY_TEST(test_admin_among_settlements),
        MONEY_TEST(test_another_program_moves_money),
        MONEY_TEST(test_admin_is_audited),
    };
    return STORE_CONTRACT_RUN(tests);
}
