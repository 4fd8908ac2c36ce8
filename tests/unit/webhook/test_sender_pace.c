/* How much goes to one webhook and to all of them at once, in which order, and whom a slow one holds up: nobody. */
#include "unit/webhook/sender_fixture.h"

#include "webhook/pace.h"
#include "webhook/shares.h"

enum { ALL_AT_ONCE = 256, MANY_HOOKS = 18, MANY_EVENTS = 30 };

static uint64_t delivered(const struct sender_fixture *fixture) {
    return webhook_sender_counts(fixture->sender).delivered;
}

static void one_more_at_once_with_each_that_is_taken(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture), events = 40;
    fixture->answers[hook].how = ANSWER_HOLD;
    fire_together(fixture, hook, events);
    for (unsigned released = 0; released < events; released++) {
        const unsigned limit = released + WEBHOOK_PACE_START, left = events - released;
        const unsigned most = limit < WEBHOOK_PACE_MAX ? limit : WEBHOOK_PACE_MAX;
        NET_UNTIL(&fixture->net, fixture->running[hook] == (left < most ? left : most));
        assert_true(release(fixture, hook, 204));
        NET_UNTIL(&fixture->net, delivered(fixture) == released + 1);
    }
    settle(fixture);
    assert_int_equal(fixture->most[hook], WEBHOOK_PACE_MAX);
    assert_int_equal(fixture->came_count, events);
}

static void a_slow_one_is_asked_less(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire_together(fixture, hook, 20);
    for (unsigned i = 0; i < 6; i++) { /* so that eight go at once */
        NET_UNTIL(&fixture->net, fixture->running[hook] == WEBHOOK_PACE_START + i);
        assert_true(release(fixture, hook, 204));
        NET_UNTIL(&fixture->net, delivered(fixture) == i + 1);
    }
    NET_UNTIL(&fixture->net, fixture->running[hook] == 8);
    assert_true(release(fixture, hook, 504));
    NET_UNTIL(&fixture->net, webhook_sender_counts(fixture->sender).retried == 1);
    while (release(fixture, hook, 500)) { /* not taken, but not slow either */
    }
    NET_UNTIL(&fixture->net, webhook_sender_counts(fixture->sender).running == 0);
    pass(fixture, WEBHOOK_PAUSE_MIN_MS - 1);
    assert_int_equal(fixture->came_count, 14);
    fixture->most[hook] = 0;
    pass(fixture, 1);
    NET_UNTIL(&fixture->net, fixture->running[hook] == 4);
    settle(fixture);
    assert_int_equal(fixture->came_count, 18);
    assert_int_equal(fixture->most[hook], 4);
}

static void pauses_grow_while_it_stays_slow(void **state) {
    static const int64_t PAUSES_MS[] = {4000, 8000, 16000};
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].status = 429;
    fire_together(fixture, hook, 8);
    size_t came = WEBHOOK_PACE_START;
    NET_UNTIL(&fixture->net, webhook_sender_counts(fixture->sender).retried == came);
    pass(fixture, 2000 - 1); /* two slow answers are two steps */
    assert_int_equal(fixture->came_count, came);
    pass(fixture, 1);
    for (size_t i = 0; i < COUNT_OF(PAUSES_MS); i++) { /* one at a time now */
        came++;
        NET_UNTIL(&fixture->net, webhook_sender_counts(fixture->sender).retried == came);
        pass(fixture, PAUSES_MS[i] - 1);
        assert_int_equal(fixture->came_count, came);
        pass(fixture, 1);
    }
    read_page(fixture, hook); /* newest first */
    for (size_t i = WEBHOOK_PACE_START; i < came; i++) {
        assert_string_equal(fixture->came[i].event_id, fixture->page[fixture->page_count - 1 - i].event_id);
    }
}

static void others_are_not_held_up(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hangs = add_hook(fixture), works = add_hook(fixture);
    fixture->answers[hangs].how = ANSWER_HOLD;
    fire(fixture, hangs, 3);
    NET_UNTIL(&fixture->net, fixture->running[hangs] > 0);
    fire(fixture, works, 5);
    NET_UNTIL(&fixture->net, delivered(fixture) == 5);
    read_page(fixture, hangs);
    for (size_t i = 0; i < fixture->page_count; i++) {
        assert_int_equal(fixture->page[i].attempts, 0);
    }
}

static void expect_most(struct sender_fixture *fixture, unsigned hooks, unsigned most) {
    for (unsigned hook = 0; hook < hooks; hook++) {
        assert_int_equal(add_hook(fixture), hook);
        fixture->answers[hook].how = ANSWER_HOLD;
    }
    sender_close(fixture);
    for (unsigned hook = 0; hook < hooks; hook++) {
        fire(fixture, hook, MANY_EVENTS);
    }
    sender_open(fixture, 0);
    sender_ring(fixture);
    uint64_t released = 0;
    for (unsigned hook = 0; released < (uint64_t)hooks * MANY_EVENTS; hook = (hook + 1) % hooks) {
        if (hook == 0) {
            NET_UNTIL(&fixture->net, fixture->all > 0);
            settle(fixture);
        }
        released += release(fixture, hook, 204);
        uv_run(loop_uv(fixture->net.loop), UV_RUN_NOWAIT);
    }
    NET_UNTIL(&fixture->net, delivered(fixture) == (uint64_t)hooks * MANY_EVENTS);
    assert_int_equal(fixture->came_count, hooks * MANY_EVENTS);
    assert_int_equal(fixture->most_of_all, most);
}

/* Sixteen webhooks of one account together never get more than its part, and everything comes in the end. */
static void bound_on_one_account(void **state) {
    expect_most(*state, STORE_WEBHOOKS_MAX, ALL_AT_ONCE / WEBHOOK_SHARE_PART);
}

/* An account that has all its part under way, however long its servers take, leaves room for others. */
static void other_accounts_are_not_held_up(void **state) {
    struct sender_fixture *fixture = *state;
    for (unsigned hook = 0; hook < MANY_HOOKS; hook++) {
        assert_int_equal(add_hook(fixture), hook);
        fixture->answers[hook].how = hook < STORE_WEBHOOKS_MAX ? ANSWER_HOLD : ANSWER_STATUS;
        fixture->answers[hook].status = 204;
    }
    sender_close(fixture);
    for (unsigned hook = 0; hook < STORE_WEBHOOKS_MAX; hook++) {
        fire(fixture, hook, MANY_EVENTS);
    }
    sender_open(fixture, 0);
    sender_ring(fixture);
    NET_UNTIL(&fixture->net, fixture->all == STORE_WEBHOOKS_MAX * WEBHOOK_PACE_START);
    settle(fixture);
    for (unsigned hook = STORE_WEBHOOKS_MAX; hook < MANY_HOOKS; hook++) {
        fire(fixture, hook, MANY_EVENTS);
    }
    NET_UNTIL(&fixture->net, delivered(fixture) == (uint64_t)(MANY_HOOKS - STORE_WEBHOOKS_MAX) * MANY_EVENTS);
    assert_int_equal(fixture->all, STORE_WEBHOOKS_MAX * WEBHOOK_PACE_START);
}

static void paused_nothing_is_sent(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire(fixture, hook, 1);
    NET_UNTIL(&fixture->net, fixture->running[hook] == 1);
    webhook_sender_pause(fixture->sender, true);
    assert_true(webhook_sender_counts(fixture->sender).paused);
    fire(fixture, hook, 5);
    pass(fixture, 120 * 1000);
    assert_true(release(fixture, hook, 204)); /* what was under way is told, without the answer's text */
    NET_UNTIL(&fixture->net, delivered(fixture) == 1);
    settle(fixture);
    assert_int_equal(fixture->came_count, 1);
    read_page(fixture, hook);
    assert_int_equal(fixture->page_count, 6);
    assert_int_equal(fixture->page[5].state, STORE_DELIVERY_DELIVERED);
    assert_string_equal(fixture->page[5].response, "");
    fixture->answers[hook] = (struct answers){ANSWER_STATUS, 204};
    webhook_sender_pause(fixture->sender, false);
    pass(fixture, 0);
    NET_UNTIL(&fixture->net, delivered(fixture) == 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SENDER_TEST(one_more_at_once_with_each_that_is_taken),
        SENDER_TEST(a_slow_one_is_asked_less),
        SENDER_TEST(pauses_grow_while_it_stays_slow),
        SENDER_TEST(others_are_not_held_up),
        SENDER_TEST(bound_on_one_account),
        SENDER_TEST(other_accounts_are_not_held_up),
        SENDER_TEST(paused_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
