/* Workflows and their steps, as every backend of store/workflows.h must keep them. */
#include "store/conversations.h"
#include "store/jobs.h"
#include "store/webhooks.h"
#include "support/store_workflows_fixture.h"

/* --- Adding --- */

static void test_is_there_once_it_was_added(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_workflow_new asked = new_workflow("wf_1");
    struct told told = add(fixture, &asked);
    assert_true(told.changed);
    assert_string_equal(told.request, "{\"the\":\"request\"}");
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    told = find(fixture, "wf_1");
    assert_int_equal(told.code, ERR_NONE);
    assert_int_equal(told.count, 0);
    assert_string_equal(told.request, "{\"the\":\"request\"}");
    assert_string_equal(told.answer, "");
    assert_string_equal(told.workflow.account_id, "acct_1");
    assert_string_equal(told.workflow.key_id, "key_1");
    assert_string_equal(told.workflow.model, "demo");
    assert_string_equal(told.workflow.task, "The task");
    assert_string_equal(told.workflow.conversation_id, "");
    assert_int_equal(told.workflow.kind, STORE_WORKFLOW_AGENT);
    assert_true(told.workflow.chosen);
    assert_int_equal(told.workflow.status, STORE_WORKFLOW_RUNNING);
    assert_int_equal(told.workflow.max_steps, 7);
    assert_int_equal(told.workflow.max_cost_nano, -1);
    assert_int_equal(told.workflow.created_ms, NOW);
    assert_memory_equal(told.workflow.body_sha256, asked.workflow.body_sha256, DIGEST_SHA256_SIZE);
}

static void test_it_belongs_to_its_account_and_kind_of_key(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    assert_int_equal(find_of(fixture, "acct_2", false, "wf_1").code, ERR_NOT_FOUND);
    assert_int_equal(find_of(fixture, "acct_1", true, "wf_1").code, ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "wf_2").code, ERR_NOT_FOUND);
    struct store_workflow_end foreign = new_end("acct_2", "wf_1", STORE_WORKFLOW_CANCELLED);
    assert_int_equal(end_with(fixture, &foreign).code, ERR_NOT_FOUND);
    foreign = new_end("acct_1", "wf_1", STORE_WORKFLOW_CANCELLED);
    foreign.test = true;
    assert_int_equal(end_with(fixture, &foreign).code, ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "wf_1").workflow.status, STORE_WORKFLOW_RUNNING);
    struct store_workflow_new stranger = new_workflow("wf_3");
    str_copy(stranger.workflow.account_id, STORE_ID_MAX, STR("acct_9"));
    assert_int_equal(add(fixture, &stranger).code, ERR_NOT_FOUND);
    stranger = new_workflow("wf_3");
    str_copy(stranger.workflow.conversation_id, STORE_ID_MAX, STR("conv_9"));
    assert_int_equal(add(fixture, &stranger).code, ERR_NOT_FOUND);
}

static void test_an_id_or_an_idempotency_key_is_one_workflow(void **state) {
    struct store_fixture *fixture = *state;
    const uint8_t scope[DIGEST_SHA256_SIZE] = {1, 2, 3};
    struct store_workflow_new asked = new_workflow("wf_1");
    asked.scope_sha256 = scope;
    asked.scope_since_ms = NOW - 1000;
    assert_true(add(fixture, &asked).changed);
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    struct told told = add(fixture, &asked); /* the same id */
    assert_false(told.changed);
    assert_int_equal(told.count, 1);
    asked.workflow = new_workflow("wf_2").workflow; /* the same key */
    asked.workflow.created_ms = NOW + 500;
    told = add(fixture, &asked);
    assert_false(told.changed);
    assert_string_equal(told.workflow.id, "wf_1");
    assert_int_equal(told.count, 1);
    assert_string_equal(told.outputs[0], "its output");
    asked.scope_since_ms = NOW; /* its time is over */
    assert_true(add(fixture, &asked).changed);
    asked.workflow = new_workflow("wf_3").workflow;
    asked.workflow.created_ms = NOW + 600;
    assert_string_equal(add(fixture, &asked).workflow.id, "wf_2");
    asked.replaces = true;
    assert_true(add(fixture, &asked).changed);
    asked.replaces = false;
    asked.workflow = new_workflow("wf_4").workflow;
    assert_string_equal(add(fixture, &asked).workflow.id, "wf_3");
    assert_int_equal(find(fixture, "wf_4").code, ERR_NOT_FOUND);
}

/* --- Steps --- */

static void test_a_step_is_kept_as_it_was_put(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    assert_int_equal(put_new(fixture, "wf_1", 1, STORE_STEP_RUNNING), ERR_NONE);
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    const struct told told = find(fixture, "wf_1");
    assert_int_equal(told.count, 2);
    const struct store_step *step = &told.steps[0];
    assert_int_equal(step->number, 0);
    assert_int_equal(step->name, 1);
    assert_int_equal(step->state, STORE_STEP_DONE);
    assert_int_equal(step->outcome, 1);
    assert_false(step->local);
    assert_int_equal(step->round, 2);
    assert_int_equal(step->part, 3);
    assert_string_equal(step->run_id, "step_0");
    assert_int_equal(step->prompt_sha256[0], 4);
    assert_int_equal(step->max_tokens, 50);
    assert_int_equal(step->hold_nano, 600);
    assert_int_equal(step->prompt_tokens, 10);
    assert_int_equal(step->completion_tokens, 20);
    assert_int_equal(step->cost_nano, 300);
    assert_string_equal(step->provider_id, "prov_1");
    assert_int_equal(step->started_ms, NOW + 1);
    assert_int_equal(step->ended_ms, NOW + 2);
    assert_string_equal(told.outputs[0], "its output");
    assert_int_equal(told.steps[1].number, 1);
    assert_int_equal(told.steps[1].state, STORE_STEP_RUNNING);
    assert_string_equal(told.outputs[1], "");
}

static void test_steps_are_summed_once(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_READY), ERR_NONE);
    assert_int_equal(find(fixture, "wf_1").workflow.steps_executed, 0);
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_RUNNING), ERR_NONE);
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_RUNNING), ERR_NONE); /* a second try */
    struct told told = find(fixture, "wf_1");
    assert_int_equal(told.workflow.steps_executed, 1);
    assert_int_equal(told.workflow.cost_nano, 0);
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    assert_int_equal(put_new(fixture, "wf_1", 1, STORE_STEP_FAILED), ERR_NONE); /* it may have cost something */
    struct store_step local = new_step(2, STORE_STEP_CHUNK, STORE_STEP_DONE);
    local.local = true;
    local.prompt_tokens = local.completion_tokens = 0;
    local.cost_nano = 0;
    assert_int_equal(put(fixture, "wf_1", &local, NULL), ERR_NONE);
    told = find(fixture, "wf_1");
    assert_int_equal(told.count, 3);
    assert_int_equal(told.workflow.steps_executed, 2);
    assert_int_equal(told.workflow.prompt_tokens, 20);
    assert_int_equal(told.workflow.completion_tokens, 40);
    assert_int_equal(told.workflow.cost_nano, 600);
}

static void test_a_step_that_has_ended_stays(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    assert_int_equal(put_new(fixture, "wf_1", 1, STORE_STEP_FAILED), ERR_NONE);
    for (int with = STORE_STEP_READY; with <= STORE_STEP_FAILED; with++) {
        struct store_step step = new_step(0, STORE_STEP_ANALYZE, (enum store_step_state)with);
        step.output = STR("another");
        step.ended_ms++;
        assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_CONFLICT);
        step.number = 1;
        assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_CONFLICT);
    }
    struct store_step again = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE); /* its own end, told once more */
    again.output = STR("another");
    assert_int_equal(put(fixture, "wf_1", &again, NULL), ERR_NONE);
    assert_int_equal(put_new(fixture, "wf_9", 0, STORE_STEP_DONE), ERR_NOT_FOUND);
    const struct told told = find(fixture, "wf_1");
    assert_int_equal(told.steps[0].state, STORE_STEP_DONE);
    assert_string_equal(told.outputs[0], "its output");
    assert_int_equal(told.steps[1].state, STORE_STEP_FAILED);
    assert_int_equal(told.workflow.steps_executed, 2);
    assert_int_equal(told.workflow.cost_nano, 600);
}

static void test_the_output_takes_the_place_of_the_stored_answer(void **state) {
    struct store_fixture *fixture = *state;
    const uint8_t scope[DIGEST_SHA256_SIZE] = {5};
    char text[TEXT_SEEN];
    add_plain(fixture, "wf_1");
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_RUNNING), ERR_NONE);
    settle(fixture, "step_0", "", 5, "stored");
    assert_string_equal(stored(fixture, 5, text), "stored");
    const struct store_step step = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE);
    assert_int_equal(put(fixture, "wf_9", &step, scope), ERR_NOT_FOUND);
    assert_string_equal(stored(fixture, 5, text), "stored");
    assert_int_equal(put(fixture, "wf_1", &step, scope), ERR_NONE);
    assert_string_equal(stored(fixture, 5, text), "none");
}

/* --- The end --- */

static void test_ends_once(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    struct told told = end(fixture, "wf_1", STORE_WORKFLOW_COMPLETED);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(told.code, ERR_NONE);
        assert_int_equal(told.changed, i == 0);
        assert_int_equal(told.workflow.status, STORE_WORKFLOW_COMPLETED);
        assert_int_equal(told.workflow.ended_ms, NOW + 5);
        assert_string_equal(told.request, ""); /* the request goes with the end */
        assert_string_equal(told.answer, "The answer");
        assert_string_equal(told.error, "{\"an\":\"error\"}");
        assert_string_equal(told.extra, "{\"an\":\"extra\"}");
        assert_int_equal(told.count, 1);
        assert_int_equal(told.workflow.cost_nano, 300);
        told = end(fixture, "wf_1", STORE_WORKFLOW_CANCELLED);
    }
    assert_int_equal(put_new(fixture, "wf_1", 1, STORE_STEP_DONE), ERR_CONFLICT);
    told = find(fixture, "wf_1");
    assert_int_equal(told.workflow.status, STORE_WORKFLOW_COMPLETED);
    assert_string_equal(told.request, "");
    assert_string_equal(told.answer, "The answer");
    assert_int_equal(told.count, 1);
}

static void test_the_first_end_counts_in_one_group_too(void **state) {
    struct store_fixture *fixture = *state;
    struct told first = {0}, second = {0};
    enum err_code late = ERR_NONE;
    add_plain(fixture, "wf_1");
    const struct store_workflow_end cancel = new_end("acct_1", "wf_1", STORE_WORKFLOW_CANCELLED),
                                    done = new_end("", "wf_1", STORE_WORKFLOW_COMPLETED);
    const struct store_step step = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE);
    store_workflow_end(fixture->store, &cancel, on_told, &first);
    store_step_put(fixture->store, "wf_1", &step, NULL, on_code, &late);
    store_workflow_end(fixture->store, &done, on_told, &second);
    turn(fixture);
    assert_true(first.changed);
    assert_int_equal(late, ERR_CONFLICT);
    assert_int_equal(second.code, ERR_NONE);
    assert_false(second.changed);
    assert_int_equal(second.workflow.status, STORE_WORKFLOW_CANCELLED);
    assert_int_equal(find(fixture, "wf_1").count, 0);
}

static void on_messages(void *context, const struct store_conversation *conversation,
                        const struct store_message *messages, size_t count, bool more, const struct err *err) {
    (void)messages;
    (void)count;
    (void)more;
    assert_null(err);
    *(int64_t *)context = conversation->message_count;
}

static int64_t message_count(struct store_fixture *fixture, const char *id) {
    int64_t count = -1;
    const struct store_conversation_ask ask = {.account_id = "acct_1", .id = id, .limit = 1};
    store_conversation_read(fixture->store, &ask, on_messages, &count);
    turn(fixture);
    return count;
}

/* Ends `id` with an exchange from position 0 and a stored answer. */
static struct told end_on(struct store_fixture *fixture, const char *id, const char *conversation_id, uint8_t scope,
                          const char *content) {
    const struct store_message messages[] = {{.role = STORE_ROLE_USER, .tokens = 1, .content = STR("asked")},
                                             {.role = STORE_ROLE_ASSISTANT, .tokens = 1, .content = STR("said")}};
    struct store_turn exchange = {
        .kind = STORE_TURN_EXCHANGE, .messages = messages, .message_count = 2, .now_ms = NOW, .text = STR("")};
    const struct store_answer answer = {
        .scope_sha256 = {scope}, .expires_ms = NOW + 1000, .content = str_from(content)};
    struct store_workflow_end asked = new_end("", id, STORE_WORKFLOW_COMPLETED);
    str_copy(exchange.conversation_id, STORE_ID_MAX, str_from(conversation_id));
    str_copy(exchange.account_id, STORE_ID_MAX, STR("acct_1"));
    asked.turn = &exchange;
    asked.stored = &answer;
    return end_with(fixture, &asked);
}

static void test_turn_and_answer_go_with_the_end(void **state) {
    struct store_fixture *fixture = *state;
    char text[TEXT_SEEN];
    assert_int_equal(converse(fixture, "conv_1"), ERR_NONE);
    add_on(fixture, "wf_1", "conv_1");
    add_on(fixture, "wf_2", "conv_1");
    add_on(fixture, "wf_3", "conv_1");
    assert_string_equal(find(fixture, "wf_1").workflow.conversation_id, "conv_1");
    assert_true(end_on(fixture, "wf_1", "conv_1", 1, "first").changed);
    assert_int_equal(message_count(fixture, "conv_1"), 2);
    assert_string_equal(stored(fixture, 1, text), "first");
    assert_true(end_on(fixture, "wf_2", "conv_1", 2, "second").changed); /* its turn does not follow: left out */
    assert_int_equal(message_count(fixture, "conv_1"), 2);
    assert_string_equal(stored(fixture, 2, text), "second");
    assert_true(end_on(fixture, "wf_3", "conv_1", 1, "third").changed); /* the answer that is there stays */
    assert_string_equal(stored(fixture, 1, text), "first");
    assert_true(
        end_on(fixture, "wf_1", "conv_1", 3, "again").changed); /* its own end, told once more: nothing is written */
    assert_string_equal(stored(fixture, 3, text), "none");
    assert_int_equal(message_count(fixture, "conv_1"), 2);
    struct store_workflow_end later = new_end("", "wf_1", STORE_WORKFLOW_COMPLETED);
    later.ended_ms++;
    assert_false(end_with(fixture, &later).changed);
    add_plain(fixture, "wf_4");
    assert_true(end_on(fixture, "wf_4", "conv_gone", 4, "fourth").changed);
    assert_string_equal(stored(fixture, 4, text), "none");
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM answers WHERE conversation_number = 0"), 0);
}

static void on_webhook(void *context, const struct store_webhook_result *result, const struct err *err) {
    (void)result;
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

static void test_its_event_goes_with_the_end(void **state) {
    struct store_fixture *fixture = *state;
    enum err_code code = ERR_INTERNAL;
    struct store_webhook_change change = {.kind = STORE_WEBHOOK_CREATE,
                                          .webhook = {.id = "whk_1",
                                                      .account_id = "acct_1",
                                                      .url = "https://example.com/",
                                                      .events = 1u << STORE_EVENT_WORKFLOW_COMPLETED},
                                          .now_ms = NOW};
    store_webhook_change(fixture->store, &change, on_webhook, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
    add_plain(fixture, "wf_1");
    end(fixture, "wf_1", STORE_WORKFLOW_COMPLETED);
    end(fixture, "wf_1", STORE_WORKFLOW_CANCELLED);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM deliveries d JOIN webhook_events e"
                                        " ON e.number = d.event_number WHERE e.kind = 3"),
                     1);
    add_plain(fixture, "wf_2");
    struct store_workflow_end silent = new_end("acct_1", "wf_2", STORE_WORKFLOW_COMPLETED);
    silent.event = STR("");
    assert_true(end_with(fixture, &silent).changed);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM webhook_events"), 1);
}

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    assert_null(err);
    assert_non_null(job);
    *(bool *)context = changed;
}

static bool job_cancelled(struct store_fixture *fixture, const char *id, const char *workflow_id) {
    bool changed = false;
    struct store_job_new asked = {.job = {.kind = STORE_JOB_WORKFLOW, .created_ms = NOW, .body = STR("{}")}};
    struct store_job_end end = {.state = STORE_JOB_CANCELLED,
                                .ended_ms = NOW + 7,
                                .result = STR(""),
                                .workflow_status = STORE_WORKFLOW_CANCELLED,
                                .event = STR("")};
    str_copy(asked.job.id, STORE_ID_MAX, str_from(id));
    str_copy(asked.job.account_id, STORE_ID_MAX, STR("acct_1"));
    str_copy(asked.job.key_id, STORE_ID_MAX, STR("key_1"));
    str_copy(asked.job.model, STORE_MODEL_MAX, STR("demo"));
    str_copy(end.id, STORE_ID_MAX, str_from(id));
    str_copy(end.workflow_id, STORE_ID_MAX, str_from(workflow_id));
    store_job_add(fixture->store, &asked, on_job, &changed);
    turn(fixture);
    store_job_end(fixture->store, &end, on_job, &changed);
    turn(fixture);
    return changed;
}

/* Both or neither: a workflow without its job would go on by itself after a crash. */
static void test_goes_with_its_job(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    assert_true(job_cancelled(fixture, "job_1", "wf_1"));
    struct told told = find(fixture, "wf_1");
    assert_int_equal(told.workflow.status, STORE_WORKFLOW_CANCELLED);
    assert_int_equal(told.workflow.ended_ms, NOW + 7);
    assert_string_equal(told.request, "");
    add_plain(fixture, "wf_2");
    assert_true(end(fixture, "wf_2", STORE_WORKFLOW_COMPLETED).changed);
    assert_true(job_cancelled(fixture, "job_2", "wf_2"));
    assert_int_equal(find(fixture, "wf_2").workflow.status, STORE_WORKFLOW_COMPLETED);
    assert_true(job_cancelled(fixture, "job_3", "wf_3")); /* it never had one */
}

/* --- Money --- */

/* Whether its step hears of it before, afterwards, or never, because it was cancelled. */
static void test_what_is_settled_is_in_the_sums_once(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_generation job = store_fixture_job(0);
    const int64_t tokens = job.prompt_tokens;
    add_plain(fixture, "wf_1");
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_RUNNING), ERR_NONE);
    settle(fixture, "step_0", "", 5, "stored");
    struct told told = find(fixture, "wf_1");
    assert_int_equal(told.steps[0].state, STORE_STEP_RUNNING);
    assert_int_equal(told.steps[0].cost_nano, job.charge_nano);
    assert_int_equal(told.workflow.cost_nano, job.charge_nano);
    struct store_step step = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE);
    step.prompt_tokens = job.prompt_tokens;
    step.completion_tokens = job.completion_tokens;
    step.cost_nano = job.charge_nano;
    assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE);
    step = new_step(1, STORE_STEP_ANALYZE, STORE_STEP_FAILED); /* cancelled: it knows of no cost */
    step.prompt_tokens = step.completion_tokens = 0;
    step.cost_nano = 0;
    assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE);
    assert_int_equal(find(fixture, "wf_1").workflow.cost_nano, job.charge_nano);
    assert_true(end(fixture, "wf_1", STORE_WORKFLOW_CANCELLED).changed);
    settle(fixture, "step_1", "", 6, "cut");
    told = find(fixture, "wf_1");
    assert_int_equal(told.steps[1].state, STORE_STEP_FAILED);
    assert_int_equal(told.steps[1].cost_nano, job.charge_nano);
    assert_int_equal(told.workflow.cost_nano, 2 * job.charge_nano);
    assert_int_equal(told.workflow.prompt_tokens, 2 * tokens);
    assert_int_equal(told.workflow.steps_executed, 2);
    settle(fixture, "step_9", "", 7, "of nobody");
    assert_int_equal(find(fixture, "wf_1").workflow.cost_nano, 2 * job.charge_nano);
}

static void test_the_ledger_is_not_touched(void **state) {
    struct store_fixture *fixture = *state;
    const char *const entries = "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM generations)";
    const int64_t before = number_of(fixture, entries);
    struct store_workflow_new asked = new_workflow("wf_1");
    asked.workflow.test = true;
    assert_true(add(fixture, &asked).changed);
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    struct store_workflow_end done = new_end("acct_1", "wf_1", STORE_WORKFLOW_COMPLETED);
    done.test = true;
    assert_true(end_with(fixture, &done).changed);
    assert_int_equal(number_of(fixture, entries), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_is_there_once_it_was_added),
        TEST(test_it_belongs_to_its_account_and_kind_of_key),
        TEST(test_an_id_or_an_idempotency_key_is_one_workflow),
        TEST(test_a_step_is_kept_as_it_was_put),
        TEST(test_steps_are_summed_once),
        TEST(test_a_step_that_has_ended_stays),
        TEST(test_the_output_takes_the_place_of_the_stored_answer),
        TEST(test_ends_once),
        TEST(test_the_first_end_counts_in_one_group_too),
        TEST(test_turn_and_answer_go_with_the_end),
        TEST(test_its_event_goes_with_the_end),
        TEST(test_goes_with_its_job),
        TEST(test_what_is_settled_is_in_the_sums_once),
        TEST(test_the_ledger_is_not_touched),
    };
    return STORE_CONTRACT_RUN(tests);
}
