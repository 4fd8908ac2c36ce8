/* What every backend of store.h must do. Runs on the one there is, SQLite. */
#include "base/compiler.h"
#include "support/store_fixture.h"
#include "wire/join_token.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Rows --- */

struct rows {
    int count, stop_after;
    struct store_account accounts[4];
    struct store_key keys[4];
};

static bool collect_account(void *context, const struct store_account *account) {
    struct rows *rows = (struct rows *)context;
    rows->accounts[rows->count++ % 4] = *account;
    return rows->count != rows->stop_after;
}

static bool collect_key(void *context, const struct store_key *key) {
    struct rows *rows = (struct rows *)context;
    rows->keys[rows->count++ % 4] = *key;
    return rows->count != rows->stop_after;
}

static void add_account(struct store_fixture *fixture, const char *id, bool owner) {
    struct store_account account = store_fixture_account(id, owner);
    assert_true(store_account_add(fixture->store, &account, &fixture->err));
}

static void add_key(struct store *store, const char *id, const char *account_id, enum store_key_kind kind) {
    struct err err;
    struct store_key key = store_fixture_key(id, account_id, kind);
    if (!store_key_add(store, &key, &err)) {
        fail_msg("%s", err.message);
    }
}

static void test_accounts_and_keys_survive_reopen(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_b", false);
    add_account(fixture, "acct_a", true);
    add_key(fixture->store, "key_2", "acct_a", STORE_KEY_TEST);
    add_key(fixture->store, "key_1", "acct_b", STORE_KEY_LIVE);
    store_fixture_reopen(fixture);

    struct rows rows = {0};
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    struct store_account expected = store_fixture_account("acct_b", false);
    assert_string_equal(rows.accounts[0].id, expected.id);
    assert_string_equal(rows.accounts[0].name, expected.name);
    assert_int_equal(rows.accounts[0].created_ms, expected.created_ms);
    assert_string_equal(rows.accounts[1].id, "acct_a");
    assert_true(rows.accounts[1].owner && !rows.accounts[0].owner);

    rows = (struct rows){0};
    assert_true(store_each_key(fixture->store, collect_key, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    struct store_key key = store_fixture_key("key_2", "acct_a", STORE_KEY_TEST);
    assert_string_equal(rows.keys[0].id, "key_2");
    assert_string_equal(rows.keys[0].account_id, "acct_a");
    assert_string_equal(rows.keys[0].name, key.name);
    assert_memory_equal(rows.keys[0].sha256, key.sha256, sizeof(key.sha256));
    assert_int_equal(rows.keys[0].created_ms, key.created_ms);
    assert_int_equal(rows.keys[0].kind, STORE_KEY_TEST);
    assert_true(rows.keys[0].owner);
    assert_int_equal(rows.keys[1].kind, STORE_KEY_LIVE);
    assert_false(rows.keys[1].owner);
}

static void test_a_row_callback_stops(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_a", true);
    add_account(fixture, "acct_b", false);
    struct rows rows = {.stop_after = 1};
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 1);
    rows = (struct rows){0}; /* from the start again */
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
}

static void test_owner(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_account owner;
    add_account(fixture, "acct_b", false);
    assert_false(store_account_owner(fixture->store, &owner, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
    add_account(fixture, "acct_a", true);
    assert_true(store_account_owner(fixture->store, &owner, &fixture->err));
    assert_string_equal(owner.id, "acct_a");
    assert_true(owner.owner);
}

static void test_what_contradicts_is_refused(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_a", true);
    struct store_account again = store_fixture_account("acct_a", false);
    assert_false(store_account_add(fixture->store, &again, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);

    struct store_key stray = store_fixture_key("key_1", "acct_nobody", STORE_KEY_LIVE);
    assert_false(store_key_add(fixture->store, &stray, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);

    struct store_join_token token = {.account_id = "acct_nobody"};
    assert_false(store_join_token_add(fixture->store, &token, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
}

static void test_settings(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char value[8];
    assert_false(store_setting_get(fixture->store, "id", value, sizeof(value), &fixture->err));
    assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
    assert_true(store_setting_set(fixture->store, "id", "first", &fixture->err));
    assert_true(store_setting_set(fixture->store, "id", "second", &fixture->err));
    store_fixture_reopen(fixture);
    assert_true(store_setting_get(fixture->store, "id", value, sizeof(value), &fixture->err));
    assert_string_equal(value, "second");
    assert_true(store_setting_set(fixture->store, "id", "eight by", &fixture->err));
    assert_false(store_setting_get(fixture->store, "id", value, sizeof(value), &fixture->err));
    assert_int_equal(fixture->err.code, ERR_TOO_LARGE);
}

/* --- Job records --- */

struct writes {
    uintptr_t next; /* the number the next callback must have */
    int refused;
    enum err_code refusal;
};

static struct writes writes; /* callbacks carry the record's number as their context */

static void on_durable(void *context, const struct err *err) {
    assert_int_equal((uintptr_t)context, writes.next);
    writes.next++;
    if (err != NULL) {
        writes.refused++;
        writes.refusal = err->code;
    }
}

static void write_jobs(struct store *store, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        struct store_job job = store_fixture_job(i);
        store_job_write(store, &job, on_durable, (void *)(uintptr_t)i);
    }
}

static bool check_next_job(void *context, const struct store_job *job) {
    uint32_t *number = (uint32_t *)context;
    struct store_job expected = store_fixture_job(*number);
    assert_string_equal(job->id, expected.id);
    assert_string_equal(job->account_id, expected.account_id);
    assert_string_equal(job->key_id, expected.key_id);
    assert_string_equal(job->model, expected.model);
    assert_string_equal(job->device_id, expected.device_id);
    assert_string_equal(job->label, expected.label);
    assert_int_equal(job->outcome, expected.outcome);
    assert_int_equal(job->prompt_tokens, expected.prompt_tokens);
    assert_int_equal(job->completion_tokens, expected.completion_tokens);
    assert_int_equal(job->attempts, expected.attempts);
    assert_int_equal(job->ttft_ms, expected.ttft_ms);
    assert_int_equal(job->latency_ms, expected.latency_ms);
    assert_int_equal(job->created_ms, expected.created_ms);
    (*number)++;
    return true;
}

static void test_job_records_answer_in_order_and_survive(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    writes = (struct writes){0};
    store_fixture_start(fixture);
    write_jobs(fixture->store, 0, 1000);
    assert_int_equal(writes.next, 0); /* never from inside the call */
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    write_jobs(fixture->store, 1000, 1010);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(writes.next, 1010);
    assert_int_equal(writes.refused, 0);
    struct store_counts counts = store_counts(fixture->store);
    assert_int_equal(counts.records, 1010);
    assert_in_range(counts.groups, 2, 1010);

    store_fixture_reopen(fixture);
    uint32_t number = 0;
    assert_true(store_each_job(fixture->store, check_next_job, &number, &fixture->err));
    assert_int_equal(number, 1010);
}

static void test_a_callback_is_optional(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_start(fixture);
    struct store_job job = store_fixture_job(0);
    store_job_write(fixture->store, &job, NULL, NULL);
    store_fixture_reopen(fixture);
    uint32_t number = 0;
    assert_true(store_each_job(fixture->store, check_next_job, &number, &fixture->err));
    assert_int_equal(number, 1);
}

static void test_a_refused_record_leaves_its_group(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    writes = (struct writes){0};
    store_fixture_start(fixture);
    write_jobs(fixture->store, 0, 2);
    struct store_job wrong = store_fixture_job(9);
    wrong.outcome = (enum store_job_outcome)7;
    store_job_write(fixture->store, &wrong, on_durable, (void *)2);
    struct store_job last = store_fixture_job(2);
    store_job_write(fixture->store, &last, on_durable, (void *)3);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(writes.next, 4);
    assert_int_equal(writes.refused, 1);
    assert_int_equal(writes.refusal, ERR_CONFLICT);
    assert_int_equal(fixture->broken_count, 0);

    store_fixture_reopen(fixture);
    uint32_t number = 0;
    assert_true(store_each_job(fixture->store, check_next_job, &number, &fixture->err));
    assert_int_equal(number, 3);
}

static void test_close_answers_what_waits(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    writes = (struct writes){0};
    store_fixture_start(fixture);
    write_jobs(fixture->store, 0, 500);
    store_close(fixture->store); /* without a turn of the loop */
    fixture->store = NULL;
    assert_int_equal(writes.next, 500);
    assert_int_equal(writes.refused, 0);
}

/* --- Devices --- */

struct enrolment {
    int calls;
    bool given;
    struct store_device device;
    enum err_code code;
};

static void on_device(void *context, const struct store_device *device, const struct err *err) {
    struct enrolment *enrolment = (struct enrolment *)context;
    enrolment->calls++;
    enrolment->given = device != NULL;
    if (device != NULL) {
        enrolment->device = *device;
    }
    enrolment->code = err != NULL ? err->code : ERR_NONE;
}

static struct store_device candidate(const char *id, uint8_t key_byte) {
    struct store_device device = {.account_id = "acct_ignored", .region = "eu", .created_ms = STORE_FIXTURE_NOW_MS};
    str_copy(device.id, sizeof(device.id), str_from(id));
    str_copy(device.name, sizeof(device.name), STR("laptop"));
    memset(device.public_key, key_byte, sizeof(device.public_key));
    return device;
}

static void enrol(struct store_fixture *fixture, const char *token, const struct store_device *device,
                  struct enrolment *out) {
    *out = (struct enrolment){0};
    store_device_enrol(fixture->store, device->public_key, str_from(token), device, on_device, out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out->calls, 1);
}

static void add_join_token(struct store *store, char out[JOIN_TOKEN_SIZE], int64_t expires_ms) {
    struct err err;
    struct store_join_token token = {.account_id = "acct_a", .created_ms = 1, .expires_ms = expires_ms};
    join_token_generate(out);
    join_token_hash(str_from(out), token.sha256);
    if (!store_join_token_add(store, &token, &err)) {
        fail_msg("%s", err.message);
    }
}

static void test_enrolment(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char good[JOIN_TOKEN_SIZE], expired[JOIN_TOKEN_SIZE], unknown[JOIN_TOKEN_SIZE];
    add_account(fixture, "acct_a", true);
    add_join_token(fixture->store, good, STORE_FIXTURE_NOW_MS + 1);
    add_join_token(fixture->store, expired, STORE_FIXTURE_NOW_MS);
    join_token_generate(unknown);
    store_fixture_start(fixture);

    struct enrolment result;
    struct store_device first = candidate("prov_1", 1), second = candidate("prov_2", 2);
    const char *const useless[] = {"", expired, unknown, "join_", "nonsense"};
    for (size_t i = 0; i < COUNT_OF(useless); i++) {
        enrol(fixture, useless[i], &first, &result);
        assert_false(result.given);
        assert_int_equal(result.code, ERR_NONE);
    }
    enrol(fixture, good, &first, &result);
    assert_true(result.given);
    assert_string_equal(result.device.id, "prov_1");
    assert_string_equal(result.device.account_id, "acct_a");
    enrol(fixture, good, &second, &result); /* one token, several devices, until it expires */
    assert_true(result.given);
    assert_string_equal(result.device.id, "prov_2");
    struct store_device id_taken = candidate("prov_2", 3);
    enrol(fixture, good, &id_taken, &result);
    assert_false(result.given);
    assert_int_equal(result.code, ERR_CONFLICT);
    assert_int_equal(store_counts(fixture->store).records, 2);
}

static void test_a_known_device_needs_no_token(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char token[JOIN_TOKEN_SIZE];
    add_account(fixture, "acct_a", true);
    add_join_token(fixture->store, token, STORE_FIXTURE_NOW_MS + 1);
    store_fixture_start(fixture);
    struct enrolment result;
    struct store_device first = candidate("prov_1", 1);
    enrol(fixture, token, &first, &result);
    assert_true(result.given);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);

    struct store_device again = candidate("prov_other", 1);
    again.created_ms += 1000000; /* long after the token expired */
    enrol(fixture, "", &again, &result);
    assert_true(result.given);
    assert_string_equal(result.device.id, "prov_1");
    assert_string_equal(result.device.account_id, "acct_a");
    assert_string_equal(result.device.name, "laptop");
    assert_string_equal(result.device.region, "eu");
    assert_int_equal(result.device.created_ms, STORE_FIXTURE_NOW_MS);
    assert_memory_equal(result.device.public_key, first.public_key, sizeof(first.public_key));
    enrol(fixture, token, &again, &result); /* nor does a token make it another device */
    assert_string_equal(result.device.id, "prov_1");
}

/* --- Keys --- */

struct key_answer {
    int calls;
    bool given;
    struct store_key key;
    bool failed;
};

static void on_key(void *context, const struct store_key *key, const struct err *err) {
    struct key_answer *answer = (struct key_answer *)context;
    answer->calls++;
    answer->given = key != NULL;
    if (key != NULL) {
        answer->key = *key;
    }
    answer->failed = err != NULL;
}

static void find_key(struct store_fixture *fixture, const char *id, struct key_answer *out) {
    struct store_key key = store_fixture_key(id, "", STORE_KEY_LIVE);
    *out = (struct key_answer){0};
    store_key_find(fixture->store, key.sha256, on_key, out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out->calls, 1);
    assert_false(out->failed);
}

/* Another process that waits for its cue, then opens the store and does `work`. It must be started while this one has
 * neither the store nor its thread: SQLite's locks and the allocator's do not survive a fork. */
struct other_process {
    pid_t pid;
    int cue;
};

static void other_process_start(struct other_process *other, const char *path, bool (*work)(struct store *store)) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    other->pid = fork();
    assert_true(other->pid >= 0);
    if (other->pid == 0) {
        struct store *store;
        char cue;
        close(ends[1]);
        bool ok = read(ends[0], &cue, 1) == 1 && store_open(&store, path, NULL);
        if (ok) {
            ok = work(store);
            store_close(store);
        }
        _exit(ok ? 0 : 1);
    }
    close(ends[0]);
    other->cue = ends[1];
}

static void other_process_cue(const struct other_process *other) {
    assert_int_equal(write(other->cue, "", 1), 1);
}

static void other_process_finish(const struct other_process *other) {
    int status;
    close(other->cue);
    assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static bool add_one_key(struct store *store) {
    struct store_key key = store_fixture_key("key_new", "acct_a", STORE_KEY_TEST);
    return store_key_add(store, &key, NULL);
}

static void test_a_key_of_another_process_is_found(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct other_process other;
    add_account(fixture, "acct_a", true);
    store_fixture_close(fixture);
    other_process_start(&other, fixture->path, add_one_key);
    assert_true(store_open(&fixture->store, fixture->path, &fixture->err));
    store_fixture_start(fixture);
    struct key_answer answer;
    find_key(fixture, "key_new", &answer);
    assert_false(answer.given);
    other_process_cue(&other);
    other_process_finish(&other);
    find_key(fixture, "key_new", &answer);
    assert_true(answer.given);
    assert_string_equal(answer.key.id, "key_new");
    assert_string_equal(answer.key.account_id, "acct_a");
    assert_int_equal(answer.key.kind, STORE_KEY_TEST);
    assert_true(answer.key.owner);
}

enum { OTHERS_SETTINGS = 100 };

static bool set_many_settings(struct store *store) {
    for (int i = 0; i < OTHERS_SETTINGS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        if (!store_setting_set(store, name, "x", NULL)) {
            return false;
        }
    }
    return true;
}

static void test_two_processes_write_at_once(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct other_process other;
    writes = (struct writes){0};
    store_fixture_close(fixture);
    other_process_start(&other, fixture->path, set_many_settings);
    assert_true(store_open(&fixture->store, fixture->path, &fixture->err));
    store_fixture_start(fixture);
    other_process_cue(&other);
    for (uint32_t i = 0; i < 2100; i += 10) { /* many small groups in between its writes */
        write_jobs(fixture->store, i, i + 10);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
    }
    other_process_finish(&other);
    assert_int_equal(writes.next, 2100);
    assert_int_equal(writes.refused, 0);

    store_fixture_reopen(fixture);
    char value[8];
    assert_true(store_setting_get(fixture->store, "n99", value, sizeof(value), &fixture->err));
    uint32_t number = 0;
    assert_true(store_each_job(fixture->store, check_next_job, &number, &fixture->err));
    assert_int_equal(number, 2100);
}

/* --- Sudden death --- */

struct victim {
    struct store *store;
    int pipe;
    uint32_t next;
};

static void victim_write(struct victim *victim);

static void victim_on_durable(void *context, const struct err *err) {
    struct victim *victim = (struct victim *)context;
    char acknowledged = 1;
    if (err != NULL || write(victim->pipe, &acknowledged, 1) != 1) {
        _exit(1);
    }
    victim_write(victim);
}

static void victim_write(struct victim *victim) {
    struct store_job job = store_fixture_job(victim->next++);
    store_job_write(victim->store, &job, victim_on_durable, victim);
}

/* Keeps a few records waiting at any time, until it is killed. */
static void victim_run(const char *path, int pipe, uint32_t from) {
    uv_loop_t loop;
    struct err err;
    struct victim victim = {.pipe = pipe, .next = from};
    if (uv_loop_init(&loop) != 0 || !store_open(&victim.store, path, &err) ||
        !store_start(victim.store, &loop, NULL, NULL, &err)) {
        _exit(1);
    }
    for (int i = 0; i < 7; i++) {
        victim_write(&victim);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(1);
}

/* Kills the writer after it acknowledged about `enough` records; returns how many it acknowledged by then. */
static uint32_t kill_a_writer(const char *path, uint32_t from, uint32_t enough) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        victim_run(path, ends[1], from);
    }
    close(ends[1]);
    uint32_t acknowledged = 0;
    char bytes[64];
    ssize_t got;
    while (acknowledged < enough && (got = read(ends[0], bytes, 1)) > 0) {
        acknowledged += (uint32_t)got;
    }
    kill(pid, SIGKILL);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    while ((got = read(ends[0], bytes, sizeof(bytes))) > 0) {
        acknowledged += (uint32_t)got;
    }
    close(ends[0]);
    return acknowledged;
}

static void test_what_was_acknowledged_survives_sudden_death(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_close(fixture);
    uint32_t kept = 0;
    for (uint32_t round = 0; round < 10; round++) {
        uint32_t acknowledged = kill_a_writer(fixture->path, kept, 1 + round * 13 % 50);
        assert_true(store_open(&fixture->store, fixture->path, &fixture->err));
        uint32_t number = 0;
        assert_true(store_each_job(fixture->store, check_next_job, &number, &fixture->err)); /* no gap, nothing torn */
        assert_in_range(number, kept + acknowledged, kept + acknowledged + 7);
        kept = number;
        store_fixture_close(fixture);
    }
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_accounts_and_keys_survive_reopen),
        STORE_TEST(test_a_row_callback_stops),
        STORE_TEST(test_owner),
        STORE_TEST(test_what_contradicts_is_refused),
        STORE_TEST(test_settings),
        STORE_TEST(test_job_records_answer_in_order_and_survive),
        STORE_TEST(test_a_callback_is_optional),
        STORE_TEST(test_a_refused_record_leaves_its_group),
        STORE_TEST(test_close_answers_what_waits),
        STORE_TEST(test_enrolment),
        STORE_TEST(test_a_known_device_needs_no_token),
        STORE_TEST(test_a_key_of_another_process_is_found),
        STORE_TEST(test_two_processes_write_at_once),
        STORE_TEST(test_what_was_acknowledged_survives_sudden_death),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
