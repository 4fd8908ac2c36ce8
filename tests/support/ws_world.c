#include "support/ws_world.h"

#include "base/mem.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void nothing(void *context) {
    (void)context;
}

void ws_world_end(struct ws_world *world) {
    if (world->over) {
        return;
    }
    world->over = true;
    loop_timer_free(world->hang_guard);
    http_server_close(world->http, nothing, NULL);
    if (world->raw) {
        listener_close(world->raw);
    }
    if (world->raw_conn) {
        conn_abort(world->raw_conn);
    }
}

static void on_hang(void *context) {
    (void)context;
    fail_msg("the test hangs");
}

static void log_message(struct buf *log, enum ws_opcode opcode, struct str payload) {
    buf_append_format(log, "%s%s(", log->len ? " " : "", opcode == WS_TEXT ? "text" : "binary");
    if (payload.len <= 64) {
        buf_append_str(log, payload);
    } else {
        buf_append_format(log, "%zu bytes", payload.len);
    }
    buf_append_cstr(log, ")");
}

static void log_close(struct ws_world *world, struct buf *log, uint16_t code, struct str reason) {
    buf_append_format(log, "%sclose(%u,%.*s)", log->len ? " " : "", code, STR_ARG(reason));
    world->closed++;
    if (world->closed == world->closes_expected) {
        ws_world_end(world);
    }
}

static void on_server_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct ws_world *world = context;
    log_message(&world->server_log, opcode, payload);
    if (world->on_server_message) {
        world->on_server_message(world, opcode, payload);
    }
}

static void on_server_close(void *context, uint16_t code, struct str reason) {
    struct ws_world *world = context;
    world->server = NULL;
    log_close(world, &world->server_log, code, reason);
}

static const struct ws_conn_events SERVER_EVENTS = {.on_message = on_server_message, .on_close = on_server_close};

static void on_client_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct ws_world *world = context;
    log_message(&world->client_log, opcode, payload);
    if (world->on_client_message) {
        world->on_client_message(world, opcode, payload);
    }
}

static void on_client_close(void *context, uint16_t code, struct str reason) {
    struct ws_world *world = context;
    world->client = NULL;
    log_close(world, &world->client_log, code, reason);
}

static void on_client_pong(void *context) {
    struct ws_world *world = context;
    buf_append_cstr(&world->client_log, " pong");
    ws_conn_close(world->client, 1000, "");
}

const struct ws_conn_events WS_WORLD_CLIENT_EVENTS = {
    .on_message = on_client_message, .on_close = on_client_close, .on_pong = on_client_pong};

static void on_request(void *context, struct http_exchange *exchange) {
    struct ws_world *world = context;
    struct err err = {0};
    if (!ws_conn_accept(&world->server, exchange, WS_WORLD_PROTOCOL, world->server_max_message, &SERVER_EVENTS, world,
                        &err)) {
        http_respond(exchange, err.code == ERR_UNSUPPORTED ? 426 : 400, NULL, 0, str_from(err.message));
        return;
    }
    if (world->on_server_open) {
        world->on_server_open(world);
    }
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    http_respond(exchange, status, NULL, 0, str_from(why));
}

static const struct http_server_events HTTP_EVENTS = {.on_request = on_request, .on_refused = on_refused};

int ws_world_setup(void **state) {
    struct ws_world *world = MEM_NEW(struct ws_world);
    world->loop = loop_new();
    world->server_max_message = WS_WORLD_MAX_MESSAGE;
    world->closes_expected = 2;
    buf_init(&world->server_log, 1 << 20);
    buf_init(&world->client_log, 1 << 20);
    buf_init(&world->received, 1 << 20);
    world->hang_guard = loop_timer_new(world->loop, on_hang, world);
    loop_timer_start(world->hang_guard, WS_WORLD_HANG_MS, 0);
    const struct http_server_config config = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = 1024,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS};
    const struct listener_options options = {.address = "127.0.0.1:0", .max_connections = 10, .handshake_ms = 1000};
    struct err err = {0};
    if (!http_server_open(&world->http, world->loop, &options, &config, &HTTP_EVENTS, world, &err)) {
        fail_msg("%s", err.message);
    }
    *state = world;
    return 0;
}

int ws_world_teardown(void **state) {
    struct ws_world *world = *state;
    buf_clear(&world->server_log);
    buf_clear(&world->client_log);
    buf_clear(&world->received);
    loop_free(world->loop);
    free(world);
    return 0;
}

void ws_world_on_open(void *context, struct ws_conn *ws, const struct err *reason) {
    struct ws_world *world = context;
    world->attempt = NULL;
    world->client = ws;
    if (!ws) {
        world->refused = reason->code;
        buf_append_format(&world->client_log, "refused(%s)", reason->message);
        ws_world_end(world);
        return;
    }
    buf_append_cstr(&world->client_log, "open");
    if (world->on_client_open) {
        world->on_client_open(world);
    }
}

void ws_world_connect(struct ws_world *world, unsigned port, unsigned timeout_ms) {
    char url[64];
    snprintf(url, sizeof(url), "ws://127.0.0.1:%u/ws", port);
    const struct ws_connect_options options = {
        .url = url, .protocol = WS_WORLD_PROTOCOL, .max_message = WS_WORLD_MAX_MESSAGE, .timeout_ms = timeout_ms};
    struct err err = {0};
    if (!ws_connect(&world->attempt, world->loop, &options, &WS_WORLD_CLIENT_EVENTS, ws_world_on_open, world, &err)) {
        fail_msg("%s", err.message);
    }
}

void ws_world_expect_logs(struct ws_world *world, const char *server, const char *client) {
    assert_string_equal(buf_cstr(&world->server_log), server);
    assert_string_equal(buf_cstr(&world->client_log), client);
}

static void on_raw_data(void *context, struct str data) {
    struct ws_world *world = context;
    buf_append_str(&world->received, data);
}

void ws_world_raw_closed(void *context, const struct err *reason) {
    (void)reason;
    struct ws_world *world = context;
    world->raw_conn = NULL;
    ws_world_end(world);
}

const struct conn_events WS_WORLD_RAW_EVENTS = {.on_data = on_raw_data, .on_close = ws_world_raw_closed};

void ws_world_expect_received(struct ws_world *world, const char *part) {
    if (!strstr(buf_cstr(&world->received), part)) {
        fail_msg("\"%s\" is missing in: %s", part, buf_cstr(&world->received));
    }
}
