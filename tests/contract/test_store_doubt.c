/* Commits of which nobody knows at first what became of them: nothing is acknowledged, refused or done twice because of
 * it. */
#include "base/mem.h"
#include "store/admin.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/ledger.h"
#include "store/run.h"
#include "store/task.h"
#include "support/store_doubt.h"
#include "support/store_workflows_fixture.h"

enum { CHARGE = 100, CODES = 4, SHORT_MS = 1 };

struct doubtful {
    struct store_fixture *base;
    struct store_doubt doubt;
    struct store_doubt_driver driver;
    struct store *store;
    enum err_code codes[CODES];
    int told; /* of these */
};

static int doubtful_setup(void **state, uint32_t patience_ms) {
    struct doubtful *self = calloc(1, sizeof(*self));
    void *base;
    store_fixture_setup(&base);
    self->base = base;
    create_account(self->base, "acct_1", "key_1");
    store_fixture_close(self->base);
    store_doubt_init(&self->driver, &self->doubt, store_backend()->driver);
    self->store = self->base->store =
        store_doubt_open(&self->driver, self->base->path, &(struct store_options){.patience_ms = patience_ms});
    *state = self;
    return 0;
}

static int setup_patient(void **state) {
    return doubtful_setup(state, 0);
}

static int setup_impatient(void **state) {
    return doubtful_setup(state, SHORT_MS);
}

static int teardown(void **state) {
    struct doubtful *self = *state;
    void *base = self->base;
    assert_int_equal(self->base->broken_count, 0); /* doubt is not the end */
    store_fixture_teardown(&base);
    free(self);
    return 0;
}

/* The connection is lost at the next commit but so many. */
static void lose(struct doubtful *self, enum store_doubt_loss loss, unsigned commits_before, unsigned unreachable) {
    self->doubt.loss = loss;
    self->doubt.commits_before = commits_before;
    self->doubt.unreachable = unreachable;
    self->doubt.asked = 0;
}

static void on_told_code(void *context, const struct err *err) {
    struct doubtful *self = context;
    assert_true(self->told < CODES);
    self->codes[self->told++] = err == NULL ? ERR_NONE : err->code;
}

static void settle_later(struct doubtful *self, uint32_t number) {
    struct store_settlement settlement = {.generation = store_fixture_job(number)};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = CHARGE;
    store_settle(self->store, &settlement, on_told_code, self);
}

static enum err_code settle_now(struct doubtful *self, uint32_t number) {
    self->told = 0;
    settle_later(self, number);
    turn(self->base);
    assert_int_equal(self->told, 1);
    return self->codes[0];
}

static bool count_one(void *context, const struct store_generation *generation) {
    (void)generation;
    ++*(int *)context;
    return true;
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

/* So many generations are there, each paid once. */
static void expect_settled(struct doubtful *self, int count) {
    struct store_fixture *fixture = self->base;
    struct store_ledger_report report;
    struct err err;
    int found = 0;
    store_fixture_reopen(fixture);
    assert_true(store_each_generation(fixture->store, count_one, &found, &err));
    assert_int_equal(found, count);
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &err));
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.transactions, 1 + count); /* with the grant */
}

static void test_what_was_done_is_told_as_done(void **state) {
    struct doubtful *self = *state;
    store_fixture_start(self->base);
    lose(self, STORE_DOUBT_WAS_DONE, 0, 2);
    assert_int_equal(settle_now(self, 1), ERR_NONE);
    assert_int_equal(self->doubt.asked, 3); /* until it could be told */
    assert_int_equal(store_counts(self->store).records, 1);
    assert_int_equal(settle_now(self, 2), ERR_NONE);
    expect_settled(self, 2);
}

static void test_what_was_not_may_be_tried_again(void **state) {
    struct doubtful *self = *state;
    store_fixture_start(self->base);
    assert_int_equal(settle_now(self, 1), ERR_NONE);
    lose(self, STORE_DOUBT_WAS_NOT, 0, 1);
    assert_int_equal(settle_now(self, 2), ERR_UNAVAILABLE);
    assert_int_equal(store_counts(self->store).records, 1);
    assert_int_equal(settle_now(self, 2), ERR_NONE);
    expect_settled(self, 2);
}

static void test_what_cannot_be_told_is_neither(void **state) {
    struct doubtful *self = *state;
    store_fixture_start(self->base);
    lose(self, STORE_DOUBT_WAS_DONE, 0, STORE_DOUBT_FOR_EVER);
    assert_int_equal(settle_now(self, 1), ERR_IN_DOUBT);
    assert_true(self->doubt.asked > 1); /* not at the first try */
    assert_int_equal(store_counts(self->store).records, 0);
    lose(self, STORE_DOUBT_NONE, 0, 0);
    assert_int_equal(settle_now(self, 1), ERR_CONFLICT); /* once more: it was there */
    lose(self, STORE_DOUBT_WAS_NOT, 0, STORE_DOUBT_FOR_EVER);
    assert_int_equal(settle_now(self, 2), ERR_IN_DOUBT);
    lose(self, STORE_DOUBT_NONE, 0, 0);
    assert_int_equal(settle_now(self, 2), ERR_NONE); /* once more: it was not */
    assert_int_equal(settle_now(self, 3), ERR_NONE);
    expect_settled(self, 3);
}

static void test_closing_does_not_wait_for_it(void **state) {
    struct doubtful *self = *state;
    store_fixture_start(self->base);
    lose(self, STORE_DOUBT_WAS_NOT, 0, STORE_DOUBT_FOR_EVER);
    settle_later(self, 1);
    store_fixture_close(self->base); /* its patience would be half a minute */
    assert_int_equal(self->told, 1);
    assert_int_equal(self->codes[0], ERR_IN_DOUBT);
    expect_settled(self, 0);
}

/* --- One group --- */

/* Keeps the writer until it is let go: what comes meanwhile is one group. */
struct gate {
    struct store_task task;
    uv_sem_t *reached, *open;
};

static bool gate_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    (void)connection;
    (void)err;
    task->idle = true;
    uv_sem_post(((struct gate *)task)->reached);
    uv_sem_wait(((struct gate *)task)->open);
    return true;
}

static void gate_run(struct store *store, uv_sem_t *reached, uv_sem_t *open) {
    static const struct store_task_kind kind = {.write = gate_write};
    struct gate *gate = MEM_NEW(struct gate);
    gate->task.kind = &kind;
    gate->reached = reached;
    gate->open = open;
    store_task_run(store, &gate->task);
    uv_sem_wait(reached);
}

static void on_key(void *context, const struct store_key *key, const struct store_account *account,
                   const struct err *err) {
    (void)account;
    assert_null(err);
    assert_string_equal(key->id, "key_1");
    *(bool *)context = true;
}

/* The second is refused because of the first, so its refusal is as doubtful. What only looks is not. */
static void test_a_whole_group_is_in_doubt(void **state) {
    struct doubtful *self = *state;
    const struct store_key key = store_fixture_key("key_1", "", STORE_KEY_LIVE);
    bool found = false;
    uv_sem_t reached, open;
    assert_int_equal(uv_sem_init(&reached, 0), 0);
    assert_int_equal(uv_sem_init(&open, 0), 0);
    store_fixture_start(self->base);
    lose(self, STORE_DOUBT_WAS_DONE, 1, STORE_DOUBT_FOR_EVER);
    gate_run(self->store, &reached, &open);
    settle_later(self, 1);
    settle_later(self, 1);
    store_key_find(self->store, key.sha256, on_key, &found);
    settle_later(self, 2);
    uv_sem_post(&open);
    turn(self->base);
    assert_int_equal(self->told, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(self->codes[i], ERR_IN_DOUBT);
    }
    assert_true(found);
    uv_sem_destroy(&reached);
    uv_sem_destroy(&open);
    expect_settled(self, 2);
}

/* --- What has an id of its own is safe to ask for again --- */

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    (void)job;
    (void)changed;
    on_told_code(context, err);
}

static enum err_code end_job(struct doubtful *self) {
    struct store_job_end end = {
        .state = STORE_JOB_COMPLETED, .ended_ms = NOW + 1, .result = STR("{}"), .event = STR("{}")};
    str_copy(end.id, STORE_ID_MAX, STR("job_1"));
    self->told = 0;
    store_job_end(self->store, &end, on_job, self);
    turn(self->base);
    return self->codes[0];
}

static void test_ends_may_be_told_again(void **state) {
    struct doubtful *self = *state;
    struct store_fixture *fixture = self->base;
    const struct store_step step = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE);
    struct store_job_new asked = {.job = {.created_ms = NOW, .body = STR("{}")}};
    str_copy(asked.job.id, STORE_ID_MAX, STR("job_1"));
    str_copy(asked.job.account_id, STORE_ID_MAX, STR("acct_1"));
    store_fixture_start(fixture);
    add_plain(fixture, "wf_1");
    store_job_add(self->store, &asked, on_job, self);
    turn(fixture);
    for (int i = 0; i < 2; i++) { /* it was done, and nobody knew; then it is told again */
        const enum err_code code = i == 0 ? ERR_IN_DOUBT : ERR_NONE;
        const enum store_doubt_loss loss = i == 0 ? STORE_DOUBT_WAS_DONE : STORE_DOUBT_NONE;
        lose(self, loss, 0, STORE_DOUBT_FOR_EVER);
        assert_int_equal(put(fixture, "wf_1", &step, NULL), code);
        lose(self, loss, 0, STORE_DOUBT_FOR_EVER);
        assert_int_equal(end_job(self), code);
    }
    lose(self, STORE_DOUBT_WAS_DONE, 0, STORE_DOUBT_FOR_EVER);
    assert_int_equal(end(fixture, "wf_1", STORE_WORKFLOW_COMPLETED).code, ERR_IN_DOUBT);
    lose(self, STORE_DOUBT_NONE, 0, 0);
    const struct told told = end(fixture, "wf_1", STORE_WORKFLOW_COMPLETED);
    assert_true(told.changed);
    assert_int_equal(told.workflow.cost_nano, 300); /* once */
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM jobs WHERE state = 2"), 1);
}

/* --- The sender of webhooks --- */

static void on_deliveries(void *context, int64_t webhook) {
    (void)webhook;
    ++*(int *)context;
}

static void on_webhook(void *context, const struct store_webhook_result *result, const struct err *err) {
    (void)result;
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

static enum err_code change(struct doubtful *self, enum store_webhook_change_kind kind) {
    enum err_code code = ERR_INTERNAL;
    struct store_webhook_change asked = {.kind = kind, .now_ms = NOW, .webhook = {.created_ms = NOW}};
    str_copy(asked.webhook.id, STORE_ID_MAX, STR("wh_1"));
    str_copy(asked.webhook.account_id, STORE_ID_MAX, STR("acct_1"));
    str_copy(asked.webhook.url, STORE_WEBHOOK_URL_MAX, STR("https://example.com/"));
    store_webhook_change(self->store, &asked, on_webhook, &code);
    turn(self->base);
    return code;
}

static void test_deliveries_are_told_of_when_they_are_there(void **state) {
    struct doubtful *self = *state;
    int told = 0;
    store_fixture_start(self->base);
    assert_int_equal(change(self, STORE_WEBHOOK_CREATE), ERR_NONE);
    store_deliveries_watch(self->store, on_deliveries, &told);
    lose(self, STORE_DOUBT_WAS_NOT, 0, 1);
    assert_int_equal(change(self, STORE_WEBHOOK_TEST), ERR_UNAVAILABLE);
    assert_int_equal(settle_now(self, 1), ERR_NONE);
    assert_int_equal(told, 0);
    lose(self, STORE_DOUBT_WAS_DONE, 0, 1);
    assert_int_equal(change(self, STORE_WEBHOOK_TEST), ERR_NONE);
    assert_int_equal(told, 1);
}

/* --- Before the threads --- */

static enum err_code grant(struct doubtful *self) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_CREDIT_GRANT, .amount_nano = 1, .now_ms = NOW};
    struct err err = {0};
    str_copy(admin.account.id, STORE_ID_MAX, STR("acct_1"));
    return store_admin_now(self->store, &admin, &result, &err) ? ERR_NONE : err.code;
}

static void test_commands_are_told_the_same(void **state) {
    struct doubtful *self = *state;
    struct store_ledger_report report;
    struct err err;
    lose(self, STORE_DOUBT_WAS_DONE, 0, 0);
    assert_int_equal(grant(self), ERR_NONE);
    lose(self, STORE_DOUBT_WAS_NOT, 0, 0);
    assert_int_equal(grant(self), ERR_UNAVAILABLE);
    lose(self, STORE_DOUBT_WAS_DONE, 0, STORE_DOUBT_FOR_EVER);
    assert_int_equal(grant(self), ERR_IN_DOUBT);
    lose(self, STORE_DOUBT_NONE, 0, 0);
    assert_int_equal(grant(self), ERR_NONE);
    assert_true(store_ledger_check(self->store, on_problem, NULL, &report, &err));
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.transactions, 1 + 3);
}

#define PATIENT(test) cmocka_unit_test_setup_teardown(test, setup_patient, teardown)
#define IMPATIENT(test) cmocka_unit_test_setup_teardown(test, setup_impatient, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PATIENT(test_what_was_done_is_told_as_done),
        PATIENT(test_what_was_not_may_be_tried_again),
        IMPATIENT(test_what_cannot_be_told_is_neither),
        PATIENT(test_closing_does_not_wait_for_it),
        IMPATIENT(test_a_whole_group_is_in_doubt),
        IMPATIENT(test_ends_may_be_told_again),
        PATIENT(test_deliveries_are_told_of_when_they_are_there),
        IMPATIENT(test_commands_are_told_the_same),
    };
    return STORE_CONTRACT_RUN(tests);
}
