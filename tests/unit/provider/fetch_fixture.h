/* What the tests of fetching share: a server and a model folder of the test's own; nothing leaves the machine. */
#ifndef NATARIS_TESTS_UNIT_PROVIDER_FETCH_FIXTURE_H
#define NATARIS_TESTS_UNIT_PROVIDER_FETCH_FIXTURE_H

#include "base/digest.h"
#include "base/mem.h"
#include "net/http_server.h"
#include "provider/model_fetch.h"
#include "provider/model_store.h"
#include "unit/provider/temp_tree.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BODY_BYTES = 300 * 1000, POLL_MS = 5 };

struct fixture {
    struct temp_tree tree;
    char folder[FILE_PATH_MAX]; /* of models; not made yet */
    struct loop *loop;
    struct http_server *server;
    char body[BODY_BYTES];
    char hash[DIGEST_HEX_SIZE];
    char urls[CATALOG_SOURCES_MAX][128];
    struct catalog_model model;
    const struct model_store_room *room;
    unsigned requests, ranges;
    struct http_exchange *held; /* half of the answer is out */
    struct loop_timer *timer;
    struct model_fetch *fetch;
    bool cancel_when_transferring;
    uint64_t cancel_at;             /* bytes; 0: never */
    uint64_t done_seen, total_seen; /* the last progress */
    unsigned hold_ticks;            /* looks at the fetch for which it is held back */
    /* How it ended. */
    bool found, came;
    char path[FILE_PATH_MAX];
    struct err err;
};

static void respond_part(struct fixture *fixture, struct http_exchange *exchange, struct str range) {
    uint64_t from = 0;
    char content_range[64];
    assert_true(str_starts_with(range, STR("bytes=")) && range.data[range.len - 1] == '-');
    assert_true(str_parse_u64((struct str){range.data + 6, range.len - 7}, UINT32_MAX, &from));
    fixture->ranges++;
    if (from >= BODY_BYTES) {
        http_respond(exchange, 416, NULL, 0, STR(""));
        return;
    }
    snprintf(content_range, sizeof(content_range), "bytes %u-%u/%u", (unsigned)from, BODY_BYTES - 1, BODY_BYTES);
    const struct http_response_header header = {"Content-Range", str_from(content_range)};
    http_respond(exchange, 206, &header, 1, (struct str){fixture->body + from, BODY_BYTES - from});
}

static void on_request(void *context, struct http_exchange *exchange) {
    struct fixture *fixture = context;
    const struct http_request *request = http_exchange_request(exchange);
    struct str range = http_request_header(request, "Range");
    const struct str whole = {fixture->body, BODY_BYTES};
    fixture->requests++;
    if (str_equal_cstr(request->path, "/redirect")) {
        const struct http_response_header header = {"Location", str_from(fixture->urls[3])};
        http_respond(exchange, 302, &header, 1, STR(""));
    } else if (str_equal_cstr(request->path, "/missing")) {
        http_respond(exchange, 404, NULL, 0, STR("no such file"));
    } else if (str_equal_cstr(request->path, "/page")) {
        http_respond(exchange, 200, NULL, 0, STR("Please, sign in."));
    } else if (str_equal_cstr(request->path, "/endless")) {
        http_stream_begin(exchange, 200, NULL, 0); /* chunked: nobody knows how long */
        http_stream_write(exchange, whole);
        http_stream_end(exchange);
    } else if (str_equal_cstr(request->path, "/broken")) {
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_abort(exchange);
    } else if (str_equal_cstr(request->path, "/long")) {
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_write(exchange, whole);
        http_stream_write(exchange, STR("x"));
        http_stream_end(exchange);
    } else if (range.len > 0 && !str_equal_cstr(request->path, "/no-ranges")) {
        respond_part(fixture, exchange, range);
    } else if (str_equal_cstr(request->path, "/cut")) {
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_write(exchange, (struct str){fixture->body, BODY_BYTES / 2});
        fixture->held = exchange;
    } else {
        http_respond(exchange, 200, NULL, 0, whole);
    }
}

static void on_closed(void *context) {
    (void)context;
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context, (void)why;
    http_respond(exchange, status, NULL, 0, STR(""));
}

/* Cuts the held answer once its half has arrived at the other side. */
static void on_timer(void *context) {
    struct fixture *fixture = context;
    uint64_t done;
    uint64_t total;
    bool transferring = model_fetch_progress(fixture->fetch, &done, &total);
    if (fixture->hold_ticks > 0) {
        assert_false(transferring);
        assert_int_equal(fixture->requests, 0);
        model_fetch_hold(fixture->fetch, --fixture->hold_ticks > 0);
    }
    if (transferring) {
        assert_true(fixture->cancel_at == 0 || done >= fixture->done_seen);
        fixture->done_seen = done;
        fixture->total_seen = total;
    }
    if (fixture->cancel_at > 0 && transferring && done >= fixture->cancel_at) {
        model_fetch_cancel(fixture->fetch);
    } else if (fixture->cancel_when_transferring && transferring && done == BODY_BYTES / 2) {
        model_fetch_cancel(fixture->fetch);
    } else if (fixture->held != NULL && done == BODY_BYTES / 2) {
        assert_int_equal(total, BODY_BYTES);
        http_stream_abort(fixture->held);
        fixture->held = NULL;
    }
}

UNUSED static int setup(void **state) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct http_server_config CONFIG = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = 1000,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS};
    static const struct listener_options OPTIONS = {.address = "127.0.0.1:0", .max_connections = 100};
    struct fixture *fixture = MEM_NEW(struct fixture);
    uint8_t digest[DIGEST_SHA256_SIZE];
    *state = fixture;
    if (temp_tree_init(&fixture->tree) != 0) {
        return -1;
    }
    str_copy(fixture->folder, sizeof(fixture->folder), str_from(temp_tree_path(&fixture->tree, "cache/models")));
    for (size_t i = 0; i < BODY_BYTES; i++) {
        fixture->body[i] = (char)(i * i >> 5);
    }
    digest_sha256(fixture->body, BODY_BYTES, digest);
    digest_hex(digest, sizeof(digest), fixture->hash);
    fixture->loop = loop_new();
    fixture->timer = loop_timer_new(fixture->loop, on_timer, fixture);
    fixture->model = (struct catalog_model){.id = "m", .file_bytes = BODY_BYTES, .sha256 = fixture->hash};
    return http_server_open(&fixture->server, fixture->loop, &OPTIONS, &CONFIG, &EVENTS, fixture, NULL) ? 0 : -1;
}

UNUSED static int teardown(void **state) {
    struct fixture *fixture = *state;
    if (fixture->held != NULL) {
        http_stream_abort(fixture->held); /* its client is gone, but it is ours until we end it */
    }
    loop_timer_free(fixture->timer);
    http_server_close(fixture->server, on_closed, NULL);
    loop_run(fixture->loop);
    loop_free(fixture->loop);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return 0;
}

UNUSED static void add_url(struct fixture *fixture, size_t index, const char *path) {
    snprintf(fixture->urls[index], sizeof(fixture->urls[index]), "http://127.0.0.1:%u%s",
             http_server_port(fixture->server), path);
    fixture->model.sources[index] =
        (struct catalog_source){.kind = CATALOG_SOURCE_URL, .location = fixture->urls[index]};
}

static void on_end(void *context, const char *path, const struct err *err) {
    struct fixture *fixture = context;
    fixture->found = path != NULL;
    fixture->came = model_fetch_came(fixture->fetch);
    if (path != NULL) {
        assert_null(err);
        str_copy(fixture->path, sizeof(fixture->path), str_from(path));
    } else {
        fixture->err = *err;
    }
    loop_stop(fixture->loop);
}

UNUSED static bool fetch(struct fixture *fixture) {
    assert_true(model_fetch_start(&fixture->fetch, fixture->loop, &fixture->model, fixture->folder, fixture->room,
                                  fixture->hold_ticks > 0, on_end, fixture, NULL));
    loop_timer_start(fixture->timer, POLL_MS, POLL_MS);
    loop_run(fixture->loop);
    loop_timer_stop(fixture->timer);
    return fixture->found;
}

UNUSED static bool kept(const struct fixture *fixture, const char *name) {
    char path[FILE_PATH_MAX];
    return file_join(path, fixture->folder, name, NULL) && file_exists(path);
}

UNUSED static void assert_model_is_whole(const struct fixture *fixture) {
    struct buf content;
    buf_init(&content, BODY_BYTES + 1);
    assert_true(file_read(fixture->path, &content, NULL));
    assert_int_equal(content.len, BODY_BYTES);
    assert_memory_equal(content.data, fixture->body, BODY_BYTES);
    buf_clear(&content);
    assert_false(kept(fixture, "m.gguf.part"));
    assert_false(kept(fixture, "m.gguf.wheel"));
}

UNUSED static void write_part(const struct fixture *fixture, size_t len) {
    temp_tree_write_bytes(&fixture->tree, "cache/models/m.gguf.part", (struct str){fixture->body, len}, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
