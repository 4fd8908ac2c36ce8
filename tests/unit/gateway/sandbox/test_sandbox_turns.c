/* What calls of the sandbox add to conversations, which the store keeps before they are answered. */
#include "unit/gateway/sandbox/sandbox_fixture.h"

/* Until the store is asked to keep the turn of a call. */
static void await_keeping(struct world *world, struct asking *asking) {
    asking->converses = true;
    asking_start(world, asking, "acct_1", "[[script tokens=5]]");
    while (keeping.asked == 0) {
        uv_run(loop_uv(world->loop), UV_RUN_NOWAIT);
    }
}

/* As with a live key: who has the answer finds it in the conversation. */
static void test_a_turn_is_kept_before_the_answer(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    const struct fault stop = {.code = FAULT_UNAVAILABLE, .message = "stop"};
    await_keeping(world, &asking);
    sandbox_stop(world->sandbox, &stop); /* what is being settled goes on */
    assert_true(asking.accepted && !asking.finished && !asking.failed);
    assert_int_equal(sandbox_count(world->sandbox), 1);
    keeping.on_durable(keeping.context, NULL);
    assert_true(asking.finished);
    assert_int_equal(asking.result.usage.completion_tokens, 5);
    assert_int_equal(sandbox_count(world->sandbox), 0);
    assert_int_equal(usage_of(world, "acct_1").requests, 1);
    asking_clear(&asking);
}

static void test_a_turn_that_cannot_be_kept(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    struct err err;
    err_set(&err, ERR_UNAVAILABLE, "no room");
    await_keeping(world, &asking);
    keeping.on_durable(keeping.context, &err);
    assert_true(asking.failed && !asking.finished);
    assert_int_equal(asking.error.code, FAULT_UNAVAILABLE);
    assert_untouched(world, "acct_1");
    asking_clear(&asking);
}

/* The client goes meanwhile: it is kept and paid. The sandbox closes when that is over. */
static void test_a_client_goes_while_its_turn_is_kept(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    await_keeping(world, &asking);
    call_abandon(&asking.call);
    asking_clear(&asking);
    sandbox_close(world->sandbox, on_closed, world);
    for (int i = 0; i < 10; i++) { /* the engine closes */
        uv_run(loop_uv(world->loop), UV_RUN_NOWAIT);
    }
    assert_false(world->closed);
    keeping.on_durable(keeping.context, NULL);
    assert_true(world->closed);
    world->closed = false;
    struct core_config config;
    core_config_init(&config);
    world->sandbox = sandbox_new(world->loop, &config); /* for the teardown */
    sandbox_start(world->sandbox);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_turn_is_kept_before_the_answer),
        TEST(test_a_turn_that_cannot_be_kept),
        TEST(test_a_client_goes_while_its_turn_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
