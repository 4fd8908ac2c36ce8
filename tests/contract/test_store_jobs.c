/* Jobs that nobody waits for: added once, ended once, seen by their account only. */
#include "store/jobs.h"
#include "support/store_fixture.h"

#define NOW INT64_C(1767225600000)

struct told {
    bool called, changed;
    enum err_code code;
    struct store_job job;
    char body[64], result[64];
};

static void on_told(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct told *told = context;
    *told = (struct told){.called = true, .changed = changed, .code = err == NULL ? ERR_NONE : err->code};
    if (job != NULL) {
        told->job = *job;
        str_copy(told->body, sizeof(told->body), job->body);
        str_copy(told->result, sizeof(told->result), job->result);
    }
}

static void turn(struct store_fixture *fixture) {
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static struct store_job_new new_job(const char *id, const char *body, int64_t created_ms) {
    struct store_job_new asked = {.job = {.kind = 1, .created_ms = created_ms, .body = str_from(body)}};
    str_copy(asked.job.id, sizeof(asked.job.id), str_from(id));
    str_copy(asked.job.account_id, sizeof(asked.job.account_id), STR("acct_1"));
    str_copy(asked.job.key_id, sizeof(asked.job.key_id), STR("key_1"));
    str_copy(asked.job.model, sizeof(asked.job.model), STR("nataris-demo-2m"));
    return asked;
}

static struct told add(struct store_fixture *fixture, const struct store_job_new *asked) {
    struct told told = {0};
    store_job_add(fixture->store, asked, on_told, &told);
    turn(fixture);
    assert_true(told.called);
    return told;
}

static struct told find(struct store_fixture *fixture, const char *account_id, bool test, const char *id) {
    struct told told = {0};
    store_job_find(fixture->store, account_id, test, id, on_told, &told);
    turn(fixture);
    return told;
}

static struct told end(struct store_fixture *fixture, const char *account_id, const char *id,
                       enum store_job_state state) {
    struct told told = {0};
    struct store_job_end asked = {.state = state,
                                  .ended_ms = NOW + 5,
                                  .prompt_tokens = 3,
                                  .completion_tokens = 4,
                                  .charge_nano = 5,
                                  .result = state == STORE_JOB_CANCELLED ? STR("") : STR("{\"a\":1}"),
                                  .event = STR("{}")};
    str_copy(asked.id, sizeof(asked.id), str_from(id));
    str_copy(asked.account_id, sizeof(asked.account_id), str_from(account_id));
    store_job_end(fixture->store, &asked, on_told, &told);
    turn(fixture);
    return told;
}

static int setup(void **state) {
    store_fixture_setup_client(state);
    store_fixture_start(*state);
    return 0;
}

static void test_is_there_once_it_was_added(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_job_new asked = new_job("job_1", "the body", NOW);
    struct told told = add(fixture, &asked);
    assert_true(told.changed);
    assert_int_equal(told.job.state, STORE_JOB_QUEUED);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    told = find(fixture, "acct_1", false, "job_1");
    assert_int_equal(told.code, ERR_NONE);
    assert_string_equal(told.body, "the body");
    assert_string_equal(told.job.key_id, "key_1");
    assert_int_equal(told.job.kind, 1);
    assert_int_equal(told.job.created_ms, NOW);
    assert_int_equal(find(fixture, "acct_2", false, "job_1").code, ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "acct_1", true, "job_1").code, ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "acct_1", false, "job_2").code, ERR_NOT_FOUND);
    struct store_job_new stranger = new_job("job_3", "", NOW);
    str_copy(stranger.job.account_id, sizeof(stranger.job.account_id), STR("acct_9"));
    assert_int_equal(add(fixture, &stranger).code, ERR_NOT_FOUND);
}

static void test_ends_once(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_job_new asked = new_job("job_1", "the body", NOW);
    add(fixture, &asked);
    store_job_move(fixture->store, "job_1", STORE_JOB_RUNNING, NOW + 1);
    turn(fixture);
    struct told told = find(fixture, "acct_1", false, "job_1");
    assert_int_equal(told.job.state, STORE_JOB_RUNNING);
    assert_int_equal(told.job.started_ms, NOW + 1);
    assert_int_equal(end(fixture, "acct_2", "job_1", STORE_JOB_CANCELLED).code, ERR_NOT_FOUND);
    told = end(fixture, "", "job_1", STORE_JOB_COMPLETED);
    assert_true(told.changed);
    assert_string_equal(told.result, "{\"a\":1}");
    assert_string_equal(told.body, ""); /* the request goes with the end */
    assert_int_equal(told.job.charge_nano, 5);
    told = end(fixture, "acct_1", "job_1", STORE_JOB_CANCELLED);
    assert_int_equal(told.code, ERR_NONE);
    assert_false(told.changed);
    assert_int_equal(told.job.state, STORE_JOB_COMPLETED);
    store_job_move(fixture->store, "job_1", STORE_JOB_QUEUED, 0);
    turn(fixture);
    assert_int_equal(find(fixture, "acct_1", false, "job_1").job.state, STORE_JOB_COMPLETED);
}

/* What a cancelled job was charged is known only later, by its settlement. */
static void test_costs_what_its_settlement_says(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_job_new asked = new_job("job_00000007", "b", NOW);
    add(fixture, &asked);
    end(fixture, "acct_1", "job_00000007", STORE_JOB_CANCELLED);
    struct store_generation job = store_fixture_job(7);
    job.outcome = STORE_OUTCOME_CANCELLED;
    job.completion_tokens = 21;
    store_fixture_settle(fixture->store, &job, NULL, NULL);
    turn(fixture);
    const struct told told = find(fixture, "acct_1", false, "job_00000007");
    assert_int_equal(told.job.prompt_tokens, 7);
    assert_int_equal(told.job.completion_tokens, 21);
}

static void test_an_idempotency_key_is_one_job(void **state) {
    struct store_fixture *fixture = *state;
    const uint8_t scope[DIGEST_SHA256_SIZE] = {1, 2, 3};
    struct store_job_new asked = new_job("job_1", "b", NOW);
    asked.scope_sha256 = scope;
    asked.scope_since_ms = NOW - 1000;
    assert_true(add(fixture, &asked).changed);
    asked.job = new_job("job_2", "c", NOW + 500).job;
    struct told told = add(fixture, &asked);
    assert_false(told.changed);
    assert_string_equal(told.job.id, "job_1");
    asked.scope_since_ms = NOW; /* its time is over */
    assert_true(add(fixture, &asked).changed);
    asked.job = new_job("job_3", "d", NOW + 600).job;
    assert_string_equal(add(fixture, &asked).job.id, "job_2");
    asked.replaces = true;
    assert_true(add(fixture, &asked).changed);
    asked.replaces = false;
    asked.job = new_job("job_4", "e", NOW + 700).job;
    assert_string_equal(add(fixture, &asked).job.id, "job_3");
}

struct listed {
    char ids[128];
    bool more;
    enum err_code code;
};

static void on_listed(void *context, const struct store_job *jobs, size_t count, bool more, const struct err *err) {
    struct listed *listed = context;
    *listed = (struct listed){.more = more, .code = err == NULL ? ERR_NONE : err->code};
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(listed->ids);
        snprintf(listed->ids + len, sizeof(listed->ids) - len, "%s%s", i > 0 ? " " : "", jobs[i].id);
    }
}

static struct listed list(struct store_fixture *fixture, const char *account_id, int state, const char *after,
                          unsigned limit) {
    struct listed listed = {0};
    struct store_job_query query = {.state = state, .limit = limit};
    str_copy(query.account_id, sizeof(query.account_id), str_from(account_id));
    str_copy(query.after, sizeof(query.after), str_from(after));
    store_job_list(fixture->store, &query, on_listed, &listed);
    turn(fixture);
    return listed;
}

static void test_is_listed(void **state) {
    struct store_fixture *fixture = *state;
    for (int i = 1; i <= 5; i++) {
        char id[STORE_ID_MAX];
        snprintf(id, sizeof(id), "job_%d", i);
        struct store_job_new asked = new_job(id, "b", NOW);
        asked.job.test = i == 5;
        add(fixture, &asked);
    }
    end(fixture, "", "job_2", STORE_JOB_FAILED);
    struct listed listed = list(fixture, "acct_1", -1, "", 3);
    assert_string_equal(listed.ids, "job_4 job_3 job_2");
    assert_true(listed.more);
    listed = list(fixture, "acct_1", -1, "job_2", 3);
    assert_string_equal(listed.ids, "job_1");
    assert_false(listed.more);
    assert_string_equal(list(fixture, "acct_1", STORE_JOB_FAILED, "", 9).ids, "job_2");
    assert_string_equal(list(fixture, "acct_1", STORE_JOB_QUEUED, "job_4", 9).ids, "job_3 job_1");
    assert_string_equal(list(fixture, "acct_2", -1, "", 9).ids, "");
    assert_int_equal(list(fixture, "acct_2", -1, "job_1", 9).code, ERR_NOT_FOUND);
    assert_int_equal(list(fixture, "acct_1", -1, "job_5", 9).code, ERR_NOT_FOUND); /* a test key's */
    assert_string_equal(list(fixture, "", -1, "", 9).ids, "job_1 job_3 job_4 job_5");
}

static void on_purged(void *context, bool more) {
    *(int *)context = more;
}

static void test_goes_when_its_time_is_over(void **state) {
    struct store_fixture *fixture = *state;
    int more = -1;
    const struct store_job_new first = new_job("job_1", "b", NOW), second = new_job("job_2", "b", NOW);
    add(fixture, &first);
    add(fixture, &second);
    end(fixture, "", "job_1", STORE_JOB_COMPLETED); /* at NOW + 5 */
    store_job_purge(fixture->store, NOW + 5, on_purged, &more);
    turn(fixture);
    assert_int_equal(more, false);
    assert_int_equal(find(fixture, "acct_1", false, "job_1").code, ERR_NONE);
    store_job_purge(fixture->store, NOW + 6, on_purged, &more);
    turn(fixture);
    assert_int_equal(find(fixture, "acct_1", false, "job_1").code, ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "acct_1", false, "job_2").code, ERR_NONE); /* it has not ended */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_is_there_once_it_was_added),    TEST(test_ends_once), TEST(test_costs_what_its_settlement_says),
        TEST(test_an_idempotency_key_is_one_job), TEST(test_is_listed), TEST(test_goes_when_its_time_is_over),
    };
    return STORE_CONTRACT_RUN(tests);
}
