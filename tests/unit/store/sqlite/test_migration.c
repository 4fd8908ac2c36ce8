/* Files that an older program wrote. */
#include "base/file.h"
#include "store/admin.h"
#include "store/ledger.h"
#include "store/usage.h"
#include "store/workflows.h"
#include "support/store_fixture.h"

#include <sqlite3.h>

static void run_file(sqlite3 *handle, const char *path) {
    struct buf sql;
    struct err err;
    buf_init(&sql, 64 * 1024);
    assert_true(file_read(path, &sql, &err));
    assert_int_equal(sqlite3_exec(handle, buf_cstr(&sql), NULL, NULL, NULL), SQLITE_OK);
    buf_clear(&sql);
}

/* A file as the program of version 1 made and filled it. */
static void make_version_1(const char *path) {
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    run_file(handle, NATARIS_SOURCE_DIR "/src/store/sqlite/0001_initial.sql");
    static const char rows[] =
        "INSERT INTO accounts VALUES (1, 'acct_guest', 'Guest', 0, 5), (3, 'acct_owner', 'owner', 1, 6);"
        "INSERT INTO keys VALUES (2, 'key_live', 'acct_owner', 0, zeroblob(32), 'first', 7);"
        "INSERT INTO jobs VALUES (4, 'job_1', 'acct_owner', 'key_live', 'demo', 'prov_1', 'label', 2, 1, 2, 3, 4, 5, "
        "6),"
        " (5, 'job_2', 'acct_gone', 'key_gone', 'demo', '', '', 1, 0, 0, 0, 0, 0, 7);"
        "INSERT INTO settings VALUES ('id', 'gateway')";
    assert_int_equal(sqlite3_exec(handle, rows, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* The same, used by the program of version 2: one job that earned, one that was free. */
static void make_version_2(const char *path) {
    sqlite3 *handle;
    make_version_1(path);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    run_file(handle, NATARIS_SOURCE_DIR "/src/store/sqlite/0002_money.sql");
    static const char rows[] =
        "INSERT INTO jobs VALUES (6, 'job_3', 3, 2, 'demo', 'prov_1', '', 0, 10, 20, 1, 1, 1, 8, 100, 85, 1),"
        " (7, 'job_4', 3, 2, 'demo', 'prov_1', '', 0, 10, 20, 1, 1, 1, 9, 0, 0, 0);"
        "INSERT INTO transactions VALUES (9, 0, 6, NULL, 100, 8, '');"
        "INSERT INTO entries VALUES (20, 9, 48, -100), (21, 9, 17, 85), (22, 9, 1, 15);"
        "UPDATE balances SET amount_nano = amount_nano - 100 WHERE ledger_account = 48;"
        "INSERT INTO balances VALUES (17, 85), (1, 15); UPDATE keys SET spent_nano = 100";
    assert_int_equal(sqlite3_exec(handle, rows, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* A file of version 12, with a conversation: what is new is sealed under its key. */
static void make_version_12(const char *path) {
    static const char *const scripts[] = {"0001_initial", "0002_money",         "0003_earned",     "0004_join_uses",
                                          "0005_network", "0010_conversations", "0011_async_jobs", "0012_webhooks"};
    static const char rows[] =
        "INSERT INTO accounts (number, id, name, owner, tier, suspended, created_ms)"
        " VALUES (1, 'acct_1', 'one', 1, 0, 0, 5);"
        "INSERT INTO conversation_keys VALUES (1, randomblob(32));"
        "INSERT INTO conversations VALUES (1, 'conv_1', 1, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, '', 6, 6, x'', x'', x'')";
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        char script[256];
        snprintf(script, sizeof(script), "%s/src/store/sqlite/%s.sql", NATARIS_SOURCE_DIR, scripts[i]);
        run_file(handle, script);
    }
    assert_int_equal(sqlite3_exec(handle, rows, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static int setup_with(void **state, void (*make)(const char *path)) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_close(fixture);
    unlink(fixture->path);
    make(fixture->path);
    if (!store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err)) {
        fail_msg("%s", fixture->err.message);
    }
    return 0;
}

static int setup(void **state) {
    return setup_with(state, make_version_1);
}

static int setup_2(void **state) {
    return setup_with(state, make_version_2);
}

static int setup_12(void **state) {
    return setup_with(state, make_version_12);
}

struct rows {
    int count;
    struct store_account accounts[4];
    struct store_key keys[4];
    struct store_generation jobs[4];
    struct store_audit audit[4];
};

static bool collect_account(void *context, const struct store_account *account) {
    struct rows *rows = context;
    rows->accounts[rows->count++ % 4] = *account;
    return true;
}

static bool collect_key(void *context, const struct store_key *key) {
    struct rows *rows = context;
    rows->keys[rows->count++ % 4] = *key;
    return true;
}

static bool collect_job(void *context, const struct store_generation *job) {
    struct rows *rows = context;
    rows->jobs[rows->count++ % 4] = *job;
    return true;
}

static bool collect_audit(void *context, const struct store_audit *audit) {
    struct rows *rows = context;
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
    assert_int_equal(guest->given_nano, STORE_WELCOME_CREDIT_NANO);
    assert_false(guest->suspended);
    assert_int_equal(owner->number, 3);
    assert_true(owner->owner);
    assert_int_equal(owner->tier, STORE_TIER_UNLIMITED);
    assert_int_equal(owner->balance_nano, STORE_WELCOME_CREDIT_NANO);
    assert_int_equal(owner->given_nano, 0);
    assert_int_equal(owner->created_ms, 6);

    rows.count = 0;
    assert_true(store_each_audit(fixture->store, collect_audit, &rows, &fixture->err));
    assert_int_equal(rows.count, 3);
    assert_string_equal(rows.audit[1].actor, "migration");
    assert_string_equal(rows.audit[1].subject, "acct_owner");
    assert_int_equal(rows.audit[1].amount_nano, STORE_WELCOME_CREDIT_NANO);
    assert_string_equal(rows.audit[2].action, "credit.convert");
    assert_string_equal(rows.audit[2].subject, "acct_guest"); /* the operator's own credit stays paid credit */
    assert_int_equal(rows.audit[2].amount_nano, STORE_WELCOME_CREDIT_NANO);
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
    assert_true(store_each_generation(fixture->store, collect_job, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    const struct store_generation *job = &rows.jobs[0];
    assert_string_equal(job->id, "job_1");
    assert_string_equal(job->account_id, "acct_owner");
    assert_string_equal(job->key_id, "key_live");
    assert_string_equal(job->device_id, "prov_1");
    assert_string_equal(job->label, "label");
    assert_int_equal(job->outcome, STORE_OUTCOME_CANCELLED);
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
    struct store_settlement settlement = {.generation = store_fixture_job(1), .provider_account_id = "acct_owner"};
    str_copy(settlement.generation.account_id, STORE_ID_MAX, STR("acct_guest"));
    str_copy(settlement.generation.key_id, STORE_ID_MAX, STR("key_live"));
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = 20;
    settlement.generation.provider_nano = 17;
    settlement.generation.given_nano = 20;
    settlement.generation.provider_given_nano = 17;
    store_fixture_start(fixture);
    store_settle(fixture->store, &settlement, on_settled, &settled);
    str_copy(settlement.generation.id, STORE_ID_MAX, STR("job_1")); /* of version 1: settled long ago */
    store_settle(fixture->store, &settlement, on_settled, &settled);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(settled, 101);
    store_fixture_reopen(fixture);
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.entries, 2 * 2 + 2 + 3);
}

static void on_earnings(void *context, const struct store_earnings *earnings, const struct err *err) {
    assert_null(err);
    *(struct store_earnings *)context = *earnings;
}

static void on_page(void *context, const struct store_generation *jobs, size_t count, bool more,
                    const struct err *err) {
    assert_null(err);
    assert_false(more);
    assert_int_equal(count, 1);
    *(struct store_generation *)context = jobs[0];
}

static void test_what_was_earned_stays(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_ledger_report report;
    struct store_earnings earnings = {0};
    struct store_generation job = {0};
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
    store_fixture_start(fixture);
    store_earnings_read(fixture->store, "acct_guest", 8, 9, on_earnings, &earnings);
    store_generations_page(fixture->store, "acct_guest", true, "", 5, on_page, &job);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(earnings.generations, 1);
    assert_int_equal(earnings.earned_nano, 85);
    assert_int_equal(earnings.tokens, 30);
    assert_string_equal(job.id, "job_3");
}

static void on_workflow(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                        size_t count, bool changed, const struct err *err) {
    (void)steps;
    (void)count;
    (void)changed;
    assert_null(err);
    assert_string_equal(workflow->conversation_id, "conv_1");
    *(int *)context += 1;
}

static void on_list(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                    const struct err *err) {
    (void)more;
    assert_null(err);
    assert_int_equal(count, 1);
    assert_int_equal(total, 1);
    assert_string_equal(workflows[0].task, "a task");
    *(int *)context += 1;
}

static void test_what_is_there_can_have_workflows(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    int called = 0;
    const struct store_workflow_new asked = {
        .workflow = {
            .id = "wf_1", .account_id = "acct_1", .conversation_id = "conv_1", .task = "a task", .request = STR("{}")}};
    const struct store_workflow_query query = {.account_id = "acct_1", .status = -1, .limit = 10};
    store_fixture_start(fixture);
    store_workflow_add(fixture->store, &asked, on_workflow, &called);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    store_workflow_list(fixture->store, &query, on_list, &called);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(called, 2);
}

static void on_usage(void *context, const struct store_usage *usage, const struct err *err) {
    assert_null(err);
    struct store_usage *out = context;
    *out = *usage;
}

/* The totals are made of the rows of an older file; of version 2's two jobs one was charged, of version 1's none
 * counts. */
static void test_usage_is_made_of_old_rows(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_usage usage = {.requests = -1};
    store_fixture_start(fixture);
    store_usage_read(fixture->store, "acct_owner", "key_live", 0, 1, on_usage, &usage);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(usage.requests, 2);
    assert_int_equal(usage.prompt_tokens, 20);
    assert_int_equal(usage.completion_tokens, 40);
    assert_int_equal(usage.charge_nano, 100);
    assert_int_equal(usage.model_count, 1);
}

#define MIGRATION_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        MIGRATION_TEST(test_accounts_get_tier_and_credit),
        MIGRATION_TEST(test_keys_and_settings_stay),
        MIGRATION_TEST(test_jobs_stay),
        MIGRATION_TEST(test_the_ledger_is_sound_and_goes_on),
        cmocka_unit_test_setup_teardown(test_what_was_earned_stays, setup_2, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_usage_is_made_of_old_rows, setup_2, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_there_can_have_workflows, setup_12, store_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
