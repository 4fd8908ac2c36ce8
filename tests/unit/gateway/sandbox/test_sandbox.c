/* The sandbox's calls, its money and its count, with a sink of the test's own. */
#include "base/mem.h"
#include "call/call.h"
#include "gateway/sandbox/account.h"
#include "gateway/sandbox/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PROMPT_PRICE = 10, COMPLETION_PRICE = 20, PROMPT_MAX = 300, DEAR_PROMPT_MAX = 300 * 1000 * 1000 };

/* One call and what came of it. */
struct asking {
    struct call call;
    struct arena arena;
    struct gen_message message;
    struct buf text;
    bool accepted, finished, failed;
    bool dear;         /* it may cost three dollars */
    bool gone_at_text; /* the client leaves when it sees some */
    bool too_long;     /* any text is too much for the answer */
    size_t arena_max;  /* 0: enough */
    bool converses;    /* it adds to a conversation */
    struct call_result result;
    struct fault error;
};

static struct asking *asking_of(struct call *call) {
    return (struct asking *)call;
}

static void accepted(struct call *call) {
    asking_of(call)->accepted = true;
}

static enum call_delivery deliver(struct call *call, struct str text) {
    struct asking *asking = asking_of(call);
    assert_true(buf_append_str(&asking->text, text));
    if (asking->gone_at_text) {
        call_abandon(call);
        return CALL_DELIVER_CUT;
    }
    return asking->too_long ? CALL_DELIVER_TOO_LONG : CALL_DELIVERED;
}

static bool turn(struct call *call, const struct call_result *result, struct store_turn *out) {
    *out = (struct store_turn){.prompt_tokens = result->usage.prompt_tokens};
    return asking_of(call)->converses;
}

/* The store: it answers when the test says so. */
static struct {
    unsigned asked;
    void (*on_durable)(void *context, const struct err *err);
    void *context;
} keeping;

void store_turn_keep(struct store *store, const struct store_turn *kept,
                     void (*on_durable)(void *context, const struct err *err), void *context) {
    (void)store;
    (void)kept;
    keeping.asked++;
    keeping.on_durable = on_durable;
    keeping.context = context;
}

static void finished(struct call *call, const struct call_result *result) {
    asking_of(call)->finished = true;
    asking_of(call)->result = *result;
}

static void failed(struct call *call, const struct fault *fault) {
    asking_of(call)->failed = true;
    asking_of(call)->error = *fault;
}

static const struct call_sink sink = {
    .accepted = accepted, .deliver = deliver, .turn = turn, .finished = finished, .failed = failed};

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
    memset(&keeping, 0, sizeof(keeping));
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

static void asking_start(struct world *world, struct asking *asking, const char *account, const char *text) {
    asking->call.calls = &calls;
    asking->call.sink = &sink;
    asking->call.executor = sandbox_executor(world->sandbox);
    buf_init(&asking->text, 1 << 20);
    arena_init(&asking->arena, asking->arena_max > 0 ? asking->arena_max : 1 << 20);
    gen_request_init(&asking->call.generation);
    asking->message = (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(text)};
    asking->call.generation.model = STR("nataris-demo-2m");
    asking->call.generation.messages = &asking->message;
    asking->call.generation.message_count = 1;
    asking->call.generation.stream = true;
    asking->call.arena = &asking->arena;
    asking->call.prompt_tokens_max = asking->dear ? DEAR_PROMPT_MAX : PROMPT_MAX;
    asking->call.prompt_price_nano = PROMPT_PRICE;
    asking->call.completion_price_nano = COMPLETION_PRICE;
    str_copy(asking->call.identity.account_id, STORE_ID_MAX, str_from(account));
    call_submit(&asking->call);
}

static void asking_clear(struct asking *asking) {
    buf_clear(&asking->text);
    arena_clear(&asking->arena);
    *asking = (struct asking){0};
}

/* Never blocks in the loop: what ends the calls may come at the start of an iteration, and only the sweep is left
 * then. */
static void await_end(struct world *world) {
    while (sandbox_count(world->sandbox) > world->silent) {
        uv_run(loop_uv(world->loop), UV_RUN_NOWAIT);
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

static void assert_untouched(struct world *world, const char *account) {
    struct store_usage usage = usage_of(world, account);
    assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage.requests, 0);
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
        TEST(test_a_turn_is_kept_before_the_answer),
        TEST(test_a_turn_that_cannot_be_kept),
        TEST(test_a_client_goes_while_its_turn_is_kept),
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
