/* Both sides of a WebSocket connection over loopback in one loop, and the server against hand-written bytes. */
#include "base/mem.h"
#include "net/connect.h"
#include "support/ws_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BIG = 1500000 };

/* Client and server talk to each other until both have closed. */
static void run_pair(struct ws_world *world) {
    ws_world_connect(world, http_server_port(world->http), WS_WORLD_HANG_MS);
    loop_run(world->loop);
    assert_true(world->over);
}

static void echo(struct ws_world *world, enum ws_opcode opcode, struct str payload) {
    ws_conn_send(world->server, opcode, payload);
}

static void send_all_kinds(struct ws_world *world) {
    char *big = mem_alloc(BIG);
    memset(big, 'b', BIG);
    ws_conn_send(world->client, WS_TEXT, STR("hi"));
    ws_conn_send(world->client, WS_BINARY, STR("\x01\x02"));
    ws_conn_send(world->client, WS_TEXT, (struct str){NULL, 0});
    ws_conn_send(world->client, WS_BINARY, (struct str){big, BIG});
    ws_conn_send(world->client, WS_TEXT, STR("last"));
    free(big);
}

static void close_after_last(struct ws_world *world, enum ws_opcode opcode, struct str payload) {
    (void)opcode;
    if (payload.len == BIG) {
        for (size_t i = 0; i < payload.len; i++) {
            assert_true(payload.data[i] == 'b');
        }
    }
    if (str_equal_cstr(payload, "last")) {
        ws_conn_close(world->client, 1000, "bye");
        ws_conn_close(world->client, 4000, "a second call changes nothing");
        ws_conn_send(world->client, WS_TEXT, STR("nor does this"));
    }
}

static void test_echo(void **state) {
    struct ws_world *world = *state;
    world->on_client_open = send_all_kinds;
    world->on_server_message = echo;
    world->on_client_message = close_after_last;
    run_pair(world);
    ws_world_expect_logs(world, "text(hi) binary(\x01\x02) text() binary(1500000 bytes) text(last) close(1000,bye)",
                         "open text(hi) binary(\x01\x02) text() binary(1500000 bytes) text(last) close(1000,bye)");
}

static void server_says_goodbye(struct ws_world *world) {
    ws_conn_send(world->server, WS_TEXT, STR("first words"));
    ws_conn_close(world->server, 4001, "enough");
}

static void test_server_closes(void **state) {
    struct ws_world *world = *state;
    world->on_server_open = server_says_goodbye;
    run_pair(world);
    ws_world_expect_logs(world, "close(4001,enough)", "open text(first words) close(4001,enough)");
}

static void abort_server(struct ws_world *world, enum ws_opcode opcode, struct str payload) {
    (void)opcode;
    (void)payload;
    ws_conn_abort(world->server);
}

static void send_two(struct ws_world *world) {
    ws_conn_send(world->client, WS_TEXT, STR("one"));
    ws_conn_send(world->client, WS_TEXT, STR("two"));
}

static void test_server_aborts(void **state) {
    struct ws_world *world = *state;
    world->on_client_open = send_two;
    world->on_server_message = abort_server;
    run_pair(world);
    assert_string_equal(buf_cstr(&world->server_log), "text(one) close(1006,aborted)");
    assert_non_null(strstr(buf_cstr(&world->client_log), "open close(1006,"));
}

static void close_server(struct ws_world *world, enum ws_opcode opcode, struct str payload) {
    (void)opcode;
    (void)payload;
    ws_conn_close(world->server, 1001, "later");
}

static void test_no_messages_after_close(void **state) {
    struct ws_world *world = *state;
    world->on_client_open = send_two;
    world->on_server_message = close_server;
    run_pair(world);
    ws_world_expect_logs(world, "text(one) close(1001,later)", "open close(1001,later)");
}

static void abort_client(struct ws_world *world) {
    ws_conn_abort(world->client);
}

static void test_client_aborts_in_on_open(void **state) {
    struct ws_world *world = *state;
    world->on_client_open = abort_client;
    run_pair(world);
    assert_string_equal(buf_cstr(&world->client_log), "open close(1006,aborted)");
    assert_non_null(strstr(buf_cstr(&world->server_log), "close(1006,"));
}

static void send_too_much(struct ws_world *world) {
    char *big = mem_calloc(1, BIG);
    ws_conn_send(world->client, WS_TEXT, STR("ok"));
    ws_conn_send(world->client, WS_BINARY, (struct str){big, BIG});
    free(big);
}

/* The close frame arrives although the sender is still busy sending. */
static void test_too_large(void **state) {
    struct ws_world *world = *state;
    world->server_max_message = 1000;
    world->on_client_open = send_too_much;
    run_pair(world);
    ws_world_expect_logs(world, "text(ok) close(1009,message too large)", "open close(1009,message too large)");
}

static void raise_limit(struct ws_world *world, enum ws_opcode opcode, struct str payload) {
    (void)opcode;
    ws_conn_set_max_message(world->server, BIG);
    if (payload.len == BIG) {
        ws_conn_close(world->server, 1000, "");
    }
}

static void test_limit_raised(void **state) {
    struct ws_world *world = *state;
    world->server_max_message = 2;
    world->on_client_open = send_too_much;
    world->on_server_message = raise_limit;
    run_pair(world);
    ws_world_expect_logs(world, "text(ok) binary(1500000 bytes) close(1000,)", "open close(1000,)");
}

static void ping(struct ws_world *world) {
    ws_conn_ping(world->client);
}

static void test_ping(void **state) {
    struct ws_world *world = *state;
    world->on_client_open = ping;
    run_pair(world);
    ws_world_expect_logs(world, "close(1000,)", "open pong close(1000,)");
}

/* --- The server against hand-written bytes --- */

#define REQUEST_LINE "GET /ws HTTP/1.1\r\nHost: h\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define OFFER "Sec-WebSocket-Protocol: other, " WS_WORLD_PROTOCOL "\r\n"
#define GOOD REQUEST_LINE UPGRADE VERSION KEY OFFER "\r\n"
#define GOOD_ANSWER_END "\r\n\r\n"

static struct str raw_request; /* what the raw client sends */

static void on_raw_open(void *context, struct conn *conn, const struct err *reason) {
    struct ws_world *world = context;
    if (!conn) {
        fail_msg("%s", reason->message);
    }
    world->raw_conn = conn;
    conn_set_events(conn, &WS_WORLD_RAW_EVENTS, world);
    conn_write(conn, raw_request);
}

static void run_raw_client(struct ws_world *world, struct str request) {
    raw_request = request;
    const struct conn_connect_options options = {
        .host = "127.0.0.1", .port = http_server_port(world->http), .timeout_ms = WS_WORLD_HANG_MS};
    conn_connect(world->loop, &options, on_raw_open, world);
    loop_run(world->loop);
    assert_true(world->over);
}

/* Frames in the same packet as the request wait for the owner's next turn; a masked "hi", then a close. */
static void test_server_handshake_with_early_frames(void **state) {
    struct ws_world *world = *state;
    world->closes_expected = 3;
    run_raw_client(world, STR(GOOD "\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8"));
    assert_int_equal(strncmp(buf_cstr(&world->received), "HTTP/1.1 101 ", 13), 0);
    ws_world_expect_received(world, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    ws_world_expect_received(world, "\r\nSec-WebSocket-Protocol: " WS_WORLD_PROTOCOL "\r\n");
    ws_world_expect_received(world, "\r\nUpgrade: websocket\r\n");
    ws_world_expect_received(world, "\r\nConnection: Upgrade\r\n");
    ws_world_expect_received(world, "\r\n\r\n\x88\x02\x03\xe8");
    assert_string_equal(buf_cstr(&world->server_log), "text(hi) close(1000,)");
}

static void test_server_refuses_unmasked_frames(void **state) {
    struct ws_world *world = *state;
    world->closes_expected = 3;
    run_raw_client(world, STR(GOOD "\x81\x02hi"));
    ws_world_expect_received(world, "\r\n\r\n\x88\x1e\x03\xeaunmasked frame from a client");
    assert_string_equal(buf_cstr(&world->server_log), "close(1002,unmasked frame from a client)");
}

static void check_server_refusal(struct ws_world *world, const char *request, const char *answer) {
    run_raw_client(world, str_from(request));
    if (strncmp(buf_cstr(&world->received), answer, strlen(answer)) != 0) {
        fail_msg("for: %s\ngot: %s", request, buf_cstr(&world->received));
    }
    assert_string_equal(buf_cstr(&world->server_log), "");
}

static void test_server_refusals(void **state) {
    (void)state;
    static const struct {
        const char *request, *answer;
    } CASES[] = {
        {"POST /ws HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
        {REQUEST_LINE "Connection: close\r\n\r\n", "HTTP/1.1 426 "},
        {REQUEST_LINE "Upgrade: h2c\r\nConnection: Upgrade, close\r\n" VERSION KEY OFFER "\r\n", "HTTP/1.1 426 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: close\r\n" VERSION KEY OFFER "\r\n", "HTTP/1.1 426 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" KEY OFFER "\r\n", "HTTP/1.1 426 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 8\r\n" KEY OFFER
                      "\r\n",
         "HTTP/1.1 426 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" VERSION OFFER "\r\n", "HTTP/1.1 400 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" VERSION OFFER
                      "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n",
         "HTTP/1.1 400 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" VERSION OFFER
                      "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!!!\r\n\r\n",
         "HTTP/1.1 400 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" VERSION KEY "\r\n", "HTTP/1.1 400 "},
        {REQUEST_LINE "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" VERSION KEY
                      "Sec-WebSocket-Protocol: other, TEST.v1\r\n\r\n",
         "HTTP/1.1 400 "},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        void *world = NULL;
        ws_world_setup(&world);
        check_server_refusal(world, CASES[i].request, CASES[i].answer);
        ws_world_teardown(&world);
    }
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, ws_world_setup, ws_world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_echo),
        CASE(test_server_closes),
        CASE(test_server_aborts),
        CASE(test_no_messages_after_close),
        CASE(test_client_aborts_in_on_open),
        CASE(test_too_large),
        CASE(test_limit_raised),
        CASE(test_ping),
        CASE(test_server_handshake_with_early_frames),
        CASE(test_server_refuses_unmasked_frames),
        cmocka_unit_test(test_server_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
