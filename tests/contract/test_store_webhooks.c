/* Webhooks, as every backend of store/webhooks.h and deliveries.h must keep them. */
#include "base/mem.h"
#include "store/admin.h"
#include "store/deliveries.h"
#include "store/driver.h"
#include "store/run.h"
#include "store/task.h"
#include "support/store_fixture.h"

enum { CHARGE_NANO = 1000, START_NANO = 10000 };
static const int64_t noon_ms = INT64_C(1767225600000); /* 2026-01-01 */
static const int64_t month_ms = INT64_C(31) * 24 * 3600 * 1000;

static int changes; /* told by store_deliveries_watch */
static int64_t changed_webhook;

static void on_change(void *context, int64_t webhook) {
    (void)context;
    changes++;
    changed_webhook = webhook;
}

static void create_account(struct store_fixture *fixture, const char *id, const char *key_id) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "cli",
                                        .key_count = 1,
                                        .amount_nano = START_NANO,
                                        .now_ms = noon_ms};
    admin.account = store_fixture_account(id, false);
    admin.keys[0] = store_fixture_key(key_id, "", STORE_KEY_LIVE);
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create_account(fixture, "acct_1", "key_1");
    create_account(fixture, "acct_2", "key_2");
    store_fixture_start(fixture);
    changes = 0;
    store_deliveries_watch(fixture->store, on_change, NULL);
    return 0;
}

/* --- One call at a time --- */

static struct store_webhook_result changed;
static enum err_code code;
static char field[ERR_FIELD_MAX];

static void keep_err(const struct err *err) {
    code = err == NULL ? ERR_NONE : err->code;
    str_copy(field, sizeof(field), str_from(err == NULL ? "" : err->field));
}

static void on_changed(void *context, const struct store_webhook_result *result, const struct err *err) {
    (void)context;
    keep_err(err);
    if (result != NULL) {
        changed = *result;
    }
}

static void run_change(struct store_fixture *fixture, struct store_webhook_change *change, enum err_code expected) {
    change->now_ms = change->now_ms != 0 ? change->now_ms : noon_ms;
    store_webhook_change(fixture->store, change, on_changed, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, expected);
}

static struct store_webhook_change about(enum store_webhook_change_kind kind, const char *account, const char *id) {
    struct store_webhook_change change = {.kind = kind};
    str_copy(change.webhook.account_id, STORE_ID_MAX, str_from(account));
    str_copy(change.webhook.id, STORE_ID_MAX, str_from(id));
    return change;
}

static struct store_webhook create(struct store_fixture *fixture, const char *account, const char *id,
                                   uint32_t events) {
    struct store_webhook_change change = about(STORE_WEBHOOK_CREATE, account, id);
    str_copy(change.webhook.url, sizeof(change.webhook.url), STR("https://example.com/"));
    memset(change.webhook.secret, 7, sizeof(change.webhook.secret));
    change.webhook.events = events;
    change.webhook.balance_nano = START_NANO - CHARGE_NANO;
    change.webhook.usage_nano[0] = 2 * CHARGE_NANO;
    change.webhook.usage_nano[1] = 3 * CHARGE_NANO + 1;
    change.webhook.usage_count = 2;
    change.webhook.created_ms = noon_ms;
    run_change(fixture, &change, ERR_NONE);
    return changed.webhook;
}

static struct store_due *due;

static void on_due(void *context, struct store_due *found, const struct err *err) {
    (void)context;
    keep_err(err);
    due = found;
}

static struct store_due *ask_due(struct store_fixture *fixture, struct store_due_query query) {
    query.limit = query.limit != 0 ? query.limit : 100;
    query.bytes = 1 << 20;
    store_due_free(due);
    due = NULL;
    store_deliveries_due(fixture->store, &query, on_due, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, ERR_NONE);
    return due;
}

static struct store_delivery page[16];
static size_t page_count;
static bool page_more;

static void on_page(void *context, const struct store_delivery *deliveries, size_t count, bool more,
                    const struct err *err) {
    (void)context;
    keep_err(err);
    page_more = more;
    page_count = count;
    assert_true(count <= COUNT_OF(page));
    for (size_t i = 0; i < count; i++) {
        page[i] = deliveries[i];
    }
}

static void ask_page(struct store_fixture *fixture, const char *account, const char *id, const char *after,
                     unsigned limit) {
    store_deliveries_read(fixture->store, account, id, after, limit, on_page, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static int teardown(void **state) {
    store_due_free(due);
    due = NULL;
    return store_fixture_teardown(state);
}

static void on_durable(void *context, const struct err *err) {
    (void)context;
    keep_err(err);
}

static void settle(struct store_fixture *fixture, uint32_t number, int64_t created_ms) {
    struct store_settlement settlement = {.generation = store_fixture_job(number)};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = CHARGE_NANO;
    settlement.generation.created_ms = created_ms;
    store_settle(fixture->store, &settlement, on_durable, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, ERR_NONE);
}

static void end_attempt(struct store_fixture *fixture, struct store_attempt attempt) {
    store_attempt_end(fixture->store, &attempt, on_durable, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, ERR_NONE);
}

/* An event in a transaction of its own. */
struct event_task {
    struct store_task task;
    struct store_event event;
    bool fails; /* after the event */
};

static bool event_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct event_task *self = (const struct event_task *)task;
    return connection->driver->events->add(connection, &self->event, err) &&
           (!self->fails || err_set(err, ERR_INTERNAL, "the power went away"));
}

static void event_answer(struct store_task *task, const struct err *err) {
    (void)task;
    keep_err(err);
}

static void add_event(struct store_fixture *fixture, const char *account, enum store_event_kind kind, bool fails) {
    static const struct store_task_kind event_kind = {.write = event_write, .answer = event_answer};
    struct event_task *self = MEM_NEW(struct event_task);
    self->task.kind = &event_kind;
    self->event = (struct store_event){account, kind, noon_ms, STR("{\"a\":1}")};
    self->fails = fails;
    store_task_run(fixture->store, &self->task);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

/* --- Tests --- */

static const uint32_t all_events = (1U << STORE_EVENT_KINDS) - 2;

static void test_endpoints(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_webhook made = create(fixture, "acct_1", "wh_1", 1U << STORE_EVENT_JOB_FAILED);
    assert_string_equal(made.url, "https://example.com/");
    assert_int_equal(made.usage_count, 2);
    assert_int_equal(made.usage_nano[1], 3 * CHARGE_NANO + 1);
    assert_int_equal(made.state, STORE_WEBHOOK_ENABLED);
    struct store_webhook_change change = about(STORE_WEBHOOK_UPDATE, "acct_1", "wh_1");
    change.set_description = change.set_usage = true;
    str_copy(change.webhook.description, STORE_NAME_MAX, STR("new"));
    run_change(fixture, &change, ERR_NONE);
    assert_string_equal(changed.webhook.description, "new");
    assert_int_equal(changed.webhook.usage_count, 0);
    assert_int_equal(changed.webhook.events, 1U << STORE_EVENT_JOB_FAILED);
    assert_int_equal(changed_webhook, made.number);
    change = about(STORE_WEBHOOK_ROTATE, "acct_1", "wh_1");
    memset(change.webhook.secret, 9, sizeof(change.webhook.secret));
    run_change(fixture, &change, ERR_NONE);
    assert_memory_equal(changed.webhook.old_secret, made.secret, sizeof(made.secret));
    assert_int_equal(changed.webhook.secret[0], 9);
    assert_int_equal(changed.webhook.old_until_ms, noon_ms + STORE_WEBHOOK_ROTATION_MS);
    change = about(STORE_WEBHOOK_DELETE, "acct_1", "wh_1");
    run_change(fixture, &change, ERR_NONE);
    run_change(fixture, &change, ERR_NOT_FOUND);
}

static void test_of_somebody_else(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_1", all_events);
    for (int kind = STORE_WEBHOOK_UPDATE; kind <= STORE_WEBHOOK_REDELIVER; kind++) {
        struct store_webhook_change change = about((enum store_webhook_change_kind)kind, "acct_2", "wh_1");
        run_change(fixture, &change, ERR_NOT_FOUND);
    }
    ask_page(fixture, "acct_2", "wh_1", "", 10);
    assert_int_equal(code, ERR_NOT_FOUND);
}

static void test_too_many(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char id[STORE_ID_MAX];
    for (int i = 0; i < STORE_WEBHOOKS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "wh_%d", i);
        create(fixture, "acct_1", id, all_events);
    }
    struct store_webhook_change change = about(STORE_WEBHOOK_CREATE, "acct_1", "wh_x");
    run_change(fixture, &change, ERR_CONFLICT);
    create(fixture, "acct_2", "wh_y", all_events);
}

static void test_events_and_filters(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_all", all_events);
    create(fixture, "acct_1", "wh_failed", 1U << STORE_EVENT_JOB_FAILED);
    changes = 0;
    add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, false);
    assert_int_equal(changes, 1);
    assert_int_equal(changed_webhook, 0);
    add_event(fixture, "acct_2", STORE_EVENT_JOB_COMPLETED, false); /* nobody wants it */
    assert_int_equal(changes, 1);
    add_event(fixture, "acct_1", STORE_EVENT_JOB_FAILED, false);
    const struct store_due *found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms});
    assert_int_equal(found->count, 2);
    assert_int_equal(found->webhooks[0].count, 2);
    assert_int_equal(found->webhooks[1].count, 1);
    assert_string_equal(found->webhooks[0].deliveries[1].event_id, found->webhooks[1].deliveries[0].event_id);
    assert_true(
        str_equal_cstr(found->webhooks[1].deliveries[0].body,
                       "{\"type\":\"job.failed\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"data\":{\"a\":1}}"));
}

static void test_an_event_goes_with_its_transaction(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_1", all_events);
    add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, true);
    assert_int_equal(code, ERR_INTERNAL);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    assert_int_equal(ask_due(fixture, (struct store_due_query){.now_ms = noon_ms})->count, 0);
    add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, false);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    assert_int_equal(ask_due(fixture, (struct store_due_query){.now_ms = noon_ms})->count, 1);
}

static void test_attempts(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_webhook webhook = create(fixture, "acct_1", "wh_1", all_events);
    add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, false);
    const struct store_due *found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms});
    struct store_attempt attempt = {.delivery = found->webhooks[0].deliveries[0].number,
                                    .webhook = webhook.number,
                                    .state = STORE_DELIVERY_WAITING,
                                    .attempts = 1,
                                    .due_ms = noon_ms + 5000,
                                    .tried_ms = noon_ms,
                                    .status = 500,
                                    .response_len = 3,
                                    .response = "no!"};
    end_attempt(fixture, attempt);
    found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms + 4999});
    assert_int_equal(found->count, 0);
    assert_int_equal(found->next_ms, noon_ms + 5000);
    found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms + 5000});
    assert_int_equal(found->webhooks[0].deliveries[0].attempts, 1);
    attempt.attempts = 2;
    attempt.gone = true;
    attempt.state = STORE_DELIVERY_FAILED;
    attempt.status = 410;
    end_attempt(fixture, attempt);
    ask_page(fixture, "acct_1", "wh_1", "", 10);
    assert_int_equal(page_count, 1);
    assert_int_equal(page[0].status, 410);
    assert_string_equal(page[0].response, "no!");
    assert_int_equal(page[0].state, STORE_DELIVERY_FAILED);
    struct store_webhook_change change = about(STORE_WEBHOOK_TEST, "acct_1", "wh_1");
    run_change(fixture, &change, ERR_CONFLICT); /* it is gone */
    add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, false);
    ask_page(fixture, "acct_1", "wh_1", "", 10);
    assert_int_equal(page_count, 1);
}

static void test_what_is_asked_for(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_1", 1U << STORE_EVENT_JOB_FAILED);
    create(fixture, "acct_1", "wh_2", all_events);
    struct store_webhook_change change = about(STORE_WEBHOOK_TEST, "acct_1", "wh_1");
    run_change(fixture, &change, ERR_NONE);
    const struct store_delivery first = changed.delivery;
    assert_true(first.asked && first.kind == STORE_EVENT_TEST && first.state == STORE_DELIVERY_WAITING);
    change = about(STORE_WEBHOOK_REDELIVER, "acct_1", "wh_1");
    str_copy(change.delivery_id, STORE_ID_MAX, str_from(first.id));
    for (int i = 1; i < STORE_WEBHOOK_ASKED_MAX; i++) {
        run_change(fixture, &change, ERR_NONE);
        assert_string_equal(changed.delivery.event_id, first.event_id);
    }
    run_change(fixture, &change, ERR_CONFLICT);
    assert_string_equal(field, "rate");
    change.now_ms = noon_ms + STORE_WEBHOOK_ASKED_MS;
    run_change(fixture, &change, ERR_NONE);
    ask_page(fixture, "acct_1", "wh_1", "", 4);
    assert_int_equal(page_count, 4);
    assert_true(page_more);
    ask_page(fixture, "acct_1", "wh_1", page[3].id, 16);
    assert_int_equal(page_count, 7);
    assert_false(page_more);
    assert_string_equal(page[6].id, first.id);
    ask_page(fixture, "acct_1", "wh_2", "", 4);
    assert_int_equal(page_count, 0);
    ask_page(fixture, "acct_1", "wh_2", first.id, 4); /* another webhook's delivery */
    assert_int_equal(code, ERR_NOT_FOUND);
}

/* 10000, and 1000 for each job: below 9000 after the second, 2000 spent then. */
static void test_crossings(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_1", all_events);
    static const size_t told[] = {0, 2, 2, 3, 3}; /* usage reaches 3001 with the fourth */
    for (uint32_t i = 0; i < COUNT_OF(told); i++) {
        settle(fixture, i, noon_ms + i);
        ask_page(fixture, "acct_1", "wh_1", "", 16);
        assert_int_equal(page_count, told[i]);
    }
    assert_int_equal(page[2].kind, STORE_EVENT_BALANCE_LOW);
    assert_int_equal(page[1].kind, STORE_EVENT_USAGE_THRESHOLD);
    assert_int_equal(page[0].kind, STORE_EVENT_USAGE_THRESHOLD);
    const struct store_due *found = ask_due(fixture, (struct store_due_query){.now_ms = INT64_MAX});
    assert_true(str_equal_cstr(found->webhooks[0].deliveries[0].body,
                               "{\"type\":\"balance.low\",\"timestamp\":\"2026-01-01T00:00:00.005Z\",\"data\":{"
                               "\"threshold_usd\":0.000009,\"balance_usd\":0.000008}}"));
    assert_true(str_equal_cstr(
        found->webhooks[0].deliveries[2].body,
        "{\"type\":\"usage.threshold\",\"timestamp\":\"2026-01-01T00:00:00.007Z\",\"data\":{"
        "\"threshold_usd\":0.000003001,\"spent_usd\":0.000004,\"period_start\":\"2026-01-01T00:00:00.000Z\","
        "\"period_end\":\"2026-01-31T23:59:59.000Z\"}}"));
}

/* Another month, a start anew, and what was spent before the threshold was set. */
static void test_months(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    settle(fixture, 0, noon_ms);
    create(fixture, "acct_1", "wh_1", 1U << STORE_EVENT_USAGE_THRESHOLD);
    settle(fixture, 1, noon_ms + 1);
    ask_page(fixture, "acct_1", "wh_1", "", 16);
    assert_int_equal(page_count, 1); /* 2000, of which 1000 before */
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    settle(fixture, 2, noon_ms + 2);
    ask_page(fixture, "acct_1", "wh_1", "", 16);
    assert_int_equal(page_count, 1);
    settle(fixture, 3, noon_ms + month_ms);
    settle(fixture, 4, noon_ms + 3); /* late: it counts in the month that is over */
    ask_page(fixture, "acct_1", "wh_1", "", 16);
    assert_int_equal(page_count, 1);
    settle(fixture, 5, noon_ms + month_ms + 1);
    ask_page(fixture, "acct_1", "wh_1", "", 16);
    assert_int_equal(page_count, 2);
}

static void test_rearmed(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_1", 1U << STORE_EVENT_BALANCE_LOW);
    settle(fixture, 0, noon_ms);
    settle(fixture, 1, noon_ms);
    struct store_admin grant = {
        .kind = STORE_ADMIN_CREDIT_GRANT, .actor = "cli", .amount_nano = CHARGE_NANO, .now_ms = noon_ms};
    str_copy(grant.account.id, STORE_ID_MAX, STR("acct_1"));
    str_copy(grant.note, STORE_NAME_MAX, STR("more"));
    store_fixture_reopen(fixture);
    struct store_admin result;
    assert_true(store_admin_now(fixture->store, &grant, &result, &fixture->err));
    store_fixture_start(fixture);
    settle(fixture, 2, noon_ms);
    settle(fixture, 3, noon_ms);
    ask_page(fixture, "acct_1", "wh_1", "", 16);
    assert_int_equal(page_count, 2);
}

static void test_due_in_pieces(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    const struct store_webhook one = create(fixture, "acct_1", "wh_1", all_events);
    const struct store_webhook two = create(fixture, "acct_1", "wh_2", all_events);
    const struct store_webhook three = create(fixture, "acct_2", "wh_3", all_events);
    for (int i = 0; i < 3; i++) {
        add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, false);
        add_event(fixture, "acct_2", STORE_EVENT_JOB_COMPLETED, false);
    }
    const struct store_due *found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms, .limit = 4});
    assert_int_equal(found->count, 2);
    assert_int_equal(found->webhooks[0].count + found->webhooks[1].count, 4);
    assert_int_equal(found->resume, two.number);
    found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms, .after = two.number});
    assert_int_equal(found->count, 1);
    assert_int_equal(found->webhooks[0].number, three.number);
    assert_int_equal(found->resume, 0);
    const int64_t except[] = {one.number, three.number};
    found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms, .except = except, .except_count = 2});
    assert_int_equal(found->count, 1);
    assert_int_equal(found->webhooks[0].number, two.number);
    struct store_webhook_change change = about(STORE_WEBHOOK_UPDATE, "acct_1", "wh_2");
    change.set_state = true;
    change.webhook.state = STORE_WEBHOOK_DISABLED;
    run_change(fixture, &change, ERR_NONE);
    found = ask_due(fixture, (struct store_due_query){.now_ms = noon_ms});
    assert_int_equal(found->count, 2);
}

static bool purge_more;

static void on_purged(void *context, bool more, const struct err *err) {
    (void)context;
    keep_err(err);
    purge_more = more;
}

static void purge(struct store_fixture *fixture, int64_t before_ms) {
    store_deliveries_purge(fixture->store, before_ms, on_purged, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, ERR_NONE);
    assert_false(purge_more);
}

static void test_purge(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    create(fixture, "acct_1", "wh_1", all_events);
    create(fixture, "acct_1", "wh_2", all_events);
    add_event(fixture, "acct_1", STORE_EVENT_JOB_COMPLETED, false);
    purge(fixture, noon_ms);
    ask_page(fixture, "acct_1", "wh_1", "", 16);
    assert_int_equal(page_count, 1);
    struct store_webhook_change change = about(STORE_WEBHOOK_DELETE, "acct_1", "wh_1");
    run_change(fixture, &change, ERR_NONE);
    purge(fixture, noon_ms);
    ask_page(fixture, "acct_1", "wh_2", "", 16);
    assert_int_equal(page_count, 1);
    purge(fixture, noon_ms + 1);
    ask_page(fixture, "acct_1", "wh_2", "", 16);
    assert_int_equal(page_count, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_endpoints),
        TEST(test_of_somebody_else),
        TEST(test_too_many),
        TEST(test_events_and_filters),
        TEST(test_an_event_goes_with_its_transaction),
        TEST(test_attempts),
        TEST(test_what_is_asked_for),
        TEST(test_crossings),
        TEST(test_months),
        TEST(test_rearmed),
        TEST(test_due_in_pieces),
        TEST(test_purge),
    };
    return STORE_CONTRACT_RUN(tests);
}
