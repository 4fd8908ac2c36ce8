/* The sandbox's calls, its money and its count, with a sink of the test's own. */
#include "unit/gateway/sandbox/sandbox_fixture.h"

static void test_charge_and_count(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    assert_int_equal(usage_of(world, "acct_1").balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage_of(world, "acct_1").model_count, 0);
    for (int i = 1; i <= 2; i++) {
        asking_start(world, &asking, "acct_1", "[[script tokens=5]] and on");
        await_end(world);
        assert_true(asking.accepted && asking.finished && !asking.failed);
        assert_string_equal(asking.result.inference_type, "sandbox");
        assert_int_equal(asking.result.usage.completion_tokens, 5);
        const int64_t charge = asking.result.usage.prompt_tokens * PROMPT_PRICE + 5 * COMPLETION_PRICE;
        struct store_usage usage = usage_of(world, "acct_1");
        assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO - i * charge);
        assert_int_equal(usage.requests, i);
        assert_int_equal(usage.completion_tokens, 5 * i);
        assert_int_equal(usage.charge_nano, i * charge);
        assert_int_equal(usage.model_count, 1);
        assert_string_equal(usage.models[0].model, "nataris-demo-2m");
        assert_int_equal(usage.models[0].requests, i);
        assert_int_equal(usage.models[0].charge_nano, i * charge);
        asking_clear(&asking);
    }
    assert_int_equal(usage_of(world, "acct_2").balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage_of(world, "acct_2").requests, 0);
}

/* An error at once is answered inside submit, and costs nothing. */
static void test_error_at_once(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    asking_start(world, &asking, "acct_1", "[[sandbox error=RATE_LIMIT_EXCEEDED retry_after=9]]");
    assert_true(asking.failed && !asking.accepted);
    assert_int_equal(asking.error.code, FAULT_RATE_LIMIT_EXCEEDED);
    assert_int_equal(asking.error.retry_after_ms, 9000);
    asking_clear(&asking);
    asking_start(world, &asking, "acct_1", "[[sandbox wrong]]");
    assert_true(asking.failed);
    assert_int_equal(asking.error.code, FAULT_INVALID_REQUEST);
    asking_clear(&asking);
    assert_int_equal(usage_of(world, "acct_1").balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage_of(world, "acct_1").requests, 0);
}

static void test_device_lost_in_mid_stream(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    asking_start(world, &asking, "acct_1",
                 "[[script text=\"one two three four five six\"]] [[sandbox error=device_lost after=4]]");
    await_end(world);
    assert_true(asking.accepted && asking.failed && !asking.finished);
    assert_int_equal(asking.error.code, FAULT_UNAVAILABLE);
    assert_string_equal(buf_cstr(&asking.text), "one two three four");
    asking_clear(&asking);
    assert_untouched(world, "acct_1");
}

/* The rate reaches the engine: an endless answer at some speed says something and is not over. */
static void test_rate(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    asking_start(world, &asking, "acct_1", "[[sandbox rate=1000 error=device_lost after=2]]");
    await_end(world);
    assert_true(asking.accepted && asking.failed && asking.text.len > 0);
    asking_clear(&asking);
}

/* A client that goes away pays for what it got until the engine stopped. */
static void test_client_gone(void **state) {
    struct world *world = *state;
    struct asking asking = {.gone_at_text = true};
    asking_start(world, &asking, "acct_1", "[[script tokens=50 rate=1000]]");
    await_end(world);
    assert_true(!asking.finished && !asking.failed);
    struct store_usage usage = usage_of(world, "acct_1");
    assert_int_equal(usage.requests, 1);
    assert_in_range(usage.completion_tokens, 1, 49);
    assert_int_equal(usage.charge_nano,
                     usage.prompt_tokens * PROMPT_PRICE + usage.completion_tokens * COMPLETION_PRICE);
    assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO - usage.charge_nano);
    asking_clear(&asking);
}

/* The answer cannot be given, which is no fault of the client's. */
static void test_too_long(void **state) {
    struct world *world = *state;
    struct asking asking = {.too_long = true};
    asking_start(world, &asking, "acct_1", "[[script tokens=50 rate=1000]]");
    await_end(world);
    assert_true(asking.failed && !asking.finished);
    assert_int_equal(asking.error.code, FAULT_UNAVAILABLE);
    assert_untouched(world, "acct_1");
    asking_clear(&asking);
}

static void test_stop(void **state) {
    struct world *world = *state;
    struct asking askings[2] = {0};
    const struct fault error = {.code = FAULT_UNAVAILABLE, .message = "stop"};
    asking_start(world, &askings[0], "acct_1", "[[script silent]]");
    asking_start(world, &askings[1], "acct_2", "[[script silent]]");
    sandbox_stop(world->sandbox, &error);
    for (int i = 0; i < 2; i++) {
        assert_true(askings[i].failed);
        assert_string_equal(askings[i].error.message, "stop");
        await_end(world);
        asking_clear(&askings[i]);
    }
    assert_untouched(world, "acct_1");
    assert_untouched(world, "acct_2");
}

/* Holds count: what is promised to one call cannot be spent by another. */
static void test_holds(void **state) {
    (void)state;
    struct sandbox_account *accounts = NULL;
    struct sandbox_account *account = sandbox_account_get(&accounts, "acct_9");
    assert_ptr_equal(sandbox_account_get(&accounts, "acct_9"), account);
    assert_true(sandbox_account_hold(account, SANDBOX_CREDIT_NANO - 10));
    assert_false(sandbox_account_hold(account, 11));
    assert_true(sandbox_account_hold(account, 10));
    sandbox_account_void(account, 10);
    /* Never more than was held. */
    sandbox_account_settle(account, SANDBOX_CREDIT_NANO - 10, INT64_MAX, "m", &(struct gen_usage){.prompt_tokens = 1});
    assert_int_equal(account->usage.balance_nano, 10);
    assert_int_equal(account->held_nano, 0);
    for (int i = 0; i < 2 * SANDBOX_MODELS_MAX; i++) {
        char model[16];
        snprintf(model, sizeof(model), "m%d", i);
        sandbox_account_settle(account, 0, 0, model, &(struct gen_usage){.prompt_tokens = 1});
    }
    assert_int_equal(account->usage.model_count, SANDBOX_MODELS_MAX);
    assert_int_equal(account->usage.requests, 1 + 2 * SANDBOX_MODELS_MAX);
    sandbox_accounts_clear(&accounts);
    assert_null(accounts);
}

/* Two calls of three dollars each: the second has to wait for the end of the first. */
static void test_insufficient_credits(void **state) {
    struct world *world = *state;
    struct asking first = {.dear = true}, second = {.dear = true};
    asking_start(world, &first, "acct_1", "[[script silent]]");
    assert_int_equal(sandbox_count(world->sandbox), 1);
    world->silent = 1;
    asking_start(world, &second, "acct_1", "[[script tokens=1]]");
    assert_true(second.failed);
    assert_int_equal(second.error.code, FAULT_INSUFFICIENT_CREDITS);
    asking_clear(&second);
    second.dear = true;
    asking_start(world, &second, "acct_2", "[[script tokens=1]]");
    await_end(world);
    assert_true(second.finished);
    asking_clear(&second);
    world->silent = 0;
    call_abandon(&first.call);
    await_end(world);
    asking_clear(&first);
    second.dear = true;
    asking_start(world, &second, "acct_1", "[[script tokens=1]]");
    await_end(world);
    assert_true(second.finished);
    asking_clear(&second);
}

/* A script may be silent for ever, its call may not. */
static void test_overdue(void **state) {
    struct world *world = *state;
    struct core_config config;
    struct world strict = {.loop = world->loop};
    struct asking asking = {0};
    core_config_init(&config);
    config.whole_ms = 1;
    config.whole_per_token_ms = 0;
    strict.sandbox = sandbox_new(world->loop, &config);
    sandbox_start(strict.sandbox);
    asking_start(&strict, &asking, "acct_1", "[[script silent]]");
    while (sandbox_count(strict.sandbox) > 0) { /* the sweep ends it */
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    assert_true(asking.accepted && asking.failed && !asking.finished);
    assert_int_equal(asking.error.code, FAULT_REQUEST_TIMEOUT);
    assert_untouched(&strict, "acct_1");
    asking_clear(&asking);
    sandbox_close(strict.sandbox, on_closed, &strict);
    loop_run(world->loop);
    assert_true(strict.closed);
}

/* The operator's word holds here, too. */
static void test_a_suspended_account(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    asking_start(world, &asking, "acct_suspended", "[[script tokens=1]]");
    assert_true(asking.failed && !asking.accepted);
    assert_int_equal(asking.error.code, FAULT_FORBIDDEN);
    assert_int_equal(sandbox_count(world->sandbox), 0);
    asking_clear(&asking);
}

/* The engine itself refuses or fails: it costs nothing. */
static void test_the_engine_fails(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    asking_start(world, &asking, "acct_1", "[[script fail=context_length]]");
    await_end(world);
    assert_true(asking.failed && !asking.finished);
    assert_int_equal(asking.error.code, FAULT_CONTEXT_LENGTH);
    asking_clear(&asking);
    asking_start(world, &asking, "acct_1", "[[script tokens=5 rate=1000 after=1 fail=engine]]");
    await_end(world);
    assert_true(asking.failed && asking.text.len > 0);
    assert_int_equal(asking.error.code, FAULT_UNAVAILABLE);
    asking_clear(&asking);
    assert_untouched(world, "acct_1");
}

/* The client goes at once: nobody is told of the end, and it is counted with what was produced. */
static void test_the_client_goes_at_once(void **state) {
    struct world *world = *state;
    struct asking asking = {0};
    asking_start(world, &asking, "acct_1", "[[script fail=engine]]");
    call_abandon(&asking.call);
    await_end(world);
    assert_false(asking.failed || asking.finished);
    assert_int_equal(usage_of(world, "acct_1").requests, 1);
    assert_int_equal(usage_of(world, "acct_1").completion_tokens, 0);
    asking_clear(&asking);
}

/* The request with its directive translated does not fit its memory. */
static void test_too_large_to_translate(void **state) {
    struct world *world = *state;
    struct asking asking = {.arena_max = 16};
    asking_start(world, &asking, "acct_1", "[[sandbox rate=5]]");
    assert_true(asking.failed);
    assert_int_equal(asking.error.code, FAULT_TOO_LARGE);
    assert_untouched(world, "acct_1");
    asking_clear(&asking);
}

/* What never began ends at once, and what has not ended at the close is dropped. */
static void test_ends(void **state) {
    struct world *world = *state;
    struct core_config config;
    struct asking asking = {0};
    core_config_init(&config);
    sandbox_free(sandbox_new(world->loop, &config));
    sandbox_free(NULL);
    asking_start(world, &asking, "acct_1", "[[script silent]]");
    call_abandon(&asking.call);
    assert_int_equal(sandbox_count(world->sandbox), 1); /* the engine has not confirmed it */
    asking_clear(&asking);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_charge_and_count),
        TEST(test_error_at_once),
        TEST(test_device_lost_in_mid_stream),
        TEST(test_rate),
        TEST(test_client_gone),
        TEST(test_too_long),
        TEST(test_stop),
        TEST(test_holds),
        TEST(test_insufficient_credits),
        TEST(test_overdue),
        TEST(test_a_suspended_account),
        TEST(test_the_engine_fails),
        TEST(test_the_client_goes_at_once),
        TEST(test_too_large_to_translate),
        TEST(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
