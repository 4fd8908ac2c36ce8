/* What is sent to a webhook, what becomes of each answer, and that nothing is lost at a stop. */
#include "unit/webhook/sender_fixture.h"

#include "webhook/retry.h"

enum { HOUR_MS = 60 * 60 * 1000 };

/* --- What is sent --- */

static void check_signature(const struct came *came, const uint8_t secret[WEBHOOK_KEY_SIZE], bool first) {
    char expected[WEBHOOK_SIGNATURE_SIZE];
    webhook_sign(secret, came->event_id, came->timestamp_s, str_from(came->body), expected);
    const char *at = strstr(came->signatures, expected);
    assert_non_null(at);
    assert_true(first == (at == came->signatures));
}

static void an_event_is_delivered_and_signed(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fire(fixture, hook, 1);
    const struct store_delivery *delivery = attempted(fixture, hook, 1);
    const struct came *came = &fixture->came[0];
    assert_int_equal(fixture->came_count, 1);
    assert_string_equal(came->event_id, delivery->event_id);
    assert_int_equal(came->timestamp_s, fixture_wall_ms(fixture) / 1000);
    assert_non_null(strstr(came->body, "\"type\":\"test\""));
    assert_int_equal(strlen(came->signatures), WEBHOOK_SIGNATURE_SIZE - 1); /* one */
    check_signature(came, fixture->hooks[hook].secret, true);
    assert_int_equal(delivery->state, STORE_DELIVERY_DELIVERED);
    assert_int_equal(delivery->status, 204);
    assert_int_equal(delivery->tried_ms, fixture_wall_ms(fixture));
    assert_string_equal(delivery->note, "");
    const struct webhook_counts counts = webhook_sender_counts(fixture->sender);
    assert_int_equal(counts.delivered, 1);
    assert_int_equal(counts.failed + counts.retried + counts.running, 0);
}

static void both_secrets_sign_while_they_change(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    struct store_webhook_change rotate = about(fixture, hook, STORE_WEBHOOK_ROTATE);
    uint8_t fresh[WEBHOOK_KEY_SIZE];
    memset(fresh, 77, sizeof(fresh));
    memcpy(rotate.webhook.secret, fresh, sizeof(fresh));
    change_wait(fixture, &rotate);
    fire(fixture, hook, 1);
    (void)attempted(fixture, hook, 1);
    assert_int_equal(strlen(fixture->came[0].signatures), 2 * (WEBHOOK_SIGNATURE_SIZE - 1) + 1);
    check_signature(&fixture->came[0], fresh, true);
    check_signature(&fixture->came[0], fixture->hooks[hook].secret, false);
    pass(fixture, STORE_WEBHOOK_ROTATION_MS);
    fire(fixture, hook, 1);
    (void)attempted(fixture, hook, 1);
    assert_int_equal(strlen(fixture->came[1].signatures), WEBHOOK_SIGNATURE_SIZE - 1);
    check_signature(&fixture->came[1], fresh, true);
}

/* --- What is not taken --- */

static void attempts_are_spread_over_three_days_and_then_given_up(void **state) {
    static const int64_t waits_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].status = 500;
    fire(fixture, hook, 1);
    for (uint32_t i = 0; i < COUNT_OF(waits_s); i++) {
        const struct store_delivery delivery = *attempted(fixture, hook, i + 1);
        const int64_t wait_ms = delivery.due_ms - delivery.tried_ms;
        assert_int_equal(delivery.state, STORE_DELIVERY_WAITING);
        assert_in_range(wait_ms, waits_s[i] * 900, waits_s[i] * 1100);
        assert_int_equal(fixture->came_count, i + 1);
        pass(fixture, wait_ms - 1);
        settle(fixture);
        assert_int_equal(fixture->came_count, i + 1); /* not sooner */
        pass(fixture, 1);
    }
    const struct store_delivery *last = attempted(fixture, hook, WEBHOOK_ATTEMPTS_MAX);
    assert_int_equal(last->state, STORE_DELIVERY_FAILED);
    assert_string_equal(last->response, "so it is");
    pass(fixture, INT64_C(48) * HOUR_MS);
    assert_int_equal(fixture->came_count, WEBHOOK_ATTEMPTS_MAX);
    assert_int_equal(webhook_sender_counts(fixture->sender).retried, WEBHOOK_ATTEMPTS_MAX - 1);
    assert_int_equal(webhook_sender_counts(fixture->sender).failed, 1);
    for (size_t i = 1; i < fixture->came_count; i++) {
        assert_string_equal(fixture->came[i].event_id, fixture->came[0].event_id);
        assert_true(fixture->came[i].timestamp_s > fixture->came[i - 1].timestamp_s);
    }
}

static void taken_in_the_end(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook] = (struct answers){ANSWER_BREAK, 0};
    fire(fixture, hook, 1);
    const struct store_delivery *first = attempted(fixture, hook, 1);
    assert_int_equal(first->state, STORE_DELIVERY_WAITING);
    assert_int_equal(first->status, 0);
    assert_true(first->note[0] != '\0');
    fixture->answers[hook] = (struct answers){ANSWER_STATUS, 200};
    pass(fixture, 6000);
    assert_int_equal(attempted(fixture, hook, 2)->state, STORE_DELIVERY_DELIVERED);
}

static void a_receiver_that_hangs(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    sender_close(fixture);
    sender_open(fixture, 20);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire(fixture, hook, 1);
    const struct store_delivery *delivery = attempted(fixture, hook, 1);
    assert_int_equal(delivery->state, STORE_DELIVERY_WAITING);
    assert_string_equal(delivery->note, "there was no whole answer within 0.02 seconds");
    NET_UNTIL(&fixture->net, fixture->came[0].held == NULL); /* its connection is closed */
    fire(fixture, hook, 1);
    settle(fixture);
    assert_int_equal(fixture->came_count, 1); /* it is asked less: not even the next event comes at once */
    fixture->answers[hook].how = ANSWER_STATUS;
    pass(fixture, 1000);
    assert_int_equal(attempted(fixture, hook, 1)->state, STORE_DELIVERY_DELIVERED);
}

static void redirects_and_answers_without_end(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned redirects = add_hook(fixture), endless = add_hook(fixture);
    fixture->answers[redirects].how = ANSWER_REDIRECT;
    fixture->answers[endless].how = ANSWER_WITHOUT_END;
    fire(fixture, redirects, 1);
    fire(fixture, endless, 1);
    const struct store_delivery *delivery = attempted(fixture, redirects, 1);
    assert_int_equal(delivery->state, STORE_DELIVERY_WAITING);
    assert_int_equal(delivery->status, 308);
    assert_string_equal(delivery->note, "redirects are not followed");
    delivery = attempted(fixture, endless, 1);
    assert_int_equal(delivery->state, STORE_DELIVERY_DELIVERED);
    assert_int_equal(strlen(delivery->response), STORE_DELIVERY_RESPONSE_MAX);
    assert_int_equal(fixture->came_count, 2);
}

static void patience_that_is_asked_for(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook] = (struct answers){ANSWER_PATIENCE, 429};
    fire(fixture, hook, 1);
    const struct store_delivery delivery = *attempted(fixture, hook, 1);
    assert_int_equal(delivery.due_ms - delivery.tried_ms, 3000 * 1000);
    fixture->answers[hook] = (struct answers){ANSWER_STATUS, 204};
    pass(fixture, 3000 * 1000 - 1);
    assert_int_equal(fixture->came_count, 1);
    pass(fixture, 1);
    assert_int_equal(attempted(fixture, hook, 2)->state, STORE_DELIVERY_DELIVERED);
}

/* --- Webhooks that change --- */

static void set_state(struct sender_fixture *fixture, unsigned hook, enum store_webhook_state wanted) {
    struct store_webhook_change change = about(fixture, hook, STORE_WEBHOOK_UPDATE);
    change.webhook.state = wanted;
    change.set_state = true;
    change_wait(fixture, &change);
}

static void one_that_is_gone_gets_nothing_more(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire_together(fixture, hook, 4);
    NET_UNTIL(&fixture->net, fixture->running[hook] == 2);
    assert_true(release(fixture, hook, 410));
    assert_true(release(fixture, hook, 204));
    fixture->answers[hook].how = ANSWER_STATUS;
    do {
        read_page(fixture, hook);
    } while (fixture->page[2].attempts == 0 || fixture->page[3].attempts == 0);
    assert_int_equal(fixture->page[3].state, STORE_DELIVERY_FAILED);
    assert_int_equal(fixture->page[2].state, STORE_DELIVERY_DELIVERED);
    pass(fixture, HOUR_MS);
    assert_int_equal(fixture->came_count, 2);
    set_state(fixture, hook, STORE_WEBHOOK_ENABLED); /* by its account */
    assert_int_equal(attempted(fixture, hook, 1)->state, STORE_DELIVERY_DELIVERED);
    NET_UNTIL(&fixture->net, fixture->came_count == 4);
}

static void one_that_is_disabled_waits(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].status = 503;
    fire(fixture, hook, 1);
    (void)attempted(fixture, hook, 1);
    set_state(fixture, hook, STORE_WEBHOOK_DISABLED);
    pass(fixture, HOUR_MS);
    assert_int_equal(fixture->came_count, 1);
    fixture->answers[hook].status = 200;
    set_state(fixture, hook, STORE_WEBHOOK_ENABLED);
    assert_int_equal(attempted(fixture, hook, 2)->state, STORE_DELIVERY_DELIVERED);
}

static void what_waits_in_memory_goes_to_the_new_url(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture), other = add_hook(fixture);
    struct store_webhook_change change = about(fixture, hook, STORE_WEBHOOK_UPDATE);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire_together(fixture, hook, 5);
    NET_UNTIL(&fixture->net, fixture->running[hook] == 2);
    str_copy(change.webhook.url, sizeof(change.webhook.url), str_from(fixture->hooks[other].url));
    change.set_url = true;
    change_wait(fixture, &change);
    while (release(fixture, hook, 204)) {
    }
    NET_UNTIL(&fixture->net, fixture->came_count == 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(fixture->came[i].hook, i < 2 ? hook : other);
    }
    (void)attempted(fixture, hook, 1);
    assert_int_equal(webhook_sender_counts(fixture->sender).delivered, 5);
}

/* --- Stops --- */

static void what_was_under_way_at_a_stop_is_sent_again(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire_together(fixture, hook, 4);
    NET_UNTIL(&fixture->net, fixture->running[hook] == 2);
    assert_int_equal(webhook_sender_counts(fixture->sender).running, 2);
    fixture->answers[hook].how = ANSWER_STATUS;
    sender_close(fixture);
    assert_null(fixture->came[0].held); /* the connections are closed */
    assert_null(fixture->came[1].held);
    sender_open(fixture, 0);
    sender_ring(fixture);
    NET_UNTIL(&fixture->net, webhook_sender_counts(fixture->sender).delivered == 4);
    assert_int_equal(fixture->came_count, 2 + 4);
    assert_string_equal(fixture->came[2].event_id, fixture->came[0].event_id);
    assert_string_equal(fixture->came[3].event_id, fixture->came[1].event_id);
}

static void stopped_while_the_store_has_an_answer_for_it(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fixture->answers[hook].how = ANSWER_HOLD;
    fire(fixture, hook, 1);
    NET_UNTIL(&fixture->net, fixture->running[hook] == 1);
    assert_true(release(fixture, hook, 204));
    NET_UNTIL(&fixture->net, webhook_sender_counts(fixture->sender).delivered == 1);
    pass(fixture, HOUR_MS);
    fixture->passed_ms += HOUR_MS;
    sender_ring(fixture); /* a look and a purge are under way now */
    sender_close(fixture);
    sender_open(fixture, 0);
    read_page(fixture, hook);
    assert_int_equal(fixture->page[0].state, STORE_DELIVERY_DELIVERED);
    assert_int_equal(fixture->came_count, 1);
}

static void the_loops_own_clock(void **state) {
    struct sender_fixture *fixture = *state;
    const struct webhook_sender_options options = {.loop = fixture->net.loop, .store = fixture->store, .lax = true};
    const unsigned hook = add_hook(fixture);
    sender_close(fixture);
    fire(fixture, hook, 1); /* long ago, by the wall clock */
    assert_true(webhook_sender_new(&fixture->sender, &options, NULL));
    assert_int_equal(attempted(fixture, hook, 1)->state, STORE_DELIVERY_DELIVERED);
}

/* --- What is old --- */

static void deliveries_go_after_thirty_days(void **state) {
    struct sender_fixture *fixture = *state;
    const unsigned hook = add_hook(fixture);
    fire(fixture, hook, 1);
    (void)attempted(fixture, hook, 1);
    pass(fixture, INT64_C(28) * 24 * HOUR_MS);
    read_page(fixture, hook);
    assert_int_equal(fixture->page_count, 1);
    pass(fixture, INT64_C(2) * 24 * HOUR_MS);
    read_page(fixture, hook);
    assert_int_equal(fixture->page_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SENDER_TEST(an_event_is_delivered_and_signed),
        SENDER_TEST(both_secrets_sign_while_they_change),
        SENDER_TEST(attempts_are_spread_over_three_days_and_then_given_up),
        SENDER_TEST(taken_in_the_end),
        SENDER_TEST(a_receiver_that_hangs),
        SENDER_TEST(redirects_and_answers_without_end),
        SENDER_TEST(patience_that_is_asked_for),
        SENDER_TEST(one_that_is_gone_gets_nothing_more),
        SENDER_TEST(one_that_is_disabled_waits),
        SENDER_TEST(what_waits_in_memory_goes_to_the_new_url),
        SENDER_TEST(what_was_under_way_at_a_stop_is_sent_again),
        SENDER_TEST(stopped_while_the_store_has_an_answer_for_it),
        SENDER_TEST(the_loops_own_clock),
        SENDER_TEST(deliveries_go_after_thirty_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
