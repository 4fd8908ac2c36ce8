/* Power cuts under a running writer: what was acknowledged is there afterwards, and the ledger is sound. The same with
 * a log that is not synced with each commit must lose something, so that it is known that the first test could fail. */
#include "base/random_source.h"
#include "support/powercut_vfs.h"
#include "support/store_fixture.h"

enum { CUTS = 100, CHARGE_NANO = 20, PROVIDER_NANO = 17, MOST_WAITING = 20 };

struct powered {
    struct store_fixture *fixture;
    bool sync_less;
    uint32_t sent, acknowledged; /* jobs by number, from the first on */
    uint32_t waiting;            /* kept in the queue */
    uint32_t lost;
};

static void settle_next(struct powered *powered);

/* Callbacks come in order, so the count says which were acknowledged. */
static void on_durable(void *context, const struct err *err) {
    struct powered *powered = (struct powered *)context;
    if (err != NULL) {
        assert_true(powercut_is_off());
        return;
    }
    powered->acknowledged++;
    settle_next(powered);
}

static void settle_next(struct powered *powered) {
    struct store_settlement settlement = {.job = store_fixture_job(powered->sent++)};
    settlement.job.outcome = STORE_OUTCOME_COMPLETED;
    settlement.job.charge_nano = CHARGE_NANO;
    settlement.job.provider_nano = PROVIDER_NANO;
    str_copy(settlement.provider_account_id, sizeof(settlement.provider_account_id), STR("acct_1"));
    store_settle(powered->fixture->store, &settlement, on_durable, powered);
}

static bool check_job(void *context, const struct store_generation *job) {
    uint32_t *number = (uint32_t *)context;
    char id[STORE_ID_MAX];
    snprintf(id, sizeof(id), "job_%08u", (*number)++);
    assert_string_equal(job->id, id); /* no gap: a later one never survives without an earlier one */
    return true;
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

/* What the program finds after the power has come back; on the same layer, only to save the real disk the syncs. */
static void check_what_is_left(struct powered *powered) {
    struct store_fixture *fixture = powered->fixture;
    struct store_ledger_report report;
    struct store_account account;
    uint32_t found = 0;
    powercut_begin(0);
    if (!store_open_with(&fixture->store, fixture->path, &(struct store_options){.vfs = POWERCUT_VFS}, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
    assert_true(store_each_generation(fixture->store, check_job, &found, &fixture->err));
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.transactions, found + 1); /* and the grant */
    assert_true(store_account_owner(fixture->store, &account, &fixture->err));
    assert_int_equal(account.balance_nano, STORE_WELCOME_CREDIT_NANO - (int64_t)found * CHARGE_NANO);
    store_fixture_close(fixture);
    assert_true(found <= powered->sent);
    powered->lost += powered->acknowledged > found ? powered->acknowledged - found : 0;
    powered->sent = powered->acknowledged = found;
}

static void run_until_cut(struct powered *powered, uint64_t seed) {
    struct store_fixture *fixture = powered->fixture;
    struct random_source random = {.state = seed};
    const struct store_options options = {.vfs = POWERCUT_VFS, .sync_less = powered->sync_less, .checkpoint_pages = 16};
    uint64_t cut_after = 1 + random_below(&random, seed % 5 == 0 ? 40 : 400);
    uint64_t waiting = 1 + random_below(&random, MOST_WAITING);
    powercut_begin(seed);
    if (seed % 5 == 0) { /* also while the log of the last time is read back */
        powercut_cut_after(cut_after);
    }
    if (store_open_with(&fixture->store, fixture->path, &options, &fixture->err)) {
        store_fixture_start(fixture);
        if (seed % 5 != 0) {
            powercut_cut_after(cut_after);
        }
        for (uint64_t i = 0; i < waiting; i++) {
            settle_next(powered);
        }
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
    }
    store_fixture_close(fixture);
    assert_true(powercut_is_off());
    powercut_restore();
    char index[160]; /* was memory: gone with the power */
    snprintf(index, sizeof(index), "%s-shm", fixture->path);
    unlink(index);
}

static uint32_t cut_many_times(struct store_fixture *fixture, bool sync_less) {
    struct powered powered = {.fixture = fixture, .sync_less = sync_less};
    store_fixture_close(fixture);
    for (uint64_t seed = 0; seed < CUTS; seed++) {
        run_until_cut(&powered, seed);
        check_what_is_left(&powered);
    }
    assert_true(powered.acknowledged > CUTS); /* the cuts met a writer at work */
    return powered.lost;
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "test",
                                        .account = store_fixture_account("acct_1", true),
                                        .keys = {store_fixture_key("key_1", "acct_1", STORE_KEY_LIVE)},
                                        .key_count = 1,
                                        .amount_nano = STORE_WELCOME_CREDIT_NANO,
                                        .now_ms = STORE_FIXTURE_NOW_MS};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
    return 0;
}

static void test_no_acknowledged_settlement_is_lost(void **state) {
    assert_int_equal(cut_many_times((struct store_fixture *)*state, false), 0);
}

static void test_without_syncs_some_are_lost(void **state) {
    assert_true(cut_many_times((struct store_fixture *)*state, true) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_acknowledged_settlement_is_lost, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_without_syncs_some_are_lost, setup, store_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
