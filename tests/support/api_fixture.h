/* The API behind a real HTTP server on loopback, with a scripted network, a fake key check and one raw client. The
 * store is a fake, or with support/api_real.h a real one. */
#ifndef NATARIS_TESTS_SUPPORT_API_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_API_FIXTURE_H

#include "api/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/call.h"
#include "call/run.h"
#include "format/formats.h"
#include "store/admin.h"
#include "store/devices.h"
#include "store/usage.h"

#include "support/fake_auth.h"

#ifdef API_FIXTURE_REAL_STORE
#include "support/store_fixture.h"
#else
#include "support/api_jobs.h"
#include "support/api_store.h"
#include "support/api_workflows.h"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The beat wakes a loop in which nothing else is open, though something is deferred to the end of its iteration. */
enum {
    API_FIXTURE_WAIT_MS = 20 * 1000,
    API_FIXTURE_BEAT_MS = 10,
    API_FIXTURE_RECEIVED_MAX = 64 << 20,
    API_FIXTURE_BODY_MAX = 64 * 1024
};

struct api_fixture {
    char removed_account[STORE_ID_MAX], removed_device[STORE_ID_MAX]; /* the latest device that was to go */
    struct err remove_err;                                            /* code ERR_NONE: it goes */
    struct loop *loop;
    struct auth auth;
#ifdef API_FIXTURE_REAL_STORE
    struct store_fixture *files;
#else
    struct store store;
#endif
    struct calls *calls;
    struct executor executor;
    struct api *api;
    struct http_server *server;
    uint64_t ready_in_ms; /* of every model */
    /* The backend: what came, and what it does with it. */
    struct call *call; /* the last one submitted; NULL once it was abandoned */
    char call_id[ID_SIZE], request_id[ID_SIZE];
    int64_t created;
    int submitted, abandoned, linked;
    void (*on_submit)(struct api_fixture *fixture, struct call *call); /* NULL: nothing */
    bool ready, disk_low;
    uint64_t call_wait_ms;         /* of every request with a key */
    struct core_account_view view; /* no limit: no rate headers */
    struct store_usage sandbox;
    const char *offered; /* a model that a provider offers, besides the catalog's; or NULL */
    size_t more_offered; /* and so many more, "more-0" and so on */
    char more_name[32];
    /* The client. */
    int socket;
    uv_poll_t poll;
    uv_timer_t watchdog;
    struct buf received;
    unsigned beats;
    bool closed, timed_out;
};

static void api_fixture_submit(void *context, struct call *call) {
    struct api_fixture *fixture = context;
    fixture->submitted++;
    fixture->call = call;
    fixture->created = call->created_ms / 1000;
    memcpy(fixture->call_id, call->id, sizeof(fixture->call_id));
    memcpy(fixture->request_id, call->request_id, sizeof(fixture->request_id));
    if (fixture->on_submit != NULL) {
        fixture->on_submit(fixture, call);
    }
}

static void api_fixture_abandon(void *context, struct call *call) {
    struct api_fixture *fixture = context;
    assert_ptr_equal(call, fixture->call);
    fixture->abandoned++;
    fixture->call = NULL;
}

static uint64_t api_fixture_ready_in_ms(void *context, struct str model, uint32_t *percent) {
    const struct api_fixture *fixture = context;
    (void)model;
    *percent = 43;
    return fixture->ready_in_ms;
}

static enum core_availability api_fixture_availability(void *context, struct str model, uint32_t *context_length) {
    struct api_fixture *fixture = context;
    if (str_equal(model, STR("nataris-demo-2m"))) {
        *context_length = 512;
        return CORE_MODEL_AVAILABLE;
    }
    return fixture->offered != NULL && str_equal_cstr(model, fixture->offered) ? CORE_MODEL_COMING : CORE_MODEL_ABSENT;
}

static bool api_fixture_model_at(void *context, size_t index, struct str *model) {
    struct api_fixture *fixture = context;
    const char *const offered[] = {"nataris-demo-2m", fixture->offered};
    if (index >= COUNT_OF(offered) && index - COUNT_OF(offered) < fixture->more_offered) {
        snprintf(fixture->more_name, sizeof(fixture->more_name), "more-%zu", index - COUNT_OF(offered));
        *model = str_from(fixture->more_name);
        return true;
    }
    if (index >= COUNT_OF(offered) || offered[index] == NULL) {
        return false;
    }
    *model = str_from(offered[index]);
    return true;
}

static bool api_fixture_ready(void *context) {
    const struct api_fixture *fixture = context;
    return fixture->ready;
}

static bool api_fixture_account_view(void *context, const struct auth_identity *identity,
                                     struct core_account_view *view) {
    const struct api_fixture *fixture = context;
    assert_string_equal(identity->account_id, fake_auth_identity(&fixture->auth).account_id);
    *view = fixture->view;
    return view->requests_per_minute != 0;
}

static void api_fixture_sandbox_usage(void *context, const struct auth_identity *identity, struct store_usage *usage) {
    assert_string_equal(identity->account_id, "acct_1");
    const struct api_fixture *fixture = context;
    *usage = fixture->sandbox;
}

static void api_fixture_provider_write(void *context, const struct store_device *device, struct json_writer *writer) {
    (void)context;
    json_member_bool(writer, "connected", strcmp(device->id, "prov_1") == 0);
}

static uint64_t api_fixture_call_wait_ms(void *context, const struct auth_identity *identity) {
    const struct api_fixture *fixture = context;
    (void)identity;
    return fixture->call_wait_ms;
}

static bool api_fixture_disk_low(void *context) {
    const struct api_fixture *fixture = context;
    return fixture->disk_low;
}

static void api_fixture_device_remove(void *context, const char *account_id, const char *device_id,
                                      void (*done)(void *done_context, const struct store_admin *result,
                                                   const struct err *err),
                                      void *done_context) {
    struct api_fixture *fixture = context;
    const struct store_admin result = {.kind = STORE_ADMIN_DEVICE_REMOVE};
    const bool fails = fixture->remove_err.code != ERR_NONE;
    (void)str_copy(fixture->removed_account, sizeof(fixture->removed_account), str_from(account_id));
    (void)str_copy(fixture->removed_device, sizeof(fixture->removed_device), str_from(device_id));
    done(done_context, fails ? NULL : &result, fails ? &fixture->remove_err : NULL);
}

static void api_fixture_link(void *context, struct http_exchange *exchange) {
    struct api_fixture *fixture = context;
    fixture->linked++;
    http_respond(exchange, 400, NULL, 0, STR("link"));
}

static void api_fixture_on_time(uv_timer_t *timer) {
    struct api_fixture *fixture = timer->data;
    fixture->timed_out = ++fixture->beats > API_FIXTURE_WAIT_MS / API_FIXTURE_BEAT_MS;
}

static void api_fixture_on_bytes(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    struct api_fixture *fixture = poll->data;
    char bytes[64 * 1024];
    ssize_t got = recv(fixture->socket, bytes, sizeof(bytes), 0);
    if (got > 0) {
        assert_true(buf_append(&fixture->received, bytes, (size_t)got));
    } else if (got == 0 || errno != EAGAIN) {
        fixture->closed = true;
        uv_poll_stop(poll);
    }
}

/* Opens the client's connection; it reads from now on. */
UNUSED static void api_fixture_connect(struct api_fixture *fixture) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_server_port(fixture->server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fixture->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fixture->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fixture->socket, F_SETFL, O_NONBLOCK), 0);
    fixture->closed = false;
    buf_reset(&fixture->received);
    uv_poll_init(loop_uv(fixture->loop), &fixture->poll, fixture->socket);
    fixture->poll.data = fixture;
    uv_poll_start(&fixture->poll, UV_READABLE | UV_DISCONNECT, api_fixture_on_bytes);
}

UNUSED static void api_fixture_disconnect(struct api_fixture *fixture) {
    uv_close((uv_handle_t *)&fixture->poll, NULL);
    uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
    close(fixture->socket);
    fixture->socket = -1;
}

UNUSED static void api_fixture_turn(struct api_fixture *fixture) {
    uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
    assert_false(fixture->timed_out);
}

#ifdef API_FIXTURE_REAL_STORE
/* With the accounts "acct_1" and "acct_2". */
static struct store *api_fixture_store_open(struct api_fixture *fixture) {
    void *files = NULL;
    const struct store_account other = store_fixture_account("acct_2", false);
    assert_int_equal(store_fixture_setup_client(&files), 0);
    fixture->files = files;
    assert_true(store_account_add(fixture->files->store, &other, NULL));
    assert_true(store_start(fixture->files->store, loop_uv(fixture->loop), store_fixture_on_broken, files, NULL));
    return fixture->files->store;
}

/* What waits is answered. */
static void api_fixture_store_close(struct api_fixture *fixture) {
    store_close(fixture->files->store);
    fixture->files->store = NULL;
}

static void api_fixture_store_clear(struct api_fixture *fixture) {
    void *files = fixture->files;
    (void)store_fixture_teardown(&files);
}
#else
static struct store *api_fixture_store_open(struct api_fixture *fixture) {
    api_store_init(&fixture->store, fixture->loop);
    return &fixture->store;
}

static void api_fixture_store_close(struct api_fixture *fixture) {
    api_store_clear(&fixture->store);
    api_jobs_clear();
    api_workflows_clear();
}

static void api_fixture_store_clear(struct api_fixture *fixture) {
    (void)fixture;
}
#endif

/* With these formats in place of those of the gateway. */
UNUSED static int api_fixture_setup_formats(void **state, const struct formats *formats) {
    static const struct http_server_events events = {
        .on_head = api_on_head, .on_request = api_on_request, .on_refused = api_on_refused};
    struct api_fixture *fixture = MEM_NEW(struct api_fixture);
    struct err err;
    log_set_level(LOG_ERROR);
    fixture->loop = loop_new();
    fixture->auth.loop = fixture->loop;
    fixture->ready = true;
    fixture->executor =
        (struct executor){.context = fixture, .submit = api_fixture_submit, .abandon = api_fixture_abandon};
    const struct call_backend network = {.context = fixture,
                                         .devices = &fixture->executor,
                                         .sandbox = &fixture->executor,
                                         .availability = api_fixture_availability,
                                         .ready_in_ms = api_fixture_ready_in_ms,
                                         .model_at = api_fixture_model_at,
                                         .account_view = api_fixture_account_view,
                                         .disk_low = api_fixture_disk_low};
    const struct api_backend backend = {.context = fixture,
                                        .ready = api_fixture_ready,
                                        .call_wait_ms = api_fixture_call_wait_ms,
                                        .sandbox_usage = api_fixture_sandbox_usage,
                                        .provider_write = api_fixture_provider_write,
                                        .device_remove = api_fixture_device_remove,
                                        .link = api_fixture_link};
    fixture->calls = calls_new(fixture->loop, &fixture->auth, api_fixture_store_open(fixture), &network);
    runs_open(fixture->calls);
    fixture->api = api_new(fixture->calls, formats, &backend);
    const struct listener_options listen = {.address = "127.0.0.1:0", .max_connections = 128, .handshake_ms = 1000};
    const struct http_server_config config = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = API_FIXTURE_BODY_MAX,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS,
    };
    assert_true(http_server_open(&fixture->server, fixture->loop, &listen, &config, &events, fixture->api, &err));
    buf_init(&fixture->received, API_FIXTURE_RECEIVED_MAX);
    uv_timer_init(loop_uv(fixture->loop), &fixture->watchdog);
    fixture->watchdog.data = fixture;
    uv_timer_start(&fixture->watchdog, api_fixture_on_time, API_FIXTURE_BEAT_MS, API_FIXTURE_BEAT_MS);
    api_fixture_connect(fixture);
    *state = fixture;
    return 0;
}

UNUSED static int api_fixture_setup(void **state) {
    return api_fixture_setup_formats(state, &FORMATS);
}

static void api_fixture_on_closed(void *context) {
    (void)context;
}

UNUSED static int api_fixture_teardown(void **state) {
    struct api_fixture *fixture = *state;
    api_fixture_disconnect(fixture);
    uv_close((uv_handle_t *)&fixture->watchdog, NULL);
    http_server_close(fixture->server, api_fixture_on_closed, NULL);
    while (calls_count(fixture->calls) > 0) {
        uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
    }
    api_fixture_store_close(fixture);
    api_free(fixture->api);
    runs_close(fixture->calls);
    calls_free(fixture->calls);
    loop_free(fixture->loop);
    api_fixture_store_clear(fixture);
    buf_clear(&fixture->received);
    free(fixture);
    return 0;
}

/* Sends bytes, running the loop while the server is slow to take them. */
UNUSED static void api_fixture_send(struct api_fixture *fixture, struct str bytes) {
    while (bytes.len > 0) {
        ssize_t sent = send(fixture->socket, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.data += sent;
            bytes.len -= (size_t)sent;
        } else {
            assert_int_equal(errno, EAGAIN);
            uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
        }
    }
}

/* One request with the key "good"; `headers` are more header lines, each with its CR LF, `body` may be NULL. */
UNUSED static void api_fixture_request(struct api_fixture *fixture, const char *line, const char *headers,
                                       const char *body) {
    struct buf text;
    buf_init(&text, 4 << 20);
    buf_append_format(&text, "%s HTTP/1.1\r\nHost: localhost\r\n", line);
    if (strstr(headers, "Authorization") == NULL) {
        buf_append_cstr(&text, "Authorization: Bearer good\r\n");
    }
    buf_append_cstr(&text, headers);
    if (body != NULL) {
        buf_append_format(&text, "Content-Length: %zu\r\n", strlen(body));
    }
    buf_append_cstr(&text, "\r\n");
    buf_append_cstr(&text, body != NULL ? body : "");
    api_fixture_send(fixture, buf_str(&text));
    buf_clear(&text);
}

UNUSED static void api_fixture_post(struct api_fixture *fixture, const char *path, const char *body) {
    char line[128];
    snprintf(line, sizeof(line), "POST %s", path);
    api_fixture_request(fixture, line, "", body);
}

/* Everything received so far, as text. */
UNUSED static const char *api_fixture_text(struct api_fixture *fixture) {
    return buf_cstr(&fixture->received);
}

/* Runs the loop until the client has received `words`. */
UNUSED static void api_fixture_expect(struct api_fixture *fixture, const char *words) {
    while (strstr(api_fixture_text(fixture), words) == NULL) {
        if (fixture->closed) {
            fail_msg("closed without '%s' after: %.2000s", words, api_fixture_text(fixture));
        }
        api_fixture_turn(fixture);
    }
}

/* Runs the loop until the backend has a call. */
UNUSED static struct call *api_fixture_await_call(struct api_fixture *fixture) {
    while (fixture->call == NULL) {
        api_fixture_turn(fixture);
    }
    return fixture->call;
}

/* The value of a header of the answer received, or "" without it; in a static buffer. */
UNUSED static const char *api_fixture_header(struct api_fixture *fixture, const char *name) {
    static char value[512];
    const char *text = api_fixture_text(fixture), *end = strstr(text, "\r\n\r\n");
    value[0] = '\0';
    for (const char *line = strstr(text, "\r\n"); line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
        size_t name_len = strlen(name);
        if (strncasecmp(line + 2, name, name_len) == 0 && line[2 + name_len] == ':') {
            const char *start = line + 2 + name_len + 1, *stop = strstr(start, "\r\n");
            (void)str_copy(value, sizeof(value), str_trim((struct str){start, (size_t)(stop - start)}));
        }
    }
    return value;
}

/* Waits for a whole answer with Content-Length; returns its status, and its body through *body. `head`: it has none. */
UNUSED static int api_fixture_answer_of(struct api_fixture *fixture, bool head, const char **body) {
    api_fixture_expect(fixture, "\r\n\r\n");
    size_t head_len = (size_t)(strstr(api_fixture_text(fixture), "\r\n\r\n") + 4 - fixture->received.data);
    uint64_t length = 0;
    const char *text = api_fixture_header(fixture, "Content-Length");
    assert_true(text[0] == '\0' || str_parse_u64(str_from(text), SIZE_MAX, &length));
    while (!head && fixture->received.len < head_len + length) {
        assert_false(fixture->closed);
        api_fixture_turn(fixture);
    }
    text = api_fixture_text(fixture);
    assert_true(str_starts_with(str_from(text), STR("HTTP/1.1 ")));
    uint64_t status;
    assert_true(str_parse_u64((struct str){text + 9, 3}, 999, &status));
    *body = text + head_len;
    return (int)status;
}

UNUSED static int api_fixture_answer(struct api_fixture *fixture, const char **body) {
    return api_fixture_answer_of(fixture, false, body);
}

/* Forgets what was received, for the next request on the connection. */
UNUSED static void api_fixture_forget(struct api_fixture *fixture) {
    buf_reset(&fixture->received);
}

/* The payload of a chunked answer that is complete, NUL-terminated, in a new block. */
UNUSED static char *api_fixture_stream(struct api_fixture *fixture) {
    api_fixture_expect(fixture, "\r\n0\r\n\r\n");
    const char *at = strstr(api_fixture_text(fixture), "\r\n\r\n") + 4;
    char *payload = mem_calloc(1, fixture->received.len + 1);
    size_t len = 0;
    for (;;) {
        char *end;
        unsigned long size = strtoul(at, &end, 16);
        if (size == 0) {
            return payload;
        }
        memcpy(payload + len, end + 2, size);
        len += size;
        at = end + 2 + size + 2;
    }
}

#endif
