/* The owner's limits as a gateway sees them: a whole provider with the scripted engine on a made-up device. */
#include "provider/provider.h"

#include "base/log.h"
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
    struct buf seen; /* one line per event */
};

static void see(struct fixture *fixture, const char *format, ...) PRINTF_LIKE(2, 3);
static void see(struct fixture *fixture, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buf_append_format(&fixture->seen, "%s\n", line);
    loop_stop(fixture->loop);
}

/* Runs until a line that contains `text` has come, and drops all up to there. */
static void wait_for(struct fixture *fixture, const char *text) {
    const char *found;
    while ((found = strstr(buf_cstr(&fixture->seen), text)) == NULL) {
        loop_run(fixture->loop);
    }
    buf_consume(&fixture->seen, (size_t)(found - fixture->seen.data) + strlen(text));
}

static void on_hello(void *context, struct link_peer *peer, const struct link_hello *hello) {
    struct fixture *fixture = context;
    (void)hello;
    fixture->peer = peer;
    link_peer_admit(peer, "prov_1");
}

static void on_status(void *context, struct link_peer *peer, const struct link_status *status) {
    (void)peer;
    see(context, "status pause=%s heat=%s battery=%d jobs=%u state=%s slots=%u.", link_pause_name(status->pause),
        link_heat_name(status->heat), status->battery_percent, status->active_jobs,
        link_model_state_name(status->models[0].state), status->models[0].slots);
}

static void on_accept(void *context, struct link_peer *peer, const struct link_accept *accept) {
    (void)peer;
    see(context, "accept %d", (int)accept->job);
}

static void on_delta(void *context, struct link_peer *peer, const struct link_delta *delta) {
    (void)context, (void)peer, (void)delta;
}

static void on_done(void *context, struct link_peer *peer, const struct link_done *done) {
    (void)peer;
    see(context, "done %d %s", (int)done->job, link_finish_name(done->finish));
}

static void on_error(void *context, struct link_peer *peer, const struct link_error *error) {
    (void)peer;
    see(context, "error %d %s: %.*s", (int)error->job, gen_failure_name(error->failure), STR_ARG(error->message));
}

static void on_drain(void *context, struct link_peer *peer) {
    (void)context, (void)peer;
}

static void on_gone(void *context, struct link_peer *peer, const char *reason) {
    (void)peer, (void)reason;
    see(context, "gone");
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
    /* No heartbeat falls into a test: what is told was told because it changed. */
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

static int setup(void **state) {
    struct fixture *fixture = MEM_NEW(struct fixture);
    static const char *const MODELS[] = {"tiny"};
    *state = fixture;
    log_set_level(LOG_ERROR);
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
    fixture->options.device_root = fixture->tree.path;
    fixture->options.engine = "scripted";
    fixture->options.models = MODELS;
    fixture->options.model_count = 1;
    fixture->options.slots = 4;
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

static int teardown(void **state) {
    struct fixture *fixture = *state;
    if (fixture->provider != NULL) {
        provider_stop(fixture->provider, 0);
        wait_for(fixture, "stopped well");
    }
    link_server_close(fixture->links, on_closed, NULL);
    http_server_close(fixture->http, on_closed, NULL);
    loop_free(fixture->loop);
    buf_clear(&fixture->seen);
    temp_tree_clear(&fixture->tree);
    free(fixture);
    return 0;
}

static void open_provider(struct fixture *fixture) {
    static const struct provider_events EVENTS = {.on_stopped = on_stopped};
    struct err err = {0};
    if (!provider_open(&fixture->provider, fixture->loop, &fixture->options, &EVENTS, fixture, &err)) {
        fail_msg("%s", err.message);
    }
    wait_for(fixture, "state=warm");
}

static void send_job(struct fixture *fixture, uint64_t job, const char *words) {
    const struct gen_message message = {.role = GEN_ROLE_USER, .content = str_from(words)};
    struct gen_request request;
    gen_request_init(&request);
    request.model = STR("tiny");
    request.messages = &message;
    request.message_count = 1;
    request.stream = true;
    link_peer_send_job(fixture->peer, job, &request);
}

static void write_heat(const struct fixture *fixture, const char *temperature) {
    temp_tree_write(&fixture->tree, "sys/class/thermal/thermal_zone0/temp", temperature);
}

static void write_battery(const struct fixture *fixture, const char *percent) {
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/type", "Battery\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/status", "Discharging\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/capacity", percent);
}

/* --- Tests --- */

static void low_battery_takes_no_new_jobs(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.battery_floor_percent = 30;
    write_battery(fixture, "31\n");
    open_provider(fixture);
    send_job(fixture, 1, "[[script silent]]");
    wait_for(fixture, "accept 1");
    write_battery(fixture, "29\n");
    wait_for(fixture, "status pause=battery heat=nominal battery=29 jobs=1"); /* told by itself; job 1 goes on */
    send_job(fixture, 2, "hello");
    wait_for(fixture, "error 2 overloaded: the device is paused by its owner's limits");
    link_peer_send_cancel(fixture->peer, 1);
    wait_for(fixture, "done 1 cancelled"); /* it was not handed back */
    write_battery(fixture, "30\n");
    wait_for(fixture, "status pause=none");
    send_job(fixture, 3, "hello");
    wait_for(fixture, "done 3 stop");
}

static void critical_heat_hands_jobs_back(void **state) {
    struct fixture *fixture = *state;
    write_heat(fixture, "60000\n");
    open_provider(fixture);
    send_job(fixture, 1, "[[script silent]]");
    send_job(fixture, 2, "[[script silent]]");
    wait_for(fixture, "accept 2");
    write_heat(fixture, "85000\n");
    wait_for(fixture, "status pause=heat heat=serious battery=-1 jobs=2"); /* they may go on */
    write_heat(fixture, "95000\n");
    wait_for(fixture, "status pause=heat heat=critical");
    wait_for(fixture, "error 1 overloaded: the device is too hot to go on");
    wait_for(fixture, "error 2 overloaded: the device is too hot to go on");
    write_heat(fixture, "60000\n");
    wait_for(fixture, "status pause=none heat=nominal battery=-1 jobs=0");
    /* All slots are free again, and what was handed back says no more. */
    for (unsigned i = 3; i <= 6; i++) {
        send_job(fixture, i, "hello");
    }
    wait_for(fixture, "done 6 stop");
    assert_null(strstr(buf_cstr(&fixture->seen), "done 1"));
}

static void at_most_so_many_jobs(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.max_jobs = 2;
    open_provider(fixture);
    assert_int_equal(strncmp(buf_cstr(&fixture->seen), " slots=2.", 9), 0);
    for (unsigned i = 1; i <= 3; i++) {
        send_job(fixture, i, "[[script silent]]");
    }
    wait_for(fixture, "error 3 overloaded: the device has as many jobs as its owner allows");
    link_peer_send_cancel(fixture->peer, 1);
    wait_for(fixture, "done 1 cancelled");
    send_job(fixture, 4, "hello");
    wait_for(fixture, "done 4 stop");
}

static void a_provider_starts_paused(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "paused", "0\n");
    open_provider(fixture);
    send_job(fixture, 1, "hello");
    wait_for(fixture, "error 1 overloaded");
}

static void a_long_path_costs_only_the_control_socket(void **state) {
    struct fixture *fixture = *state;
    static const char FOLDER[] = "a-folder-with-a-long-name/and-another-one-that-is-even-longer-than-the-first/"
                                 "so-that-no-socket-address-can-hold-it/paused";
    temp_tree_write(&fixture->tree, FOLDER, "0\n");
    char folder[FILE_PATH_MAX];
    str_copy(folder, sizeof(folder), str_from(temp_tree_path(&fixture->tree, FOLDER)));
    *strrchr(folder, '/') = '\0';
    fixture->options.data_folder = folder;
    open_provider(fixture);
    provider_stop(fixture->provider, 0);
    wait_for(fixture, "stopped well");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(low_battery_takes_no_new_jobs, setup, teardown),
        cmocka_unit_test_setup_teardown(critical_heat_hands_jobs_back, setup, teardown),
        cmocka_unit_test_setup_teardown(at_most_so_many_jobs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_provider_starts_paused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_path_costs_only_the_control_socket, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
