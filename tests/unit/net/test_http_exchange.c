/* Answers that come later, in pieces, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/http_fixture.h"

#define HOLD "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
#define HOLD_1_0 "GET /hold HTTP/1.0\r\n\r\n"

static struct http_exchange *hold(struct http_fixture *fixture, const char *request) {
    size_t before = fixture->held_count;
    http_fixture_send(fixture, request);
    NET_UNTIL(&fixture->net, fixture->held_count == before + 1);
    return fixture->held[before];
}

static void lose_client(struct http_fixture *fixture) {
    conn_abort(fixture->client.conn);
    NET_UNTIL(&fixture->net, http_server_connection_count(fixture->server) == 0);
}

static void test_gone_client_is_reported_once(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    hold(fixture, HOLD);
    lose_client(fixture);
    assert_int_equal(fixture->gone, 1);
}

static void test_half_closed_client_is_gone(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    hold(fixture, HOLD);
    conn_close(fixture->client.conn, NET_HANG_MS);
    NET_UNTIL(&fixture->net, fixture->gone == 1);
}

static void test_answered_client_is_never_gone(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_respond(hold(fixture, HOLD), 200, NULL, 0, STR("x"));
    lose_client(fixture);
    assert_int_equal(fixture->gone, 0);
}

static void test_answer_and_loss_in_the_same_turn(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    conn_abort(fixture->client.conn);
    http_respond(exchange, 200, NULL, 0, STR("x"));
    http_respond(exchange, 500, NULL, 0, STR("a second answer changes nothing"));
    NET_UNTIL(&fixture->net, http_server_connection_count(fixture->server) == 0);
    assert_int_equal(fixture->gone, 0);
}

static void test_uninterested_handler_may_answer_a_gone_client(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    http_exchange_on_gone(exchange, NULL, NULL);
    lose_client(fixture);
    assert_int_equal(fixture->gone, 0);
    assert_string_equal(http_exchange_peer(exchange), "");
    assert_int_equal(http_exchange_unsent(exchange), 0);
    assert_true(str_equal_cstr(http_exchange_request(exchange)->path, "/hold"));
    http_stream_begin(exchange, 200, NULL, 0);
    http_stream_write(exchange, STR("x"));
    http_stream_end(exchange);
}

static void test_late_interest_in_a_gone_client(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    http_exchange_on_gone(exchange, NULL, NULL);
    lose_client(fixture);
    http_exchange_on_gone(exchange, http_fixture_on_gone, fixture);
    assert_int_equal(fixture->gone, 0);
    NET_UNTIL(&fixture->net, fixture->gone == 1);
}

static void test_uninterested_handler_outlives_the_server(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    http_exchange_on_gone(exchange, NULL, NULL);
    http_fixture_close_server(fixture);
    http_respond(exchange, 200, NULL, 0, STR("nobody hears it"));
}

static struct http_exchange *answered_by_on_gone;

static void answer_when_gone(void *user) {
    (void)user;
    http_respond(answered_by_on_gone, 200, NULL, 0, STR("nobody hears it"));
}

static void test_answering_within_on_gone_is_harmless(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    answered_by_on_gone = hold(fixture, HOLD);
    http_exchange_on_gone(answered_by_on_gone, answer_when_gone, NULL);
    lose_client(fixture);
}

static void test_client_gone_while_it_sends_its_request(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    http_fixture_settle(fixture);
    lose_client(fixture);
    assert_int_equal(fixture->requests + fixture->refusals + fixture->gone, 0);
}

static void test_stream(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    const struct http_response_header header = {"Content-Type", STR("text/event-stream")};
    http_stream_begin(exchange, 200, &header, 1);
    http_fixture_expect(fixture, "Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n");
    http_stream_write(exchange, STR("data: 1\n\n"));
    http_stream_write(exchange, STR(""));
    http_fixture_expect(fixture, "\r\n\r\n9\r\ndata: 1\n\n\r\n");
    http_stream_write(exchange, STR("0123456789abcdef"));
    http_stream_end(exchange);
    http_fixture_expect(fixture, "\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
    http_respond(hold(fixture, HOLD), 200, NULL, 0, STR("next"));
    http_fixture_expect(fixture, "next");
}

static void test_stream_to_http_1_0_ends_with_the_connection(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD_1_0);
    http_stream_begin(exchange, 200, NULL, 0);
    http_stream_write(exchange, STR("one "));
    http_stream_write(exchange, STR("two"));
    http_stream_end(exchange);
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "\r\nConnection: close\r\n\r\none two"));
    assert_false(net_peer_has(&fixture->client, "chunked"));
}

static void test_stream_to_head_has_no_body(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, "HEAD /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    http_stream_begin(exchange, 200, NULL, 0);
    http_stream_write(exchange, STR("x"));
    http_stream_end(exchange);
    http_respond(hold(fixture, HOLD), 200, NULL, 0, STR("next"));
    http_fixture_expect(fixture, "next");
    assert_true(net_peer_has(&fixture->client, "chunked\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

static void test_aborted_stream_lacks_its_last_chunk(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    http_stream_begin(exchange, 200, NULL, 0);
    http_stream_write(exchange, STR("half"));
    http_stream_abort(exchange);
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "\r\n4\r\nhalf\r\n"));
    assert_false(net_peer_has(&fixture->client, "\r\n0\r\n\r\n"));
    assert_int_equal(fixture->gone, 0);
}

static void test_gone_in_mid_stream(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    http_stream_begin(exchange, 200, NULL, 0);
    http_stream_write(exchange, STR("half"));
    http_fixture_expect(fixture, "half");
    lose_client(fixture);
    assert_int_equal(fixture->gone, 1);
}

/* The handler sees what a slow reader costs, and can cut it. */
static void test_slow_reader(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    enum { PIECE = 64 * 1024, BOUND = 256 * 1024, PIECES_MAX = 1000 };
    static const char piece[PIECE];
    struct http_exchange *exchange = hold(fixture, HOLD);
    conn_read_pause(fixture->client.conn);
    http_stream_begin(exchange, 200, NULL, 0);
    unsigned pieces = 0;
    while (http_exchange_unsent(exchange) <= BOUND) {
        http_stream_write(exchange, (struct str){.data = piece, .len = PIECE});
        uv_run(loop_uv(fixture->net.loop), UV_RUN_NOWAIT);
        assert_in_range(++pieces, 1, PIECES_MAX);
    }
    http_stream_abort(exchange);
    conn_read_resume(fixture->client.conn);
    http_fixture_expect_close(fixture);
    assert_in_range(fixture->client.received.len, (size_t)pieces * PIECE, (size_t)pieces * (PIECE + 16) + 512);
}

/* Memory for what a handler makes of a request: there is some, and there is an end to it. */
static void test_arena_is_bounded(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct http_exchange *exchange = hold(fixture, HOLD);
    struct arena *arena = http_exchange_arena(exchange);
    assert_non_null(arena_alloc(arena, fixture->config.body_bytes));
    assert_null(arena_alloc(arena, 64 * 1024 * 1024));
    http_respond(exchange, 200, NULL, 0, STR(""));
    http_fixture_expect(fixture, "200 OK");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_fixture_setup, http_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_gone_client_is_reported_once),
        TEST(test_half_closed_client_is_gone),
        TEST(test_answered_client_is_never_gone),
        TEST(test_answer_and_loss_in_the_same_turn),
        TEST(test_uninterested_handler_may_answer_a_gone_client),
        TEST(test_late_interest_in_a_gone_client),
        TEST(test_uninterested_handler_outlives_the_server),
        TEST(test_answering_within_on_gone_is_harmless),
        TEST(test_client_gone_while_it_sends_its_request),
        TEST(test_stream),
        TEST(test_stream_to_http_1_0_ends_with_the_connection),
        TEST(test_stream_to_head_has_no_body),
        TEST(test_aborted_stream_lacks_its_last_chunk),
        TEST(test_gone_in_mid_stream),
        TEST(test_slow_reader),
        TEST(test_arena_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
