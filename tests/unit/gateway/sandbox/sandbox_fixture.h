/* A sandbox with a sink and a store of the test's own. One file of tests includes it. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_SANDBOX_SANDBOX_FIXTURE_H
#define NATARIS_TESTS_UNIT_GATEWAY_SANDBOX_SANDBOX_FIXTURE_H

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

static bool give_turn(struct call *call, const struct call_result *result, struct store_turn *out) {
    *out = (struct store_turn){.prompt_tokens = result->usage.prompt_tokens};
    return asking_of(call)->converses;
}

/* The store: it answers when the test says so. */
static struct {
    unsigned asked;
    void (*on_durable)(void *context, const struct err *err);
    void *context;
} keeping;

void store_turn_keep(struct store *store, const struct store_turn *turn,
                     void (*on_durable)(void *context, const struct err *err), void *context) {
    (void)store;
    (void)turn;
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
    .accepted = accepted, .deliver = deliver, .turn = give_turn, .finished = finished, .failed = failed};

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

UNUSED static int setup(void **state) {
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

UNUSED static int teardown(void **state) {
    struct world *world = *state;
    sandbox_close(world->sandbox, on_closed, world);
    loop_run(world->loop);
    assert_true(world->closed);
    loop_free(world->loop);
    free(world);
    return 0;
}

UNUSED static void asking_start(struct world *world, struct asking *asking, const char *account, const char *text) {
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

UNUSED static void asking_clear(struct asking *asking) {
    buf_clear(&asking->text);
    arena_clear(&asking->arena);
    *asking = (struct asking){0};
}

/* Never blocks in the loop: what ends the calls may come at the start of an iteration, and only the sweep is left
 * then. */
UNUSED static void await_end(struct world *world) {
    while (sandbox_count(world->sandbox) > world->silent) {
        uv_run(loop_uv(world->loop), UV_RUN_NOWAIT);
    }
}

UNUSED static struct store_usage usage_of(struct world *world, const char *account) {
    struct auth_identity identity = {.kind = STORE_KEY_TEST};
    struct store_usage usage;
    str_copy(identity.account_id, STORE_ID_MAX, str_from(account));
    sandbox_usage(world->sandbox, &identity, &usage);
    return usage;
}

UNUSED static void assert_untouched(struct world *world, const char *account) {
    struct store_usage usage = usage_of(world, account);
    assert_int_equal(usage.balance_nano, SANDBOX_CREDIT_NANO);
    assert_int_equal(usage.requests, 0);
}

#endif
