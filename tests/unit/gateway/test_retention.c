/* Old records go, round by round, until the store says that no more are old. The store is real. */
#include "gateway/retention.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/generations.h"
#include "support/store_fixture.h"

enum { OLD = 300, NEW = 5 };

struct world {
    struct loop *loop;
    struct temp_folder folder;
    struct store *store;
    char path[128];
    int settled, rows;
};

static void on_settled(void *context, const struct err *err) {
    assert_null(err);
    ((struct world *)context)->settled++;
}

static void settle(struct world *world, uint32_t number, int64_t created_ms) {
    struct store_generation job = store_fixture_job(number);
    job.created_ms = created_ms;
    store_fixture_settle(world->store, &job, on_settled, world);
}

static int setup(void **state) {
    struct world *world = calloc(1, sizeof(*world));
    struct store_account account = store_fixture_account("acct_1", true);
    struct store_key key = store_fixture_key("key_1", "acct_1", STORE_KEY_LIVE);
    struct err err;
    log_set_level(LOG_ERROR);
    world->loop = loop_new();
    temp_folder_init(&world->folder);
    temp_folder_file(&world->folder, "test.db", world->path);
    assert_true(store_open(&world->store, store_backend()->driver, world->path, &err));
    store_set_hold_days(world->store, 0); /* else nothing goes within a week */
    assert_true(store_account_add(world->store, &account, &err) && store_key_add(world->store, &key, &err));
    assert_true(store_start(world->store, loop_uv(world->loop), NULL, NULL, &err));
    const int64_t now_ms = clock_wall_ms(), day_ms = INT64_C(24) * 3600 * 1000;
    for (uint32_t i = 0; i < OLD + NEW; i++) {
        settle(world, i, i < OLD ? now_ms - 3 * day_ms : now_ms);
    }
    while (world->settled < OLD + NEW) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    *state = world;
    return 0;
}

static bool count_row(void *context, const struct store_generation *generation) {
    (void)generation;
    ++*(int *)context;
    return true;
}

static int count_rows(struct world *world) {
    struct err err;
    int rows = 0;
    assert_true(store_open(&world->store, store_backend()->driver, world->path, &err));
    assert_true(store_each_generation(world->store, count_row, &rows, &err));
    store_close(world->store);
    return rows;
}

static int teardown(void **state) {
    struct world *world = *state;
    loop_run(world->loop);
    loop_free(world->loop);
    temp_folder_clear(&world->folder);
    free(world);
    return 0;
}

static void test_a_round_ends_when_nothing_is_old(void **state) {
    struct world *world = *state;
    struct retention retention;
    retention_open(&retention, world->loop, world->store, 2);
    retention_begin(&retention);
    while (retention.rounds == 0) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    assert_true(retention.steps > 1); /* a few at a time */
    retention_stop(&retention);
    store_close(world->store);
    retention_clear(&retention);
    assert_int_equal(count_rows(world), NEW);
}

static void test_without_a_bound_everything_stays(void **state) {
    struct world *world = *state;
    struct retention retention;
    retention_open(&retention, world->loop, world->store, 0);
    retention_stop(&retention);
    store_close(world->store);
    retention_clear(&retention);
    assert_int_equal(count_rows(world), OLD + NEW);
}

/* Its answer comes when the store is closed, to one that has been told to stop. */
static void test_it_may_be_stopped_in_the_middle(void **state) {
    struct world *world = *state;
    struct retention retention;
    retention_open(&retention, world->loop, world->store, 2);
    retention_begin(&retention);
    uv_run(loop_uv(world->loop), UV_RUN_NOWAIT);
    retention_stop(&retention);
    store_close(world->store);
    retention_clear(&retention);
    assert_in_range(count_rows(world), NEW, OLD + NEW);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_a_round_ends_when_nothing_is_old),
        WORLD_TEST(test_without_a_bound_everything_stays),
        WORLD_TEST(test_it_may_be_stopped_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
