/* An HTTP server on a loop and a thread of its own, for commands that block. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_HTTP_THREAD_H
#define NATARIS_TESTS_SUPPORT_HTTP_THREAD_H

#include "net/http_server.h"

#include <stdio.h>
#include <string.h>

enum { HTTP_THREAD_BODY = 4096, HTTP_THREAD_TIMEOUT_MS = 60000, HTTP_THREAD_SEEN = 2048 };

struct http_thread {
    const char *answer; /* JSON, for every request */
    int status;         /* 0: 200 */
    /* Answers instead, on the server's thread. */
    void (*on_request)(void *context, struct http_exchange *exchange);
    void *context;
    /* The last request, to be read when the client has its answer: "METHOD PATH?QUERY BODY". */
    char seen[HTTP_THREAD_SEEN];
    char authorization[256];
    struct loop *loop;
    struct http_server *server;
    uv_thread_t thread;
    uv_async_t stop;
};

static void http_thread_on_request(void *context, struct http_exchange *exchange) {
    struct http_thread *server = context;
    const struct http_request *request = http_exchange_request(exchange);
    snprintf(server->seen, sizeof(server->seen), "%.*s %.*s%s%.*s %.*s", STR_ARG(request->method),
             STR_ARG(request->path), request->query.len > 0 ? "?" : "", STR_ARG(request->query),
             STR_ARG(request->body));
    str_copy(server->authorization, sizeof(server->authorization), http_request_header(request, "Authorization"));
    if (server->on_request != NULL) {
        server->on_request(server->context, exchange);
    } else {
        http_respond(exchange, server->status != 0 ? server->status : 200, NULL, 0, str_from(server->answer));
    }
}

static void http_thread_on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    http_respond(exchange, status, NULL, 0, str_from(why));
}

static void http_thread_on_stop(uv_async_t *stop) {
    struct http_thread *server = stop->data;
    http_server_close(server->server, NULL, NULL);
    uv_close((uv_handle_t *)stop, NULL);
}

static void http_thread_run(void *context) {
    const struct http_thread *server = context;
    loop_run(server->loop);
}

/* `address` is "127.0.0.1:0" or "unix:PATH". The server answers once this returns. */
UNUSED static void http_thread_start(struct http_thread *server, const char *address) {
    static const struct http_server_events EVENTS = {.on_request = http_thread_on_request,
                                                     .on_refused = http_thread_on_refused};
    static const struct http_server_config CONFIG = {.head_limits = {HTTP_THREAD_BODY, 40, 1024},
                                                     .body_bytes = HTTP_THREAD_BODY,
                                                     .pipeline_bytes = HTTP_THREAD_BODY,
                                                     .head_timeout_ms = HTTP_THREAD_TIMEOUT_MS,
                                                     .body_pace.stretch_ms = HTTP_THREAD_TIMEOUT_MS,
                                                     .idle_timeout_ms = HTTP_THREAD_TIMEOUT_MS};
    const struct listener_options options = {.address = address, .max_connections = 16};
    struct err err = {0};
    server->loop = loop_new();
    if (!http_server_open(&server->server, server->loop, &options, &CONFIG, &EVENTS, server, &err)) {
        fail_msg("%s", err.message);
    }
    uv_async_init(loop_uv(server->loop), &server->stop, http_thread_on_stop);
    server->stop.data = server;
    assert_int_equal(uv_thread_create(&server->thread, http_thread_run, server), 0);
}

UNUSED static unsigned http_thread_port(const struct http_thread *server) {
    return http_server_port(server->server);
}

UNUSED static void http_thread_stop(struct http_thread *server) {
    uv_async_send(&server->stop);
    uv_thread_join(&server->thread);
    loop_free(server->loop);
}

#endif
