/* The log is written back beside the writer: it stays short, and nothing in it is lost. */
#include "store/sqlite/checkpointer.h"

#include "store/ledger.h"
#include "store/sqlite/driver.h"
#include "support/store_fixture.h"

#include <sys/stat.h>

enum { LOG_PAGES = 16, PAGE_BYTES = 4096, SETTLED = 600 };

static void open_with(struct store_fixture *fixture, int pages) {
    const struct sqlite_db_options options = {.checkpoint_pages = pages};
    struct store_connection *connection;
    store_fixture_close(fixture);
    assert_true(sqlite_connect(&connection, fixture->path, &options, &fixture->err));
    fixture->store = store_over(connection, &(struct store_options){0});
    store_fixture_start(fixture);
}

static int64_t log_bytes(const struct store_fixture *fixture) {
    char path[160];
    struct stat status;
    snprintf(path, sizeof(path), "%s-wal", fixture->path);
    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

struct settling {
    struct store_fixture *fixture;
    uint32_t sent, durable;
    int64_t longest;
};

static void settle_next(struct settling *settling);

/* Each in a group of its own, so that the log takes some pages for each. */
static void on_durable(void *context, const struct err *err) {
    struct settling *settling = context;
    assert_null(err);
    settling->durable++;
    const int64_t bytes = log_bytes(settling->fixture);
    settling->longest = bytes > settling->longest ? bytes : settling->longest;
    if (settling->sent < SETTLED) {
        settle_next(settling);
    }
}

static void settle_next(struct settling *settling) {
    const struct store_generation job = store_fixture_job(settling->sent++);
    store_fixture_settle(settling->fixture->store, &job, on_durable, settling);
}

/* The file of the log never shrinks while it is open, so its size is the longest that it was. */
static void test_the_log_stays_short(void **state) {
    struct store_fixture *fixture = *state;
    struct settling settling = {.fixture = fixture};
    uint32_t found = 0;
    open_with(fixture, LOG_PAGES);
    settle_next(&settling);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(settling.durable, SETTLED);
    assert_in_range(settling.longest, LOG_PAGES * PAGE_BYTES / 2, SETTLED * PAGE_BYTES); /* of some pages each */
    store_fixture_reopen(fixture);
    assert_true(store_each_generation(fixture->store, store_fixture_check_job, &found, &fixture->err));
    assert_int_equal(found, SETTLED);
}

static void test_without_work_it_waits(void **state) {
    struct store_fixture *fixture = *state;
    struct sqlite_db *db;
    struct checkpointer *checkpointer;
    store_fixture_close(fixture);
    assert_true(sqlite_db_open(&db, fixture->path, &(struct sqlite_db_options){0}, &fixture->err));
    assert_true(checkpointer_open(&checkpointer, db, &fixture->err));
    checkpointer_close(checkpointer);
    checkpointer_close(NULL);
    sqlite_db_close(db);
}

static void test_no_file_no_thread(void **state) {
    struct store_fixture *fixture = *state;
    struct sqlite_db *db;
    struct checkpointer *checkpointer;
    store_fixture_close(fixture);
    assert_true(sqlite_db_open(&db, fixture->path, &(struct sqlite_db_options){0}, &fixture->err));
    (void)str_copy(db->path, sizeof(db->path), STR("/nowhere/at/all.db"));
    assert_false(checkpointer_open(&checkpointer, db, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_IO);
    sqlite_db_close(db);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_fixture_setup_client, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_log_stays_short),
        TEST(test_without_work_it_waits),
        TEST(test_no_file_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
