/* Quotas: what accounts may have kept is looked at where something begins, is never passed by however many at once, and
 * is given back by whatever deletes. */
#include "store/jobs.h"
#include "store/kept.h"
#include "support/store_workflows_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 100, RESERVE_BYTES = 1000, AT_ONCE = 50, JOBS_MAX = 3 };

/* The tier free may have so much of one kind, and as much as it likes of the others. */
static void limit_kind(struct store_fixture *fixture, enum store_kept kind, int64_t rows, int64_t bytes) {
    struct store_quotas quotas = {0};
    quotas.of[STORE_TIER_FREE][kind] = (struct store_amount){rows, bytes};
    store_set_quotas(fixture->store, &quotas);
}

static int setup_stopped(void **state) {
    store_fixture_setup(state);
    create_account(*state, "acct_1", "key_1");
    create_account(*state, "acct_2", "key_2");
    return 0;
}

static void start(struct store_fixture *fixture, enum store_kept kind, int64_t rows, int64_t bytes) {
    limit_kind(fixture, kind, rows, bytes);
    store_fixture_start(fixture);
}

/* --- What is kept, by the store's word and by its rows --- */

static void on_report(void *context, const struct store_kept_report *report, const struct err *err) {
    assert_null(err);
    *(struct store_kept_report *)context = *report;
}

static struct store_kept_report report_of(struct store_fixture *fixture, const char *account_id) {
    struct store_kept_report report;
    store_kept_read(fixture->store, account_id, on_report, &report);
    turn(fixture);
    return report;
}

static int64_t raw(const struct store_fixture *fixture, const char *query) {
    struct store_raw out;
    store_backend()->read(fixture->path, query, &out);
    return out.number;
}

/* Every sum is that of the rows; also of accounts without any. */
static void assert_sums(const struct store_fixture *fixture) {
    static const char *const WRONG[] = {
        "SELECT count(*) FROM kept k WHERE kind = 0 AND (row_count, byte_count) IS NOT (SELECT count(*), coalesce(sum("
        "length(title) + length(summary) + length(system) + coalesce((SELECT sum(length(content)) FROM"
        " conversation_messages WHERE conversation_number = c.number), 0)), 0) FROM conversations c"
        " WHERE c.account_number = k.account_number)",
        "SELECT count(*) FROM kept k WHERE kind = 1 AND (row_count, byte_count) IS NOT (SELECT count(*), coalesce(sum("
        "length(body) + length(result) + reserved_bytes), 0) FROM jobs j WHERE j.account_number = k.account_number)",
        "SELECT count(*) FROM kept k WHERE kind = 2 AND (row_count, byte_count) IS NOT (SELECT count(*), coalesce(sum("
        "length(task) + (SELECT length(request) + length(answer) + length(error) + length(extra) FROM workflow_texts"
        " WHERE workflow_number = w.number) + coalesce((SELECT sum(length(output)) FROM workflow_steps WHERE"
        " workflow_number = w.number), 0)), 0) FROM workflows w WHERE w.account_number = k.account_number)",
        "SELECT count(*) FROM kept k WHERE kind = 3 AND (row_count, byte_count) IS NOT (SELECT count(*), coalesce(sum("
        "length(content)), 0) FROM answers a WHERE a.account_number = k.account_number)",
        "SELECT count(*) FROM (SELECT account_number FROM conversations UNION SELECT account_number FROM jobs UNION"
        " SELECT account_number FROM workflows) a WHERE NOT EXISTS"
        " (SELECT 1 FROM kept k WHERE k.account_number = a.account_number)",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        assert_int_equal(raw(fixture, WRONG[i]), 0);
    }
}

/* --- Jobs --- */

struct job_seen {
    bool called, changed;
    enum err_code code;
    bool past;
    char message[ERR_MESSAGE_MAX];
};

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct job_seen *seen = context;
    (void)job;
    *seen = (struct job_seen){.called = true,
                              .changed = changed,
                              .code = err == NULL ? ERR_NONE : err->code,
                              .past = err != NULL && store_quota_is_past(err)};
    str_copy(seen->message, sizeof(seen->message), str_from(err == NULL ? "" : err->message));
}

static struct store_job_new job_new(const char *account_id, uint32_t number) {
    static const char BODY[BODY_BYTES] = {0};
    struct store_job_new asked = {.job = {.kind = 1, .created_ms = NOW, .body = {BODY, sizeof(BODY)}},
                                  .reserve_bytes = RESERVE_BYTES};
    snprintf(asked.job.id, sizeof(asked.job.id), "job_%s_%u", account_id, number);
    str_copy(asked.job.account_id, STORE_ID_MAX, str_from(account_id));
    str_copy(asked.job.key_id, STORE_ID_MAX, STR("key_1"));
    str_copy(asked.job.model, sizeof(asked.job.model), STR("demo"));
    return asked;
}

static struct job_seen job_add(struct store_fixture *fixture, const char *account_id, uint32_t number) {
    const struct store_job_new asked = job_new(account_id, number);
    struct job_seen seen = {0};
    store_job_add(fixture->store, &asked, on_job, &seen);
    turn(fixture);
    assert_true(seen.called);
    return seen;
}

static void job_end(struct store_fixture *fixture, const char *account_id, uint32_t number) {
    const struct store_job_new asked = job_new(account_id, number);
    struct job_seen seen = {0};
    struct store_job_end end = {
        .state = STORE_JOB_COMPLETED, .ended_ms = NOW + 5, .result = STR("{\"a\":1}"), .event = STR("")};
    memcpy(end.id, asked.job.id, sizeof(end.id));
    store_job_end(fixture->store, &end, on_job, &seen);
    turn(fixture);
    assert_true(seen.changed);
}

static struct job_seen job_forget(struct store_fixture *fixture, const char *account_id, const char *whose,
                                  uint32_t number) {
    const struct store_job_new asked = job_new(whose, number);
    struct job_seen seen = {0};
    store_job_forget(fixture->store, account_id, false, asked.job.id, on_job, &seen);
    turn(fixture);
    return seen;
}

static void test_jobs_have_rows(void **state) {
    struct store_fixture *fixture = *state;
    start(fixture, STORE_KEPT_JOBS, JOBS_MAX, 0);
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        assert_true(job_add(fixture, "acct_1", i).changed);
    }
    const struct job_seen past = job_add(fixture, "acct_1", JOBS_MAX);
    assert_true(past.past);
    assert_non_null(strstr(past.message, "3 jobs of the 3 that its tier allows. Delete jobs that have ended"));
    job_end(fixture, "acct_1", 0); /* that is no way out: its result is kept */
    assert_true(job_add(fixture, "acct_1", JOBS_MAX).past);
    assert_true(job_add(fixture, "acct_2", 0).changed);                              /* another's are another's */
    assert_int_equal(job_forget(fixture, "acct_1", "acct_1", 1).code, ERR_CONFLICT); /* it has not ended */
    assert_int_equal(job_forget(fixture, "acct_2", "acct_1", 0).code, ERR_NOT_FOUND);
    assert_true(job_forget(fixture, "acct_1", "acct_1", 0).changed);
    assert_int_equal(job_forget(fixture, "acct_1", "acct_1", 0).code, ERR_NOT_FOUND);
    assert_true(job_add(fixture, "acct_1", JOBS_MAX).changed);
    assert_sums(fixture);
}

static void test_a_twin_is_found_at_the_limit(void **state) {
    struct store_fixture *fixture = *state;
    const uint8_t scope[DIGEST_SHA256_SIZE] = {1};
    struct store_job_new asked = job_new("acct_1", 0);
    struct job_seen seen = {0};
    asked.scope_sha256 = scope;
    start(fixture, STORE_KEPT_JOBS, 1, 0);
    store_job_add(fixture->store, &asked, on_job, &seen);
    turn(fixture);
    assert_true(seen.changed);
    store_job_add(fixture->store, &asked, on_job, &seen);
    turn(fixture);
    assert_int_equal(seen.code, ERR_NONE);
    assert_false(seen.changed);
    asked.replaces = true; /* refused, it has not taken the key from the other */
    str_copy(asked.job.id, STORE_ID_MAX, STR("job_b"));
    store_job_add(fixture->store, &asked, on_job, &seen);
    turn(fixture);
    assert_true(seen.past);
    assert_int_equal(raw(fixture, "SELECT count(*) FROM jobs WHERE scope_sha256 IS NOT NULL"), 1);
}

static void test_many_at_once_pass_no_limit(void **state) {
    struct store_fixture *fixture = *state;
    struct job_seen seen[2][AT_ONCE];
    uint32_t added[2] = {0};
    start(fixture, STORE_KEPT_JOBS, JOBS_MAX, 0);
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        const struct store_job_new first = job_new("acct_1", i), second = job_new("acct_2", i);
        store_job_add(fixture->store, &first, on_job, &seen[0][i]);
        store_job_add(fixture->store, &second, on_job, &seen[1][i]);
    }
    turn(fixture);
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        added[0] += seen[0][i].changed;
        added[1] += seen[1][i].changed;
        assert_true(seen[0][i].changed || seen[0][i].past);
    }
    assert_int_equal(added[0], JOBS_MAX);
    assert_int_equal(added[1], JOBS_MAX);
    assert_int_equal(fixture->broken_count, 0);
    assert_sums(fixture);
}

/* What an answer may take is set aside with the job, so that the answers of those accepted fit in any case. */
static void test_jobs_have_bytes(void **state) {
    struct store_fixture *fixture = *state;
    enum { ONE = BODY_BYTES + RESERVE_BYTES, SEAL_ROOM = 64 };
    start(fixture, STORE_KEPT_JOBS, 0, 2 * ONE + SEAL_ROOM);
    assert_true(job_add(fixture, "acct_1", 0).changed);
    assert_true(job_add(fixture, "acct_1", 1).changed);
    const struct job_seen past = job_add(fixture, "acct_1", 2);
    assert_true(past.past);
    assert_non_null(strstr(past.message, "bytes that its tier allows, and this needs 1100"));
    job_end(fixture, "acct_1", 0); /* it has taken less than was set aside */
    assert_true(job_add(fixture, "acct_1", 2).changed);
    assert_true(job_add(fixture, "acct_1", 3).past);
    assert_sums(fixture);
}

static void test_exactly_as_many_bytes_fit(void **state) {
    const struct store_quotas quotas = {.of = {[STORE_TIER_FREE] = {[STORE_KEPT_JOBS] = {5, 100}}}};
    const struct store_amount kept = {4, 60}, fits = {1, 40}, passes = {1, 41}, rows = {2, 0};
    struct err err;
    (void)state;
    assert_true(store_quota_check(&quotas, STORE_TIER_FREE, STORE_KEPT_JOBS, &kept, &fits, &err));
    assert_false(store_quota_check(&quotas, STORE_TIER_FREE, STORE_KEPT_JOBS, &kept, &passes, &err));
    assert_false(store_quota_check(&quotas, STORE_TIER_FREE, STORE_KEPT_JOBS, &kept, &rows, &err));
    assert_true(store_quota_check(&quotas, STORE_TIER_PRO, STORE_KEPT_JOBS, &kept, &passes, &err));
}

static void on_purged(void *context, bool more) {
    (void)more;
    *(bool *)context = true;
}

static void test_a_restart_keeps_and_time_frees(void **state) {
    struct store_fixture *fixture = *state;
    bool purged = false;
    start(fixture, STORE_KEPT_JOBS, 1, 0);
    assert_true(job_add(fixture, "acct_1", 0).changed);
    job_end(fixture, "acct_1", 0);
    store_fixture_reopen(fixture);
    start(fixture, STORE_KEPT_JOBS, 1, 0);
    assert_true(job_add(fixture, "acct_1", 1).past);
    const struct store_kept_report report = report_of(fixture, "acct_1");
    assert_int_equal(report.kept[STORE_KEPT_JOBS].rows, 1);
    assert_true(report.kept[STORE_KEPT_JOBS].bytes > 0);
    assert_int_equal(report.quota[STORE_KEPT_JOBS].rows, 1);
    store_job_purge(fixture->store, NOW + 6, on_purged, &purged);
    turn(fixture);
    assert_true(purged);
    assert_true(job_add(fixture, "acct_1", 1).changed);
    assert_sums(fixture);
}

/* --- Stored answers --- */

struct answer_seen {
    bool found, past;
    enum err_code code;
};

static void on_looked(void *context, const struct store_answer *answer, const struct err *err) {
    struct answer_seen *seen = context;
    *seen = (struct answer_seen){answer != NULL, err != NULL && store_quota_is_past(err),
                                 err == NULL ? ERR_NONE : err->code};
}

static struct answer_seen answer_look(struct store_fixture *fixture, const char *account_id, uint8_t scope,
                                      int64_t now_ms) {
    const uint8_t scope_sha256[DIGEST_SHA256_SIZE] = {scope};
    struct answer_seen seen;
    store_answer_find(fixture->store, scope_sha256, account_id, now_ms, on_looked, &seen);
    turn(fixture);
    return seen;
}

static void answer_keep(struct store_fixture *fixture, uint32_t number, uint8_t scope, bool spare) {
    enum err_code code = ERR_INTERNAL;
    const struct store_answer answer = {
        .scope_sha256 = {scope}, .expires_ms = NOW + 1000, .spare = spare, .content = STR("what was said")};
    struct store_settlement settlement = {.answer = &answer, .generation = store_fixture_job(number)};
    settlement.generation.created_ms = NOW;
    store_settle(fixture->store, &settlement, on_code, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

static void test_answers_are_refused_before_they_are_made(void **state) {
    struct store_fixture *fixture = *state;
    start(fixture, STORE_KEPT_ANSWERS, 2, 0);
    assert_int_equal(answer_look(fixture, "acct_1", 1, NOW).code, ERR_NONE);
    answer_keep(fixture, 1, 1, false);
    answer_keep(fixture, 2, 2, false);
    assert_true(answer_look(fixture, "acct_1", 1, NOW).found); /* what is there is given, full or not */
    assert_true(answer_look(fixture, "acct_1", 3, NOW).past);
    assert_false(answer_look(fixture, "acct_2", 4, NOW).past);
    assert_int_equal(answer_look(fixture, NULL, 3, NOW).code, ERR_NONE); /* who would keep none */
    answer_keep(fixture, 3, 3, true); /* an SDK's first try has its answer, but it is not kept */
    assert_false(answer_look(fixture, NULL, 3, NOW).found);
    answer_keep(fixture, 4, 4, false); /* one that began when there was room is kept as it was promised */
    assert_true(answer_look(fixture, NULL, 4, NOW).found);
    assert_sums(fixture);
    assert_true(answer_look(fixture, "acct_1", 5, NOW + 2000).past); /* they have expired, and go with the next group */
    answer_keep(fixture, 5, 5, false);
    assert_false(answer_look(fixture, "acct_1", 6, NOW + 2000).past);
    assert_sums(fixture);
}

/* --- Conversations --- */

static enum err_code conversation_add(struct store_fixture *fixture, const char *id, struct str system) {
    enum err_code code = ERR_INTERNAL;
    struct store_conversation conversation = {.system = system, .created_ms = NOW};
    str_copy(conversation.id, STORE_ID_MAX, str_from(id));
    str_copy(conversation.account_id, STORE_ID_MAX, STR("acct_1"));
    store_conversation_add(fixture->store, &conversation, on_code, &code);
    turn(fixture);
    return code;
}

static void on_conversation(void *context, const struct store_conversation *conversation,
                            const struct store_message *messages, size_t count, bool more, const struct err *err) {
    (void)conversation;
    (void)messages;
    (void)count;
    (void)more;
    *(bool *)context = err != NULL && store_quota_is_past(err);
}

/* Whether a call that adds so much is refused. */
static bool conversation_is_full(struct store_fixture *fixture, const char *id, size_t adds) {
    bool past = false;
    const struct store_conversation_ask ask = {
        .account_id = "acct_1", .id = id, .limit = 10, .tokens_max = 100, .bytes_max = 1000, .adds = adds};
    store_conversation_read(fixture->store, &ask, on_conversation, &past);
    turn(fixture);
    return past;
}

static void conversation_say(struct store_fixture *fixture, const char *id, uint32_t number, struct str text) {
    enum err_code code = ERR_INTERNAL;
    const struct store_message messages[] = {{.role = 1, .created_ms = NOW, .content = text},
                                             {.role = 2, .created_ms = NOW, .content = text}};
    struct store_turn turn_kept = {
        .kind = STORE_TURN_EXCHANGE, .now_ms = NOW, .messages = messages, .message_count = 2};
    struct store_settlement settlement = {.turn = &turn_kept, .generation = store_fixture_job(number)};
    turn_kept.text = STR("");
    str_copy(turn_kept.conversation_id, STORE_ID_MAX, str_from(id));
    str_copy(turn_kept.account_id, STORE_ID_MAX, STR("acct_1"));
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    store_settle(fixture->store, &settlement, on_code, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

static enum err_code conversation_delete(struct store_fixture *fixture, const char *id) {
    enum err_code code = ERR_INTERNAL;
    store_conversation_delete(fixture->store, "acct_1", false, id, on_code, &code);
    turn(fixture);
    return code;
}

static void test_conversations_have_rows_and_bytes(void **state) {
    struct store_fixture *fixture = *state;
    char long_text[600];
    memset(long_text, 'x', sizeof(long_text));
    start(fixture, STORE_KEPT_CONVERSATIONS, 2, 2000);
    assert_int_equal(conversation_add(fixture, "conv_1", (struct str){long_text, 600}), ERR_NONE);
    assert_int_equal(conversation_add(fixture, "conv_2", (struct str){long_text, 600}), ERR_NONE);
    assert_int_equal(conversation_add(fixture, "conv_3", STR("")), ERR_CONFLICT);
    assert_false(conversation_is_full(fixture, "conv_1", 500));
    assert_true(conversation_is_full(fixture, "conv_1", 2000));
    conversation_say(fixture, "conv_1", 7, (struct str){long_text, 600}); /* it began in time */
    assert_sums(fixture);
    assert_true(conversation_is_full(fixture, "conv_2", 1));  /* of any, until one goes */
    assert_false(conversation_is_full(fixture, "conv_2", 0)); /* reading goes on */
    assert_int_equal(conversation_delete(fixture, "conv_1"), ERR_NONE);
    assert_false(conversation_is_full(fixture, "conv_2", 500));
    assert_int_equal(conversation_add(fixture, "conv_3", STR("")), ERR_NONE);
    assert_sums(fixture);
}

/* --- Workflows --- */

static enum err_code forget_workflow(struct store_fixture *fixture, const char *account_id, const char *id) {
    struct told told = {0};
    store_workflow_forget(fixture->store, account_id, false, id, on_told, &told);
    turn(fixture);
    return told.code;
}

static void test_workflows_have_rows(void **state) {
    struct store_fixture *fixture = *state;
    start(fixture, STORE_KEPT_WORKFLOWS, 2, 0);
    add_plain(fixture, "wf_1");
    add_plain(fixture, "wf_2");
    const struct store_workflow_new third = new_workflow("wf_3");
    assert_int_equal(add(fixture, &third).code, ERR_CONFLICT);
    assert_int_equal(forget_workflow(fixture, "acct_1", "wf_1"), ERR_CONFLICT);
    const struct store_workflow_end end = new_end("acct_1", "wf_1", STORE_WORKFLOW_COMPLETED);
    assert_true(end_with(fixture, &end).changed);
    assert_int_equal(add(fixture, &third).code, ERR_CONFLICT);
    assert_int_equal(forget_workflow(fixture, "acct_2", "wf_1"), ERR_NOT_FOUND);
    assert_int_equal(forget_workflow(fixture, "acct_1", "wf_1"), ERR_NONE);
    assert_int_equal(add(fixture, &third).code, ERR_NONE);
    assert_sums(fixture);
}

/* One that is under way may pass its bytes, but not twice over. */
static void test_workflows_have_bytes(void **state) {
    struct store_fixture *fixture = *state;
    char long_text[1500];
    memset(long_text, 'x', sizeof(long_text));
    start(fixture, STORE_KEPT_WORKFLOWS, 0, 1000);
    add_plain(fixture, "wf_1");
    for (uint32_t i = 0; i < 2; i++) {
        struct store_step step = new_step(i, STORE_STEP_ANALYZE, STORE_STEP_RUNNING);
        assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE);
        step = new_step(i, STORE_STEP_ANALYZE, STORE_STEP_DONE);
        step.output = (struct str){long_text, sizeof(long_text)};
        assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE); /* what was made is kept in any case */
        assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE); /* and counts once */
        assert_sums(fixture);
    }
    const struct store_step third = new_step(2, STORE_STEP_ANALYZE, STORE_STEP_RUNNING);
    assert_int_equal(put(fixture, "wf_1", &third, NULL), ERR_CONFLICT);
    const struct store_workflow_new second = new_workflow("wf_2");
    assert_int_equal(add(fixture, &second).code, ERR_CONFLICT);
    const struct store_workflow_end end = new_end("acct_1", "wf_1", STORE_WORKFLOW_FAILED);
    assert_true(end_with(fixture, &end).changed); /* to end takes no quota */
    assert_sums(fixture);
    assert_int_equal(forget_workflow(fixture, "acct_1", "wf_1"), ERR_NONE);
    assert_int_equal(add(fixture, &second).code, ERR_NONE);
    assert_sums(fixture);
}

/* --- Tiers, and accounts that go --- */

static void act(struct store_fixture *fixture, const struct store_admin *admin) {
    struct store_admin result;
    assert_true(store_admin_now(fixture->store, admin, &result, &fixture->err));
}

static void test_another_tier_has_another_quota(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_admin pro = {.kind = STORE_ADMIN_ACCOUNT_TIER,
                                    .actor = "cli",
                                    .now_ms = NOW,
                                    .account = {.id = "acct_1", .tier = STORE_TIER_UNLIMITED}};
    act(fixture, &pro);
    start(fixture, STORE_KEPT_JOBS, 1, 0);
    assert_true(job_add(fixture, "acct_1", 0).changed);
    assert_true(job_add(fixture, "acct_1", 1).changed);
}

static void test_an_erased_account_keeps_nothing(void **state) {
    struct store_fixture *fixture = *state;
    const struct store_admin erase = {
        .kind = STORE_ADMIN_ACCOUNT_ERASE, .actor = "cli", .now_ms = NOW, .account = {.id = "acct_1"}};
    start(fixture, STORE_KEPT_JOBS, 0, 0);
    assert_true(job_add(fixture, "acct_1", 0).changed);
    assert_true(job_add(fixture, "acct_2", 0).changed);
    assert_int_equal(conversation_add(fixture, "conv_1", STR("be kind")), ERR_NONE);
    conversation_say(fixture, "conv_1", 7, STR("hello"));
    add_plain(fixture, "wf_1");
    const struct store_step step = new_step(0, STORE_STEP_ANALYZE, STORE_STEP_DONE);
    assert_int_equal(put(fixture, "wf_1", &step, NULL), ERR_NONE);
    answer_keep(fixture, 1, 1, false);
    assert_sums(fixture);
    store_fixture_reopen(fixture);
    act(fixture, &erase);
    store_fixture_start(fixture);
    const struct store_kept_report report = report_of(fixture, "acct_1"), other = report_of(fixture, "acct_2");
    for (int kind = 0; kind < STORE_KEPT_KINDS; kind++) {
        assert_int_equal(report.kept[kind].rows, 0);
        assert_int_equal(report.kept[kind].bytes, 0);
    }
    assert_int_equal(other.kept[STORE_KEPT_JOBS].rows, 1);
    assert_sums(fixture);
}

#define QUOTAS_TEST(name) cmocka_unit_test_setup_teardown(name, setup_stopped, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        QUOTAS_TEST(test_jobs_have_rows),
        QUOTAS_TEST(test_a_twin_is_found_at_the_limit),
        QUOTAS_TEST(test_many_at_once_pass_no_limit),
        QUOTAS_TEST(test_jobs_have_bytes),
        QUOTAS_TEST(test_exactly_as_many_bytes_fit),
        QUOTAS_TEST(test_a_restart_keeps_and_time_frees),
        QUOTAS_TEST(test_answers_are_refused_before_they_are_made),
        QUOTAS_TEST(test_conversations_have_rows_and_bytes),
        QUOTAS_TEST(test_workflows_have_rows),
        QUOTAS_TEST(test_workflows_have_bytes),
        QUOTAS_TEST(test_another_tier_has_another_quota),
        QUOTAS_TEST(test_an_erased_account_keeps_nothing),
    };
    return STORE_CONTRACT_RUN(tests);
}
