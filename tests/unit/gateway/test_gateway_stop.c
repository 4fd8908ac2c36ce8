/* How a gateway stops: idle, with requests that end in time, with some that do not, and because its store broke. */
#include "gateway/gateway.h"

#include "unit/gateway/gateway_fixture.h"

static void drain(struct gateway_fixture *fixture) {
    gateway_drain(fixture->gateway);
}

static void until_stopped(struct gateway_fixture *fixture) {
    NET_UNTIL(&fixture->net, fixture->gateway == NULL);
    assert_int_equal(fixture->stopped, 1);
}

/* A request is at the device, which does not answer it. */
static void keep_one(struct gateway_fixture *fixture, const char *more) {
    const unsigned generations = fixture->generations;
    fixture->device_keeps = true;
    gateway_fixture_join(fixture);
    gateway_fixture_send_chat(fixture, STORE_KEY_LIVE, "hello", more);
    NET_UNTIL(&fixture->net, fixture->generations > generations);
}

static void reopen(struct gateway_fixture *fixture) {
    struct err err;
    gateway_fixture_stop(fixture);
    fixture->stopped = 0;
    assert_true(gateway_fixture_open(fixture, &err));
}

static void test_an_idle_one(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    drain(fixture);
    until_stopped(fixture);
    assert_int_equal(fixture->stop_reason.code, ERR_NONE);
    assert_true(fixture->device_drained);
}

static void test_its_folder_serves_again(void **state) {
    struct gateway_fixture *fixture = *state;
    reopen(fixture);
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/accounts/acct_1", ""), "\"balance_usd\":5,");
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /v1/models", fixture->keys[STORE_KEY_LIVE], ""),
                               "HTTP/1.1 200 OK");
}

/* What runs may end; nothing new begins. */
static void test_a_request_ends_in_time(void **state) {
    struct gateway_fixture *fixture = *state;
    keep_one(fixture, "");
    drain(fixture);
    NET_UNTIL(&fixture->net, fixture->device_drained);
    assert_int_equal(fixture->stopped, 0);
    gateway_fixture_begin(fixture, "hi");
    gateway_fixture_finish(fixture);
    gateway_fixture_assert_has(gateway_fixture_receive(fixture), "\"content\":\"hi\"");
    until_stopped(fixture);
}

/* The time is over: the client gets its answer, that the gateway stops. */
static void test_a_request_does_not_end_in_time(void **state) {
    struct gateway_fixture *fixture = *state;
    fixture->options.drain_ms = 0;
    reopen(fixture);
    keep_one(fixture, "");
    drain(fixture);
    const char *answer = gateway_fixture_receive(fixture);
    gateway_fixture_assert_has(answer, "HTTP/1.1 503 ");
    gateway_fixture_assert_has(answer, "The gateway is restarting. You were not charged.");
    until_stopped(fixture);
}

/* A test key's request likewise: the sandbox is told to stop. */
static void test_the_sandbox_does_not_end_in_time(void **state) {
    struct gateway_fixture *fixture = *state;
    fixture->options.drain_ms = 0;
    reopen(fixture);
    gateway_fixture_send_chat(fixture, STORE_KEY_TEST, "[[script silent]]", ",\"stream\":true");
    NET_UNTIL(&fixture->net, net_peer_has(&fixture->client, "text/event-stream"));
    drain(fixture);
    gateway_fixture_assert_has(gateway_fixture_receive(fixture), "The gateway is restarting.");
    until_stopped(fixture);
}

/* A second word cuts what is still running. */
static void test_a_second_drain(void **state) {
    struct gateway_fixture *fixture = *state;
    keep_one(fixture, "");
    drain(fixture);
    drain(fixture);
    if (fixture->gateway != NULL) {
        drain(fixture); /* a third changes nothing */
    }
    until_stopped(fixture);
    (void)gateway_fixture_receive(fixture); /* cut or answered, but over */
    assert_null(strstr(buf_cstr(&fixture->client.received), "200 OK"));
}

/* The client goes in the middle of it, and the gateway stops before the device has said its last word. */
static void test_a_client_that_has_gone(void **state) {
    struct gateway_fixture *fixture = *state;
    keep_one(fixture, ",\"stream\":true");
    gateway_fixture_begin(fixture, "hi");
    NET_UNTIL(&fixture->net, net_peer_has(&fixture->client, "\"hi\""));
    net_peer_clear(&fixture->net, &fixture->client);
    NET_UNTIL(&fixture->net, fixture->cancels > 0);
    drain(fixture);
    gateway_fixture_finish(fixture);
    until_stopped(fixture);
}

/* What cannot be recorded must not be acknowledged: it stops by itself, and says why. */
static void test_the_store_breaks(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    assert_int_equal(unlink(fixture->store_path), 0);
    gateway_fixture_send_chat(fixture, STORE_KEY_LIVE, "hello", "");
    until_stopped(fixture);
    assert_int_equal(fixture->stop_reason.code, ERR_IO);
    gateway_fixture_assert_has(gateway_fixture_receive(fixture), "HTTP/1.1 503 ");
}

/* Canaries go to idle devices by themselves, and hold up no stop. */
static void test_canaries_do_not_hold_it_up(void **state) {
    struct gateway_fixture *fixture = *state;
    const uint32_t long_ms = 10 * NET_HANG_MS; /* so long would it take */
    fixture->options.canary_ms = 1;
    fixture->options.drain_ms = fixture->options.core.silence_ms = fixture->options.core.whole_ms = long_ms;
    reopen(fixture);
    fixture->device_keeps = true;
    gateway_fixture_join(fixture);
    NET_UNTIL(&fixture->net, fixture->generations > 0);
    gateway_fixture_begin(fixture, "four");
    drain(fixture);
    until_stopped(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(test_an_idle_one),
        GATEWAY_TEST(test_its_folder_serves_again),
        GATEWAY_TEST(test_a_request_ends_in_time),
        GATEWAY_TEST(test_a_request_does_not_end_in_time),
        GATEWAY_TEST(test_the_sandbox_does_not_end_in_time),
        GATEWAY_TEST(test_a_second_drain),
        GATEWAY_TEST(test_a_client_that_has_gone),
        GATEWAY_TEST(test_the_store_breaks),
        GATEWAY_TEST(test_canaries_do_not_hold_it_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
