/* What the self-test finds, with the scripted engine and a gateway that is made up on another thread. */
#include "provider/doctor.h"

#include "base/log.h"
#include "net/http_server.h"
#include "provider/model_added.h"
#include "unit/provider/temp_tree.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct temp_tree tree;
    struct provider_options options;
    struct buf found; /* "level check message" per line */
};

static void on_finding(void *context, const struct doctor_finding *finding) {
    struct fixture *fixture = context;
    assert_true(finding->level == DOCTOR_OK || finding->advice != NULL); /* always what to do next */
    buf_append_format(&fixture->found, "%s %s %s\n", doctor_level_name(finding->level), finding->check,
                      finding->message);
}

static int setup(void **state) {
    static struct fixture fixture;
    static const char *const MODELS[] = {"tiny"};
    *state = &fixture;
    log_set_level(LOG_ERROR);
    buf_init(&fixture.found, 64 * 1024);
    provider_options_init(&fixture.options);
    if (temp_tree_init(&fixture.tree) != 0) {
        return -1;
    }
    fixture.options.data_folder = fixture.options.model_folder = fixture.options.device_root = fixture.tree.path;
    fixture.options.engine = "scripted";
    fixture.options.models = MODELS;
    fixture.options.model_count = 1;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    buf_clear(&fixture->found);
    temp_tree_clear(&fixture->tree);
    return 0;
}

static bool run(struct fixture *fixture) {
    struct doctor doctor = {.options = &fixture->options, .on_finding = on_finding, .context = fixture};
    buf_reset(&fixture->found);
    return doctor_run(&doctor);
}

static void expect(struct fixture *fixture, const char *text) {
    if (strstr(buf_cstr(&fixture->found), text) == NULL) {
        fail_msg("no \"%s\" in\n%s", text, buf_cstr(&fixture->found));
    }
}

static void a_new_device(void **state) {
    struct fixture *fixture = *state;
    assert_true(run(fixture)); /* warnings only */
    expect(fixture, "ok folder ");
    expect(fixture, "warn key this device has no key yet");
    expect(fixture, "warn gateway the gateway was not tried");
    expect(fixture, "ok model tiny: needs no file");
    expect(fixture, "ok memory ");
    expect(fixture, " disk ");
    expect(fixture, "ok limits none of the owner's limits is hit");
    expect(fixture, "ok job tiny wrote ");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "device_key"))); /* looking makes no device */
}

static void job_that_fails(void **state) {
    struct fixture *fixture = *state;
    fixture->options.script = "fail=engine";
    assert_false(run(fixture));
    expect(fixture, "fail job tiny failed: ");
    fixture->options.script = NULL;
}

static void folder_and_key(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "device_key", "rubbish\n");
    assert_false(run(fixture));
    expect(fixture, "fail key ");
    expect(fixture, "is damaged");
    fixture->options.data_folder = "/nowhere/at/all";
    assert_true(run(fixture));
    expect(fixture, "warn folder there is no folder /nowhere/at/all yet");
}

static void limits_that_are_hit(void **state) {
    struct fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/type", "Battery\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/status", "Discharging\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/capacity", "12\n");
    temp_tree_write(&fixture->tree, "sys/class/thermal/thermal_zone0/temp", "85000\n");
    temp_tree_write(&fixture->tree, "paused", "0\n");
    fixture->options.limits.battery_floor_percent = 20;
    fixture->options.limits.only_charging = true;
    assert_true(run(fixture));
    expect(fixture, "warn limits paused by hand");
    expect(fixture, "warn limits the battery is at 12% and not charging, the floor is 20%");
    expect(fixture, "warn limits the device is not charging");
    expect(fixture, "warn limits its heat is serious (85 C), the limit is fair");
    assert_null(strstr(buf_cstr(&fixture->found), "ok limits"));
}

static void added_model(void **state) {
    static const char *const MODELS[] = {"my-model"};
    const char *const urls[] = {"https://host.example/m.gguf"};
    struct fixture *fixture = *state;
    struct model_added added;
    assert_true(model_added_init(&added, "my-model", "00000000000000000000000000000000000000000000000000000000000000aa",
                                 urls, 1, NULL));
    assert_true(model_added_write(&added, fixture->options.model_folder, NULL));
    fixture->options.engine = "llama";
    fixture->options.models = MODELS;
    assert_true(run(fixture));
    expect(fixture, "warn model my-model: its file is not here yet");
    temp_tree_write(&fixture->tree, "my-model.gguf", "GGUF but not that one");
    assert_false(run(fixture));
    expect(fixture, "fail model my-model: ");
    expect(fixture, "warn job no job was tried");
}

static void models_and_memory(void **state) {
    static const char *const MODELS[] = {"no-such-model", "smollm2-135m-instruct-q4_1"};
    struct fixture *fixture = *state;
    fixture->options.engine = "llama";
    fixture->options.models = MODELS;
    fixture->options.model_count = COUNT_OF(MODELS);
    fixture->options.limits.ram_max_bytes = 1000 * 1000;
    assert_false(run(fixture));
    expect(fixture, "fail model model 'no-such-model' is unknown");
    expect(fixture, "warn model smollm2-135m-instruct-q4_1: its file is not here yet");
    expect(fixture, "fail memory a model needs ");
    expect(fixture, "warn job no job was tried");
    temp_tree_write(&fixture->tree, "smollm2-135m-instruct-q4_1.gguf", "GGUF but not that one");
    assert_false(run(fixture));
    expect(fixture, "fail model smollm2-135m-instruct-q4_1: ");
}

/* --- The gateway --- */

struct gateway_thread {
    struct loop *loop;
    struct http_server *server;
    uv_thread_t thread;
    uv_async_t stop;
    int status;
};

static void on_request(void *context, struct http_exchange *exchange) {
    const struct gateway_thread *gateway = context;
    assert_true(str_equal_cstr(http_exchange_request(exchange)->path, "/healthz"));
    http_respond(exchange, gateway->status, NULL, 0, STR("{}"));
}

static void on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    (void)context, (void)why;
    http_respond(exchange, status, NULL, 0, STR(""));
}

static void on_closed(void *context) {
    (void)context;
}

static void on_stop(uv_async_t *async) {
    struct gateway_thread *gateway = async->data;
    http_server_close(gateway->server, on_closed, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void serve(void *context) {
    const struct gateway_thread *gateway = context;
    loop_run(gateway->loop);
}

static void start_gateway(struct gateway_thread *gateway, char *url, size_t size) {
    static const struct http_server_events EVENTS = {.on_request = on_request, .on_refused = on_refused};
    static const struct http_server_config CONFIG = {
        .head_limits = {LIMIT_HTTP_HEAD_BYTES, LIMIT_HTTP_HEADER_COUNT, LIMIT_HTTP_URL_BYTES},
        .body_bytes = 1000,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_pace.stretch_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS};
    static const struct listener_options LISTEN = {.address = "127.0.0.1:0", .max_connections = 10};
    gateway->loop = loop_new();
    assert_true(http_server_open(&gateway->server, gateway->loop, &LISTEN, &CONFIG, &EVENTS, gateway, NULL));
    snprintf(url, size, "http://127.0.0.1:%u", http_server_port(gateway->server));
    uv_async_init(loop_uv(gateway->loop), &gateway->stop, on_stop);
    gateway->stop.data = gateway;
    assert_int_equal(uv_thread_create(&gateway->thread, serve, gateway), 0);
}

static void stop_gateway(struct gateway_thread *gateway) {
    uv_async_send(&gateway->stop);
    uv_thread_join(&gateway->thread);
    loop_free(gateway->loop);
}

static void the_gateway(void **state) {
    struct fixture *fixture = *state;
    struct gateway_thread gateway = {.status = 200};
    char url[64];
    start_gateway(&gateway, url, sizeof(url));
    fixture->options.gateway_url = url;
    assert_true(run(fixture));
    expect(fixture, "ok gateway the gateway 127.0.0.1:");
    expect(fixture, "ok clock ");
    assert_null(strstr(buf_cstr(&fixture->found), " tls ")); /* no secret leaves this machine */
    stop_gateway(&gateway);
    assert_false(run(fixture));
    expect(fixture, "fail gateway 127.0.0.1:");
    gateway = (struct gateway_thread){.status = 404};
    start_gateway(&gateway, url, sizeof(url));
    assert_false(run(fixture));
    expect(fixture, "not as a gateway does (status 404)");
    stop_gateway(&gateway);
    fixture->options.gateway_url = "ftp://example.org";
    assert_false(run(fixture));
    expect(fixture, "fail gateway ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_device, setup, teardown),
        cmocka_unit_test_setup_teardown(job_that_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(added_model, setup, teardown),
        cmocka_unit_test_setup_teardown(folder_and_key, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_that_are_hit, setup, teardown),
        cmocka_unit_test_setup_teardown(models_and_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(the_gateway, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
