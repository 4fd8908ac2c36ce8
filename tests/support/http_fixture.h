/* An HTTP server whose answers are known, and one client connected to it. Include after cmocka.h. */
#ifndef NATARIS_TESTS_SUPPORT_HTTP_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_HTTP_FIXTURE_H

#include "base/mem.h"
#include "net/http_server.h"
#include "support/net_harness.h"

#include <stdlib.h>

enum { HTTP_FIXTURE_HELD_MAX = 8 };

struct http_fixture {
    struct net_harness net;
    struct http_server_config config;
    size_t max_connections;         /* 0: 100 */
    struct address_book *addresses; /* NULL: none */
    struct http_server *server;     /* NULL once http_fixture_close_server was called */
    bool server_closed;
    struct net_peer client;
    unsigned requests, refusals, gone;
    int refused_status;
    bool asks; /* on_head is handled: `heads` counts, /head-no is refused, /head-later is held, /head-drop is admitted
                * without its body; what comes is the owner's whose number `X-Owner` has */
    unsigned heads;
    struct http_exchange *held[HTTP_FIXTURE_HELD_MAX]; /* of requests for /hold, in order */
    size_t held_count;
    struct net_peer upgraded; /* the connection after a request for /upgrade */
    void (*on_request)(struct http_fixture *fixture, struct http_exchange *exchange); /* for all other paths, or NULL */
};

static void http_fixture_on_gone(void *user) {
    ((struct http_fixture *)user)->gone++;
}

static void http_fixture_upgrade(struct http_fixture *fixture, struct http_exchange *exchange) {
    const struct http_response_header headers[] = {{"Upgrade", STR("test")}, {"Connection", STR("Upgrade")}};
    struct str early;
    struct conn *conn = http_upgrade(exchange, headers, COUNT_OF(headers), &early);
    net_peer_init(&fixture->upgraded, conn);
    buf_append_str(&fixture->upgraded.received, early);
}

/* POST gets 401, as of a client without a key; /echo gives the body back, everything else "METHOD PATH QUERY". */
static void http_fixture_on_request(void *context, struct http_exchange *exchange) {
    struct http_fixture *fixture = (struct http_fixture *)context;
    const struct http_request *request = http_exchange_request(exchange);
    fixture->requests++;
    if (str_equal_cstr(request->path, "/hold")) {
        http_exchange_on_gone(exchange, http_fixture_on_gone, fixture);
        assert_in_range(fixture->held_count, 0, HTTP_FIXTURE_HELD_MAX - 1);
        fixture->held[fixture->held_count++] = exchange;
    } else if (str_equal_cstr(request->path, "/upgrade")) {
        http_fixture_upgrade(fixture, exchange);
    } else if (str_equal_cstr(request->path, "/echo")) {
        http_respond(exchange, 200, NULL, 0, request->body);
    } else if (fixture->on_request != NULL) {
        fixture->on_request(fixture, exchange);
    } else if (str_equal_cstr(request->method, "POST")) {
        http_respond(exchange, 401, NULL, 0, STR("no key"));
    } else {
        char text[256];
        int len = snprintf(text, sizeof(text), "%.*s %.*s %.*s", STR_ARG(request->method), STR_ARG(request->path),
                           STR_ARG(request->query));
        http_respond(exchange, 200, NULL, 0, (struct str){.data = text, .len = (size_t)len});
    }
}

static void http_fixture_on_head(void *context, struct http_exchange *exchange) {
    struct http_fixture *fixture = (struct http_fixture *)context;
    const struct http_request *request = http_exchange_request(exchange);
    const struct str owner = http_request_header(request, "x-owner");
    fixture->heads++;
    assert_int_equal(request->body.len, 0);
    if (fixture->asks && str_equal_cstr(request->path, "/head-no")) {
        http_respond(exchange, 401, NULL, 0, STR("no key"));
    } else if (fixture->asks && str_equal_cstr(request->path, "/head-later")) {
        http_exchange_on_gone(exchange, http_fixture_on_gone, fixture);
        fixture->held[fixture->held_count++] = exchange;
    } else if (owner.len > 0 && !http_exchange_own(exchange, (uint64_t)owner.data[0])) {
        http_respond(exchange, 429, NULL, 0, STR("too much"));
    } else {
        http_exchange_admit(exchange, !str_equal_cstr(request->path, "/head-drop"));
    }
}

static void http_fixture_on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    struct http_fixture *fixture = (struct http_fixture *)context;
    assert_non_null(why);
    fixture->refusals++;
    fixture->refused_status = status;
    http_respond(exchange, status, NULL, 0, str_from(why));
}

static const struct http_server_events HTTP_FIXTURE_EVENTS = {
    .on_head = http_fixture_on_head, .on_request = http_fixture_on_request, .on_refused = http_fixture_on_refused};

static void http_fixture_open_server(struct http_fixture *fixture, struct tls_context *tls) {
    struct listener_options options = {.address = "127.0.0.1:0",
                                       .tls = tls,
                                       .max_connections = fixture->max_connections > 0 ? fixture->max_connections : 100,
                                       .handshake_ms = NET_HANG_MS,
                                       .addresses = fixture->addresses,
                                       .refusal = STR("HTTP/1.1 429 Too Many Requests\r\n\r\n")};
    struct err err;
    assert_true(http_server_open(&fixture->server, fixture->net.loop, &options, &fixture->config, &HTTP_FIXTURE_EVENTS,
                                 fixture, &err));
    fixture->server_closed = false;
}

static void http_fixture_on_closed(void *context) {
    ((struct http_fixture *)context)->server_closed = true;
}

UNUSED static void http_fixture_close_server(struct http_fixture *fixture) {
    http_server_close(fixture->server, http_fixture_on_closed, fixture);
    assert_false(fixture->server_closed);
    NET_UNTIL(&fixture->net, fixture->server_closed);
    fixture->server = NULL;
}

/* With fixture->config changed. */
UNUSED static void http_fixture_reopen(struct http_fixture *fixture) {
    http_fixture_close_server(fixture);
    http_fixture_open_server(fixture, NULL);
}

UNUSED static void http_fixture_connect(struct http_fixture *fixture) {
    net_peer_clear(&fixture->net, &fixture->client);
    net_peer_connect(&fixture->net, &fixture->client, http_server_port(fixture->server));
}

UNUSED static int http_fixture_setup(void **state) {
    struct http_fixture *fixture = MEM_NEW(struct http_fixture);
    fixture->config = (struct http_server_config){
        .head_limits = {.head_bytes = 8192, .header_count = 50, .url_bytes = 1024},
        .body_bytes = 256 * 1024,
        .pipeline_bytes = 4096,
        .head_timeout_ms = NET_HANG_MS,
        .body_pace.stretch_ms = NET_HANG_MS,
        .idle_timeout_ms = NET_HANG_MS,
    };
    net_harness_init(&fixture->net);
    http_fixture_open_server(fixture, NULL);
    http_fixture_connect(fixture);
    *state = fixture;
    return 0;
}

UNUSED static int http_fixture_teardown(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    net_peer_clear(&fixture->net, &fixture->client);
    net_peer_clear(&fixture->net, &fixture->upgraded);
    if (fixture->server != NULL) {
        http_fixture_close_server(fixture);
    }
    net_harness_clear(&fixture->net);
    free(fixture);
    return 0;
}

UNUSED static void http_fixture_send(struct http_fixture *fixture, const char *bytes) {
    assert_non_null(fixture->client.conn);
    conn_write(fixture->client.conn, str_from(bytes));
}

/* Until the client has received `text`. */
UNUSED static void http_fixture_expect(struct http_fixture *fixture, const char *text) {
    NET_UNTIL(&fixture->net, net_peer_has(&fixture->client, text) || fixture->client.closed);
    if (!net_peer_has(&fixture->client, text)) {
        fail_msg("\"%s\" did not come, but: %s", text, buf_cstr(&fixture->client.received));
    }
}

UNUSED static void http_fixture_expect_close(struct http_fixture *fixture) {
    NET_UNTIL(&fixture->net, fixture->client.closed);
    assert_false(fixture->client.failed);
}

/* Lets bytes that were written arrive (on the loopback they do at once). */
UNUSED static void http_fixture_settle(struct http_fixture *fixture) {
    for (int i = 0; i < 4; i++) {
        uv_run(loop_uv(fixture->net.loop), UV_RUN_NOWAIT);
    }
}

#endif
