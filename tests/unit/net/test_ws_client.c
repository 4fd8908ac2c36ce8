/* The client's handshake against hand-written answers. */
#include "support/ws_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void append_answer(struct buf *out, const char *answer, const char *accept) {
    const char *mark = strstr(answer, "$ACCEPT");
    if (!mark) {
        buf_append_cstr(out, answer);
        return;
    }
    buf_append(out, answer, (size_t)(mark - answer));
    buf_append_cstr(out, accept);
    buf_append_cstr(out, mark + strlen("$ACCEPT"));
}

static void on_asked(void *context, struct str data) {
    struct ws_world *world = context;
    buf_append_str(&world->received, data);
    if (!world->raw_answer || !strstr(buf_cstr(&world->received), "\r\n\r\n")) {
        return;
    }
    const char *key = strstr(buf_cstr(&world->received), "\r\nSec-WebSocket-Key: ") + 21;
    char accept[29];
    ws_accept_key((struct str){key, 24}, accept);
    struct buf answer;
    buf_init(&answer, 1 << 20);
    append_answer(&answer, world->raw_answer, accept);
    world->raw_answer = NULL;
    conn_write(world->raw_conn, buf_str(&answer));
    if (answer.len == 0) {
        conn_close(world->raw_conn, 0);
    }
    buf_clear(&answer);
}

static const struct conn_events ANSWERING_EVENTS = {.on_data = on_asked, .on_close = ws_world_raw_closed};

static void on_raw_conn(void *context, struct conn *conn) {
    struct ws_world *world = context;
    world->raw_conn = conn;
    conn_set_events(conn, &ANSWERING_EVENTS, world);
}

static const struct listener_events RAW_LISTENER_EVENTS = {.on_conn = on_raw_conn};

static void open_raw_server(struct ws_world *world, const char *answer) {
    struct err err = {0};
    const struct listener_options options = {.address = "127.0.0.1:0", .max_connections = 4};
    world->raw_answer = answer;
    if (!listener_open(&world->raw, world->loop, &options, &RAW_LISTENER_EVENTS, world, &err)) {
        fail_msg("%s", err.message);
    }
}

#define ANSWER_101 "HTTP/1.1 101 Switching Protocols\r\n"
#define ANSWER_UPGRADE "upgrade: WebSocket\r\nCONNECTION: upgrade\r\n"
#define ANSWER_ACCEPT "Sec-WebSocket-Accept: $ACCEPT\r\n"
#define ANSWER_PROTOCOL "Sec-WebSocket-Protocol:  " WS_WORLD_PROTOCOL " \r\n"

static void test_client_reads_early_frames_after_on_open(void **state) {
    struct ws_world *world = *state;
    world->closes_expected = 1;
    open_raw_server(world, ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n\x81\x02hi\x88\x02\x03\xe8");
    ws_world_connect(world, listener_port(world->raw), WS_WORLD_HANG_MS);
    loop_run(world->loop);
    assert_string_equal(buf_cstr(&world->client_log), "open text(hi) close(1000,)");
    ws_world_expect_received(world, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:");
    ws_world_expect_received(world,
                             "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: " WS_WORLD_PROTOCOL "\r\n\r\n");
}

static void close_client(struct ws_world *world) {
    ws_conn_close(world->client, 1000, "bye");
}

/* The server never answers the close frame: the deadline ends the connection. */
static void test_close_deadline(void **state) {
    struct ws_world *world = *state;
    world->closes_expected = 1;
    world->on_client_open = close_client;
    open_raw_server(world, ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n");
    ws_world_connect(world, listener_port(world->raw), WS_WORLD_HANG_MS);
    loop_run(world->loop);
    assert_string_equal(buf_cstr(&world->client_log), "open close(1000,bye)");
}

static void check_client_refusal(struct ws_world *world, const char *answer, const char *words) {
    open_raw_server(world, answer);
    ws_world_connect(world, listener_port(world->raw), WS_WORLD_HANG_MS);
    loop_run(world->loop);
    char expected[256];
    snprintf(expected, sizeof(expected), "refused(%s)", words);
    assert_string_equal(buf_cstr(&world->client_log), expected);
}

static void test_client_refusals(void **state) {
    (void)state;
    static const struct {
        const char *answer, *words;
    } CASES[] = {
        {"", "the connection ended during the handshake"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
         "the server answered HTTP 403 instead of opening a WebSocket"},
        {"HTTP/1.1 200 OK\r\n" ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n",
         "the server answered HTTP 200 instead of opening a WebSocket"},
        {"HTTP/1.0 101 Old\r\n" ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n",
         "the server did not answer in HTTP/1.1"},
        {"SSH-2.0-x\r\n\r\n", "the server did not answer in HTTP/1.1"},
        {ANSWER_101 "Connection: Upgrade\r\n" ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n",
         "the server's answer does not upgrade to WebSocket"},
        {ANSWER_101 "Upgrade: websocket\r\n" ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n",
         "the server's answer does not upgrade to WebSocket"},
        {ANSWER_101 ANSWER_UPGRADE ANSWER_PROTOCOL "\r\n", "the server's Sec-WebSocket-Accept is wrong"},
        {ANSWER_101 ANSWER_UPGRADE "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" ANSWER_PROTOCOL "\r\n",
         "the server's Sec-WebSocket-Accept is wrong"},
        {ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_ACCEPT ANSWER_PROTOCOL "\r\n",
         "the server's answer has two Sec-WebSocket-Accept headers"},
        {ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT "\r\n", "the server does not speak the subprotocol test.v1"},
        {ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT "Sec-WebSocket-Protocol: other\r\n\r\n",
         "the server does not speak the subprotocol test.v1"},
        {ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_PROTOCOL "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
         "the server wants a WebSocket extension that was not offered"},
        {ANSWER_101 ANSWER_UPGRADE "no colon\r\n\r\n", "the server's answer has a malformed header"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        void *world = NULL;
        ws_world_setup(&world);
        check_client_refusal(world, CASES[i].answer, CASES[i].words);
        ws_world_teardown(&world);
    }
}

static void test_client_bounds_the_answer(void **state) {
    struct ws_world *world = *state;
    static char answer[20000];
    memset(answer, 'a', sizeof(answer) - 1);
    memcpy(answer, ANSWER_101 "X: ", sizeof(ANSWER_101 "X: ") - 1);
    check_client_refusal(world, answer, "the server's answer is too long");
}

static void test_client_gives_up_on_a_silent_server(void **state) {
    struct ws_world *world = *state;
    open_raw_server(world, NULL);
    ws_world_connect(world, listener_port(world->raw), 30);
    loop_run(world->loop);
    assert_int_equal(world->refused, ERR_TIMEOUT);
}

static void test_cancel_at_once(void **state) {
    struct ws_world *world = *state;
    ws_world_connect(world, http_server_port(world->http), WS_WORLD_HANG_MS);
    ws_connect_cancel(world->attempt);
    ws_world_end(world);
    loop_run(world->loop);
    ws_world_expect_logs(world, "", "");
}

static void cancel_when_asked(void *context, struct str data) {
    (void)data;
    struct ws_world *world = context;
    ws_connect_cancel(world->attempt);
}

static void on_conn_to_cancel(void *context, struct conn *conn) {
    static const struct conn_events EVENTS = {.on_data = cancel_when_asked, .on_close = ws_world_raw_closed};
    struct ws_world *world = context;
    world->raw_conn = conn;
    conn_set_events(conn, &EVENTS, world);
}

static void test_cancel_during_the_handshake(void **state) {
    struct ws_world *world = *state;
    static const struct listener_events EVENTS = {.on_conn = on_conn_to_cancel};
    const struct listener_options options = {.address = "127.0.0.1:0", .max_connections = 4};
    struct err err = {0};
    assert_true(listener_open(&world->raw, world->loop, &options, &EVENTS, world, &err));
    ws_world_connect(world, listener_port(world->raw), WS_WORLD_HANG_MS);
    loop_run(world->loop);
    assert_true(world->over); /* the server saw the end of the connection */
    ws_world_expect_logs(world, "", "");
}

static void test_connect_refuses_bad_options(void **state) {
    struct ws_world *world = *state;
    struct err err = {0};
    struct ws_connect_options options = {.url = "ftp://h/", .max_message = 1, .timeout_ms = 1};
    assert_false(
        ws_connect(&world->attempt, world->loop, &options, &WS_WORLD_CLIENT_EVENTS, ws_world_on_open, world, &err));
    assert_int_equal(err.code, ERR_INVALID);
    options.url = "wss://h/";
    assert_false(
        ws_connect(&world->attempt, world->loop, &options, &WS_WORLD_CLIENT_EVENTS, ws_world_on_open, world, &err));
    assert_int_equal(err.code, ERR_INVALID);
    ws_world_end(world);
    loop_run(world->loop);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, ws_world_setup, ws_world_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_client_reads_early_frames_after_on_open),
        CASE(test_close_deadline),
        cmocka_unit_test(test_client_refusals),
        CASE(test_client_bounds_the_answer),
        CASE(test_client_gives_up_on_a_silent_server),
        CASE(test_cancel_at_once),
        CASE(test_cancel_during_the_handshake),
        CASE(test_connect_refuses_bad_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
