/* Files that an older program wrote. */
#include "base/file.h"
#include "support/store_fixture.h"

#include <sqlite3.h>

/* A file as the program of version 1 made and filled it. */
static void make_version_1(const char *path) {
    struct buf schema;
    struct err err;
    sqlite3 *handle;
    buf_init(&schema, 64 * 1024);
    assert_true(file_read(NATARIS_SOURCE_DIR "/src/store/0001_initial.sql", &schema, &err));
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, buf_cstr(&schema), NULL, NULL, NULL), SQLITE_OK);
    static const char rows[] =
        "INSERT INTO accounts VALUES (1, 'acct_guest', 'Guest', 0, 5), (3, 'acct_owner', 'owner', 1, 6);"
        "INSERT INTO keys VALUES (2, 'key_live', 'acct_owner', 0, zeroblob(32), 'first', 7);"
        "INSERT INTO jobs VALUES (4, 'job_1', 'acct_owner', 'key_live', 'demo', 'prov_1', 'label', 2, 1, 2, 3, 4, 5, "
        "6),"
        " (5, 'job_2', 'acct_gone', 'key_gone', 'demo', '', '', 1, 0, 0, 0, 0, 0, 7);"
        "INSERT INTO settings VALUES ('id', 'gateway')";
    assert_int_equal(sqlite3_exec(handle, rows, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    buf_clear(&schema);
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_close(fixture);
    unlink(fixture->path);
    make_version_1(fixture->path);
    if (!store_open(&fixture->store, fixture->path, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
    return 0;
}

struct rows {
    int count;
    struct store_account accounts[4];
    struct store_key keys[4];
    struct store_job jobs[4];
    struct store_audit audit[4];
};

static bool collect_account(void *context, const struct store_account *account) {
    struct rows *rows = (struct rows *)context;
    rows->accounts[rows->count++ % 4] = *account;
    return true;
}

static bool collect_key(void *context, const struct store_key *key) {
    struct rows *rows = (struct rows *)context;
    rows->keys[rows->count++ % 4] = *key;
    return true;
}

static bool collect_job(void *context, const struct store_job *job) {
    struct rows *rows = (struct rows *)context;
    rows->jobs[rows->count++ % 4] = *job;
    return true;
}

static bool collect_audit(void *context, const struct store_audit *audit) {
    struct rows *rows = (struct rows *)context;
    rows->audit[rows->count++ % 4] = *audit;
    return true;
}

static void test_accounts_get_tier_and_credit(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct rows rows = {0};
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    const struct store_account *guest = &rows.accounts[0], *owner = &rows.accounts[1];
    assert_string_equal(guest->id, "acct_guest");
    assert_int_equal(guest->number, 1);
    assert_int_equal(guest->tier, STORE_TIER_FREE);
    assert_int_equal(guest->balance_nano, STORE_WELCOME_CREDIT_NANO);
    assert_false(guest->suspended);
    assert_int_equal(owner->number, 3);
    assert_true(owner->owner);
    assert_int_equal(owner->tier, STORE_TIER_UNLIMITED);
    assert_int_equal(owner->balance_nano, STORE_WELCOME_CREDIT_NANO);
    assert_int_equal(owner->created_ms, 6);

    rows.count = 0;
    assert_true(store_each_audit(fixture->store, collect_audit, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.audit[1].actor, "migration");
    assert_string_equal(rows.audit[1].subject, "acct_owner");
    assert_int_equal(rows.audit[1].amount_nano, STORE_WELCOME_CREDIT_NANO);
}

static void test_keys_and_settings_stay(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct rows rows = {0};
    char id[16];
    assert_true(store_each_key(fixture->store, collect_key, &rows, &fixture->err));
    assert_int_equal(rows.count, 1);
    const struct store_key *key = &rows.keys[0];
    assert_string_equal(key->id, "key_live");
    assert_int_equal(key->number, 2);
    assert_int_equal(key->account_number, 3);
    assert_int_equal(key->cap_nano, -1);
    assert_int_equal(key->expires_ms + key->revoked_ms + key->spent_nano, 0);
    assert_string_equal(key->models, "");
    assert_true(store_setting_get(fixture->store, "id", id, sizeof(id), &fixture->err));
    assert_string_equal(id, "gateway");
}

static void test_jobs_stay(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct rows rows = {0};
    assert_true(store_each_job(fixture->store, collect_job, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    const struct store_job *job = &rows.jobs[0];
    assert_string_equal(job->id, "job_1");
    assert_string_equal(job->account_id, "acct_owner");
    assert_string_equal(job->key_id, "key_live");
    assert_string_equal(job->device_id, "prov_1");
    assert_string_equal(job->label, "label");
    assert_int_equal(job->outcome, STORE_JOB_CANCELLED);
    assert_int_equal(job->latency_ms, 5);
    assert_int_equal(job->created_ms, 6);
    assert_int_equal(job->charge_nano + job->provider_nano, 0);
    assert_string_equal(rows.jobs[1].id, "job_2"); /* of an account that nobody knows any more */
    assert_string_equal(rows.jobs[1].account_id, "");
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static void on_settled(void *context, const struct err *err) {
    *(int *)context += err == NULL ? 1 : 100;
}

static void test_the_ledger_is_sound_and_goes_on(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_ledger_report report;
    int settled = 0;
    struct store_settlement settlement = {.job = store_fixture_job(1), .provider_account_id = "acct_owner"};
    str_copy(settlement.job.account_id, STORE_ID_MAX, STR("acct_guest"));
    str_copy(settlement.job.key_id, STORE_ID_MAX, STR("key_live"));
    settlement.job.outcome = STORE_JOB_COMPLETED;
    settlement.job.charge_nano = 20;
    settlement.job.provider_nano = 17;
    store_fixture_start(fixture);
    store_settle(fixture->store, &settlement, on_settled, &settled);
    str_copy(settlement.job.id, STORE_ID_MAX, STR("job_1")); /* of version 1: settled long ago */
    store_settle(fixture->store, &settlement, on_settled, &settled);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(settled, 101);
    store_fixture_reopen(fixture);
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.entries, 2 * 2 + 3);
}

#define MIGRATION_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        MIGRATION_TEST(test_accounts_get_tier_and_credit),
        MIGRATION_TEST(test_keys_and_settings_stay),
        MIGRATION_TEST(test_jobs_stay),
        MIGRATION_TEST(test_the_ledger_is_sound_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
