/* Workflows for the tests of a store: one call at a time, and what it told. */
#ifndef NATARIS_TESTS_SUPPORT_STORE_WORKFLOWS_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_STORE_WORKFLOWS_FIXTURE_H

#include "store/admin.h"
#include "store/conversations.h"
#include "store/workflows.h"
#include "support/store_fixture.h"

#define NOW INT64_C(1767225600000)

enum { STEPS_SEEN = 8, TEXT_SEEN = 64 };

UNUSED static void create_account(struct store_fixture *fixture, const char *id, const char *key_id) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "cli",
                                        .amount_nano = 1000000000,
                                        .now_ms = NOW,
                                        .account = store_fixture_account(id, false),
                                        .keys = {store_fixture_key(key_id, "", STORE_KEY_LIVE)},
                                        .key_count = 1};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

UNUSED static int setup(void **state) {
    store_fixture_setup(state);
    create_account(*state, "acct_1", "key_1");
    create_account(*state, "acct_2", "key_2");
    store_fixture_start(*state);
    return 0;
}

UNUSED static void turn(struct store_fixture *fixture) {
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

struct told {
    bool called, changed;
    enum err_code code;
    struct store_workflow workflow;
    char request[TEXT_SEEN], answer[TEXT_SEEN], error[TEXT_SEEN], extra[TEXT_SEEN];
    struct store_step steps[STEPS_SEEN];
    char outputs[STEPS_SEEN][TEXT_SEEN];
    size_t count;
};

UNUSED static void on_told(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                           size_t count, bool changed, const struct err *err) {
    struct told *told = context;
    *told =
        (struct told){.called = true, .changed = changed, .code = err == NULL ? ERR_NONE : err->code, .count = count};
    if (workflow != NULL) {
        told->workflow = *workflow;
        str_copy(told->request, TEXT_SEEN, workflow->request);
        str_copy(told->answer, TEXT_SEEN, workflow->answer);
        str_copy(told->error, TEXT_SEEN, workflow->error);
        str_copy(told->extra, TEXT_SEEN, workflow->extra);
    }
    assert_true(count <= STEPS_SEEN);
    for (size_t i = 0; i < count; i++) {
        told->steps[i] = steps[i];
        str_copy(told->outputs[i], TEXT_SEEN, steps[i].output);
    }
}

UNUSED static void on_code(void *context, const struct err *err) {
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

UNUSED static struct store_workflow_new new_workflow(const char *id) {
    struct store_workflow_new asked = {.workflow = {.kind = STORE_WORKFLOW_AGENT,
                                                    .chosen = true,
                                                    .max_steps = 7,
                                                    .max_cost_nano = -1,
                                                    .created_ms = NOW,
                                                    .body_sha256 = {9},
                                                    .request = STR("{\"the\":\"request\"}")}};
    str_copy(asked.workflow.id, STORE_ID_MAX, str_from(id));
    str_copy(asked.workflow.account_id, STORE_ID_MAX, STR("acct_1"));
    str_copy(asked.workflow.key_id, STORE_ID_MAX, STR("key_1"));
    str_copy(asked.workflow.model, STORE_MODEL_MAX, STR("demo"));
    str_copy(asked.workflow.task, STORE_WORKFLOW_TASK_MAX, STR("The task"));
    return asked;
}

UNUSED static struct told add(struct store_fixture *fixture, const struct store_workflow_new *asked) {
    struct told told = {0};
    store_workflow_add(fixture->store, asked, on_told, &told);
    turn(fixture);
    assert_true(told.called);
    return told;
}

UNUSED static void add_plain(struct store_fixture *fixture, const char *id) {
    const struct store_workflow_new asked = new_workflow(id);
    assert_true(add(fixture, &asked).changed);
}

UNUSED static struct told find_of(struct store_fixture *fixture, const char *account_id, bool test, const char *id) {
    struct told told = {0};
    store_workflow_find(fixture->store, account_id, test, id, on_told, &told);
    turn(fixture);
    assert_true(told.called);
    return told;
}

UNUSED static struct told find(struct store_fixture *fixture, const char *id) {
    return find_of(fixture, "acct_1", false, id);
}

UNUSED static struct store_step new_step(uint32_t number, enum store_step_name name, enum store_step_state state) {
    struct store_step step = {.number = number,
                              .name = name,
                              .state = state,
                              .outcome = STORE_STEP_APPROVED,
                              .round = 2,
                              .part = 3,
                              .prompt_sha256 = {4},
                              .max_tokens = 50,
                              .hold_nano = 600,
                              .started_ms = NOW + 1,
                              .output = STR("")};
    snprintf(step.run_id, sizeof(step.run_id), "step_%u", number);
    if (state >= STORE_STEP_DONE) {
        step.prompt_tokens = 10;
        step.completion_tokens = 20;
        step.cost_nano = 300;
        step.ended_ms = NOW + 2;
        step.output = STR("its output");
        str_copy(step.provider_id, STORE_ID_MAX, STR("prov_1"));
    }
    return step;
}

UNUSED static enum err_code put(struct store_fixture *fixture, const char *id, const struct store_step *step,
                                const uint8_t *scope) {
    enum err_code code = ERR_INTERNAL;
    store_step_put(fixture->store, id, step, scope, on_code, &code);
    turn(fixture);
    return code;
}

UNUSED static enum err_code put_new(struct store_fixture *fixture, const char *id, uint32_t number,
                                    enum store_step_state state) {
    const struct store_step step = new_step(number, STORE_STEP_ANALYZE, state);
    return put(fixture, id, &step, NULL);
}

UNUSED static struct store_workflow_end new_end(const char *account_id, const char *id,
                                                enum store_workflow_status status) {
    struct store_workflow_end end = {.status = status,
                                     .ended_ms = NOW + 5,
                                     .text = STR("The answer"),
                                     .error = STR("{\"an\":\"error\"}"),
                                     .extra = STR("{\"an\":\"extra\"}"),
                                     .event = STR("{}")};
    str_copy(end.id, STORE_ID_MAX, str_from(id));
    str_copy(end.account_id, STORE_ID_MAX, str_from(account_id));
    return end;
}

UNUSED static struct told end_with(struct store_fixture *fixture, const struct store_workflow_end *end) {
    struct told told = {0};
    store_workflow_end(fixture->store, end, on_told, &told);
    turn(fixture);
    assert_true(told.called);
    return told;
}

UNUSED static struct told end(struct store_fixture *fixture, const char *id, enum store_workflow_status status) {
    const struct store_workflow_end asked = new_end("acct_1", id, status);
    return end_with(fixture, &asked);
}

/* What a query of one number says, past the store. */
UNUSED static int64_t number_of(const struct store_fixture *fixture, const char *sql) {
    struct store_raw value;
    store_backend()->read(fixture->path, sql, &value);
    return value.number;
}

UNUSED static void on_answer(void *context, const struct store_answer *answer, const struct err *err) {
    assert_null(err);
    str_copy(context, TEXT_SEEN, answer == NULL ? STR("none") : answer->content);
}

UNUSED static const char *stored(struct store_fixture *fixture, uint8_t scope, char out[TEXT_SEEN]) {
    const uint8_t scope_sha256[DIGEST_SHA256_SIZE] = {scope};
    store_answer_find(fixture->store, scope_sha256, NULL, NOW, on_answer, out);
    turn(fixture);
    return out;
}

/* Of a step. */
UNUSED static void settle(struct store_fixture *fixture, const char *id, const char *label, uint8_t scope,
                          const char *content) {
    enum err_code code = ERR_INTERNAL;
    const struct store_answer answer = {
        .scope_sha256 = {scope}, .expires_ms = NOW + 1000, .content = str_from(content)};
    struct store_settlement settlement = {.answer = &answer, .generation = store_fixture_job(0)};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.purpose = STORE_PURPOSE_STEP;
    str_copy(settlement.generation.id, STORE_ID_MAX, str_from(id));
    str_copy(settlement.generation.label, STORE_NAME_MAX, str_from(label));
    store_settle(fixture->store, &settlement, on_code, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

UNUSED static enum err_code converse(struct store_fixture *fixture, const char *id) {
    enum err_code code = ERR_INTERNAL;
    struct store_conversation conversation = {.created_ms = NOW, .system = STR("")};
    str_copy(conversation.id, STORE_ID_MAX, str_from(id));
    str_copy(conversation.account_id, STORE_ID_MAX, STR("acct_1"));
    store_conversation_add(fixture->store, &conversation, on_code, &code);
    turn(fixture);
    return code;
}

UNUSED static void add_on(struct store_fixture *fixture, const char *id, const char *conversation_id) {
    struct store_workflow_new asked = new_workflow(id);
    str_copy(asked.workflow.conversation_id, STORE_ID_MAX, str_from(conversation_id));
    assert_true(add(fixture, &asked).changed);
}

#endif
