/* Conversations, as every backend of store/conversations.h must keep them. */
#include "base/compiler.h"
#include "store/admin.h"
#include "store/conversations.h"
#include "store/workflows.h"
#include "support/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHARGE_NANO = 1001 };
static const int64_t noon_ms = INT64_C(1767225600000);

static void create_account(struct store_fixture *fixture, const char *id, const char *key_id) {
    struct store_admin admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                .actor = "cli",
                                .amount_nano = 1000000000,
                                .now_ms = noon_ms,
                                .account = store_fixture_account(id, false),
                                .keys = {store_fixture_key(key_id, "", STORE_KEY_LIVE)},
                                .key_count = 1};
    struct store_admin result;
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create_account(fixture, "acct_1", "key_1");
    create_account(fixture, "acct_2", "key_2");
    store_fixture_start(fixture);
    return 0;
}

/* What came of the last request. */
struct outcome {
    enum err_code code;
    struct store_conversation conversation;
    char system[256], summary[256], texts[64][256];
    struct store_message messages[64];
    struct store_conversation rows[16];
    size_t count;
    bool more;
    struct store_answer answer;
    char content[256];
};

static void on_done(void *context, const struct err *err) {
    ((struct outcome *)context)->code = err == NULL ? ERR_NONE : err->code;
}

static void on_read(void *context, const struct store_conversation *conversation, const struct store_message *messages,
                    size_t count, bool more, const struct err *err) {
    struct outcome *out = context;
    *out = (struct outcome){.code = err == NULL ? ERR_NONE : err->code, .count = count, .more = more};
    if (conversation != NULL) {
        out->conversation = *conversation;
        str_copy(out->system, sizeof(out->system), conversation->system);
        str_copy(out->summary, sizeof(out->summary), conversation->summary);
    }
    for (size_t i = 0; i < count && i < 64; i++) {
        out->messages[i] = messages[i];
        str_copy(out->texts[i], sizeof(out->texts[i]), messages[i].content);
    }
}

static void on_page(void *context, const struct store_conversation *rows, size_t count, bool more,
                    const struct err *err) {
    struct outcome *out = context;
    *out = (struct outcome){.code = err == NULL ? ERR_NONE : err->code, .count = count, .more = more};
    for (size_t i = 0; i < count && i < 16; i++) {
        out->rows[i] = rows[i];
    }
}

static void on_answer(void *context, const struct store_answer *answer, const struct err *err) {
    struct outcome *out = context;
    *out = (struct outcome){.code = err == NULL ? ERR_NONE : err->code, .count = answer != NULL};
    if (answer != NULL) {
        str_copy(out->content, sizeof(out->content), answer->content);
    }
}

static enum err_code add(struct store_fixture *fixture, const char *account, const char *id, bool test) {
    struct outcome out;
    struct store_conversation conversation = {.test = test,
                                              .title = "",
                                              .auto_title = true,
                                              .auto_summary = true,
                                              .system = STR("You are SECRETSYSTEM."),
                                              .created_ms = noon_ms};
    str_copy(conversation.id, sizeof(conversation.id), str_from(id));
    str_copy(conversation.account_id, sizeof(conversation.account_id), str_from(account));
    store_conversation_add(fixture->store, &conversation, on_done, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return out.code;
}

static struct outcome *ask(struct store_fixture *fixture, const struct store_conversation_ask *what) {
    struct outcome *out = calloc(1, sizeof(*out));
    store_conversation_read(fixture->store, what, on_read, out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return out;
}

static struct store_conversation_ask all_of(const char *account, const char *id) {
    return (struct store_conversation_ask){
        .account_id = account, .id = id, .whole = true, .limit = 64, .tokens_max = INT64_MAX, .bytes_max = SIZE_MAX};
}

static enum err_code code_of(struct store_fixture *fixture, const struct store_conversation_ask *what) {
    struct outcome *out = ask(fixture, what);
    const enum err_code code = out->code;
    free(out);
    return code;
}

static struct store_turn turn_of(const char *account, const char *id, enum store_turn_kind kind) {
    struct store_turn turn = {.kind = kind, .now_ms = noon_ms + 1, .text = STR("")};
    str_copy(turn.conversation_id, sizeof(turn.conversation_id), str_from(id));
    str_copy(turn.account_id, sizeof(turn.account_id), str_from(account));
    return turn;
}

static enum err_code keep(struct store_fixture *fixture, const struct store_turn *turn) {
    struct outcome out;
    store_turn_keep(fixture->store, turn, on_done, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return out.code;
}

/* One exchange, with a settlement; the answer is kept under a scope of its own when `scope` is not 0. */
static enum err_code settle(struct store_fixture *fixture, const char *id, int64_t from, const char *asked,
                            const char *said, const char *job_id, uint8_t scope) {
    const struct store_message messages[] = {
        {.role = 1, .tokens = 5, .created_ms = noon_ms, .content = str_from(asked)},
        {.role = 2, .tokens = 7, .created_ms = noon_ms, .content = str_from(said)}};
    struct store_turn turn = turn_of("acct_1", id, STORE_TURN_EXCHANGE);
    turn.from = from;
    turn.messages = messages;
    turn.message_count = 2;
    turn.prompt_tokens = 50;
    turn.completion_tokens = 7;
    turn.density = 300;
    str_copy(turn.counted_by, sizeof(turn.counted_by), STR("demo"));
    const struct store_answer answer = {
        .scope_sha256 = {scope}, .expires_ms = noon_ms + 1000, .content = str_from(said)};
    struct store_settlement settlement = {.generation = {.model = "demo",
                                                         .outcome = STORE_OUTCOME_COMPLETED,
                                                         .created_ms = noon_ms,
                                                         .charge_nano = CHARGE_NANO},
                                          .turn = &turn,
                                          .answer = scope != 0 ? &answer : NULL};
    struct outcome out;
    str_copy(settlement.generation.id, sizeof(settlement.generation.id), str_from(job_id));
    str_copy(settlement.generation.account_id, sizeof(settlement.generation.account_id), STR("acct_1"));
    str_copy(settlement.generation.key_id, sizeof(settlement.generation.key_id), STR("key_1"));
    str_copy(settlement.generation.label, sizeof(settlement.generation.label), str_from(id));
    store_settle(fixture->store, &settlement, on_done, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return out.code;
}

static void test_a_new_one_is_empty(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    assert_int_equal(add(fixture, "acct_1", "conv_1", false), ERR_NONE);
    const struct store_conversation_ask what = all_of("acct_1", "conv_1");
    struct outcome *out = ask(fixture, &what);
    assert_int_equal(out->code, ERR_NONE);
    assert_string_equal(out->conversation.id, "conv_1");
    assert_string_equal(out->conversation.account_id, "acct_1");
    assert_string_equal(out->system, "You are SECRETSYSTEM.");
    assert_string_equal(out->summary, "");
    assert_int_equal(out->conversation.created_ms, noon_ms);
    assert_int_equal(out->count, 0);
    free(out);
}

static void test_it_belongs_to_its_account_and_kind_of_key(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct outcome out;
    assert_int_equal(add(fixture, "acct_1", "conv_1", false), ERR_NONE);
    assert_int_equal(add(fixture, "acct_nobody", "conv_2", false), ERR_NOT_FOUND);
    struct store_conversation_ask foreign = all_of("acct_2", "conv_1"), test = all_of("acct_1", "conv_1"),
                                  absent = all_of("acct_1", "conv_9");
    test.test = true;
    assert_int_equal(code_of(fixture, &foreign), ERR_NOT_FOUND);
    assert_int_equal(code_of(fixture, &test), ERR_NOT_FOUND);
    assert_int_equal(code_of(fixture, &absent), ERR_NOT_FOUND);
    store_conversation_delete(fixture->store, "acct_2", false, "conv_1", on_done, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.code, ERR_NOT_FOUND);
    store_conversations_page(fixture->store, "acct_2", false, "", 10, on_page, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.count, 0);
    store_conversations_page(fixture->store, "acct_2", false, "conv_1", 10, on_page, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.code, ERR_NOT_FOUND);
}

static void test_pages(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct outcome out;
    for (int i = 0; i < 5; i++) {
        char id[STORE_ID_MAX];
        snprintf(id, sizeof(id), "conv_%d", i);
        assert_int_equal(add(fixture, "acct_1", id, false), ERR_NONE);
    }
    store_conversations_page(fixture->store, "acct_1", false, "", 3, on_page, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.count, 3);
    assert_true(out.more);
    assert_string_equal(out.rows[0].id, "conv_4");
    store_conversations_page(fixture->store, "acct_1", false, out.rows[2].id, 3, on_page, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.count, 2);
    assert_false(out.more);
    assert_string_equal(out.rows[1].id, "conv_0");
}

static void test_an_exchange_is_stored_with_its_settlement(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    assert_int_equal(add(fixture, "acct_1", "conv_1", false), ERR_NONE);
    assert_int_equal(settle(fixture, "conv_1", 0, "first", "answer", "job_1", 0), ERR_NONE);
    assert_int_equal(settle(fixture, "conv_1", 2, "second", "again", "job_2", 0), ERR_NONE);
    const struct store_conversation_ask what = all_of("acct_1", "conv_1");
    struct outcome *out = ask(fixture, &what);
    assert_int_equal(out->count, 4);
    assert_int_equal(out->conversation.message_count, 4);
    assert_int_equal(out->conversation.prompt_tokens, 100);
    assert_int_equal(out->conversation.completion_tokens, 14);
    assert_int_equal(out->conversation.density, 300);
    assert_string_equal(out->conversation.counted_by, "demo");
    assert_string_equal(out->texts[0], "first");
    assert_string_equal(out->texts[3], "again");
    assert_int_equal(out->messages[3].position, 3);
    assert_int_equal(out->messages[3].tokens, 7);
    free(out);
}

static void test_an_exchange_that_does_not_follow_is_refused_and_not_charged(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    assert_int_equal(add(fixture, "acct_1", "conv_1", false), ERR_NONE);
    assert_int_equal(settle(fixture, "conv_1", 0, "first", "answer", "job_1", 0), ERR_NONE);
    assert_int_equal(settle(fixture, "conv_1", 0, "late", "answer", "job_2", 0), ERR_CONFLICT);
    const struct store_conversation_ask what = all_of("acct_1", "conv_1");
    struct outcome *out = ask(fixture, &what);
    assert_int_equal(out->count, 2);
    free(out);
    assert_int_equal(settle(fixture, "conv_1", 2, "good", "answer", "job_2", 0), ERR_NONE); /* its id is still free */
}

static void test_reading_stops_at_its_bounds(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    assert_int_equal(add(fixture, "acct_1", "conv_1", false), ERR_NONE);
    for (int i = 0; i < 5; i++) {
        char job[STORE_ID_MAX], text[16];
        snprintf(job, sizeof(job), "job_%d", i);
        snprintf(text, sizeof(text), "text %d", i);
        assert_int_equal(settle(fixture, "conv_1", 2 * i, text, "answer", job, 0), ERR_NONE);
    }
    struct store_conversation_ask what = all_of("acct_1", "conv_1");
    what.tokens_max = 20; /* 7 + 5 + 7 */
    struct outcome *out = ask(fixture, &what);
    assert_int_equal(out->count, 3);
    assert_true(out->more);
    assert_int_equal(out->messages[0].position, 7);
    assert_int_equal(out->messages[2].position, 9);
    free(out);
    what.before = 7;
    what.limit = 2;
    out = ask(fixture, &what);
    assert_int_equal(out->count, 2);
    assert_int_equal(out->messages[0].position, 5);
    free(out);
    what = all_of("acct_1", "conv_1");
    what.oldest = true;
    what.before = 3;
    out = ask(fixture, &what);
    assert_int_equal(out->count, 3);
    assert_false(out->more);
    assert_string_equal(out->texts[0], "text 0");
    free(out);
    what.tokens_max = 0; /* but one, always */
    out = ask(fixture, &what);
    assert_int_equal(out->count, 1);
    free(out);
}

static void test_title_and_summary(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    assert_int_equal(add(fixture, "acct_1", "conv_1", false), ERR_NONE);
    assert_int_equal(settle(fixture, "conv_1", 0, "first", "answer", "job_1", 0), ERR_NONE);
    struct store_turn turn = turn_of("acct_1", "conv_1", STORE_TURN_TITLE);
    turn.text = STR("A title");
    turn.titled_by = STORE_TITLED_BY_MODEL;
    assert_int_equal(keep(fixture, &turn), ERR_NONE);
    turn.text = STR("Another");
    assert_int_equal(keep(fixture, &turn), ERR_NONE); /* the first stays */
    turn = turn_of("acct_1", "conv_1", STORE_TURN_SUMMARY);
    turn.text = STR("They met.");
    turn.until = 1;
    assert_int_equal(keep(fixture, &turn), ERR_NONE);
    turn.until = 2; /* it begins where there is a summary already */
    assert_int_equal(keep(fixture, &turn), ERR_NONE);
    struct store_conversation_ask what = all_of("acct_1", "conv_1");
    what.whole = false;
    struct outcome *out = ask(fixture, &what);
    assert_string_equal(out->conversation.title, "A title");
    assert_int_equal(out->conversation.titled_by, STORE_TITLED_BY_MODEL);
    assert_string_equal(out->summary, "They met.");
    assert_int_equal(out->conversation.summary_until, 1);
    assert_int_equal(out->count, 1); /* what is in the summary is left out */
    free(out);
}

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

static void test_a_turn_of_one_that_is_gone_leaves_nothing(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct outcome out;
    const uint8_t scope[DIGEST_SHA256_SIZE] = {9};
    assert_int_equal(settle(fixture, "conv_9", 0, "first", "answer", "job_1", 9), ERR_NONE); /* settled all the same */
    store_answer_find(fixture->store, scope, NULL, noon_ms, on_answer, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.count, 0);
    assert_false(in_files(fixture, "conv_9", 6));
}

/* Without the key what is sealed is gone. */
static void key_of(const struct store_fixture *fixture, char out[32]) {
    struct store_raw value;
    store_backend()->read(fixture->path, "SELECT secret FROM conversation_keys", &value);
    assert_int_equal(value.len, 32);
    memcpy(out, value.bytes, 32);
}

static bool label_is_empty(void *context, const struct store_generation *job) {
    (void)context;
    assert_string_equal(job->label, "");
    return true;
}

static void on_workflow(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                        size_t count, bool changed, const struct err *err) {
    struct outcome *out = context;
    (void)steps;
    (void)changed;
    out->code = err == NULL ? ERR_NONE : err->code;
    out->count = count;
    str_copy(out->content, sizeof(out->content), str_from(workflow == NULL ? "" : workflow->task));
}

/* One that has ended and one that runs, each with a step. */
static void add_workflows(struct store_fixture *fixture, const char *conversation_id) {
    struct outcome out;
    for (int i = 0; i < 2; i++) {
        struct store_workflow_new asked = {
            .workflow = {.account_id = "acct_1", .task = "SECRETTASK", .request = STR("SECRETREQUEST")}};
        struct store_workflow_end end = {
            .status = 1, .text = STR("SECRETRESULT"), .error = STR("SECRETERROR"), .extra = STR("SECRETEXTRA")};
        const struct store_step step = {.state = 2, .output = STR("SECRETOUTPUT")};
        snprintf(asked.workflow.id, sizeof(asked.workflow.id), "wf_marked%d", i);
        str_copy(end.id, sizeof(end.id), str_from(asked.workflow.id));
        str_copy(asked.workflow.conversation_id, sizeof(asked.workflow.conversation_id), str_from(conversation_id));
        store_workflow_add(fixture->store, &asked, on_workflow, &out);
        store_step_put(fixture->store, asked.workflow.id, &step, NULL, NULL, NULL);
        if (i == 0) {
            store_workflow_end(fixture->store, &end, on_workflow, &out);
        }
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        assert_int_equal(out.code, ERR_NONE);
        store_workflow_find(fixture->store, "acct_1", false, asked.workflow.id, on_workflow, &out);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        assert_string_equal(out.content, "SECRETTASK"); /* sealed, and opened again */
        assert_int_equal(out.count, 1);
    }
    assert_true(in_files(fixture, "wf_marked", 9));
    assert_false(in_files(fixture, "SECRETTASK", 10));
    assert_false(in_files(fixture, "SECRETRE", 8));
    assert_false(in_files(fixture, "SECRETOUTPUT", 12));
}

static void test_delete_leaves_nothing(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct outcome out;
    char secret[32];
    const uint8_t scope[DIGEST_SHA256_SIZE] = {1};
    assert_int_equal(add(fixture, "acct_1", "conv_marked", false), ERR_NONE);
    assert_int_equal(settle(fixture, "conv_marked", 0, "SECRETQUESTION", "SECRETANSWER", "job_1", 1), ERR_NONE);
    store_answer_find(fixture->store, scope, NULL, noon_ms, on_answer, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_string_equal(out.content, "SECRETANSWER"); /* sealed, and opened again */
    struct store_turn turn = turn_of("acct_1", "conv_marked", STORE_TURN_TITLE);
    turn.text = STR("SECRETTITLE");
    assert_int_equal(keep(fixture, &turn), ERR_NONE);
    add_workflows(fixture, "conv_marked");
    key_of(fixture, secret);
    assert_true(in_files(fixture, secret, sizeof(secret))); /* the test can see it */
    assert_true(in_files(fixture, "conv_marked", 11));
    store_conversation_delete(fixture->store, "acct_1", false, "conv_marked", on_done, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.code, ERR_NONE);
    assert_false(in_files(fixture, secret, sizeof(secret)));
    assert_false(in_files(fixture, "SECRET", 6));
    for (int i = 0; i < 2; i++) {
        store_workflow_find(fixture->store, "acct_1", false, i == 0 ? "wf_marked0" : "wf_marked1", on_workflow, &out);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
        assert_int_equal(out.code, ERR_NOT_FOUND);
    }
    assert_false(in_files(fixture, "conv_marked", 11));
    const struct store_conversation_ask what = all_of("acct_1", "conv_marked");
    assert_int_equal(code_of(fixture, &what), ERR_NOT_FOUND);
    store_answer_find(fixture->store, scope, NULL, noon_ms, on_answer, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out.count, 0);
    store_fixture_reopen(fixture);
    assert_true(store_each_generation(fixture->store, label_is_empty, NULL, &fixture->err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_one_is_empty, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_it_belongs_to_its_account_and_kind_of_key, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_pages, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_exchange_is_stored_with_its_settlement, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_exchange_that_does_not_follow_is_refused_and_not_charged, setup,
                                        store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_reading_stops_at_its_bounds, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_title_and_summary, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_turn_of_one_that_is_gone_leaves_nothing, setup, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_delete_leaves_nothing, setup, store_fixture_teardown),
    };
    return STORE_CONTRACT_RUN(tests);
}
