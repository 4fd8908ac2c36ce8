/* A sender between a real store and a real server on this machine, with a clock that the test moves. */
#ifndef NATARIS_TESTS_UNIT_WEBHOOK_SENDER_FIXTURE_H
#define NATARIS_TESTS_UNIT_WEBHOOK_SENDER_FIXTURE_H

#include "webhook/sender.h"

#include "base/mem.h"
#include "net/http_server.h"
#include "support/store_fixture.h"
#include "wire/webhook_signature.h"

#include "support/net_harness.h"

#include <inttypes.h>

enum { POSTS_MAX = 1024, HOOKS_MAX = 32, PAGE_MAX = 100 };
#define SENDER_START_MS INT64_C(1767225600000) /* 2026-01-01 */

/* One request that came. */
struct came {
    unsigned hook; /* whose URL it was */
    char event_id[STORE_ID_MAX], signatures[256], body[256];
    int64_t timestamp_s;
    struct http_exchange *held; /* not answered yet */
};

/* What the server answers a hook. */
enum answering { ANSWER_STATUS, ANSWER_HOLD, ANSWER_PATIENCE, ANSWER_REDIRECT, ANSWER_WITHOUT_END, ANSWER_BREAK };

struct answers {
    enum answering how;
    int status; /* ANSWER_STATUS, ANSWER_PATIENCE */
};

struct sender_fixture {
    struct net_harness net;
    struct store_fixture *files;
    struct store *store;
    struct webhook_sender *sender;
    struct http_server *server;
    bool server_closed;
    /* The clock. */
    int64_t passed_ms;
    uint64_t ring_at_ms; /* UINT64_MAX: not set */
    /* The server. */
    struct answers answers[HOOKS_MAX];
    struct came came[POSTS_MAX];
    size_t came_count, gone_count;
    unsigned running[HOOKS_MAX], most[HOOKS_MAX], all, most_of_all; /* requests held at once */
    /* The webhooks. */
    struct store_webhook hooks[HOOKS_MAX];
    unsigned hook_count;
    int64_t asked_ms; /* of the last event */
    /* The last answer of the store. */
    bool answered;
    struct err err;
    struct store_webhook_result changed;
    struct store_delivery page[PAGE_MAX];
    size_t page_count;
};

/* --- The clock --- */

static int64_t fixture_wall_ms(void *context) {
    return SENDER_START_MS + ((struct sender_fixture *)context)->passed_ms;
}

static uint64_t fixture_now_ms(void *context) {
    return 1000 + (uint64_t)((struct sender_fixture *)context)->passed_ms;
}

static void fixture_ring_after(void *context, uint64_t after_ms) {
    struct sender_fixture *fixture = context;
    fixture->ring_at_ms = fixture_now_ms(fixture) + after_ms;
}

/* --- The store --- */

static const char *account_of(unsigned hook) {
    return hook < STORE_WEBHOOKS_MAX ? "acct_1" : "acct_2";
}

static void on_changed(void *context, const struct store_webhook_result *result, const struct err *err) {
    struct sender_fixture *fixture = context;
    fixture->answered = true;
    fixture->err = err != NULL ? *err : (struct err){0};
    if (result != NULL) {
        fixture->changed = *result;
    }
}

static void change_wait(struct sender_fixture *fixture, struct store_webhook_change *change) {
    change->now_ms = change->now_ms != 0 ? change->now_ms : fixture_wall_ms(fixture);
    fixture->answered = false;
    store_webhook_change(fixture->store, change, on_changed, fixture);
    NET_UNTIL(&fixture->net, fixture->answered);
    if (fixture->err.code != ERR_NONE) {
        fail_msg("the store: %s", fixture->err.message);
    }
}

static void on_page(void *context, const struct store_delivery *deliveries, size_t count, bool more,
                    const struct err *err) {
    struct sender_fixture *fixture = context;
    assert_null(err);
    assert_false(more);
    memcpy(fixture->page, deliveries, count * sizeof(*deliveries));
    fixture->page_count = count;
    fixture->answered = true;
}

/* The deliveries of a hook, newest first, into fixture->page. */
static void read_page(struct sender_fixture *fixture, unsigned hook) {
    fixture->answered = false;
    store_deliveries_read(fixture->store, account_of(hook), fixture->hooks[hook].id, "", PAGE_MAX, on_page, fixture);
    NET_UNTIL(&fixture->net, fixture->answered);
}

static void on_purged(void *context, bool more, const struct err *err) {
    (void)more;
    on_changed(context, NULL, err);
}

/* Until whatever the sender asked the store for has been answered, and what it then sent has left: for what must not
 * have happened. */
UNUSED static void settle(struct sender_fixture *fixture) {
    for (int i = 0; i < 3; i++) {
        fixture->answered = false;
        store_deliveries_purge(fixture->store, 0, on_purged, fixture); /* the writer's turn, then the reader's */
        NET_UNTIL(&fixture->net, fixture->answered);
        if (fixture->hook_count > 0) {
            read_page(fixture, 0);
        }
        for (int j = 0; j < 20; j++) {
            uv_run(loop_uv(fixture->net.loop), UV_RUN_NOWAIT);
        }
    }
}

UNUSED static void sender_ring(struct sender_fixture *fixture) {
    fixture->ring_at_ms = UINT64_MAX;
    webhook_sender_ring(fixture->sender);
}

/* Time passes at one go; what was to be done meanwhile is done now. */
UNUSED static void pass(struct sender_fixture *fixture, int64_t ms) {
    settle(fixture);
    fixture->passed_ms += ms;
    while (fixture->ring_at_ms <= fixture_now_ms(fixture)) {
        sender_ring(fixture);
        settle(fixture);
    }
}

/* --- The server --- */

static void on_gone(void *user) {
    *(struct http_exchange **)user = NULL;
}

static void exchange_answer(struct sender_fixture *fixture, unsigned hook, struct http_exchange *exchange) {
    static char long_answer[128 * 1024];
    const struct answers *answers = &fixture->answers[hook];
    const struct http_response_header patience = {"Retry-After", STR("3000")}, elsewhere = {"Location", STR("/0")};
    switch (answers->how) {
    case ANSWER_HOLD:
    case ANSWER_STATUS:
        http_respond(exchange, answers->status, NULL, 0, STR("so it is"));
        return;
    case ANSWER_PATIENCE:
        http_respond(exchange, answers->status, &patience, 1, STR(""));
        return;
    case ANSWER_REDIRECT:
        http_respond(exchange, 308, &elsewhere, 1, STR(""));
        return;
    case ANSWER_WITHOUT_END:
        memset(long_answer, 'x', sizeof(long_answer));
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_write(exchange, (struct str){long_answer, sizeof(long_answer)});
        return; /* and never ends */
    case ANSWER_BREAK:
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_abort(exchange);
        return;
    }
}

static void copy_header(const struct http_request *request, const char *name, char *out, size_t size) {
    assert_true(str_copy(out, size, http_request_header(request, name)));
}

static void on_request(void *context, struct http_exchange *exchange) {
    struct sender_fixture *fixture = context;
    const struct http_request *request = http_exchange_request(exchange);
    uint64_t number;
    assert_true(fixture->came_count < POSTS_MAX);
    struct came *came = &fixture->came[fixture->came_count++];
    assert_true(str_equal_cstr(request->method, "POST"));
    assert_true(str_parse_u64((struct str){request->path.data + 1, request->path.len - 1}, HOOKS_MAX - 1, &number));
    came->hook = (unsigned)number;
    copy_header(request, "webhook-id", came->event_id, sizeof(came->event_id));
    copy_header(request, "webhook-signature", came->signatures, sizeof(came->signatures));
    assert_true(
        str_parse_u64(http_request_header(request, "webhook-timestamp"), INT64_MAX, (uint64_t *)&came->timestamp_s));
    assert_true(str_copy(came->body, sizeof(came->body), request->body));
    if (fixture->answers[number].how == ANSWER_WITHOUT_END || fixture->answers[number].how == ANSWER_HOLD) {
        came->held = exchange;
        http_exchange_on_gone(exchange, on_gone, &came->held);
    }
    if (fixture->answers[number].how != ANSWER_HOLD) {
        exchange_answer(fixture, came->hook, exchange);
        return;
    }
    fixture->running[number]++;
    fixture->all++;
    fixture->most[number] =
        fixture->running[number] > fixture->most[number] ? fixture->running[number] : fixture->most[number];
    fixture->most_of_all = fixture->all > fixture->most_of_all ? fixture->all : fixture->most_of_all;
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    fail_msg("a request was refused with %d: %s", status, why);
    http_respond(exchange, status, NULL, 0, STR(""));
}

/* Answers the oldest of a hook that is held; false: there is none. */
UNUSED static bool release(struct sender_fixture *fixture, unsigned hook, int status) {
    for (size_t i = 0; i < fixture->came_count; i++) {
        struct came *came = &fixture->came[i];
        if (came->hook == hook && came->held != NULL) {
            struct http_exchange *exchange = came->held;
            came->held = NULL;
            fixture->running[hook]--;
            fixture->all--;
            http_respond(exchange, status, NULL, 0, STR(""));
            return true;
        }
    }
    return false;
}

/* --- Life --- */

static void server_open(struct sender_fixture *fixture) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct listener_options LISTEN = {.address = "127.0.0.1:0", .max_connections = 400};
    const struct http_server_config config = {.head_limits = {8192, 50, 1024},
                                              .body_bytes = 64 * 1024,
                                              .pipeline_bytes = 4096,
                                              .head_timeout_ms = NET_HANG_MS,
                                              .body_pace.stretch_ms = NET_HANG_MS,
                                              .idle_timeout_ms = NET_HANG_MS};
    assert_true(http_server_open(&fixture->server, fixture->net.loop, &LISTEN, &config, &EVENTS, fixture, NULL));
}

static void sender_open(struct sender_fixture *fixture, unsigned post_ms) {
    const struct webhook_clock clock = {
        .wall_ms = fixture_wall_ms, .now_ms = fixture_now_ms, .ring_after = fixture_ring_after, .context = fixture};
    const struct webhook_sender_options options = {
        .loop = fixture->net.loop, .store = fixture->store, .clock = &clock, .post_ms = post_ms, .lax = true};
    assert_true(webhook_sender_new(&fixture->sender, &options, NULL));
}

static void sender_close(struct sender_fixture *fixture) {
    webhook_sender_stop(fixture->sender);
    settle(fixture); /* it hears of what it asked for, and sends nothing for it */
    webhook_sender_free(fixture->sender);
    fixture->sender = NULL;
}

static void on_server_closed(void *context) {
    ((struct sender_fixture *)context)->server_closed = true;
}

UNUSED static int sender_setup(void **state) {
    struct sender_fixture *fixture = MEM_NEW(struct sender_fixture);
    void *files = NULL;
    if (store_fixture_setup_client(&files) != 0) {
        return -1;
    }
    fixture->files = files;
    fixture->store = fixture->files->store;
    fixture->passed_ms = INT64_C(24) * 3600 * 1000;
    fixture->asked_ms = SENDER_START_MS;
    fixture->ring_at_ms = UINT64_MAX;
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        fixture->answers[i] = (struct answers){ANSWER_STATUS, 204};
    }
    const struct store_account other = store_fixture_account("acct_2", false);
    assert_true(store_account_add(fixture->store, &other, NULL));
    net_harness_init(&fixture->net);
    assert_true(store_start(fixture->store, loop_uv(fixture->net.loop), store_fixture_on_broken, fixture->files, NULL));
    server_open(fixture);
    sender_open(fixture, 0);
    *state = fixture;
    return 0;
}

UNUSED static int sender_teardown(void **state) {
    struct sender_fixture *fixture = *state;
    void *files = fixture->files;
    webhook_sender_stop(fixture->sender);
    webhook_sender_stop(fixture->sender); /* once is enough */
    store_close(fixture->store);
    fixture->files->store = NULL;
    webhook_sender_free(fixture->sender);
    http_server_close(fixture->server, on_server_closed, fixture);
    NET_UNTIL(&fixture->net, fixture->server_closed);
    net_harness_clear(&fixture->net);
    (void)store_fixture_teardown(&files);
    free(fixture);
    return 0;
}

/* --- Webhooks and their events --- */

/* Returns its number in fixture->hooks, which is also its path at the server. */
UNUSED static unsigned add_hook(struct sender_fixture *fixture) {
    const unsigned number = fixture->hook_count++;
    struct store_webhook_change change = {.kind = STORE_WEBHOOK_CREATE};
    struct store_webhook *webhook = &change.webhook;
    assert_true(number < HOOKS_MAX);
    snprintf(webhook->id, sizeof(webhook->id), "wh_%u", number);
    str_copy(webhook->account_id, sizeof(webhook->account_id), str_from(account_of(number)));
    snprintf(webhook->url, sizeof(webhook->url), "http://127.0.0.1:%u/%u", http_server_port(fixture->server), number);
    memset(webhook->secret, (int)number + 1, sizeof(webhook->secret));
    webhook->balance_nano = 1;
    webhook->created_ms = SENDER_START_MS;
    change_wait(fixture, &change);
    fixture->hooks[number] = fixture->changed.webhook;
    return number;
}

UNUSED static struct store_webhook_change about(struct sender_fixture *fixture, unsigned hook,
                                                enum store_webhook_change_kind kind) {
    struct store_webhook_change change = {.kind = kind};
    str_copy(change.webhook.id, STORE_ID_MAX, str_from(fixture->hooks[hook].id));
    str_copy(change.webhook.account_id, STORE_ID_MAX, str_from(account_of(hook)));
    return change;
}

/* Test events, so far apart that they are no more than are allowed in a minute, and all of them due. */
UNUSED static void fire(struct sender_fixture *fixture, unsigned hook, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct store_webhook_change change = about(fixture, hook, STORE_WEBHOOK_TEST);
        fixture->asked_ms += STORE_WEBHOOK_ASKED_MS / STORE_WEBHOOK_ASKED_MAX + 1;
        assert_true(fixture->asked_ms <= fixture_wall_ms(fixture));
        change.now_ms = fixture->asked_ms;
        change_wait(fixture, &change);
    }
}

/* The same, with a sender that finds them all at once when it starts. */
UNUSED static void fire_together(struct sender_fixture *fixture, unsigned hook, unsigned count) {
    sender_close(fixture);
    fire(fixture, hook, count);
    sender_open(fixture, 0);
    sender_ring(fixture);
}

/* Until so many attempts of the hook's newest delivery are durable, which is then fixture->page[0]. */
UNUSED static const struct store_delivery *attempted(struct sender_fixture *fixture, unsigned hook, uint32_t attempts) {
    do {
        read_page(fixture, hook);
        uv_run(loop_uv(fixture->net.loop), UV_RUN_NOWAIT);
    } while (fixture->page_count == 0 || fixture->page[0].attempts < attempts);
    assert_int_equal(fixture->page[0].attempts, attempts);
    return &fixture->page[0];
}

#define SENDER_TEST(name) cmocka_unit_test_setup_teardown(name, sender_setup, sender_teardown)

#endif
