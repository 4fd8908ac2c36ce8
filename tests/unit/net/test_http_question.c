/* A question that is waited for, to a server on another thread. */
#include "net/http_question.h"

#include "net/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct server_thread {
    struct loop *loop;
    struct http_server *server;
    uv_thread_t thread;
    uv_async_t stop;
    char url[64];
};

static void on_request(void *context, struct http_exchange *exchange) {
    (void)context;
    http_respond(exchange, 403, NULL, 0, STR("nobody may"));
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    http_respond(exchange, status, NULL, 0, str_from(why));
}

static void on_stop(uv_async_t *async) {
    struct server_thread *server = async->data;
    http_server_close(server->server, NULL, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void serve(void *context) {
    const struct server_thread *server = context;
    loop_run(server->loop);
}

static int setup(void **state) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct listener_options LISTEN = {.address = "127.0.0.1:0", .max_connections = 4};
    static const struct http_server_config CONFIG = {.head_limits = {4096, 20, 512},
                                                     .body_bytes = 4096,
                                                     .pipeline_bytes = 4096,
                                                     .head_timeout_ms = 30000,
                                                     .body_pace.stretch_ms = 30000,
                                                     .idle_timeout_ms = 30000};
    static struct server_thread server;
    server.loop = loop_new();
    assert_true(http_server_open(&server.server, server.loop, &LISTEN, &CONFIG, &EVENTS, NULL, NULL));
    snprintf(server.url, sizeof(server.url), "http://127.0.0.1:%u/", http_server_port(server.server));
    server.stop.data = &server;
    uv_async_init(loop_uv(server.loop), &server.stop, on_stop);
    *state = &server;
    return uv_thread_create(&server.thread, serve, &server);
}

static int teardown(void **state) {
    struct server_thread *server = *state;
    uv_async_send(&server->stop);
    uv_thread_join(&server->thread);
    loop_free(server->loop);
    return 0;
}

static void ask(const struct server_thread *server, struct buf *body, struct http_result *result) {
    const struct http_transfer_options options = {.url = server->url, .whole_ms = 30000, .plain = true};
    http_question_ask(&options, body, result);
}

static void answer(void **state) {
    struct http_result result;
    struct buf body;
    buf_init(&body, 100);
    assert_true(buf_append_cstr(&body, "It says: "));
    ask(*state, &body, &result);
    assert_int_equal(result.failure, HTTP_FAILURE_NONE);
    assert_int_equal(result.answer.status, 403);
    assert_string_equal(buf_cstr(&body), "It says: nobody may");
    buf_clear(&body);
}

static void answer_that_is_too_long(void **state) {
    struct http_result result;
    struct buf body;
    buf_init(&body, 9);
    ask(*state, &body, &result);
    assert_int_equal(result.failure, HTTP_FAILURE_TOO_LARGE);
    buf_clear(&body);
}

static void nobody_there(void **state) {
    const struct http_transfer_options options = {
        .url = "http://localhost/", .unix_path = "/nowhere/at/all", .whole_ms = 30000, .plain = true};
    struct http_result result;
    struct buf body;
    (void)state;
    buf_init(&body, 100);
    http_question_ask(&options, &body, &result);
    assert_int_equal(result.failure, HTTP_FAILURE_CONNECT);
    assert_true(result.detail[0] != '\0');
    assert_int_equal(body.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer),
        cmocka_unit_test(answer_that_is_too_long),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
