/* What is stored of prompts is unreadable in the files, and goes for good when its account is erased. */
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/webhooks.h"
#include "support/store_workflows_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In every text that a client gives or gets. */
#define MARK "Zanzibar-7731"

static bool file_has(const char *path, const void *what, size_t len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size + 1);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    const bool found = memmem(bytes, size, what, len) != NULL;
    free(bytes);
    return found;
}

static bool in_files(const struct store_fixture *fixture, const void *what, size_t len) {
    char log[160];
    snprintf(log, sizeof(log), "%s-wal", fixture->path);
    return file_has(fixture->path, what, len) || file_has(log, what, len);
}

static void assert_sealed(const struct store_fixture *fixture) {
    assert_false(in_files(fixture, MARK, strlen(MARK)));
}

/* --- One of each --- */

struct job_told {
    enum err_code code;
    char body[64], result[64];
};

static void on_job(void *context, const struct store_job *job, bool is_changed, const struct err *err) {
    struct job_told *out = context;
    (void)is_changed;
    *out = (struct job_told){.code = err == NULL ? ERR_NONE : err->code};
    if (job != NULL) {
        str_copy(out->body, sizeof(out->body), job->body);
        str_copy(out->result, sizeof(out->result), job->result);
    }
}

static enum err_code add_job(struct store_fixture *fixture, const char *id) {
    struct job_told out;
    struct store_job_new asked = {.job = {.kind = 1, .created_ms = NOW, .body = STR("{\"prompt\":\"" MARK "\"}")}};
    str_copy(asked.job.id, STORE_ID_MAX, str_from(id));
    str_copy(asked.job.account_id, STORE_ID_MAX, STR("acct_1"));
    str_copy(asked.job.key_id, STORE_ID_MAX, STR("key_1"));
    str_copy(asked.job.model, sizeof(asked.job.model), STR("demo"));
    store_job_add(fixture->store, &asked, on_job, &out);
    turn(fixture);
    return out.code;
}

static void end_job(struct store_fixture *fixture, const char *id) {
    struct job_told out;
    struct store_job_end asked = {.state = STORE_JOB_COMPLETED,
                                  .ended_ms = NOW + 5,
                                  .result = STR("{\"text\":\"" MARK "\"}"),
                                  .event = STR("{\"result\":\"" MARK "\"}")};
    str_copy(asked.id, STORE_ID_MAX, str_from(id));
    store_job_end(fixture->store, &asked, on_job, &out);
    turn(fixture);
    assert_int_equal(out.code, ERR_NONE);
}

static struct job_told find_job(struct store_fixture *fixture, const char *id) {
    struct job_told out;
    store_job_find(fixture->store, "acct_1", false, id, on_job, &out);
    turn(fixture);
    return out;
}

static void add_workflow(struct store_fixture *fixture) {
    struct store_workflow_new asked = new_workflow("wf_1");
    asked.workflow.request = STR("{\"message\":\"" MARK "\"}");
    str_copy(asked.workflow.task, STORE_WORKFLOW_TASK_MAX, STR("Say " MARK));
    assert_true(add(fixture, &asked).changed);
    struct store_step step = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE);
    step.output = STR("Step " MARK);
    assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE);
}

static void end_workflow(struct store_fixture *fixture) {
    struct store_workflow_end asked = new_end("acct_1", "wf_1", STORE_WORKFLOW_COMPLETED);
    asked.text = STR("Answer " MARK);
    asked.error = STR("{\"error\":\"" MARK "\"}");
    asked.extra = STR("{\"extra\":\"" MARK "\"}");
    asked.event = STR("{\"answer\":\"" MARK "\"}");
    assert_true(end_with(fixture, &asked).changed);
}

static void settle_answer(struct store_fixture *fixture, uint32_t number, uint8_t scope) {
    enum err_code code = ERR_INTERNAL;
    const struct store_answer answer = {
        .scope_sha256 = {scope}, .expires_ms = NOW + 1000, .content = STR("Kept " MARK)};
    const struct store_settlement settlement = {.answer = &answer, .generation = store_fixture_job(number)};
    store_settle(fixture->store, &settlement, on_code, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

static void on_webhook(void *context, const struct store_webhook_result *result, const struct err *err) {
    (void)context;
    assert_null(err);
    assert_non_null(result);
}

static void add_webhook(struct store_fixture *fixture) {
    struct store_webhook_change change = {.kind = STORE_WEBHOOK_CREATE, .now_ms = NOW};
    str_copy(change.webhook.account_id, STORE_ID_MAX, STR("acct_1"));
    str_copy(change.webhook.id, STORE_ID_MAX, STR("wh_1"));
    str_copy(change.webhook.url, sizeof(change.webhook.url), STR("https://example.com/"));
    change.webhook.events = UINT32_MAX;
    change.webhook.created_ms = NOW;
    store_webhook_change(fixture->store, &change, on_webhook, NULL);
    turn(fixture);
}

struct due_told {
    int64_t delivery, webhook;
    size_t count;
    char body[512];
};

static void on_due(void *context, struct store_due *due, const struct err *err) {
    struct due_told *out = context;
    assert_null(err);
    *out = (struct due_told){0};
    for (size_t i = 0; i < due->count; i++) {
        out->count += due->webhooks[i].count;
        out->webhook = due->webhooks[i].number;
        out->delivery = due->webhooks[i].deliveries[0].number;
        str_copy(out->body, sizeof(out->body), due->webhooks[i].deliveries[0].body);
    }
    store_due_free(due);
}

static struct due_told due(struct store_fixture *fixture) {
    struct due_told out;
    const struct store_due_query query = {.now_ms = NOW + 100, .limit = 100, .bytes = 1 << 20};
    store_deliveries_due(fixture->store, &query, on_due, &out);
    turn(fixture);
    return out;
}

static void end_attempt(struct store_fixture *fixture, const struct due_told *what) {
    enum err_code code = ERR_INTERNAL;
    struct store_attempt attempt = {.delivery = what->delivery,
                                    .webhook = what->webhook,
                                    .state = STORE_DELIVERY_DELIVERED,
                                    .attempts = 1,
                                    .tried_ms = NOW + 100,
                                    .status = 200,
                                    .response_len = strlen(MARK)};
    memcpy(attempt.response, MARK, strlen(MARK));
    store_attempt_end(fixture->store, &attempt, on_code, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

static void on_deliveries(void *context, const struct store_delivery *deliveries, size_t count, bool more,
                          const struct err *err) {
    size_t *marked = context;
    (void)more;
    *marked = 0;
    for (size_t i = 0; err == NULL && i < count; i++) {
        *marked += strcmp(deliveries[i].response, MARK) == 0;
    }
}

static size_t marked_responses(struct store_fixture *fixture) {
    size_t marked;
    store_deliveries_read(fixture->store, "acct_1", "wh_1", "", 10, on_deliveries, &marked);
    turn(fixture);
    return marked;
}

/* --- Sealed --- */

static void test_jobs_are_sealed(void **state) {
    struct store_fixture *fixture = *state;
    assert_int_equal(add_job(fixture, "job_a"), ERR_NONE);
    assert_sealed(fixture);
    assert_string_equal(find_job(fixture, "job_a").body, "{\"prompt\":\"" MARK "\"}");
    end_job(fixture, "job_a");
    assert_sealed(fixture);
    assert_string_equal(find_job(fixture, "job_a").result, "{\"text\":\"" MARK "\"}");
}

static void test_workflows_are_sealed(void **state) {
    struct store_fixture *fixture = *state;
    add_workflow(fixture);
    assert_sealed(fixture);
    const struct told running = find(fixture, "wf_1");
    assert_string_equal(running.request, "{\"message\":\"" MARK "\"}");
    assert_string_equal(running.workflow.task, "Say " MARK);
    assert_string_equal(running.workflow.conversation_id, "");
    assert_string_equal(running.outputs[0], "Step " MARK);
    end_workflow(fixture);
    assert_sealed(fixture);
    const struct told ended = find(fixture, "wf_1");
    assert_string_equal(ended.answer, "Answer " MARK);
    assert_string_equal(ended.extra, "{\"extra\":\"" MARK "\"}");
}

static void test_stored_answers_are_sealed(void **state) {
    struct store_fixture *fixture = *state;
    char content[TEXT_SEEN];
    settle_answer(fixture, 1, 7);
    assert_sealed(fixture);
    assert_string_equal(stored(fixture, 7, content), "Kept " MARK);
}

static void test_what_webhooks_are_told_is_sealed(void **state) {
    struct store_fixture *fixture = *state;
    add_webhook(fixture);
    assert_int_equal(add_job(fixture, "job_a"), ERR_NONE);
    end_job(fixture, "job_a");
    const struct due_told told = due(fixture);
    assert_int_equal(told.count, 1);
    assert_non_null(strstr(told.body, MARK));
    end_attempt(fixture, &told);
    assert_sealed(fixture);
    assert_int_equal(marked_responses(fixture), 1);
}

/* --- Erased --- */

static void erase(struct store_fixture *fixture, const char *id, enum err_code expected) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_ERASE, .actor = "cli", .now_ms = NOW + 50};
    str_copy(admin.account.id, STORE_ID_MAX, str_from(id));
    store_fixture_reopen(fixture);
    fixture->err = (struct err){0};
    const bool done = store_admin_now(fixture->store, &admin, &result, &fixture->err);
    assert_int_equal(done ? ERR_NONE : fixture->err.code, expected);
    if (done) {
        assert_string_equal(result.account.name, "erased");
        assert_true(result.account.suspended);
    }
    store_fixture_start(fixture);
}

static void test_an_erased_account_leaves_its_ledger(void **state) {
    struct store_fixture *fixture = *state;
    struct store_raw secret;
    char content[TEXT_SEEN];
    add_webhook(fixture);
    assert_int_equal(add_job(fixture, "job_a"), ERR_NONE);
    end_job(fixture, "job_a");
    assert_int_equal(add_job(fixture, "job_b"), ERR_NONE);
    add_workflow(fixture);
    settle_answer(fixture, 1, 7);
    store_backend()->read(fixture->path,
                          "SELECT k.secret FROM account_seals s JOIN conversation_keys k"
                          " ON k.number = s.seal_number JOIN accounts a ON a.number = s.account_number"
                          " WHERE a.id = 'acct_1'",
                          &secret);
    assert_true(in_files(fixture, secret.bytes, 32));
    erase(fixture, "acct_1", ERR_NONE);
    assert_false(in_files(fixture, secret.bytes, 32)); /* so no copy of a text can be opened */
    assert_false(in_files(fixture, "Ada's", 5) && number_of(fixture, "SELECT count(*) FROM accounts WHERE id = 'acct_1'"
                                                                     " AND name LIKE 'Ada%'") > 0);
    static const char *const GONE[] = {"jobs",     "workflows",      "workflow_texts", "workflow_steps", "answers",
                                       "webhooks", "webhook_events", "deliveries",     "account_months"};
    for (size_t i = 0; i < COUNT_OF(GONE); i++) {
        char sql[64];
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", GONE[i]);
        assert_int_equal(number_of(fixture, sql), 0);
    }
    assert_string_equal(stored(fixture, 7, content), "none");
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM generations"), 1);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM generations WHERE label <> ''"), 0);
    assert_true(number_of(fixture, "SELECT count(*) FROM transactions") > 0);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM keys WHERE account_id = 'acct_1' AND revoked_ms = 0"), 0);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM keys WHERE account_id = 'acct_2' AND revoked_ms = 0"), 1);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM audit WHERE action = 'account.erase'"), 1);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM accounts WHERE name = 'erased'"), 1);
}

/* What was under way when it was erased. */
static void test_an_erased_account_keeps_nothing_more(void **state) {
    struct store_fixture *fixture = *state;
    char content[TEXT_SEEN];
    erase(fixture, "acct_1", ERR_NONE);
    settle_answer(fixture, 1, 7);
    assert_string_equal(stored(fixture, 7, content), "none");
    assert_int_equal(add_job(fixture, "job_a"), ERR_CONFLICT);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM jobs"), 0);
    erase(fixture, "acct_1", ERR_NONE); /* once more changes nothing */
}

static void test_who_cannot_be_erased(void **state) {
    struct store_fixture *fixture = *state;
    struct store_account owner = store_fixture_account("acct_own", true);
    store_fixture_reopen(fixture);
    assert_true(store_account_add(fixture->store, &owner, &fixture->err));
    store_fixture_start(fixture);
    erase(fixture, "acct_own", ERR_CONFLICT);
    erase(fixture, "acct_nobody", ERR_NOT_FOUND);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM audit WHERE action = 'account.erase'"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_jobs_are_sealed, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_workflows_are_sealed, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_stored_answers_are_sealed, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_webhooks_are_told_is_sealed, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_erased_account_leaves_its_ledger, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_erased_account_keeps_nothing_more, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_cannot_be_erased, setup, store_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
