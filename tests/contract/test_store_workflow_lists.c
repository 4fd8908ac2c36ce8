/* Many workflows, as every backend of store/workflows.h must list, remember and delete them. */
#include "store/conversations.h"
#include "support/store_workflows_fixture.h"

/* --- Lists --- */

struct listed {
    char ids[128];
    bool more;
    int64_t total;
    enum err_code code;
};

static void on_listed(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                      const struct err *err) {
    struct listed *listed = context;
    *listed = (struct listed){.more = more, .total = total, .code = err == NULL ? ERR_NONE : err->code};
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(listed->ids);
        snprintf(listed->ids + len, sizeof(listed->ids) - len, "%s%s", i > 0 ? " " : "", workflows[i].id);
        assert_string_equal(workflows[i].task, "The task");
    }
}

static struct listed list(struct store_fixture *fixture, const char *account_id, int status, const char *after,
                          unsigned limit) {
    struct listed listed = {0};
    struct store_workflow_query query = {.status = status, .limit = limit};
    str_copy(query.account_id, STORE_ID_MAX, str_from(account_id));
    str_copy(query.after, STORE_ID_MAX, str_from(after));
    store_workflow_list(fixture->store, &query, on_listed, &listed);
    turn(fixture);
    return listed;
}

static void add_five(struct store_fixture *fixture) {
    assert_int_equal(converse(fixture, "conv_1"), ERR_NONE);
    for (int i = 1; i <= 5; i++) {
        char id[STORE_ID_MAX];
        snprintf(id, sizeof(id), "wf_%d", i);
        struct store_workflow_new asked = new_workflow(id);
        asked.workflow.test = i == 5;
        str_copy(asked.workflow.conversation_id, STORE_ID_MAX, i == 3 ? STR("conv_1") : STR(""));
        assert_true(add(fixture, &asked).changed);
    }
}

static void test_is_listed(void **state) {
    struct store_fixture *fixture = *state;
    add_five(fixture);
    end(fixture, "wf_2", STORE_WORKFLOW_COMPLETED);
    struct listed listed = list(fixture, "acct_1", -1, "", 3);
    assert_string_equal(listed.ids, "wf_4 wf_3 wf_2");
    assert_true(listed.more);
    assert_int_equal(listed.total, 4);
    listed = list(fixture, "acct_1", -1, "wf_2", 3);
    assert_string_equal(listed.ids, "wf_1");
    assert_false(listed.more);
    assert_int_equal(listed.total, 4);
    assert_string_equal(list(fixture, "acct_1", STORE_WORKFLOW_COMPLETED, "", 9).ids, "wf_2");
    listed = list(fixture, "acct_1", STORE_WORKFLOW_RUNNING, "wf_4", 9);
    assert_string_equal(listed.ids, "wf_3 wf_1");
    assert_int_equal(listed.total, 4);
    listed = list(fixture, "acct_2", -1, "", 9);
    assert_string_equal(listed.ids, "");
    assert_int_equal(listed.total, 0);
    assert_int_equal(list(fixture, "acct_2", -1, "wf_1", 9).code, ERR_NOT_FOUND);
    assert_int_equal(list(fixture, "acct_1", -1, "wf_5", 9).code, ERR_NOT_FOUND); /* a test key's */
}

static void on_open(void *context, const struct store_workflow_open *open, size_t count, const struct err *err) {
    assert_null(err);
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(context);
        snprintf((char *)context + len, 128 - len, " %s%s", open[i].id, open[i].test ? "(test)" : "");
        assert_string_equal(open[i].account_id, "acct_1");
    }
}

static void test_what_has_not_ended_is_found_again(void **state) {
    struct store_fixture *fixture = *state;
    char ids[128] = "";
    add_five(fixture);
    end(fixture, "wf_2", STORE_WORKFLOW_COMPLETED);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    store_workflows_open(fixture->store, on_open, ids);
    turn(fixture);
    assert_string_equal(ids, " wf_1 wf_3 wf_4 wf_5(test)");
}

/* --- What steps took --- */

struct seen_history {
    struct store_step_history entries[STORE_STEP_NAMES];
    size_t count;
};

static void on_history(void *context, const struct store_step_history *history, size_t count, const struct err *err) {
    struct seen_history *seen = context;
    assert_null(err);
    seen->count = count;
    for (size_t i = 0; i < count; i++) {
        seen->entries[i] = history[i];
    }
}

static struct seen_history history(struct store_fixture *fixture, const char *account_id, bool test,
                                   enum store_workflow_kind kind, const char *model) {
    struct seen_history seen = {.count = 99};
    store_step_history_read(fixture->store, account_id, test, kind, model, on_history, &seen);
    turn(fixture);
    return seen;
}

static void test_history_is_of_the_same_account_kind_and_model(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    for (uint32_t i = 0; i < 10; i++) {
        struct store_step step = new_step(i, STORE_STEP_THINK, STORE_STEP_DONE);
        step.prompt_tokens = 10 * (10 - i);
        step.completion_tokens = i + 1;
        assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE);
    }
    struct store_step other = new_step(10, STORE_STEP_CHUNK, STORE_STEP_DONE);
    other.local = true;
    assert_int_equal(put(fixture, "wf_1", &other, NULL), ERR_NONE);
    other = new_step(11, STORE_STEP_ACT, STORE_STEP_FAILED);
    assert_int_equal(put(fixture, "wf_1", &other, NULL), ERR_NONE);
    const struct seen_history seen = history(fixture, "acct_1", false, STORE_WORKFLOW_AGENT, "demo");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.entries[0].name, STORE_STEP_THINK);
    assert_int_equal(seen.entries[0].samples, 10);
    assert_int_equal(seen.entries[0].prompt_tokens_low, 10);
    assert_int_equal(seen.entries[0].prompt_tokens_likely, 50);
    assert_int_equal(seen.entries[0].prompt_tokens_high, 90);
    assert_int_equal(seen.entries[0].completion_tokens_low, 1);
    assert_int_equal(seen.entries[0].completion_tokens_likely, 5);
    assert_int_equal(seen.entries[0].completion_tokens_high, 9);
    assert_int_equal(history(fixture, "acct_2", false, STORE_WORKFLOW_AGENT, "demo").count, 0);
    assert_int_equal(history(fixture, "acct_1", true, STORE_WORKFLOW_AGENT, "demo").count, 0);
    assert_int_equal(history(fixture, "acct_1", false, STORE_WORKFLOW_MAP_REDUCE, "demo").count, 0);
    assert_int_equal(history(fixture, "acct_1", false, STORE_WORKFLOW_AGENT, "other").count, 0);
}

static void test_history_is_of_the_last_steps(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    add_plain(fixture, "wf_2");
    for (uint32_t i = 0; i < 250; i++) {
        struct store_step step = new_step(i, STORE_STEP_THINK, STORE_STEP_DONE);
        step.prompt_tokens = 1;
        store_step_put(fixture->store, "wf_1", &step, NULL, NULL, NULL);
        step.prompt_tokens = 2;
        store_step_put(fixture->store, "wf_2", &step, NULL, NULL, NULL);
    }
    turn(fixture);
    const struct seen_history seen = history(fixture, "acct_1", false, STORE_WORKFLOW_AGENT, "demo");
    assert_int_equal(seen.entries[0].samples, 200);
    assert_int_equal(seen.entries[0].prompt_tokens_low, 2); /* only of the newer workflow */
}

/* --- Deleting --- */

static void on_purged(void *context, bool more) {
    *(int *)context = more;
}

static int purge(struct store_fixture *fixture, int64_t before_ms) {
    int more = -1;
    store_workflow_purge(fixture->store, before_ms, on_purged, &more);
    turn(fixture);
    return more;
}

static void test_goes_with_its_steps_when_its_time_is_over(void **state) {
    struct store_fixture *fixture = *state;
    add_plain(fixture, "wf_1");
    add_plain(fixture, "wf_2");
    assert_int_equal(put_new(fixture, "wf_1", 0, STORE_STEP_DONE), ERR_NONE);
    assert_int_equal(put_new(fixture, "wf_2", 0, STORE_STEP_DONE), ERR_NONE);
    end(fixture, "wf_1", STORE_WORKFLOW_COMPLETED); /* at NOW + 5 */
    assert_int_equal(purge(fixture, NOW + 5), false);
    assert_int_equal(find(fixture, "wf_1").code, ERR_NONE);
    assert_int_equal(purge(fixture, NOW + 6), false);
    assert_int_equal(find(fixture, "wf_1").code, ERR_NOT_FOUND);
    assert_int_equal(find(fixture, "wf_2").count, 1); /* it has not ended */
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM workflow_steps"), 1);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM workflow_texts"), 1);
    assert_int_equal(list(fixture, "acct_1", -1, "", 9).total, 1);
}

static void test_purging_tells_whether_there_may_be_more(void **state) {
    struct store_fixture *fixture = *state;
    int rounds = 1;
    for (int i = 0; i < 40; i++) {
        char id[STORE_ID_MAX];
        snprintf(id, sizeof(id), "wf_%d", i);
        add_plain(fixture, id);
        end(fixture, id, STORE_WORKFLOW_COMPLETED);
    }
    while (purge(fixture, NOW + 6)) {
        rounds++;
    }
    assert_true(rounds > 1);
    assert_int_equal(list(fixture, "acct_1", -1, "", 9).total, 0);
}

static void delete_conversation(struct store_fixture *fixture, const char *id) {
    enum err_code code = ERR_INTERNAL;
    store_conversation_delete(fixture->store, "acct_1", false, id, on_code, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

static void test_goes_with_its_conversation(void **state) {
    struct store_fixture *fixture = *state;
    char text[TEXT_SEEN];
    add_five(fixture); /* wf_3 is on conv_1 */
    assert_int_equal(put_new(fixture, "wf_3", 0, STORE_STEP_RUNNING), ERR_NONE);
    settle(fixture, "step_0", "conv_1", 7, "what the step said");
    assert_string_equal(stored(fixture, 7, text), "what the step said"); /* sealed, and opened again */
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM answers WHERE conversation_number = 0"), 0);
    delete_conversation(fixture, "conv_1");
    assert_string_equal(stored(fixture, 7, text), "none");
    assert_int_equal(find(fixture, "wf_3").code, ERR_NOT_FOUND);
    assert_int_equal(put_new(fixture, "wf_3", 0, STORE_STEP_DONE), ERR_NOT_FOUND);
    assert_int_equal(end(fixture, "wf_3", STORE_WORKFLOW_COMPLETED).code, ERR_NOT_FOUND);
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM workflow_steps"), 0);
    const struct listed listed = list(fixture, "acct_1", -1, "", 9);
    assert_string_equal(listed.ids, "wf_4 wf_2 wf_1");
    assert_int_equal(listed.total, 3);
    settle(fixture, "step_1", "conv_1", 8, "too late"); /* what was under way is settled, but nothing of it is kept */
    assert_string_equal(stored(fixture, 8, text), "none");
    assert_int_equal(number_of(fixture, "SELECT count(*) FROM generations WHERE label <> ''"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_is_listed),
        TEST(test_what_has_not_ended_is_found_again),
        TEST(test_history_is_of_the_same_account_kind_and_model),
        TEST(test_history_is_of_the_last_steps),
        TEST(test_goes_with_its_steps_when_its_time_is_over),
        TEST(test_purging_tells_whether_there_may_be_more),
        TEST(test_goes_with_its_conversation),
    };
    return STORE_CONTRACT_RUN(tests);
}
