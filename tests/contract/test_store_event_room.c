/* Room for events of webhooks: an account's quota of deliveries, a webhook's part of it, and a disk without room. What
 * has ended makes room, what waits is dropped in no case but for new ones, and nobody else notices. */
#include "base/log.h"
#include "base/mem.h"
#include "store/deliveries.h"
#include "store/driver.h"
#include "store/kept.h"
#include "store/run.h"
#include "store/store.h"
#include "store/task.h"
#include "support/store_backends.h"
#include "support/store_fixture.h"

enum { ROWS = 8 };
static const int64_t NOON_MS = INT64_C(1767225600000);

static enum err_code code;
static bool past;

static void keep_err(const struct err *err) {
    code = err == NULL ? ERR_NONE : err->code;
    past = err != NULL && store_quota_is_past(err);
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = *state;
    struct store_quotas quotas = {0};
    log_set_level(LOG_ERROR);
    for (int i = 1; i <= 2; i++) {
        struct store_admin result,
            admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE, .actor = "cli", .key_count = 1, .now_ms = NOON_MS};
        admin.account = store_fixture_account(i == 1 ? "acct_1" : "acct_2", false);
        admin.keys[0] = store_fixture_key(i == 1 ? "key_1" : "key_2", "", STORE_KEY_LIVE);
        assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
    }
    quotas.of[STORE_TIER_FREE][STORE_KEPT_DELIVERIES] = (struct store_amount){ROWS, 0};
    store_set_quotas(fixture->store, &quotas);
    return 0;
}

static void turn(struct store_fixture *fixture) {
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

/* --- One call at a time --- */

static struct store_webhook changed;
static struct store_delivery asked_for;

static void on_changed(void *context, const struct store_webhook_result *result, const struct err *err) {
    (void)context;
    keep_err(err);
    if (result != NULL) {
        changed = result->webhook;
        asked_for = result->delivery;
    }
}

static void change(struct store_fixture *fixture, enum store_webhook_change_kind kind, const char *account,
                   const char *id, const char *delivery) {
    struct store_webhook_change asked = {.kind = kind, .now_ms = NOON_MS};
    str_copy(asked.webhook.account_id, STORE_ID_MAX, str_from(account));
    str_copy(asked.webhook.id, STORE_ID_MAX, str_from(id));
    str_copy(asked.delivery_id, STORE_ID_MAX, str_from(delivery));
    str_copy(asked.webhook.url, sizeof(asked.webhook.url), STR("https://example.com/"));
    asked.webhook.events = (1U << STORE_EVENT_KINDS) - 2;
    asked.webhook.created_ms = NOON_MS;
    store_webhook_change(fixture->store, &asked, on_changed, NULL);
    turn(fixture);
}

static void create(struct store_fixture *fixture, const char *account, const char *id) {
    change(fixture, STORE_WEBHOOK_CREATE, account, id, "");
    assert_int_equal(code, ERR_NONE);
}

static void on_webhooks(void *context, const struct store_webhook *webhooks, size_t count, const struct err *err) {
    keep_err(err);
    assert_int_equal(count, 1);
    *(struct store_webhook *)context = webhooks[0];
}

static struct store_webhook webhook_of(struct store_fixture *fixture, const char *account, const char *id) {
    struct store_webhook found = {0};
    store_webhooks_read(fixture->store, account, id, on_webhooks, &found);
    turn(fixture);
    return found;
}

struct event_task {
    struct store_task task;
    struct store_event event;
};

static bool event_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    return connection->driver->events->add(connection, &((const struct event_task *)task)->event, err);
}

static void event_answer(struct store_task *task, const struct err *err) {
    (void)task;
    keep_err(err);
}

static void fire(struct store_fixture *fixture, const char *account, unsigned times, struct str data) {
    static const struct store_task_kind kind = {.write = event_write, .answer = event_answer};
    for (unsigned i = 0; i < times; i++) {
        struct event_task *self = MEM_NEW(struct event_task);
        self->task.kind = &kind;
        self->event = (struct store_event){account, STORE_EVENT_JOB_COMPLETED, NOON_MS, data};
        store_task_run(fixture->store, &self->task);
    }
    turn(fixture);
    assert_int_equal(code, ERR_NONE); /* never a refusal */
}

static void on_durable(void *context, const struct err *err) {
    (void)context;
    keep_err(err);
}

static struct store_delivery page[16];
static size_t page_count;

static void on_page(void *context, const struct store_delivery *deliveries, size_t count, bool more,
                    const struct err *err) {
    (void)context;
    (void)more;
    keep_err(err);
    page_count = count;
    for (size_t i = 0; i < count; i++) {
        page[i] = deliveries[i];
    }
}

static void read_page(struct store_fixture *fixture, const char *account, const char *id) {
    store_deliveries_read(fixture->store, account, id, "", COUNT_OF(page), on_page, NULL);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

/* All that waits of a webhook is taken, with an answer of so many bytes. */
static void deliver(struct store_fixture *fixture, const char *account, const char *id, size_t response) {
    read_page(fixture, account, id);
    for (size_t i = 0; i < page_count; i++) {
        if (page[i].state == STORE_DELIVERY_WAITING) {
            const struct store_attempt attempt = {.delivery = page[i].number,
                                                  .state = STORE_DELIVERY_DELIVERED,
                                                  .attempts = 1,
                                                  .tried_ms = NOON_MS,
                                                  .status = 200,
                                                  .response_len = response};
            store_attempt_end(fixture->store, &attempt, on_durable, NULL);
        }
    }
    turn(fixture);
}

static void on_report(void *context, const struct store_kept_report *report, const struct err *err) {
    assert_null(err);
    *(struct store_amount *)context = report->kept[STORE_KEPT_DELIVERIES];
}

static struct store_amount kept_of(struct store_fixture *fixture, const char *account) {
    struct store_amount kept = {0};
    store_kept_read(fixture->store, account, on_report, &kept);
    turn(fixture);
    return kept;
}

static int64_t raw(const struct store_fixture *fixture, const char *query) {
    struct store_raw out;
    store_backend()->read(fixture->path, query, &out);
    return out.number;
}

static void assert_sums(const struct store_fixture *fixture) {
    assert_int_equal(
        raw(fixture, "SELECT count(*) FROM kept k WHERE kind = 4 AND (row_count, byte_count) IS NOT (SELECT count(*),"
                     " coalesce(sum(length(response)), 0) + coalesce((SELECT sum(length(body)) FROM webhook_events e"
                     " WHERE e.account_number = k.account_number), 0) FROM deliveries d"
                     " WHERE d.account_number = k.account_number)"),
        0);
    assert_int_equal(raw(fixture, "SELECT count(*) FROM webhooks w WHERE waiting <> (SELECT count(*) FROM deliveries"
                                  " WHERE webhook_number = w.number AND state = 0)"),
                     0);
    assert_int_equal(raw(fixture, "SELECT count(*) FROM webhook_events e WHERE NOT EXISTS"
                                  " (SELECT 1 FROM deliveries WHERE event_number = e.number)"),
                     0);
}

/* --- Tests --- */

#define DATA STR("{\"a\":1}")

static void test_a_dead_webhook_has_half(void **state) {
    struct store_fixture *fixture = *state;
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_dead");
    create(fixture, "acct_2", "wh_other");
    fire(fixture, "acct_1", ROWS, DATA);
    struct store_webhook dead = webhook_of(fixture, "acct_1", "wh_dead");
    assert_int_equal(dead.waiting, ROWS / 2);
    assert_int_equal(dead.dropped, ROWS / 2);
    assert_int_equal(dead.dropped_ms, NOON_MS);
    assert_int_equal(store_counts(fixture->store).deliveries_dropped, ROWS / 2);
    create(fixture, "acct_1", "wh_good"); /* the account's other one gets on */
    fire(fixture, "acct_1", 1, DATA);
    deliver(fixture, "acct_1", "wh_good", 10);
    assert_int_equal(webhook_of(fixture, "acct_1", "wh_good").dropped, 0);
    fire(fixture, "acct_2", 2, DATA);
    assert_int_equal(webhook_of(fixture, "acct_2", "wh_other").waiting, 2);
    assert_sums(fixture);
    deliver(fixture, "acct_1", "wh_dead", 0); /* it is well again */
    fire(fixture, "acct_1", 1, DATA);
    dead = webhook_of(fixture, "acct_1", "wh_dead");
    assert_int_equal(dead.waiting, 1);
    assert_int_equal(dead.dropped, ROWS / 2 + 1);
    assert_sums(fixture);
}

static void test_what_has_ended_makes_room(void **state) {
    struct store_fixture *fixture = *state;
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_1");
    for (int i = 0; i < 5 * ROWS; i++) {
        fire(fixture, "acct_1", 1, DATA);
        deliver(fixture, "acct_1", "wh_1", 100);
        assert_true(kept_of(fixture, "acct_1").rows <= ROWS);
    }
    assert_int_equal(webhook_of(fixture, "acct_1", "wh_1").dropped, 0);
    assert_sums(fixture);
}

/* Two webhooks that are dead take all; a third one's events find no room, and a test is refused by name. */
static void test_a_full_quota(void **state) {
    struct store_fixture *fixture = *state;
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_1");
    create(fixture, "acct_1", "wh_2");
    fire(fixture, "acct_1", ROWS / 2, DATA);
    create(fixture, "acct_1", "wh_3");
    fire(fixture, "acct_1", 3, DATA);
    assert_int_equal(kept_of(fixture, "acct_1").rows, ROWS);
    assert_int_equal(webhook_of(fixture, "acct_1", "wh_3").dropped, 3);
    change(fixture, STORE_WEBHOOK_TEST, "acct_1", "wh_3", "");
    assert_int_equal(code, ERR_CONFLICT);
    assert_true(past);
    read_page(fixture, "acct_1", "wh_1");
    change(fixture, STORE_WEBHOOK_REDELIVER, "acct_1", "wh_1", page[0].id);
    assert_int_equal(code, ERR_CONFLICT);
    assert_true(past);
    deliver(fixture, "acct_1", "wh_1", 0);
    change(fixture, STORE_WEBHOOK_TEST, "acct_1", "wh_3", "");
    assert_int_equal(code, ERR_NONE);
    assert_sums(fixture);
}

/* To deliver once more what made room itself is to ask for what is not there any more. */
static void test_what_is_redelivered_may_be_gone(void **state) {
    struct store_fixture *fixture = *state;
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_1");
    for (int i = 0; i < ROWS; i++) {
        fire(fixture, "acct_1", 1, DATA);
        deliver(fixture, "acct_1", "wh_1", 1);
    }
    read_page(fixture, "acct_1", "wh_1");
    assert_int_equal(page_count, ROWS);
    change(fixture, STORE_WEBHOOK_REDELIVER, "acct_1", "wh_1", page[page_count - 1].id);
    assert_int_equal(code, ERR_NOT_FOUND);
    assert_sums(fixture);
}

static void test_bytes(void **state) {
    struct store_fixture *fixture = *state;
    struct store_quotas quotas = {0};
    char data[4096];
    memset(data, ' ', sizeof(data));
    data[0] = '{';
    data[sizeof(data) - 1] = '}';
    quotas.of[STORE_TIER_FREE][STORE_KEPT_DELIVERIES] = (struct store_amount){0, 3 * sizeof(data)};
    store_set_quotas(fixture->store, &quotas);
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_1");
    fire(fixture, "acct_1", 5, (struct str){data, sizeof(data)});
    struct store_webhook webhook = webhook_of(fixture, "acct_1", "wh_1");
    assert_int_equal(webhook.waiting, 2);
    assert_int_equal(webhook.dropped, 3);
    deliver(fixture, "acct_1", "wh_1", 1000);
    assert_sums(fixture);
    fire(fixture, "acct_1", 5, (struct str){data, sizeof(data)});
    assert_int_equal(webhook_of(fixture, "acct_1", "wh_1").waiting, 2);
    assert_true(kept_of(fixture, "acct_1").bytes <= 3 * (int64_t)sizeof(data));
    assert_sums(fixture);
}

static void test_a_disk_without_room_drops_all(void **state) {
    struct store_fixture *fixture = *state;
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_1");
    store_events_set_off(fixture->store, true);
    fire(fixture, "acct_1", 3, DATA);
    assert_int_equal(kept_of(fixture, "acct_1").rows, 0);
    assert_int_equal(webhook_of(fixture, "acct_1", "wh_1").dropped, 3);
    assert_int_equal(store_counts(fixture->store).deliveries_dropped, 3);
    store_events_set_off(fixture->store, false);
    fire(fixture, "acct_1", 3, DATA);
    assert_int_equal(webhook_of(fixture, "acct_1", "wh_1").waiting, 3);
    assert_sums(fixture);
}

static void on_purged(void *context, bool more, const struct err *err) {
    assert_null(err);
    *(bool *)context = more;
}

static void test_what_deletes_frees(void **state) {
    struct store_fixture *fixture = *state;
    bool more = true;
    store_fixture_start(fixture);
    create(fixture, "acct_1", "wh_1");
    create(fixture, "acct_1", "wh_2");
    create(fixture, "acct_2", "wh_3");
    fire(fixture, "acct_1", 3, DATA);
    fire(fixture, "acct_2", 1, DATA);
    deliver(fixture, "acct_1", "wh_1", 50);
    change(fixture, STORE_WEBHOOK_DELETE, "acct_1", "wh_2", "");
    while (more) {
        store_deliveries_purge(fixture->store, NOON_MS, on_purged, &more);
        turn(fixture);
    }
    assert_int_equal(kept_of(fixture, "acct_1").rows, 3);
    assert_sums(fixture);
    store_deliveries_purge(fixture->store, NOON_MS + 1, on_purged, &more);
    turn(fixture);
    for (int i = 1; i <= 2; i++) {
        const struct store_amount kept = kept_of(fixture, i == 1 ? "acct_1" : "acct_2");
        assert_int_equal(kept.rows, 0);
        assert_int_equal(kept.bytes, 0);
    }
    assert_sums(fixture);
}

#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ROOM_TEST(test_a_dead_webhook_has_half),
        ROOM_TEST(test_what_has_ended_makes_room),
        ROOM_TEST(test_a_full_quota),
        ROOM_TEST(test_what_is_redelivered_may_be_gone),
        ROOM_TEST(test_bytes),
        ROOM_TEST(test_a_disk_without_room_drops_all),
        ROOM_TEST(test_what_deletes_frees),
    };
    return STORE_CONTRACT_RUN(tests);
}
