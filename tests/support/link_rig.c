#include "support/link_rig.h"

#include "base/mem.h"
#include "support/hex.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_MAX_BYTES = 400, PUMP_MS = 1 };

static void note(struct link_rig *rig, struct buf *log, void (*hook)(struct link_rig *rig, const char *event),
                 const char *format, ...) PRINTF_LIKE(4, 5);

static void note(struct link_rig *rig, struct buf *log, void (*hook)(struct link_rig *rig, const char *event),
                 const char *format, ...) {
    char line[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buf_append_format(log, "%s\n", line);
    if (hook && !rig->over) {
        hook(rig, line);
    }
}

#define NOTE_GATEWAY(rig, ...) note((rig), &(rig)->gateway_log, (rig)->on_gateway, __VA_ARGS__)
#define NOTE_PROVIDER(rig, ...) note((rig), &(rig)->provider_log, (rig)->on_provider, __VA_ARGS__)
#define NOTE_WS(rig, ...) note((rig), &(rig)->ws_log, (rig)->on_ws, __VA_ARGS__)

/* --- The gateway --- */

static void on_hello(void *context, struct link_peer *peer, const struct link_hello *hello) {
    struct link_rig *rig = context;
    rig->peer = peer;
    link_peer_set_user(peer, rig);
    assert_memory_equal(hello->public_key, rig->public_key, ED25519_KEY_SIZE);
    bool good = str_equal_cstr(hello->join_token, LINK_RIG_TOKEN);
    NOTE_GATEWAY(rig, "hello %.*s %.*s", STR_ARG(hello->join_token), STR_ARG(hello->device.name));
    if (good) {
        link_peer_admit(peer, "prov_1");
    } else {
        link_peer_deny(peer, "unknown device and no valid join token");
    }
}

static void on_status(void *context, struct link_peer *peer, const struct link_status *status) {
    struct link_rig *rig = context;
    assert_ptr_equal(link_peer_user(peer), rig);
    NOTE_GATEWAY(rig, "status %zu %.*s", status->model_count, status->model_count ? (int)status->models[0].id.len : 0,
                 status->model_count ? status->models[0].id.data : "");
}

static void on_accept(void *context, struct link_peer *peer, const struct link_accept *accept) {
    struct link_rig *rig = context;
    (void)peer;
    NOTE_GATEWAY(rig, "accept %llu %u", (unsigned long long)accept->job, accept->prompt_tokens);
}

static void on_progress(void *context, struct link_peer *peer, const struct link_progress *progress) {
    struct link_rig *rig = context;
    (void)peer;
    NOTE_GATEWAY(rig, "progress %llu %u", (unsigned long long)progress->job, progress->done_tokens);
}

static void on_delta(void *context, struct link_peer *peer, const struct link_delta *delta) {
    struct link_rig *rig = context;
    (void)peer;
    buf_append_str(&rig->text, delta->text);
    rig->tokens += delta->tokens;
    rig->part_bytes += delta->parts.len;
    if (!rig->silent_log) {
        NOTE_GATEWAY(rig, "delta %llu %u %.*s", (unsigned long long)delta->job, delta->tokens, STR_ARG(delta->text));
    }
}

static void on_done(void *context, struct link_peer *peer, const struct link_done *done) {
    struct link_rig *rig = context;
    (void)peer;
    NOTE_GATEWAY(rig, "done %llu %s %u", (unsigned long long)done->job, link_finish_name(done->finish),
                 done->usage.completion_tokens);
}

static void on_error(void *context, struct link_peer *peer, const struct link_error *error) {
    struct link_rig *rig = context;
    (void)peer;
    NOTE_GATEWAY(rig, "error %llu %s %.*s", (unsigned long long)error->job, gen_failure_name(error->failure),
                 STR_ARG(error->message));
}

static void on_peer_drain(void *context, struct link_peer *peer) {
    struct link_rig *rig = context;
    (void)peer;
    NOTE_GATEWAY(rig, "drain");
}

static void on_silent(void *context, struct link_peer *peer) {
    struct link_rig *rig = context;
    assert_ptr_equal(link_peer_user(peer), rig);
    NOTE_GATEWAY(rig, "silent");
}

static void on_alive(void *context, struct link_peer *peer) {
    struct link_rig *rig = context;
    assert_ptr_equal(link_peer_user(peer), rig);
    NOTE_GATEWAY(rig, "alive");
}

static void on_gone(void *context, struct link_peer *peer, const char *reason) {
    struct link_rig *rig = context;
    if (rig->peer == peer) {
        rig->peer = NULL;
    }
    NOTE_GATEWAY(rig, "gone %s", reason);
}

static const struct link_server_events SERVER_EVENTS = {.on_hello = on_hello,
                                                        .on_status = on_status,
                                                        .on_accept = on_accept,
                                                        .on_progress = on_progress,
                                                        .on_delta = on_delta,
                                                        .on_done = on_done,
                                                        .on_error = on_error,
                                                        .on_drain = on_peer_drain,
                                                        .on_silent = on_silent,
                                                        .on_alive = on_alive,
                                                        .on_gone = on_gone};

static void on_http_request(void *context, struct http_exchange *exchange) {
    struct link_rig *rig = context;
    assert_true(str_equal_cstr(http_exchange_request(exchange)->path, LINK_PATH));
    if (rig->on_request) {
        rig->on_request(rig, exchange);
        return;
    }
    if (!rig->server) {
        rig->server = link_server_new(rig->loop, &rig->server_config, &SERVER_EVENTS, rig);
    }
    link_server_accept(rig->server, exchange);
}

static void on_http_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    http_respond(exchange, status, NULL, 0, str_from(why));
}

static const struct http_server_events HTTP_EVENTS = {.on_request = on_http_request, .on_refused = on_http_refused};

/* --- The provider --- */

static void on_ready(void *context, const char *provider_id) {
    struct link_rig *rig = context;
    assert_true(link_client_connected(rig->client));
    NOTE_PROVIDER(rig, "ready %s", provider_id);
}

static void on_status_due(void *context) {
    struct link_rig *rig = context;
    const struct link_model model = {.id = STR("m"),
                                     .state = LINK_MODEL_WARM,
                                     .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                     .slots = 1,
                                     .context_length = 64};
    const struct link_status status = {.models = &model, .model_count = 1, .battery_percent = -1};
    link_client_send_status(rig->client, &status);
    NOTE_PROVIDER(rig, "status due");
}

static void on_job(void *context, uint64_t job, const struct gen_request *request) {
    struct link_rig *rig = context;
    NOTE_PROVIDER(rig, "job %llu %.*s %zu%s%.*s", (unsigned long long)job, STR_ARG(request->model), request->prompt.len,
                  request->scope.len > 0 ? " scope " : "", STR_ARG(request->scope));
}

static void on_cancel(void *context, uint64_t job) {
    struct link_rig *rig = context;
    NOTE_PROVIDER(rig, "cancel %llu", (unsigned long long)job);
}

static void on_want(void *context, struct str model) {
    struct link_rig *rig = context;
    NOTE_PROVIDER(rig, "want %.*s", STR_ARG(model));
}

static void on_gateway_drain(void *context) {
    struct link_rig *rig = context;
    NOTE_PROVIDER(rig, "drain");
}

static void on_lost(void *context, const char *reason, bool fatal) {
    struct link_rig *rig = context;
    assert_false(link_client_connected(rig->client));
    NOTE_PROVIDER(rig, "lost%s %s", fatal ? " for good" : "", reason);
}

static const struct link_client_events CLIENT_EVENTS = {.on_ready = on_ready,
                                                        .on_status_due = on_status_due,
                                                        .on_job = on_job,
                                                        .on_cancel = on_cancel,
                                                        .on_want = on_want,
                                                        .on_drain = on_gateway_drain,
                                                        .on_lost = on_lost};

static void pump(void *context) {
    struct link_rig *rig = context;
    if (!rig->frozen || rig->over) { /* a late event of the gateway may have frozen it again */
        uv_run(loop_uv(rig->device_loop), UV_RUN_NOWAIT);
        if (!uv_loop_alive(loop_uv(rig->device_loop))) {
            loop_run(rig->device_loop); /* uv_run has skipped a dead loop's deferred work, such as the client's last */
        }
    }
}

void link_rig_use_device_loop(struct link_rig *rig) {
    rig->device_loop = loop_new();
    rig->pump = loop_timer_new(rig->loop, pump, rig);
    loop_timer_start(rig->pump, PUMP_MS, PUMP_MS);
}

void link_rig_start_client(struct link_rig *rig, const char *token) {
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(rig->http));
    struct link_client_config config = {.url = url,
                                        .join_token = token,
                                        .device = {.name = STR("bench"), .cores = 2},
                                        .backoff_min_ms = 1,
                                        .backoff_max_ms = 4};
    memcpy(config.private_key, rig->private_key, sizeof(config.private_key));
    struct err err = {0};
    struct loop *loop = rig->device_loop ? rig->device_loop : rig->loop;
    if (!link_client_new(&rig->client, loop, &config, &CLIENT_EVENTS, rig, &err)) {
        fail_msg("%s", err.message);
    }
}

/* --- Played by hand --- */

static void on_ws_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct link_rig *rig = context;
    char hex[LINE_MAX_BYTES] = "";
    if (opcode == WS_TEXT) {
        NOTE_WS(rig, "%.*s", STR_ARG(payload));
    } else {
        assert_true(2 * payload.len < sizeof(hex));
        digest_hex((const uint8_t *)payload.data, payload.len, hex);
        NOTE_WS(rig, "binary %s", hex);
    }
}

static void on_ws_close(void *context, uint16_t code, struct str reason) {
    struct link_rig *rig = context;
    rig->ws = NULL;
    NOTE_WS(rig, "close %u %.*s", code, STR_ARG(reason));
}

static const struct ws_conn_events WS_EVENTS = {.on_message = on_ws_message, .on_close = on_ws_close};

static void on_ws_open(void *context, struct ws_conn *ws, const struct err *reason) {
    struct link_rig *rig = context;
    rig->attempt = NULL;
    rig->ws = ws;
    if (ws) {
        NOTE_WS(rig, "open");
    } else {
        NOTE_WS(rig, "refused %s", reason->message);
    }
}

void link_rig_start_ws(struct link_rig *rig) {
    char url[64];
    snprintf(url, sizeof(url), "ws://127.0.0.1:%u" LINK_PATH, http_server_port(rig->http));
    const struct ws_connect_options options = {.url = url,
                                               .protocol = LINK_SUBPROTOCOL,
                                               .max_message = LIMIT_LINK_MESSAGE_BYTES,
                                               .timeout_ms = LINK_RIG_HANG_MS};
    struct err err = {0};
    if (!ws_connect(&rig->attempt, rig->loop, &options, &WS_EVENTS, on_ws_open, rig, &err)) {
        fail_msg("%s", err.message);
    }
}

void link_rig_accept_ws(struct link_rig *rig, struct http_exchange *exchange) {
    struct err err = {0};
    if (!ws_conn_accept(&rig->ws, exchange, LINK_SUBPROTOCOL, LIMIT_LINK_MESSAGE_BYTES, &WS_EVENTS, rig, &err)) {
        fail_msg("%s", err.message);
    }
}

void link_rig_ws_send(struct link_rig *rig, const char *text) {
    ws_conn_send(rig->ws, WS_TEXT, str_from(text));
}

void link_rig_ws_send_hex(struct link_rig *rig, const char *hex) {
    struct buf bytes;
    buf_init(&bytes, LINE_MAX_BYTES);
    hex_append(&bytes, str_from(hex));
    ws_conn_send(rig->ws, WS_BINARY, buf_str(&bytes));
    buf_clear(&bytes);
}

/* --- Beginning and end --- */

static void on_hang(void *context) {
    struct link_rig *rig = context;
    fail_msg("the test hangs; gateway: %s; provider: %s; by hand: %s", buf_cstr(&rig->gateway_log),
             buf_cstr(&rig->provider_log), buf_cstr(&rig->ws_log));
}

static void nothing(void *context) {
    (void)context;
}

static void on_client_closed(void *context) {
    struct link_rig *rig = context;
    rig->client = NULL;
    loop_timer_free(rig->pump);
    rig->pump = NULL;
}

static void on_server_closed(void *context) {
    struct link_rig *rig = context;
    rig->server = NULL;
}

int link_rig_setup(void **state) {
    struct link_rig *rig = MEM_NEW(struct link_rig);
    rig->loop = loop_new();
    rig->server_config = (struct link_server_config){
        .heartbeat_ms = LINK_RIG_HANG_MS, .handshake_ms = LINK_RIG_HANG_MS, .backlog_bytes = LIMIT_LINK_BACKLOG_BYTES};
    buf_init(&rig->gateway_log, 1 << 20);
    buf_init(&rig->provider_log, 1 << 20);
    buf_init(&rig->ws_log, 1 << 20);
    buf_init(&rig->text, 1 << 24);
    ed25519_generate(rig->private_key, rig->public_key);
    rig->hang_guard = loop_timer_new(rig->loop, on_hang, rig);
    loop_timer_start(rig->hang_guard, LINK_RIG_HANG_MS, 0);
    const struct http_server_config config = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = 1024,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS};
    const struct listener_options options = {.address = "127.0.0.1:0", .max_connections = 10, .handshake_ms = 1000};
    struct err err = {0};
    if (!http_server_open(&rig->http, rig->loop, &options, &config, &HTTP_EVENTS, rig, &err)) {
        fail_msg("%s", err.message);
    }
    *state = rig;
    return 0;
}

int link_rig_teardown(void **state) {
    struct link_rig *rig = *state;
    if (rig->device_loop) {
        loop_run(rig->device_loop);
        loop_free(rig->device_loop);
    }
    loop_free(rig->loop);
    buf_clear(&rig->gateway_log);
    buf_clear(&rig->provider_log);
    buf_clear(&rig->ws_log);
    buf_clear(&rig->text);
    free(rig);
    return 0;
}

void link_rig_end(struct link_rig *rig) {
    if (rig->over) {
        return;
    }
    rig->over = true;
    rig->frozen = false;
    loop_timer_free(rig->hang_guard);
    if (rig->client) {
        link_client_close(rig->client, on_client_closed, rig);
    }
    if (rig->server) {
        link_server_close(rig->server, on_server_closed, rig);
    }
    if (rig->attempt) {
        ws_connect_cancel(rig->attempt);
    }
    if (rig->ws) {
        ws_conn_abort(rig->ws);
    }
    http_server_close(rig->http, nothing, NULL);
}

void link_rig_run(struct link_rig *rig) {
    loop_run(rig->loop);
    assert_true(rig->over);
    assert_null(rig->client);
    assert_null(rig->server);
    assert_null(rig->peer);
}

struct gen_request link_rig_request(size_t prompt_bytes) {
    struct gen_request request;
    gen_request_init(&request);
    char *prompt = mem_alloc(prompt_bytes + 1);
    memset(prompt, 'x', prompt_bytes);
    request.model = STR("m");
    request.prompt = (struct str){prompt, prompt_bytes};
    return request;
}
