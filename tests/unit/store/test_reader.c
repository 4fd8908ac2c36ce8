/* What may take long never stands before what must be quick: each has a thread of its own. */
#include "base/mem.h"
#include "store/conversations.h"
#include "store/jobs.h"
#include "store/run.h"
#include "store/task.h"
#include "support/store_fixture.h"

/* A list that is read until somebody lets it end. */
struct long_list {
    struct store_task task; /* first */
    uv_sem_t *began, *ends;
    bool *over;
};

static bool long_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct long_list *list = (struct long_list *)task;
    (void)connection;
    (void)err;
    uv_sem_post(list->began);
    uv_sem_wait(list->ends);
    return true;
}

static void long_answer(struct store_task *task, const struct err *err) {
    assert_null(err);
    *((struct long_list *)task)->over = true;
}

struct world {
    struct store_fixture *fixture;
    uv_sem_t began, ends;
    bool over;          /* the list is */
    int quick, settled; /* answered while it was not */
};

static void world_count(struct world *world, int *count) {
    assert_false(world->over);
    (*count)++;
    if (world->quick == 3 && world->settled == 1) {
        uv_sem_post(&world->ends);
    }
}

static void on_answer(void *context, const struct store_answer *answer, const struct err *err) {
    struct world *world = context;
    assert_null(err);
    assert_null(answer);
    world_count(world, &world->quick);
}

static void on_conversation(void *context, const struct store_conversation *conversation,
                            const struct store_message *messages, size_t count, bool more, const struct err *err) {
    struct world *world = context;
    (void)messages;
    (void)count;
    (void)more;
    assert_null(conversation);
    assert_int_equal(err->code, ERR_NOT_FOUND);
    world_count(world, &world->quick);
}

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct world *world = context;
    (void)changed;
    assert_null(job);
    assert_int_equal(err->code, ERR_NOT_FOUND);
    world_count(world, &world->quick);
}

static void on_durable(void *context, const struct err *err) {
    struct world *world = context;
    assert_null(err);
    world_count(world, &world->settled);
}

/* The list ends only when the quick ones have their answers: behind it they would wait for ever. */
static void test_a_long_list_delays_nothing_quick(void **state) {
    static const struct store_task_kind kind = {.read = long_read, .list = true, .answer = long_answer};
    static const uint8_t scope[DIGEST_SHA256_SIZE] = {1};
    struct world world = {.fixture = *state};
    struct store *store = world.fixture->store;
    struct long_list *list = mem_calloc(1, sizeof(*list));
    const struct store_generation job = store_fixture_job(1);
    const struct store_conversation_ask ask = {
        .account_id = "acct_1", .id = "conv_1", .limit = 1, .tokens_max = 1, .bytes_max = 1};
    assert_int_equal(uv_sem_init(&world.began, 0), 0);
    assert_int_equal(uv_sem_init(&world.ends, 0), 0);
    *list =
        (struct long_list){.task = {.kind = &kind}, .began = &world.began, .ends = &world.ends, .over = &world.over};
    store_fixture_start(world.fixture);
    store_task_run(store, &list->task);
    uv_sem_wait(&world.began);
    store_answer_find(store, scope, NULL, 1, on_answer, &world);
    store_conversation_read(store, &ask, on_conversation, &world);
    store_job_find(store, "acct_1", false, "job_9", on_job, &world);
    store_fixture_settle(store, &job, on_durable, &world);
    uv_run(&world.fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(world.quick, 3);
    assert_int_equal(world.settled, 1);
    assert_true(world.over);
    uv_sem_destroy(&world.began);
    uv_sem_destroy(&world.ends);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_long_list_delays_nothing_quick, store_fixture_setup_client,
                                        store_fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
