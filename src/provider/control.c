#include "provider/control.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_repeated.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/http_server.h"
#include "provider/control_status.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 4096, ANSWER_MAX = 256 * 1024, BODY_DEPTH = 4, CONNECTIONS_MAX = 8, AGAIN_MS = 5000 };

struct control {
    struct loop *loop;
    struct control_config config;
    struct http_server *http; /* NULL while the socket cannot be had */
    struct loop_timer *again;
    bool told;
    struct loop_deferred finish;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void respond(struct http_exchange *exchange, int status, struct buf *body) {
    const struct http_response_header header = {"Content-Type", STR("application/json")};
    http_respond(exchange, status, &header, 1, buf_str(body));
    buf_clear(body);
}

static void refuse(struct http_exchange *exchange, int status, const char *message) {
    struct buf body;
    struct json_writer writer;
    buf_init(&body, ANSWER_MAX);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_write_key(&writer, "error");
    json_begin_object(&writer);
    json_member_cstr(&writer, "message", message);
    json_end_object(&writer);
    json_end_object(&writer);
    respond(exchange, status, &body);
}

static void respond_status(struct control *control, struct http_exchange *exchange) {
    struct link_model models[LIMIT_LINK_MODELS];
    struct control_view view = {.models = models};
    struct buf body;
    buf_init(&body, ANSWER_MAX);
    (void)owner_guard_look(control->config.guard);
    control->config.fill(control->config.context, &view, models);
    control_write_status(&body, &view, control->config.guard);
    respond(exchange, 200, &body);
}

/* How long, in seconds; 0: until resumed. */
static bool read_for(struct str body, int64_t *seconds, struct err *err) {
    struct json_value root, member;
    *seconds = 0;
    if (body.len == 0) {
        return true;
    }
    struct json_parser *parser = json_parser_new(BODY_MAX, BODY_DEPTH);
    struct str twice;
    bool ok = json_parse(parser, body, &root, err) &&
              (!json_repeated_key(root, &twice) || err_set(err, ERR_INVALID, "the body has a key twice"));
    if (ok && json_get(root, "for_s", &member) && json_type_of(member) != JSON_NULL) {
        ok = (json_as_int64(member, seconds) && *seconds >= 1 && *seconds <= CONTROL_PAUSE_MAX_S) ||
             err_set(err, ERR_INVALID, "for_s is 1 to %d seconds", CONTROL_PAUSE_MAX_S);
    }
    json_parser_free(parser);
    return ok;
}

static void set_pause(struct control *control, struct http_exchange *exchange, bool paused) {
    struct owner_pause pause = {.paused = paused};
    struct err err = {0};
    int64_t seconds = 0;
    if (paused && !read_for(http_exchange_request(exchange)->body, &seconds, &err)) {
        refuse(exchange, 400, err.message);
        return;
    }
    pause.until_ms = seconds > 0 ? clock_wall_ms() + seconds * 1000 : 0;
    if (!owner_guard_set(control->config.guard, &pause, &err)) {
        refuse(exchange, 500, err.message);
        return;
    }
    respond_status(control, exchange);
}

static void on_request(void *context, struct http_exchange *exchange) {
    struct control *control = context;
    const struct http_request *request = http_exchange_request(exchange);
    const bool get = str_equal_cstr(request->method, "GET"), post = str_equal_cstr(request->method, "POST");
    if (str_equal_cstr(request->path, "/status") && get) {
        respond_status(control, exchange);
    } else if (str_equal_cstr(request->path, "/pause") && post) {
        set_pause(control, exchange, true);
    } else if (str_equal_cstr(request->path, "/resume") && post) {
        set_pause(control, exchange, false);
    } else {
        refuse(exchange, 404, "there are GET /status, POST /pause and POST /resume");
    }
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    refuse(exchange, status, why);
}

static bool listen_now(struct control *control, struct err *err) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct http_server_config CONFIG = {
        .head_limits = {.head_bytes = LIMIT_HTTP_HEAD_BYTES,
                        .header_count = LIMIT_HTTP_HEADER_COUNT,
                        .url_bytes = LIMIT_HTTP_URL_BYTES},
        .body_bytes = BODY_MAX,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS,
    };
    char path[FILE_PATH_MAX], address[FILE_PATH_MAX + sizeof("unix:")];
    if (!file_join(path, control->config.data_folder, CONTROL_SOCKET, err)) {
        return false;
    }
    snprintf(address, sizeof(address), "unix:%s", path);
    const struct listener_options listen = {.address = address, .max_connections = CONNECTIONS_MAX};
    return http_server_open(&control->http, control->loop, &listen, &CONFIG, &EVENTS, control, err);
}

static void try_to_listen(void *context) {
    struct control *control = context;
    struct err err = {0};
    if (listen_now(control, &err)) {
        return;
    }
    control->http = NULL;
    LOG_AT(control->told ? LOG_DEBUG : LOG_WARN, "provider.no_control", LOG_TEXT("reason", err.message));
    control->told = true;
    loop_timer_start(control->again, AGAIN_MS, 0);
}

static void finish(struct loop_deferred *deferred) {
    struct control *control = (struct control *)((char *)deferred - offsetof(struct control, finish));
    void (*on_closed)(void *context) = control->on_closed;
    void *context = control->closed_context;
    free(control);
    on_closed(context);
}

struct control *control_new(struct loop *loop, const struct control_config *config) {
    struct control *control = MEM_NEW(struct control);
    control->loop = loop;
    control->config = *config;
    control->finish.run = finish;
    control->again = loop_timer_new(loop, try_to_listen, control);
    try_to_listen(control);
    return control;
}

static void on_http_closed(void *context) {
    struct control *control = context;
    loop_defer(control->loop, &control->finish);
}

void control_close(struct control *control, void (*on_closed)(void *context), void *context) {
    control->on_closed = on_closed;
    control->closed_context = context;
    loop_timer_free(control->again);
    if (control->http != NULL) {
        http_server_close(control->http, on_http_closed, control);
    } else {
        loop_defer(control->loop, &control->finish);
    }
}
