/* The writer thread: its queue, its end, and a database that breaks. What a store keeps is tests/contract/test_store.c.
 */
#include "support/store_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct answers {
    struct store_fixture *fixture;
    int good, bad;
    enum err_code last;
    int more;      /* records that the next callbacks add */
    int broken_at; /* calls of on_broken seen by the first bad answer; 0: no bad answer */
};

static void on_durable(void *context, const struct err *err) {
    struct answers *answers = context;
    if (err == NULL) {
        answers->good++;
    } else {
        if (answers->bad++ == 0) {
            answers->broken_at = answers->fixture->broken_count;
        }
        answers->last = err->code;
    }
    if (answers->more > 0) {
        struct store_generation job = store_fixture_job((uint32_t)(1000 + answers->more--));
        store_fixture_settle(answers->fixture->store, &job, on_durable, answers);
    }
}

static void write_jobs(struct answers *answers, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        struct store_generation job = store_fixture_job(i);
        store_fixture_settle(answers->fixture->store, &job, on_durable, answers);
    }
}

static void test_callbacks_may_write(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct answers answers = {.fixture = fixture, .more = 50};
    store_fixture_start(fixture);
    write_jobs(&answers, 0, 1);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, 51);
    assert_int_equal(store_counts(fixture->store).groups, 51); /* each waited for the one before */
}

static void test_an_idle_store_does_not_hold_the_loop(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_start(fixture);
    assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
    struct answers answers = {.fixture = fixture};
    write_jobs(&answers, 0, 1);
    assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(answers.good, 1);
}

static void test_what_callbacks_write_during_close_is_refused(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct answers answers = {.fixture = fixture, .more = 2};
    store_fixture_start(fixture);
    write_jobs(&answers, 0, 1);
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(answers.good, 1);
    assert_int_equal(answers.bad, 2);
    assert_int_equal(answers.last, ERR_CLOSED);
}

static void test_a_full_queue_refuses(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct answers answers = {.fixture = fixture};
    store_fixture_start(fixture);
    write_jobs(&answers, 0, STORE_QUEUE_MAX + 10); /* the loop does not turn, so all of them are outstanding */
    assert_int_equal(answers.bad, 0);              /* never from inside the call */
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, STORE_QUEUE_MAX);
    assert_int_equal(answers.bad, 10);
    assert_int_equal(answers.last, ERR_UNAVAILABLE);
    assert_int_equal(fixture->broken_count, 0);
    write_jobs(&answers, STORE_QUEUE_MAX, STORE_QUEUE_MAX + 10);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, STORE_QUEUE_MAX + 10);
}

static void test_a_full_disk_breaks_the_store(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct answers answers = {.fixture = fixture};
    store_fixture_start(fixture);
    write_jobs(&answers, 0, 10);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, 10);

    struct rlimit before, full;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = before;
    full.rlim_cur = 256 * 1024;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    write_jobs(&answers, 10, 5010);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);

    int good = answers.good;
    assert_int_equal(answers.good + answers.bad, 5010);
    assert_true(answers.bad > 0);
    assert_int_equal(answers.last, ERR_IO);
    assert_int_equal(fixture->broken_count, 1);
    assert_int_equal(answers.broken_at, 1); /* before the first of its group hears */
    assert_non_null(strstr(fixture->broken.message, "File too large"));

    write_jobs(&answers, 6000, 6001); /* room again, but nothing is acknowledged any more */
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, good);
    assert_int_equal(fixture->broken_count, 1);
}

static bool count_job(void *context, const struct store_generation *job) {
    (void)job;
    ++*(int *)context;
    return true;
}

/* After the disk was full: exactly what was acknowledged is there. */
static void test_a_broken_store_kept_what_it_acknowledged(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct answers answers = {.fixture = fixture};
    test_a_full_disk_breaks_the_store(state);
    uint64_t acknowledged = store_counts(fixture->store).records;
    fixture->broken_count = 0;
    store_fixture_reopen(fixture);
    int count = 0;
    assert_true(store_each_generation(fixture->store, count_job, &count, &fixture->err));
    assert_int_equal(count, acknowledged);
    store_fixture_start(fixture);
    write_jobs(&answers, 7000, 7001);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, 1);
}

static void test_a_deleted_file_breaks_the_store(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct answers answers = {.fixture = fixture};
    store_fixture_start(fixture);
    assert_int_equal(unlink(fixture->path), 0);
    write_jobs(&answers, 0, 3);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.good, 0);
    assert_int_equal(answers.bad, 3);
    assert_int_equal(fixture->broken_count, 1);
    assert_int_equal(fixture->broken.code, ERR_IO);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_fixture_setup_client, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_callbacks_may_write),
        STORE_TEST(test_an_idle_store_does_not_hold_the_loop),
        STORE_TEST(test_what_callbacks_write_during_close_is_refused),
        STORE_TEST(test_a_full_queue_refuses),
        STORE_TEST(test_a_full_disk_breaks_the_store),
        STORE_TEST(test_a_broken_store_kept_what_it_acknowledged),
        STORE_TEST(test_a_deleted_file_breaks_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
