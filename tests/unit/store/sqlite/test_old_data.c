/* The data folder of an older program that was killed in the middle of its work (tests/fixtures): it opens, is
 * migrated, and nothing of it is lost. */
#include "base/file.h"
#include "base/json_read.h"
#include "store/conversations.h"
#include "store/deliveries.h"
#include "store/devices.h"
#include "store/jobs.h"
#include "store/ledger.h"
#include "store/usage.h"
#include "support/store_fixture.h"

#include <sqlite3.h>

#define OLD_DATA NATARIS_SOURCE_DIR "/tests/fixtures/data-ea47000"

enum { TEXT_SEEN = 256 };

struct old {
    struct store_fixture *base;
    struct json_parser *parser;
    struct json_value made; /* what the file beside it says */
    struct buf json;
};

static void read_file(const char *path, struct buf *out) {
    struct err err;
    buf_init(out, 1024 * 1024);
    if (!file_read(path, out, &err)) {
        fail_msg("%s", err.message);
    }
}

static void load(const char *path) {
    sqlite3 *handle;
    struct buf sql;
    read_file(OLD_DATA ".sql", &sql);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, buf_cstr(&sql), NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    buf_clear(&sql);
}

static int setup(void **state) {
    struct old *old = calloc(1, sizeof(*old));
    struct err err;
    void *base;
    store_fixture_setup(&base);
    old->base = base;
    store_fixture_close(old->base);
    unlink(old->base->path);
    load(old->base->path);
    if (!store_open(&old->base->store, store_backend()->driver, old->base->path, &err)) {
        fail_msg("%s", err.message);
    }
    read_file(OLD_DATA ".json", &old->json);
    old->parser = json_parser_new(1024 * 1024, 16);
    assert_true(json_parse(old->parser, buf_str(&old->json), &old->made, &err));
    *state = old;
    return 0;
}

static int teardown(void **state) {
    struct old *old = *state;
    void *base = old->base;
    json_parser_free(old->parser);
    buf_clear(&old->json);
    free(old);
    return store_fixture_teardown(&base);
}

static void turn(const struct old *old) {
    uv_run(&old->base->loop, UV_RUN_DEFAULT);
}

/* The text at made.first.second, or (with `first` NULL) made.second; in a buffer of its own. */
static const char *made(const struct old *old, const char *first, const char *second, char out[STORE_ID_MAX]) {
    struct json_value value = old->made;
    struct str text = {0};
    assert_true(first == NULL || json_get(value, first, &value));
    assert_true(json_get(value, second, &value) && json_as_str(value, &text));
    assert_true(str_copy(out, STORE_ID_MAX, text));
    return out;
}

/* --- Accounts, generations, the ledger --- */

struct seen {
    const struct old *old;
    struct store_account alice, carol;
    int accounts, keys, revoked, capped;
    int purposes[STORE_PURPOSES], inferences, parts;
};

static bool see_account(void *context, const struct store_account *account) {
    struct seen *seen = context;
    seen->accounts++;
    if (strcmp(account->name, "alice") == 0) {
        seen->alice = *account;
    } else if (strcmp(account->name, "carol") == 0) {
        seen->carol = *account;
    }
    return true;
}

static bool see_key(void *context, const struct store_key *key) {
    struct seen *seen = context;
    seen->keys++;
    seen->revoked += key->revoked_ms != 0;
    seen->capped += key->cap_nano > 0 && key->spent_nano > 0;
    return true;
}

/* Until then only the id told it. */
static enum store_purpose purpose_of(const char *id) {
    for (int i = STORE_PURPOSE_JOB; i < STORE_PURPOSES; i++) {
        const char *name = store_purpose_name((enum store_purpose)i);
        if (strncmp(id, name, strlen(name)) == 0 && id[strlen(name)] == '_') {
            return (enum store_purpose)i;
        }
    }
    return STORE_PURPOSE_REQUEST;
}

static bool see_generation(void *context, const struct store_generation *generation) {
    struct seen *seen = context;
    char id[STORE_ID_MAX];
    const bool inference = strncmp(generation->id, "inf_", 4) == 0 ||
                           strcmp(generation->id, made(seen->old, "jobs", "inference", id)) == 0;
    assert_int_equal(generation->purpose, purpose_of(generation->id));
    assert_int_equal(generation->kind, inference ? STORE_GENERATION_INFERENCE : STORE_GENERATION_CHAT);
    seen->purposes[generation->purpose]++;
    seen->inferences += inference;
    return true;
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static void test_money_is_sound(void **state) {
    const struct old *old = *state;
    struct seen seen = {.old = old};
    struct store_ledger_report report;
    struct json_value value;
    struct err err;
    int64_t balance = 0;
    assert_true(json_get(old->made, "balance_nano", &value) && json_as_int64(value, &balance));
    assert_true(store_each_account(old->base->store, see_account, &seen, &err));
    assert_true(store_each_key(old->base->store, see_key, &seen, &err));
    assert_true(store_each_generation(old->base->store, see_generation, &seen, &err));
    assert_int_equal(seen.accounts, 4); /* with the owner's */
    assert_int_equal(seen.alice.balance_nano, balance);
    assert_true(seen.carol.suspended);
    assert_int_equal(seen.keys, 4 * 2 + 2);
    assert_int_equal(seen.revoked, 1);
    assert_int_equal(seen.capped, 1);
    for (int i = 0; i < STORE_PURPOSES; i++) {
        assert_true(seen.purposes[i] > 0);
    }
    assert_int_equal(seen.inferences, 2);
    assert_true(store_ledger_check(old->base->store, on_problem, NULL, &report, &err));
    assert_int_equal(report.problems, 0);
}

static void on_earnings(void *context, const struct store_earnings *earnings, const struct err *err) {
    assert_null(err);
    *(struct store_earnings *)context = *earnings;
}

static void test_earnings_stay(void **state) {
    const struct old *old = *state;
    struct store_earnings earnings = {0};
    char id[STORE_ID_MAX];
    struct json_value bob;
    struct str text;
    assert_true(json_get(old->made, "accounts", &bob) && json_get(bob, "bob", &bob) && json_get(bob, "id", &bob) &&
                json_as_str(bob, &text) && str_copy(id, sizeof(id), text));
    store_fixture_start(old->base);
    store_earnings_read(old->base->store, id, 0, INT64_MAX, on_earnings, &earnings);
    turn(old);
    assert_true(earnings.generations > 10); /* one of them made together with another device */
    assert_true(earnings.earned_nano > earnings.paid_nano);
    assert_int_equal(earnings.paid_nano, 1000);
}

/* --- Conversations --- */

struct talk {
    enum err_code code;
    struct store_conversation conversation;
    char system[TEXT_SEEN], summary[TEXT_SEEN], first[TEXT_SEEN];
    enum store_role role;
    size_t count;
};

static void on_conversation(void *context, const struct store_conversation *conversation,
                            const struct store_message *messages, size_t count, bool more, const struct err *err) {
    struct talk *talk = context;
    (void)more;
    talk->code = err == NULL ? ERR_NONE : err->code;
    if (err != NULL) {
        return;
    }
    talk->conversation = *conversation;
    talk->count = count;
    str_copy(talk->system, TEXT_SEEN, conversation->system);
    str_copy(talk->summary, TEXT_SEEN, conversation->summary);
    if (count > 0) {
        talk->role = messages[0].role;
        str_copy(talk->first, TEXT_SEEN, messages[0].content);
    }
}

static struct talk talk_of(const struct old *old, const char *name, bool test) {
    struct talk talk = {.code = ERR_INTERNAL};
    struct seen seen = {.old = old};
    char id[STORE_ID_MAX];
    struct err err;
    store_fixture_reopen(old->base);
    assert_true(store_each_account(old->base->store, see_account, &seen, &err));
    store_fixture_start(old->base);
    const struct store_conversation_ask ask = {.account_id = seen.alice.id,
                                               .id = made(old, NULL, name, id),
                                               .test = test,
                                               .whole = true,
                                               .limit = 100,
                                               .tokens_max = INT64_MAX,
                                               .bytes_max = SIZE_MAX};
    store_conversation_read(old->base->store, &ask, on_conversation, &talk);
    turn(old);
    return talk;
}

static void test_conversations_are_readable(void **state) {
    const struct old *old = *state;
    struct talk talk = talk_of(old, "conversation", false);
    assert_int_equal(talk.code, ERR_NONE);
    assert_int_equal(talk.count, 28);
    assert_int_equal(talk.conversation.titled_by, STORE_TITLED_BY_MODEL);
    assert_true(talk.conversation.title[0] != '\0');
    assert_string_equal(talk.system, "Be brief.");
    assert_non_null(strstr(talk.summary, "FACT: the name is Ada."));
    talk = talk_of(old, "named", false);
    assert_string_equal(talk.conversation.title, "Mine");
    assert_int_equal(talk.count, 2);
    assert_int_equal(talk.role, STORE_ROLE_USER);
    assert_non_null(strstr(talk.first, "My boat is called Minka."));
    talk = talk_of(old, "test", true);
    assert_non_null(strstr(talk.first, "In the sandbox"));
    assert_int_equal(talk_of(old, "deleted", false).code, ERR_NOT_FOUND);
}

/* --- Workflows --- */

struct flow {
    enum store_workflow_status status;
    char request[TEXT_SEEN], answer[TEXT_SEEN], task[STORE_WORKFLOW_TASK_MAX], first_output[TEXT_SEEN];
    size_t steps, running, done;
};

static void on_workflow(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                        size_t count, bool changed, const struct err *err) {
    struct flow *flow = context;
    (void)changed;
    assert_null(err);
    *flow = (struct flow){.status = workflow->status, .steps = count};
    str_copy(flow->request, TEXT_SEEN, workflow->request);
    str_copy(flow->answer, TEXT_SEEN, workflow->answer);
    str_copy(flow->task, sizeof(flow->task), str_from(workflow->task));
    for (size_t i = 0; i < count; i++) {
        flow->running += steps[i].state == STORE_STEP_RUNNING;
        flow->done += steps[i].state == STORE_STEP_DONE;
        assert_int_equal(steps[i].scale, 0); /* it did not tell */
        assert_true(steps[i].local || strncmp(steps[i].run_id, "step_", 5) == 0);
    }
    if (count > 0) {
        str_copy(flow->first_output, TEXT_SEEN, steps[0].output);
    }
}

static struct flow flow_of(const struct old *old, const char *group, const char *name) {
    struct flow flow = {0};
    char id[STORE_ID_MAX];
    store_workflow_find(old->base->store, "", false, made(old, group, name, id), on_workflow, &flow);
    turn(old);
    return flow;
}

static void on_open(void *context, const struct store_workflow_open *open, size_t count, const struct err *err) {
    (void)open;
    assert_null(err);
    *(size_t *)context = count;
}

static void test_workflows_in_mid_step_are_readable(void **state) {
    static const char *const names[] = {"sealed", "agent", "map_reduce", "scaled", "shrunk", "job"};
    const struct old *old = *state;
    size_t open = 0;
    store_fixture_start(old->base);
    store_workflows_open(old->base->store, on_open, &open);
    turn(old);
    assert_int_equal(open, COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct flow flow = flow_of(old, "open", names[i]);
        assert_int_equal(flow.status, STORE_WORKFLOW_RUNNING);
        assert_int_equal(flow.running, 1);
        assert_true(flow.request[0] == '{');
    }
    const struct flow sealed = flow_of(old, "open", "sealed"), map = flow_of(old, "open", "map_reduce");
    assert_string_equal(sealed.task, "SEALED-TASK of the sea");
    assert_string_equal(sealed.first_output, "SEALED-FACTS of the sea");
    assert_int_equal(map.done, 2); /* the chunks, and one map */
    assert_int_equal(flow_of(old, "workflows", "COMPLETED").status, STORE_WORKFLOW_COMPLETED);
    assert_true(flow_of(old, "workflows", "COMPLETED").answer[0] != '\0');
    assert_int_equal(flow_of(old, "workflows", "BUDGET_EXCEEDED").status, STORE_WORKFLOW_BUDGET_EXCEEDED);
}

/* --- Jobs, webhooks, devices --- */

struct job_seen {
    struct store_job job;
    char body[TEXT_SEEN], result[TEXT_SEEN];
};

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct job_seen *seen = context;
    (void)changed;
    assert_null(err);
    seen->job = *job;
    str_copy(seen->body, TEXT_SEEN, job->body);
    str_copy(seen->result, TEXT_SEEN, job->result);
}

static void test_jobs_are_readable(void **state) {
    static const struct {
        const char *name;
        enum store_job_state state;
        enum store_job_kind kind;
    } jobs[] = {
        {"COMPLETED", STORE_JOB_COMPLETED, STORE_JOB_CHAT},  {"inference", STORE_JOB_COMPLETED, STORE_JOB_INFERENCE},
        {"FAILED", STORE_JOB_FAILED, STORE_JOB_CHAT},        {"CANCELLED", STORE_JOB_CANCELLED, STORE_JOB_CHAT},
        {"workflow", STORE_JOB_RUNNING, STORE_JOB_WORKFLOW}, {"RUNNING", STORE_JOB_RUNNING, STORE_JOB_CHAT},
        {"QUEUED", STORE_JOB_QUEUED, STORE_JOB_CHAT},
    };
    const struct old *old = *state;
    struct seen accounts = {.old = old};
    struct err err;
    assert_true(store_each_account(old->base->store, see_account, &accounts, &err));
    store_fixture_start(old->base);
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        struct job_seen seen = {0};
        char id[STORE_ID_MAX];
        store_job_find(old->base->store, accounts.alice.id, false, made(old, "jobs", jobs[i].name, id), on_job, &seen);
        turn(old);
        assert_int_equal(seen.job.state, jobs[i].state);
        assert_int_equal(seen.job.kind, jobs[i].kind);
        assert_int_equal(seen.body[0] != '\0', jobs[i].state < STORE_JOB_COMPLETED);
        assert_int_equal(seen.result[0] != '\0',
                         jobs[i].state == STORE_JOB_COMPLETED || jobs[i].state == STORE_JOB_FAILED);
        assert_int_equal(seen.job.charge_nano > 0, jobs[i].state == STORE_JOB_COMPLETED);
    }
}

static void on_due(void *context, struct store_due *due, const struct err *err) {
    size_t *count = context;
    assert_null(err);
    for (size_t i = 0; i < due->count; i++) {
        *count += due->webhooks[i].count;
        for (size_t j = 0; j < due->webhooks[i].count; j++) {
            assert_int_equal(due->webhooks[i].deliveries[j].attempts, 1);
            assert_int_equal(due->webhooks[i].deliveries[j].body.data[0], '{');
        }
    }
    store_due_free(due);
}

static void on_devices(void *context, const struct store_device *devices, size_t count, bool more,
                       const struct err *err) {
    size_t *verified = context;
    (void)more;
    assert_null(err);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        *verified += devices[i].verified;
    }
}

static void test_deliveries_wait_and_devices_are_known(void **state) {
    const struct old *old = *state;
    const struct store_due_query query = {.now_ms = INT64_MAX / 2, .limit = 100, .bytes = 1024 * 1024};
    size_t due = 0, verified = 0;
    store_fixture_start(old->base);
    store_deliveries_due(old->base->store, &query, on_due, &due);
    store_devices_read(old->base->store, "", "", "", 10, on_devices, &verified);
    turn(old);
    assert_int_equal(due, 4); /* two jobs, two workflows */
    assert_int_equal(verified, 1);
}

/* --- What the schema is --- */

static int append_row(void *context, int columns, char **values, char **names) {
    (void)names;
    for (int i = 0; i < columns; i++) {
        buf_append_cstr(context, values[i] != NULL ? values[i] : "");
        buf_append_cstr(context, "\n");
    }
    return 0;
}

static void schema_of(const char *path, struct buf *out) {
    sqlite3 *handle;
    buf_init(out, 1024 * 1024);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
                                  append_row, out, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* Quotas begin with what is there. */
static void test_what_is_kept_is_summed_up(void **state) {
    static const char *const tables[] = {"conversations", "jobs", "workflows"};
    const struct old *old = *state;
    struct store_raw rows, kept;
    for (size_t kind = 0; kind < COUNT_OF(tables); kind++) {
        char query[128];
        snprintf(query, sizeof(query), "SELECT count(*) FROM %s", tables[kind]);
        store_backend()->read(old->base->path, query, &rows);
        snprintf(query, sizeof(query), "SELECT sum(row_count) FROM kept WHERE kind = %zu AND byte_count > 0", kind);
        store_backend()->read(old->base->path, query, &kept);
        assert_true(rows.number > 0);
        assert_int_equal(kept.number, rows.number);
    }
}

static void test_the_schema_is_that_of_a_new_file(void **state) {
    const struct old *old = *state;
    struct store *fresh;
    struct buf migrated, new;
    struct err err;
    char path[128];
    temp_folder_file(&old->base->folder, "new.db", path);
    assert_true(store_open(&fresh, store_backend()->driver, path, &err));
    store_close(fresh);
    schema_of(old->base->path, &migrated);
    schema_of(path, &new);
    assert_string_equal(buf_cstr(&migrated), buf_cstr(&new));
    buf_clear(&migrated);
    buf_clear(&new);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_money_is_sound),
        TEST(test_earnings_stay),
        TEST(test_conversations_are_readable),
        TEST(test_workflows_in_mid_step_are_readable),
        TEST(test_jobs_are_readable),
        TEST(test_deliveries_wait_and_devices_are_known),
        TEST(test_what_is_kept_is_summed_up),
        TEST(test_the_schema_is_that_of_a_new_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
