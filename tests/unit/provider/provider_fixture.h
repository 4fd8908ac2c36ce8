/* A whole provider with the scripted engine against a real link server, in one process and on one loop. */
#ifndef NATARIS_TESTS_UNIT_PROVIDER_PROVIDER_FIXTURE_H
#define NATARIS_TESTS_UNIT_PROVIDER_PROVIDER_FIXTURE_H

#include "provider/provider.h"

#include "base/mem.h"
#include "link/peer.h"
#include "link/server.h"
#include "unit/provider/temp_tree.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TRANSCRIPT_MAX = 64 * 1024, HEARTBEAT_MS = 60 * 1000 };

struct fixture {
    struct temp_tree tree;
    struct loop *loop;
    struct http_server *http;
    struct link_server *links;
    struct link_peer *peer;
    struct provider *provider; /* NULL once it has stopped */
    struct provider_options options;
    char url[64];
    struct buf seen; /* what the gateway and the owner of the provider saw, one line per event */
    bool deny;
    uint32_t active_jobs; /* of the last status, as is takes_wants */
    bool takes_wants;
    uint8_t public_key[ED25519_KEY_SIZE];
};

static void see(struct fixture *fixture, const char *format, ...) PRINTF_LIKE(2, 3);
static void see(struct fixture *fixture, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buf_append_format(&fixture->seen, "%s\n", line);
    loop_stop(fixture->loop);
}

/* Runs until a line that contains `text` was seen since the last call. CTest's timeout ends one that never comes. */
static void wait_for(struct fixture *fixture, const char *text) {
    while (strstr(buf_cstr(&fixture->seen), text) == NULL) {
        loop_run(fixture->loop);
    }
}

static inline void forget(struct fixture *fixture) {
    buf_reset(&fixture->seen);
}

/* --- The gateway's side --- */

static void on_hello(void *context, struct link_peer *peer, const struct link_hello *hello) {
    struct fixture *fixture = context;
    see(fixture, "hello %.*s region=%.*s token=%.*s", STR_ARG(hello->device.name), STR_ARG(hello->device.region),
        STR_ARG(hello->join_token));
    assert_true(hello->device.cores > 0 && hello->device.ram_bytes > 0 && hello->device.arch.len > 0);
    memcpy(fixture->public_key, hello->public_key, sizeof(fixture->public_key));
    if (fixture->deny) {
        link_peer_deny(peer, "join token expired");
        return;
    }
    fixture->peer = peer;
    link_peer_admit(peer, "prov_1");
}

static void on_status(void *context, struct link_peer *peer, const struct link_status *status) {
    struct fixture *fixture = context;
    (void)peer;
    fixture->active_jobs = status->active_jobs;
    fixture->takes_wants = status->takes_wants;
    for (size_t i = 0; i < status->model_count; i++) {
        const struct link_model *model = &status->models[i];
        see(fixture, "model %.*s %s slots=%u", STR_ARG(model->id), link_model_state_name(model->state), model->slots);
    }
}

static void on_accept(void *context, struct link_peer *peer, const struct link_accept *accept) {
    (void)peer;
    see(context, "accept %d prompt=%u", (int)accept->job, accept->prompt_tokens);
}

static void on_delta(void *context, struct link_peer *peer, const struct link_delta *delta) {
    (void)peer;
    see(context, "delta %d tokens=%u \"%.*s\"", (int)delta->job, delta->tokens, STR_ARG(delta->text));
}

static void on_done(void *context, struct link_peer *peer, const struct link_done *done) {
    (void)peer;
    see(context, "done %d %s tokens=%u", (int)done->job, link_finish_name(done->finish), done->usage.completion_tokens);
}

static void on_error(void *context, struct link_peer *peer, const struct link_error *error) {
    (void)peer;
    see(context, "error %d %s", (int)error->job, gen_failure_name(error->failure));
}

static void on_drain(void *context, struct link_peer *peer) {
    (void)peer;
    see(context, "drain");
}

static void on_gone(void *context, struct link_peer *peer, const char *reason) {
    struct fixture *fixture = context;
    (void)peer;
    fixture->peer = NULL;
    see(fixture, "gone %s", reason);
}

static void on_request(void *context, struct http_exchange *exchange) {
    struct fixture *fixture = context;
    link_server_accept(fixture->links, exchange);
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context, (void)why;
    http_respond(exchange, status, NULL, 0, STR(""));
}

static void open_gateway(struct fixture *fixture) {
    static const struct link_server_events LINK_EVENTS = {.on_hello = on_hello,
                                                          .on_status = on_status,
                                                          .on_accept = on_accept,
                                                          .on_delta = on_delta,
                                                          .on_done = on_done,
                                                          .on_error = on_error,
                                                          .on_drain = on_drain,
                                                          .on_gone = on_gone};
    static const struct http_server_events HTTP_EVENTS = {.on_request = on_request, .on_refused = on_refused};
    /* Heartbeats are so far apart that a status seen here was sent because something had changed. */
    static const struct link_server_config LINK_CONFIG = {
        .heartbeat_ms = HEARTBEAT_MS, .handshake_ms = 10000, .backlog_bytes = LIMIT_LINK_BACKLOG_BYTES};
    static const struct http_server_config HTTP_CONFIG = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = 1000,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS};
    static const struct listener_options LISTEN = {.address = "127.0.0.1:0", .max_connections = 100};
    assert_true(http_server_open(&fixture->http, fixture->loop, &LISTEN, &HTTP_CONFIG, &HTTP_EVENTS, fixture, NULL));
    fixture->links = link_server_new(fixture->loop, &LINK_CONFIG, &LINK_EVENTS, fixture);
    snprintf(fixture->url, sizeof(fixture->url), "http://127.0.0.1:%u", http_server_port(fixture->http));
}

static inline int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    static const char *const MODELS[] = {"tiny"};
    *state = fixture;
    if (temp_tree_init(&fixture->tree) != 0) {
        return -1;
    }
    buf_init(&fixture->seen, TRANSCRIPT_MAX);
    fixture->loop = loop_new();
    open_gateway(fixture);
    provider_options_init(&fixture->options);
    fixture->options.gateway_url = fixture->url;
    fixture->options.data_folder = fixture->tree.path;
    fixture->options.model_folder = fixture->tree.path;
    fixture->options.engine = "scripted";
    fixture->options.models = MODELS;
    fixture->options.model_count = 1;
    fixture->options.name = "shed";
    fixture->options.slots = 2;
    fixture->options.quiet = true;
    return 0;
}

static void on_stopped(void *context, const struct err *err) {
    struct fixture *fixture = context;
    fixture->provider = NULL;
    see(fixture, "stopped %s", err == NULL ? "well" : err->message);
}

static void on_closed(void *context) {
    (void)context;
}

static inline int teardown(void **state) {
    struct fixture *fixture = *state;
    if (fixture->provider != NULL) {
        provider_stop(fixture->provider, 0);
        wait_for(fixture, "stopped");
    }
    link_server_close(fixture->links, on_closed, NULL);
    http_server_close(fixture->http, on_closed, NULL);
    loop_free(fixture->loop);
    buf_clear(&fixture->seen);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return 0;
}

static const struct provider_events EVENTS = {.on_stopped = on_stopped};

static void open_provider(struct fixture *fixture) {
    struct err err = {0};
    if (!provider_open(&fixture->provider, fixture->loop, &fixture->options, &EVENTS, fixture, &err)) {
        fail_msg("%s", err.message);
    }
}

static inline void open_warm(struct fixture *fixture) {
    open_provider(fixture);
    wait_for(fixture, "warm");
    forget(fixture);
}

static inline void send_job(struct fixture *fixture, uint64_t job, const char *model, const char *words) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = str_from(words)};
    struct gen_request request;
    gen_request_init(&request);
    request.model = str_from(model);
    request.messages = &message;
    request.message_count = 1;
    request.stream = true;
    link_peer_send_job(fixture->peer, job, &request);
}

#endif
