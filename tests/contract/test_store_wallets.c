/* Two kinds of credit, earnings that ripen, and escrow: what may be spent, paid out, and given back. */
#include "base/clock.h"
#include "store/admin.h"
#include "store/escrow.h"
#include "store/ledger.h"
#include "store/owed.h"
#include "store/usage.h"
#include "support/store_fixture.h"

#define DAY_MS INT64_C(86400000)

static void add_account(struct store_fixture *fixture, const char *id, const char *key_id, int64_t given_nano) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "test",
                                        .account = store_fixture_account(id, false),
                                        .keys = {store_fixture_key(key_id, "", STORE_KEY_LIVE)},
                                        .key_count = 1,
                                        .amount_nano = given_nano,
                                        .given = true};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

static struct store_admin about(enum store_admin_kind kind, const char *account_id, int64_t amount_nano) {
    struct store_admin admin = {.kind = kind, .actor = "test", .amount_nano = amount_nano, .now_ms = clock_wall_ms()};
    str_copy(admin.account.id, STORE_ID_MAX, str_from(account_id));
    str_copy(admin.device.id, STORE_ID_MAX, STR("prov_1"));
    return admin;
}

static enum err_code pay_out(struct store_fixture *fixture, int64_t amount_nano) {
    const struct store_admin admin = about(STORE_ADMIN_PAYOUT, "acct_dev", amount_nano);
    return store_fixture_act(fixture, &admin).code;
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_1", "key_1", 1000);
    add_account(fixture, "acct_2", "key_2", 1000);
    add_account(fixture, "acct_dev", "key_dev", 0);
    store_fixture_start(fixture);
    store_set_hold_days(fixture->store, 7);
    return 0;
}

static void on_settled(void *context, const struct err *err) {
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

/* 100 nano-dollars, of which prov_1 of acct_dev earns 85. */
static struct store_settlement settlement_of(uint32_t number, int64_t given_nano, int64_t created_ms) {
    struct store_settlement settlement = {.generation = store_fixture_job(number), .provider_account_id = "acct_dev"};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = 100;
    settlement.generation.provider_nano = 85;
    settlement.generation.given_nano = given_nano;
    settlement.generation.provider_given_nano = 85 - 85 * (100 - given_nano) / 100;
    settlement.generation.created_ms = created_ms;
    str_copy(settlement.generation.device_id, STORE_ID_MAX, STR("prov_1"));
    return settlement;
}

static enum err_code settle(struct store_fixture *fixture, const struct store_settlement *settlement) {
    enum err_code code = ERR_INTERNAL;
    store_settle(fixture->store, settlement, on_settled, &code);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return code;
}

static void settle_paid(struct store_fixture *fixture, uint32_t number, int64_t created_ms) {
    const struct store_settlement settlement = settlement_of(number, 0, created_ms);
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
}

static void grant_paid(struct store_fixture *fixture, int64_t amount_nano) {
    const struct store_admin grant = about(STORE_ADMIN_CREDIT_GRANT, "acct_1", amount_nano);
    assert_int_equal(store_fixture_act(fixture, &grant).code, ERR_NONE);
}

static void on_owed(void *context, const struct store_owed *owed, const struct err *err) {
    assert_null(err);
    *(struct store_owed *)context = *owed;
}

static struct store_owed owed_now(struct store_fixture *fixture) {
    struct store_owed owed = {0};
    store_owed_read(fixture->store, "acct_dev", on_owed, &owed);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return owed;
}

static void on_account(void *context, const struct store_account *accounts, size_t count, bool more,
                       const struct err *err) {
    (void)more;
    assert_null(err);
    assert_int_equal(count, 1);
    *(struct store_account *)context = accounts[0];
}

static void assert_wallets(struct store_fixture *fixture, const char *id, int64_t paid_nano, int64_t given_nano) {
    struct store_account account = {0};
    store_accounts_read(fixture->store, id, "", 1, on_account, &account);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(account.given_nano, given_nano);
    assert_int_equal(account.balance_nano, paid_nano + given_nano);
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static void check(struct store_fixture *fixture) {
    struct store_ledger_report report;
    store_fixture_reopen(fixture);
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
}

/* Two accounts that sell to each other: what they earn of given credit goes round, and never out. */
static void test_given_credit_is_never_paid_out(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_settlement settlement = settlement_of(1, 100, 1000);
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    assert_wallets(fixture, "acct_1", 0, 900);
    assert_wallets(fixture, "acct_dev", 0, 85);
    assert_int_equal(pay_out(fixture, 1), ERR_CONFLICT);
    struct store_settlement back = settlement_of(2, 80, 2000);
    str_copy(back.generation.account_id, STORE_ID_MAX, STR("acct_dev"));
    str_copy(back.generation.key_id, STORE_ID_MAX, STR("key_dev"));
    str_copy(back.provider_account_id, STORE_ID_MAX, STR("acct_1"));
    back.generation.charge_nano = 80;
    back.generation.provider_nano = 68;
    back.generation.provider_given_nano = 68;
    assert_int_equal(settle(fixture, &back), ERR_NONE);
    assert_wallets(fixture, "acct_1", 0, 968);
    assert_wallets(fixture, "acct_dev", 0, 5);
    assert_int_equal(owed_now(fixture).earnings_nano, 0);
    check(fixture);
}

static void test_both_kinds_in_one(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    grant_paid(fixture, 500);
    const struct store_settlement mixed = settlement_of(1, 30, 1000); /* 70 paid: 59 of 85, rounded down */
    assert_int_equal(settle(fixture, &mixed), ERR_NONE);
    assert_wallets(fixture, "acct_1", 430, 970);
    assert_wallets(fixture, "acct_dev", 0, 26);
    assert_int_equal(owed_now(fixture).payable_nano, 59);
    struct store_settlement wrong = settlement_of(2, 30, 1000);
    wrong.generation.provider_given_nano = 31; /* more than was paid so */
    assert_int_equal(settle(fixture, &wrong), ERR_CONFLICT);
    wrong.generation.provider_given_nano = 14; /* then 71 would be of the 70 */
    assert_int_equal(settle(fixture, &wrong), ERR_CONFLICT);
    check(fixture);
}

static void test_earnings_ripen(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const int64_t now_ms = clock_wall_ms();
    grant_paid(fixture, 1000);
    settle_paid(fixture, 1, now_ms - 7 * DAY_MS - 1000);
    settle_paid(fixture, 2, now_ms - 7 * DAY_MS + 60 * 1000); /* of the same day, mostly */
    settle_paid(fixture, 3, now_ms);
    struct store_owed owed = owed_now(fixture);
    assert_int_equal(owed.earnings_nano, 3 * 85);
    assert_int_equal(owed.ripening_nano, 2 * 85);
    assert_int_equal(owed.payable_nano, 85);
    assert_true(owed.day_count == 2 || owed.day_count == 1);
    assert_true(owed.days[0].ripe_ms > now_ms && owed.days[0].ripe_ms <= now_ms + DAY_MS + 60 * 1000);
    assert_int_equal(pay_out(fixture, 86), ERR_CONFLICT);
    assert_int_equal(pay_out(fixture, 85), ERR_NONE);
    assert_int_equal(pay_out(fixture, 1), ERR_CONFLICT);
    /* The same when they are in the lists by day. */
    check(fixture);
    store_fixture_start(fixture);
    store_set_hold_days(fixture->store, 7);
    assert_int_equal(owed_now(fixture).payable_nano, 0);
    store_set_hold_days(fixture->store, 0);
    assert_int_equal(owed_now(fixture).payable_nano, 2 * 85);
    check(fixture);
}

/* Far more than a slice of the lists: what is in them and what is not make the same sum. */
static void test_ripening_of_many(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const int64_t now_ms = clock_wall_ms(), start_ms = now_ms - 9 * DAY_MS;
    enum { MANY = 5000 };
    int64_t unripe = 0;
    grant_paid(fixture, MANY * 100);
    for (uint32_t i = 0; i < MANY; i++) {
        const int64_t created_ms = start_ms + i * (9 * DAY_MS / MANY);
        const struct store_settlement settlement = settlement_of(i, 0, created_ms);
        store_settle(fixture->store, &settlement, NULL, NULL);
        unripe += created_ms > now_ms - 7 * DAY_MS ? 85 : 0;
    }
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    const struct store_owed owed = owed_now(fixture);
    assert_in_range(owed.ripening_nano, unripe - 85, unripe); /* time goes on */
    assert_int_equal(owed.earnings_nano, MANY * 85);
    check(fixture);
}

static void test_nothing_to_a_suspended_account(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    grant_paid(fixture, 1000);
    settle_paid(fixture, 1, 1000);
    struct store_admin suspend = about(STORE_ADMIN_ACCOUNT_SUSPEND, "acct_dev", 0);
    suspend.account.suspended = true;
    assert_int_equal(store_fixture_act(fixture, &suspend).code, ERR_NONE);
    assert_int_equal(pay_out(fixture, 85), ERR_CONFLICT);
    assert_true(owed_now(fixture).suspended);
    suspend.account.suspended = false;
    assert_int_equal(store_fixture_act(fixture, &suspend).code, ERR_NONE);
    assert_int_equal(pay_out(fixture, 85), ERR_NONE);
}

/* Given credit that was spent comes back as that, or a refund would make money of it. */
static void test_refunds_keep_the_kind(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_settlement given = settlement_of(1, 100, 1000);
    grant_paid(fixture, 500);
    assert_int_equal(settle(fixture, &given), ERR_NONE);
    const struct store_admin refund = about(STORE_ADMIN_CREDIT_REFUND, "acct_1", 60);
    assert_int_equal(store_fixture_act(fixture, &refund).result.given_nano, 60);
    assert_wallets(fixture, "acct_1", 500, 960);
    settle_paid(fixture, 2, 1000);
    assert_int_equal(store_fixture_act(fixture, &refund).result.given_nano, 0);
    assert_int_equal(store_fixture_act(fixture, &refund).result.given_nano, 20); /* of the 100 paid, 40 were left */
    assert_wallets(fixture, "acct_1", 500, 980);
    check(fixture);
}

/* --- Escrow --- */

static void settle_into_escrow(struct store_fixture *fixture, uint32_t number, int64_t given_nano, int64_t created_ms) {
    struct store_settlement settlement = settlement_of(number, given_nano, created_ms);
    settlement.escrow = true;
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
}

static void test_escrow_is_released(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_admin release = about(STORE_ADMIN_ESCROW_RELEASE, "", 0);
    grant_paid(fixture, 1000);
    assert_int_equal(store_fixture_act(fixture, &release).code, ERR_NOT_FOUND);
    settle_into_escrow(fixture, 1, 0, 1000);
    settle_into_escrow(fixture, 2, 100, 1000);
    settle_paid(fixture, 3, 1000);
    struct store_owed owed = owed_now(fixture);
    assert_int_equal(owed.escrow_nano, 85);
    assert_int_equal(owed.given_escrow_nano, 85);
    assert_int_equal(owed.payable_nano, 85);
    assert_wallets(fixture, "acct_dev", 0, 0);
    assert_int_equal(pay_out(fixture, 86), ERR_CONFLICT);
    const struct store_acted acted = store_fixture_act(fixture, &release);
    assert_int_equal(acted.code, ERR_NONE);
    assert_string_equal(acted.result.account.id, "acct_dev");
    assert_int_equal(acted.result.amount_nano, 170);
    assert_int_equal(acted.result.given_nano, 85);
    assert_int_equal(acted.result.left, 0);
    assert_wallets(fixture, "acct_dev", 0, 85);
    assert_int_equal(pay_out(fixture, 170), ERR_NONE);
    check(fixture);
}

static void test_escrow_goes_back_to_who_paid(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_admin give_back = about(STORE_ADMIN_ESCROW_RETURN, "", 0);
    const struct store_admin forfeit = about(STORE_ADMIN_ESCROW_FORFEIT, "", 0);
    grant_paid(fixture, 1000);
    settle_into_escrow(fixture, 1, 0, 1000);
    settle_into_escrow(fixture, 2, 100, 1000);
    struct store_settlement other = settlement_of(3, 100, 1000);
    other.escrow = true;
    str_copy(other.generation.account_id, STORE_ID_MAX, STR("acct_2"));
    str_copy(other.generation.key_id, STORE_ID_MAX, STR("key_2"));
    assert_int_equal(settle(fixture, &other), ERR_NONE);
    struct store_acted acted = store_fixture_act(fixture, &give_back);
    assert_string_equal(acted.result.account.id, "acct_1");
    assert_int_equal(acted.result.amount_nano, 170);
    assert_int_equal(acted.result.given_nano, 85);
    assert_int_equal(acted.result.left, 1);
    assert_wallets(fixture, "acct_1", 985, 985);
    acted = store_fixture_act(fixture, &forfeit); /* the rest */
    assert_int_equal(acted.result.amount_nano, 85);
    assert_wallets(fixture, "acct_2", 0, 900);
    assert_int_equal(store_fixture_act(fixture, &give_back).code, ERR_NOT_FOUND);
    assert_int_equal(owed_now(fixture).earnings_nano, 0);
    check(fixture);
}

static void on_held(void *context, const struct store_escrow_held *held, const struct err *err) {
    assert_null(err);
    *(struct store_escrow_held *)context = *held;
}

static void on_escrow(void *context, const struct store_escrow *rows, size_t count, bool more, const struct err *err) {
    assert_null(err);
    assert_false(more);
    assert_int_equal(count, 1);
    *(struct store_escrow *)context = rows[0];
}

/* What was earned before a device was found at fault, as far as it is still there. */
static void test_what_was_earned_is_taken(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const int64_t now_ms = clock_wall_ms();
    struct store_escrow_hold step = {.device_id = "prov_1", .since_ms = now_ms - 7 * DAY_MS, .now_ms = now_ms};
    struct store_escrow_held held = {0};
    struct store_escrow row = {0};
    grant_paid(fixture, 1000);
    settle_paid(fixture, 1, now_ms - 8 * DAY_MS);
    settle_paid(fixture, 2, now_ms - DAY_MS);
    const struct store_settlement given = settlement_of(3, 100, now_ms);
    assert_int_equal(settle(fixture, &given), ERR_NONE);
    struct store_settlement elsewhere = settlement_of(4, 0, now_ms);
    str_copy(elsewhere.generation.device_id, STORE_ID_MAX, STR("prov_2"));
    assert_int_equal(settle(fixture, &elsewhere), ERR_NONE);
    for (int i = 0; i < 2; i++) { /* once is enough */
        store_escrow_hold(fixture->store, &step, on_held, &held);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        assert_int_equal(held.next, 0);
        assert_int_equal(held.paid_nano, i == 0 ? 85 : 0);
        assert_int_equal(held.given_nano, i == 0 ? 85 : 0);
    }
    const struct store_owed owed = owed_now(fixture);
    assert_int_equal(owed.escrow_nano, 85);
    assert_int_equal(owed.earnings_nano, 170);
    assert_int_equal(owed.payable_nano, 85); /* of the first; the one of the other device ripens */
    store_escrow_read(fixture->store, "", 10, on_escrow, &row);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_string_equal(row.device_id, "prov_1");
    assert_string_equal(row.account_id, "acct_dev");
    assert_int_equal(row.generations, 2);
    check(fixture);
}

static void test_parts_of_several_kinds(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_part parts[2] = {{.device_id = "prov_1", .account_id = "acct_dev", .tokens = 1, .amount_nano = 40},
                                  {.device_id = "prov_2", .account_id = "acct_2", .tokens = 2, .amount_nano = 45}};
    struct store_settlement settlement = settlement_of(1, 30, 1000);
    grant_paid(fixture, 1000);
    settlement.generation.provider_given_nano = 0;
    settlement.generation.completion_tokens = 3;
    settlement.parts = parts;
    settlement.part_count = 2;
    parts[0].given_nano = 12;
    parts[1].given_nano = 14;
    parts[0].escrow = true;
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    assert_wallets(fixture, "acct_1", 930, 970);
    assert_wallets(fixture, "acct_2", 0, 1014);
    const struct store_owed owed = owed_now(fixture);
    assert_int_equal(owed.escrow_nano, 28);
    assert_int_equal(owed.given_escrow_nano, 12);
    check(fixture);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_given_credit_is_never_paid_out),
        TEST(test_both_kinds_in_one),
        TEST(test_earnings_ripen),
        TEST(test_ripening_of_many),
        TEST(test_nothing_to_a_suspended_account),
        TEST(test_refunds_keep_the_kind),
        TEST(test_escrow_is_released),
        TEST(test_escrow_goes_back_to_who_paid),
        TEST(test_what_was_earned_is_taken),
        TEST(test_parts_of_several_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
