#include "support/upstream_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/http_server.h"

#include <stdio.h>
#include <stdlib.h>

enum { HOST_JOBS = 256, HOST_BODY = 1024 * 1024, HOST_TIMEOUT_MS = 60000, HOST_EVENT_MAX = 256 * 1024 };

struct host_job {
    struct upstream_host *host;
    struct http_exchange *exchange; /* NULL: free, or its client is gone */
    bool begun;
};

struct upstream_host {
    struct loop *loop;
    struct http_server *server;
    struct engine *engine;
    uint32_t context_length;
    struct host_job jobs[HOST_JOBS]; /* index: the job's id */
    uint64_t last;
    struct json_parser *json;
    struct buf out;
    uv_thread_t thread;
    uv_async_t stop;
    char url[64];
};

/* --- What is sent --- */

static void say(struct host_job *job, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct host_job *job, const char *format, ...) {
    char text[1024];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    http_stream_write(job->exchange, str_from(text));
}

static struct host_job *job_of(void *context, uint64_t id) {
    struct upstream_host *host = context;
    return &host->jobs[id % HOST_JOBS];
}

static void on_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    (void)context, (void)state, (void)facts, (void)why;
}

static void on_accept(void *context, uint64_t id, uint32_t prompt_tokens) {
    static const struct http_response_header TYPE = {"Content-Type", {"text/event-stream", 17}};
    struct host_job *job = job_of(context, id);
    (void)prompt_tokens;
    if (job->exchange != NULL) {
        job->begun = true;
        http_stream_begin(job->exchange, 200, &TYPE, 1);
        say(job, ": a comment\r\ndata: "
                 "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n");
    }
}

static void on_delta(void *context, uint64_t id, struct str text, const uint32_t *ids, uint32_t tokens) {
    struct host_job *job = job_of(context, id);
    struct json_writer writer;
    (void)ids, (void)tokens;
    if (job->exchange == NULL) {
        return;
    }
    buf_reset(&job->host->out);
    json_writer_init(&writer, &job->host->out);
    json_write_str(&writer, text);
    say(job, "data: {\"choices\":[{\"index\":0,\"text\":");
    http_stream_write(job->exchange, buf_str(&job->host->out));
    say(job, ",\"delta\":{\"content\":");
    http_stream_write(job->exchange, buf_str(&job->host->out));
    say(job, "},\"finish_reason\":null}]}\n\n");
}

static void end(struct host_job *job) {
    struct http_exchange *exchange = job->exchange;
    job->exchange = NULL;
    http_stream_end(exchange);
}

static void on_done(void *context, uint64_t id, const struct gen_done *done) {
    struct host_job *job = job_of(context, id);
    if (job->exchange == NULL) {
        return;
    }
    say(job, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}\n\n",
        gen_finish_name(done->finish));
    say(job, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u}}\n\ndata: [DONE]\n\n",
        done->usage.prompt_tokens, done->usage.completion_tokens);
    end(job);
}

static void on_failed(void *context, uint64_t id, enum gen_failure failure, const char *message, const char *param) {
    struct host_job *job = job_of(context, id);
    char text[512];
    (void)param;
    if (job->exchange == NULL) {
        return;
    }
    if (job->begun) {
        http_stream_abort(job->exchange);
    } else {
        const bool client = failure == GEN_FAILURE_CONTEXT_LENGTH || failure == GEN_FAILURE_BAD_REQUEST;
        (void)snprintf(text, sizeof(text), "{\"error\":{\"message\":\"%s\",\"code\":\"%s\"}}", message,
                       failure == GEN_FAILURE_CONTEXT_LENGTH ? "context_length_exceeded" : "failed");
        http_respond(job->exchange, client ? 400 : 500, NULL, 0, str_from(text));
    }
    job->exchange = NULL;
}

/* --- What is asked --- */

static struct str text_member(struct json_value object, const char *key) {
    struct json_value value;
    struct str text = STR("");
    return json_get(object, key, &value) && json_as_str(value, &text) ? text : STR("");
}

static double number_member(struct json_value object, const char *key, double fallback) {
    struct json_value value;
    double number;
    return json_get(object, key, &value) && json_as_double(value, &number) ? number : fallback;
}

static void read_messages(struct json_value root, struct arena *arena, struct gen_request *request) {
    struct json_value list, item;
    struct json_iterator iterator;
    if (!json_get(root, "messages", &list)) {
        return;
    }
    struct gen_message *messages = ARENA_ARRAY(arena, struct gen_message, json_count(list));
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item); request->message_count++) {
        struct gen_message *message = &messages[request->message_count];
        message->content = text_member(item, "content");
        (void)gen_role_from_name(text_member(item, "role"), &message->role);
    }
    request->messages = messages;
}

static void read_stops(struct json_value root, struct gen_request *request) {
    struct json_value list, item;
    struct json_iterator iterator;
    if (!json_get(root, "stop", &list)) {
        return;
    }
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item);) {
        (void)json_as_str(item, &request->stop[request->stop_count++]);
    }
}

static void on_gone(void *user) {
    struct host_job *job = user;
    struct upstream_host *host = job->host;
    job->exchange = NULL;
    host->engine->ops->cancel(host->engine, (uint64_t)(job - host->jobs));
}

static void answer_chat(struct upstream_host *host, struct http_exchange *exchange) {
    struct json_value root;
    struct gen_request request;
    gen_request_init(&request);
    if (!json_parse(host->json, http_exchange_request(exchange)->body, &root, NULL)) {
        http_respond(exchange, 400, NULL, 0, STR("{}"));
        return;
    }
    read_messages(root, http_exchange_arena(exchange), &request);
    read_stops(root, &request);
    request.prompt = text_member(root, "prompt");
    request.max_tokens_given = number_member(root, "max_tokens", 0) > 0;
    request.max_tokens = (uint32_t)number_member(root, "max_tokens", 256);
    request.stream = true;
    request.model = STR("demo");
    host->last = (host->last + 1) % HOST_JOBS;
    struct host_job *job = &host->jobs[host->last];
    *job = (struct host_job){.host = host, .exchange = exchange};
    http_exchange_on_gone(exchange, on_gone, job);
    host->engine->ops->submit(host->engine, host->last, &request);
}

static void on_request(void *context, struct http_exchange *exchange) {
    struct upstream_host *host = context;
    const struct http_request *request = http_exchange_request(exchange);
    char text[256];
    if (http_request_header(request, "Authorization").len > 0) {
        http_respond(exchange, 401, NULL, 0, STR("{\"error\":{\"message\":\"no such key\"}}"));
    } else if (str_equal_cstr(request->path, "/v1/models")) {
        (void)snprintf(text, sizeof(text), "{\"data\":[{\"id\":\"demo\",\"max_model_len\":%u}]}", host->context_length);
        http_respond(exchange, 200, NULL, 0, str_from(text));
    } else if (str_equal_cstr(request->method, "POST")) {
        answer_chat(host, exchange);
    } else {
        http_respond(exchange, 404, NULL, 0, STR("{}"));
    }
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context;
    http_respond(exchange, status, NULL, 0, str_from(why));
}

/* --- Its life --- */

static void on_engine_closed(void *context) {
    struct upstream_host *host = context;
    host->engine = NULL;
}

static void on_stop(uv_async_t *stop) {
    struct upstream_host *host = stop->data;
    for (size_t i = 0; i < HOST_JOBS; i++) {
        if (host->jobs[i].exchange != NULL) {
            on_failed(host, i, GEN_FAILURE_ENGINE, "the test is over", NULL);
        }
    }
    host->engine->ops->close(host->engine, on_engine_closed, host);
    http_server_close(host->server, NULL, NULL);
    uv_close((uv_handle_t *)stop, NULL);
}

static void run(void *context) {
    const struct upstream_host *host = context;
    loop_run(host->loop);
}

struct upstream_host *upstream_host_start(const struct engine_options *options) {
    static const struct engine_events ENGINE_EVENTS = {
        .on_state = on_state, .on_accept = on_accept, .on_delta = on_delta, .on_done = on_done, .on_failed = on_failed};
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct http_server_config CONFIG = {.head_limits = {HOST_BODY, 40, 1024},
                                                     .body_bytes = HOST_BODY,
                                                     .pipeline_bytes = HOST_BODY,
                                                     .head_timeout_ms = HOST_TIMEOUT_MS,
                                                     .body_pace.stretch_ms = HOST_TIMEOUT_MS,
                                                     .idle_timeout_ms = HOST_TIMEOUT_MS};
    const struct listener_options listener = {.address = "127.0.0.1:0", .max_connections = 64};
    struct upstream_host *host = MEM_NEW(struct upstream_host);
    struct engine_options own = *options;
    struct err err = {0};
    host->loop = own.loop = loop_new();
    host->json = json_parser_new(HOST_BODY, LIMIT_JSON_DEPTH);
    host->context_length = own.context_length > 0 ? own.context_length : 4096;
    own.slots = HOST_JOBS / 4;
    buf_init(&host->out, HOST_EVENT_MAX);
    if (!ENGINE_SCRIPTED.open(&host->engine, &own, &ENGINE_EVENTS, host, &err) ||
        !http_server_open(&host->server, host->loop, &listener, &CONFIG, &EVENTS, host, &err)) {
        fail_msg("%s", err.message);
    }
    (void)snprintf(host->url, sizeof(host->url), "http://127.0.0.1:%u/v1", http_server_port(host->server));
    uv_async_init(loop_uv(host->loop), &host->stop, on_stop);
    host->stop.data = host;
    assert_int_equal(uv_thread_create(&host->thread, run, host), 0);
    return host;
}

const char *upstream_host_url(const struct upstream_host *host) {
    return host->url;
}

void upstream_host_stop(struct upstream_host *host) {
    uv_async_send(&host->stop);
    uv_thread_join(&host->thread);
    loop_free(host->loop);
    json_parser_free(host->json);
    buf_clear(&host->out);
    free(host);
}
