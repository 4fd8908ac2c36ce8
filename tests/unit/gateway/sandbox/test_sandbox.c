/* The sandbox's runs, its money and its count, with a sink of the test's own. */
#include "base/mem.h"
#include "call/call.h"
#include "gateway/sandbox/account.h"
#include "gateway/sandbox/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PROMPT_PRICE = 10, COMPLETION_PRICE = 20, PROMPT_MAX = 300, DEAR_PROMPT_MAX = 300 * 1000 * 1000 };

/* One call and what came of it. */
struct run {
    struct call call;
    struct arena arena;
    struct gen_message message;
    struct buf text;
    bool accepted, finished, failed;
    bool dear;         /* it may cost three dollars */
    bool gone_at_text; /* the client leaves when it sees some */
    bool too_long;     /* any text is too much for the answer */
    struct call_result result;
    struct fault error;
};

static struct run *run_of(struct call *call) {
    return (struct run *)call;
}

static void accepted(struct call *call) {
    run_of(call)->accepted = true;
}

static enum call_delivery deliver(struct call *call, struct str text) {
    struct run *run = run_of(call);
    assert_true(buf_append_str(&run->text, text));
    if (run->gone_at_text) {
        call_abandon(call);
        return CALL_DELIVER_CUT;
    }
    return run->too_long ? CALL_DELIVER_TOO_LONG : CALL_DELIVERED;
}

static void finished(struct call *call, const struct call_result *result) {
    run_of(call)->finished = true;
    run_of(call)->result = *result;
}

static void failed(struct call *call, const struct fault *fault) {
    run_of(call)->failed = true;
    run_of(call)->error = *fault;
}

static const struct call_sink sink = {.accepted = accepted, .deliver = deliver, .finished = finished, .failed = failed};

static bool account_view(void *context, const struct auth_identity *identity, struct core_account_view *view) {
    (void)context;
    *view = (struct core_account_view){.suspended = strcmp(identity->account_id, "acct_suspended") == 0};
    return true;
}

static struct calls calls = {.backend = {.account_view = account_view}};

struct world {
    struct loop *loop;
    struct sandbox *sandbox;
    size_t silent; /* calls that will not end by themselves */
    bool closed;
};

static int setup(void **state) {
    struct world *world = MEM_NEW(struct world);
    world->loop = loop_new();
    struct core_config config;
    core_config_init(&config);
    world->sandbox = sandbox_new(world->loop, &config);
    sandbox_start(world->sandbox);
    *state = world;
    return 0;
}

static void on_closed(void *context) {
    ((struct world *)context)->closed = true;
}

static int teardown(void **state) {
    struct world *world = *state;
    sandbox_close(world->sandbox, on_closed, world);
    loop_run(world->loop);
    assert_true(world->closed);
    loop_free(world->loop);
    free(world);
    return 0;
}

static void run_start(struct world *world, struct run *run, const char *account, const char *text) {
    run->call.calls = &calls;
    run->call.sink = &sink;
    run->call.executor = sandbox_executor(world->sandbox);
    buf_init(&run->text, 1 << 20);
    arena_init(&run->arena, 1 << 20);
    gen_request_init(&run->call.generation);
    run->message = (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(text)};
    run->call.generation.model = STR("nataris-demo-2m");
    run->call.generation.messages = &run->message;
    run->call.generation.message_count = 1;
    run->call.generation.stream = true;
    run->call.arena = &run->arena;
    run->call.prompt_tokens_max = run->dear ? DEAR_PROMPT_MAX : PROMPT_MAX;
    run->call.prompt_price_nano = PROMPT_PRICE;
    run->call.completion_price_nano = COMPLETION_PRICE;
    str_copy(run->call.identity.account_id, STORE_ID_MAX, str_from(account));
    call_submit(&run->call);
}

static void run_clear(struct run *run) {
    buf_clear(&run->text);
    arena_clear(&run->arena);
    *run = (struct run){0};
}

static void await_end(struct world *world) {
    while (sandbox_count(world->sandbox) > world->silent) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
}

static struct store_usage usage_of(struct world *world, const char *account) {
    struct auth_identity identity = {.kind = STORE_KEY_TEST};
    struct store_usage usage;
    str_copy(identity.account_id, STORE_ID_MAX, str_from(account));
    sandbox_usage(world->sandbox, &identity, &usage);
    return usage;
}

static void test_charge_and_count(void **state) {
    struct world *world = *state;
    struct run run = {0};
    assert_int_equal(usage_of(world, "acct_1").balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage_of(world, "acct_1").model_count, 0);
    for (int i = 1; i <= 2; i++) {
        run_start(world, &run, "acct_1", "[[script tokens=5]] and on");
        await_end(world);
        assert_true(run.accepted && run.finished && !run.failed);
        assert_string_equal(run.result.inference_type, "sandbox");
        assert_int_equal(run.result.usage.completion_tokens, 5);
        const int64_t charge = run.result.usage.prompt_tokens * PROMPT_PRICE + 5 * COMPLETION_PRICE;
        struct store_usage usage = usage_of(world, "acct_1");
        assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO - i * charge);
        assert_int_equal(usage.requests, i);
        assert_int_equal(usage.completion_tokens, 5 * i);
        assert_int_equal(usage.charge_nano, i * charge);
        assert_int_equal(usage.model_count, 1);
        assert_string_equal(usage.models[0].model, "nataris-demo-2m");
        assert_int_equal(usage.models[0].requests, i);
        assert_int_equal(usage.models[0].charge_nano, i * charge);
        run_clear(&run);
    }
    assert_int_equal(usage_of(world, "acct_2").balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage_of(world, "acct_2").requests, 0);
}

static void assert_untouched(struct world *world, const char *account) {
    struct store_usage usage = usage_of(world, account);
    assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage.requests, 0);
}

/* An error at once is answered inside submit, and costs nothing. */
static void test_error_at_once(void **state) {
    struct world *world = *state;
    struct run run = {0};
    run_start(world, &run, "acct_1", "[[sandbox error=RATE_LIMIT_EXCEEDED retry_after=9]]");
    assert_true(run.failed && !run.accepted);
    assert_int_equal(run.error.code, FAULT_RATE_LIMIT_EXCEEDED);
    assert_int_equal(run.error.retry_after_ms, 9000);
    run_clear(&run);
    run_start(world, &run, "acct_1", "[[sandbox wrong]]");
    assert_true(run.failed);
    assert_int_equal(run.error.code, FAULT_INVALID_REQUEST);
    run_clear(&run);
    assert_int_equal(usage_of(world, "acct_1").balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage_of(world, "acct_1").requests, 0);
}

static void test_device_lost_in_mid_stream(void **state) {
    struct world *world = *state;
    struct run run = {0};
    run_start(world, &run, "acct_1",
              "[[script text=\"one two three four five six\"]] [[sandbox error=device_lost after=4]]");
    await_end(world);
    assert_true(run.accepted && run.failed && !run.finished);
    assert_int_equal(run.error.code, FAULT_UNAVAILABLE);
    assert_string_equal(buf_cstr(&run.text), "one two three four");
    run_clear(&run);
    assert_untouched(world, "acct_1");
}

/* The rate reaches the engine: an endless answer at some speed says something and is not over. */
static void test_rate(void **state) {
    struct world *world = *state;
    struct run run = {0};
    run_start(world, &run, "acct_1", "[[sandbox rate=1000 error=device_lost after=2]]");
    await_end(world);
    assert_true(run.accepted && run.failed && run.text.len > 0);
    run_clear(&run);
}

/* A client that goes away pays for what it got until the engine stopped. */
static void test_client_gone(void **state) {
    struct world *world = *state;
    struct run run = {.gone_at_text = true};
    run_start(world, &run, "acct_1", "[[script tokens=50 rate=1000]]");
    await_end(world);
    assert_true(!run.finished && !run.failed);
    struct store_usage usage = usage_of(world, "acct_1");
    assert_int_equal(usage.requests, 1);
    assert_in_range(usage.completion_tokens, 1, 49);
    assert_int_equal(usage.charge_nano,
                     usage.prompt_tokens * PROMPT_PRICE + usage.completion_tokens * COMPLETION_PRICE);
    assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO - usage.charge_nano);
    run_clear(&run);
}

/* The answer cannot be given, which is no fault of the client's. */
static void test_too_long(void **state) {
    struct world *world = *state;
    struct run run = {.too_long = true};
    run_start(world, &run, "acct_1", "[[script tokens=50 rate=1000]]");
    await_end(world);
    assert_true(run.failed && !run.finished);
    assert_int_equal(run.error.code, FAULT_UNAVAILABLE);
    assert_untouched(world, "acct_1");
    run_clear(&run);
}

static void test_stop(void **state) {
    struct world *world = *state;
    struct run runs[2] = {0};
    const struct fault error = {.code = FAULT_UNAVAILABLE, .message = "stop"};
    run_start(world, &runs[0], "acct_1", "[[script silent]]");
    run_start(world, &runs[1], "acct_2", "[[script silent]]");
    sandbox_stop(world->sandbox, &error);
    for (int i = 0; i < 2; i++) {
        assert_true(runs[i].failed);
        assert_string_equal(runs[i].error.message, "stop");
        await_end(world);
        run_clear(&runs[i]);
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
    struct run first = {.dear = true}, second = {.dear = true};
    run_start(world, &first, "acct_1", "[[script silent]]");
    assert_int_equal(sandbox_count(world->sandbox), 1);
    world->silent = 1;
    run_start(world, &second, "acct_1", "[[script tokens=1]]");
    assert_true(second.failed);
    assert_int_equal(second.error.code, FAULT_INSUFFICIENT_CREDITS);
    run_clear(&second);
    second.dear = true;
    run_start(world, &second, "acct_2", "[[script tokens=1]]");
    await_end(world);
    assert_true(second.finished);
    run_clear(&second);
    world->silent = 0;
    call_abandon(&first.call);
    await_end(world);
    run_clear(&first);
    second.dear = true;
    run_start(world, &second, "acct_1", "[[script tokens=1]]");
    await_end(world);
    assert_true(second.finished);
    run_clear(&second);
}

/* A script may be silent for ever, its job may not. */
static void test_overdue(void **state) {
    struct world *world = *state;
    struct core_config config;
    struct world strict = {.loop = world->loop};
    struct run run = {0};
    core_config_init(&config);
    config.whole_ms = 1;
    config.whole_per_token_ms = 0;
    strict.sandbox = sandbox_new(world->loop, &config);
    sandbox_start(strict.sandbox);
    run_start(&strict, &run, "acct_1", "[[script silent]]");
    await_end(&strict);
    assert_true(run.accepted && run.failed && !run.finished);
    assert_int_equal(run.error.code, FAULT_REQUEST_TIMEOUT);
    assert_untouched(&strict, "acct_1");
    run_clear(&run);
    sandbox_close(strict.sandbox, on_closed, &strict);
    loop_run(world->loop);
    assert_true(strict.closed);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
