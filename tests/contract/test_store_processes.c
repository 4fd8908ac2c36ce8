/* A store that several processes use, and one whose process dies. */
#include "store/admin.h"
#include "store/ledger.h"
#include "support/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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
        bool ok = read(ends[0], &cue, 1) == 1 && store_open(&store, store_backend()->driver, path, NULL);
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

static void on_key(void *context, const struct store_key *key, const struct store_account *account,
                   const struct err *err) {
    (void)account;
    assert_null(err);
    *(bool *)context = key != NULL && strcmp(key->id, "key_new") == 0;
}

static bool finds_new_key(struct store_fixture *fixture) {
    bool found = false;
    struct store_key key = store_fixture_key("key_new", "acct_a", STORE_KEY_TEST);
    store_key_find(fixture->store, key.sha256, on_key, &found);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return found;
}

static void test_a_key_of_another_process_is_found(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct other_process other;
    struct store_account account = store_fixture_account("acct_a", true);
    assert_true(store_account_add(fixture->store, &account, &fixture->err));
    store_fixture_close(fixture);
    other_process_start(&other, fixture->path, add_one_key);
    assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
    store_fixture_start(fixture);
    assert_false(finds_new_key(fixture));
    other_process_cue(&other);
    other_process_finish(&other);
    assert_true(finds_new_key(fixture));
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

static void count_durable(void *context, const struct err *err) {
    assert_null(err);
    ++*(int *)context;
}

static void test_two_processes_write_at_once(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct other_process other;
    int acknowledged = 0;
    store_fixture_close(fixture);
    other_process_start(&other, fixture->path, set_many_settings);
    assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
    store_fixture_start(fixture);
    other_process_cue(&other);
    for (uint32_t i = 0; i < 2100; i += 10) { /* many small groups in between its writes */
        for (uint32_t j = i; j < i + 10; j++) {
            struct store_generation job = store_fixture_job(j);
            store_fixture_settle(fixture->store, &job, count_durable, &acknowledged);
        }
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
    }
    other_process_finish(&other);
    assert_int_equal(acknowledged, 2100);

    store_fixture_reopen(fixture);
    char value[8];
    assert_true(store_setting_get(fixture->store, "n99", value, sizeof(value), &fixture->err));
    uint32_t number = 0;
    assert_true(store_each_generation(fixture->store, store_fixture_check_job, &number, &fixture->err));
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
    struct victim *victim = context;
    char acknowledged = 1;
    if (err != NULL || write(victim->pipe, &acknowledged, 1) != 1) {
        _exit(1);
    }
    victim_write(victim);
}

static void victim_write(struct victim *victim) {
    struct store_settlement settlement = {.generation = store_fixture_job(victim->next++),
                                          .provider_account_id = "acct_1"};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = 20;
    settlement.generation.provider_nano = 17;
    store_settle(victim->store, &settlement, victim_on_durable, victim);
}

/* Keeps a few records waiting at any time, until it is killed. */
static void victim_run(const char *path, int pipe, uint32_t from) {
    uv_loop_t loop;
    struct err err;
    struct victim victim = {.pipe = pipe, .next = from};
    if (uv_loop_init(&loop) != 0 || !store_open(&victim.store, store_backend()->driver, path, &err) ||
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

static bool check_settled_job(void *context, const struct store_generation *job) {
    uint32_t *number = context;
    struct store_generation expected = store_fixture_job((*number)++);
    assert_string_equal(job->id, expected.id);
    assert_int_equal(job->charge_nano, 20);
    return true;
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static void test_what_was_acknowledged_survives_sudden_death(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_admin result, grant = {.kind = STORE_ADMIN_CREDIT_GRANT,
                                        .account = store_fixture_account("acct_1", true),
                                        .amount_nano = STORE_WELCOME_CREDIT_NANO};
    assert_true(store_admin_now(fixture->store, &grant, &result, &fixture->err));
    store_fixture_close(fixture);
    uint32_t kept = 0;
    for (uint32_t round = 0; round < 10; round++) {
        uint32_t acknowledged = kill_a_writer(fixture->path, kept, 1 + round * 13 % 50);
        struct store_ledger_report report;
        struct store_account account;
        uint32_t number = 0;
        assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
        assert_true(store_each_generation(fixture->store, check_settled_job, &number, &fixture->err)); /* no gap */
        assert_in_range(number, kept + acknowledged, kept + acknowledged + 7);
        assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
        assert_int_equal(report.problems, 0);
        assert_true(store_account_owner(fixture->store, &account, &fixture->err));
        assert_int_equal(account.balance_nano, STORE_WELCOME_CREDIT_NANO - number * 20);
        kept = number;
        store_fixture_close(fixture);
    }
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, store_fixture_setup_client, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_key_of_another_process_is_found),
        CLIENT_TEST(test_two_processes_write_at_once),
        CLIENT_TEST(test_what_was_acknowledged_survives_sudden_death),
    };
    return STORE_CONTRACT_RUN(tests);
}
