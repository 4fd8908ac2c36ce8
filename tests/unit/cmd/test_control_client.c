/* The control socket of a provider and the commands' side of it, each on a thread of its own. */
#include "cmd/admin_command.h"
#include "cmd/control_client.h"

#include "base/log.h"
#include "provider/control.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct temp_tree tree;
    struct loop *loop;
    struct owner_guard *guard;
    struct control *control;
    struct tally tally;
    uv_thread_t thread;
    uv_async_t stop;
    bool serving;
    struct control_reply reply;
    struct err err;
};

static void fill(void *context, struct control_view *view, struct link_model *models) {
    const struct fixture *fixture = context;
    models[0] = (struct link_model){.id = STR("tiny"), .state = LINK_MODEL_WARM, .slots = 2, .context_length = 4096};
    view->model_count = 1;
    view->gateway = "https://gateway.example";
    view->name = "shed";
    view->tally = &fixture->tally;
    view->running = 1;
}

static void on_closed(void *context) {
    struct fixture *fixture = context;
    owner_guard_free(fixture->guard);
}

static void on_stop(uv_async_t *async) {
    struct fixture *fixture = async->data;
    control_close(fixture->control, on_closed, fixture);
    uv_close((uv_handle_t *)async, NULL);
}

static void serve(void *context) {
    const struct fixture *fixture = context;
    loop_run(fixture->loop);
}

static void start(struct fixture *fixture) {
    struct owner_limits limits;
    owner_limits_init(&limits);
    limits.max_jobs = 3;
    const struct owner_guard_config guard = {
        .limits = &limits, .data_folder = fixture->tree.path, .root = fixture->tree.path};
    fixture->loop = loop_new();
    assert_true(owner_guard_new(&fixture->guard, fixture->loop, &guard, &fixture->err));
    const struct control_config config = {
        .data_folder = fixture->tree.path, .guard = fixture->guard, .fill = fill, .context = fixture};
    fixture->control = control_new(fixture->loop, &config);
    uv_async_init(loop_uv(fixture->loop), &fixture->stop, on_stop);
    fixture->stop.data = fixture;
    assert_int_equal(uv_thread_create(&fixture->thread, serve, fixture), 0);
    fixture->serving = true;
}

static void stop(struct fixture *fixture) {
    uv_async_send(&fixture->stop);
    uv_thread_join(&fixture->thread);
    loop_free(fixture->loop);
    fixture->serving = false;
}

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){0};
    *state = &fixture;
    log_set_level(LOG_ERROR);
    return temp_tree_init(&fixture.tree);
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    if (fixture->serving) {
        stop(fixture);
    }
    control_reply_clear(&fixture->reply);
    temp_tree_clear(&fixture->tree);
    return 0;
}

static enum socket_outcome call(struct fixture *fixture, const char *method, const char *path, const char *body) {
    control_reply_clear(&fixture->reply);
    return control_client_call(fixture->tree.path, method, path, str_from(body), &fixture->reply, &fixture->err);
}

static void expect(struct fixture *fixture, const char *part, const char *member, const char *value) {
    struct json_value inner = fixture->reply.root;
    char text[200];
    assert_true(part == NULL || json_get(fixture->reply.root, part, &inner));
    assert_string_equal(admin_cell(inner, member, text, sizeof text), value);
}

static void status_of_a_provider(void **state) {
    struct fixture *fixture = *state;
    const struct gen_done done = {.finish = GEN_FINISH_STOP, .usage = {.prompt_tokens = 10, .completion_tokens = 5}};
    struct stat facts;
    tally_init(&fixture->tally);
    tally_connected(&fixture->tally, "prov_1");
    tally_done(&fixture->tally, &done);
    tally_done(&fixture->tally, &done);
    tally_failed(&fixture->tally, GEN_FAILURE_BAD_REQUEST, "the client's fault");
    start(fixture);
    assert_int_equal(stat(temp_tree_path(&fixture->tree, "control.sock"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_ANSWERED);
    expect(fixture, NULL, "provider_id", "prov_1");
    expect(fixture, NULL, "name", "shed");
    expect(fixture, NULL, "gateway", "https://gateway.example");
    expect(fixture, NULL, "connected", "yes");
    expect(fixture, NULL, "last_error", "-");
    expect(fixture, NULL, "models", "[{\"id\":\"tiny\",\"state\":\"warm\",\"slots\":2,\"context_length\":4096}]");
    expect(fixture, "jobs", "running", "1");
    expect(fixture, "jobs", "served", "2");
    expect(fixture, "jobs", "failed", "1");
    expect(fixture, "tokens", "prompt", "20");
    expect(fixture, "tokens", "completion", "10");
    expect(fixture, "pause", "limit", "none");
    expect(fixture, "pause", "reason", "-");
    expect(fixture, "device", "battery_percent", "-");
    expect(fixture, "limits", "max_jobs", "3");
    expect(fixture, "limits", "max_heat", "fair");
}

static void an_error_of_the_device_is_kept(void **state) {
    struct fixture *fixture = *state;
    tally_init(&fixture->tally);
    tally_failed(&fixture->tally, GEN_FAILURE_ENGINE, "the engine broke");
    tally_failed(&fixture->tally, GEN_FAILURE_OVERLOADED, "no slot");
    start(fixture);
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_ANSWERED);
    expect(fixture, NULL, "connected", "no");
    expect(fixture, NULL, "provider_id", "-");
    expect(fixture, "last_error", "message", "the engine broke");
}

static void pause_and_resume(void **state) {
    struct fixture *fixture = *state;
    char until[64];
    struct json_value pause;
    start(fixture);
    assert_int_equal(call(fixture, "POST", "/pause", ""), SOCKET_ANSWERED);
    expect(fixture, "pause", "limit", "owner");
    expect(fixture, "pause", "until", "-");
    assert_true(file_exists(temp_tree_path(&fixture->tree, "paused")));
    assert_int_equal(call(fixture, "POST", "/pause", "{\"for_s\":3600}"), SOCKET_ANSWERED);
    assert_true(json_get(fixture->reply.root, "pause", &pause));
    assert_int_equal(strlen(admin_cell(pause, "until", until, sizeof until)), 24);
    stop(fixture);
    start(fixture); /* a restart changes nothing */
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_ANSWERED);
    expect(fixture, "pause", "until", until);
    assert_int_equal(call(fixture, "POST", "/resume", ""), SOCKET_ANSWERED);
    expect(fixture, "pause", "limit", "none");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "paused")));
}

static void what_is_not_understood_changes_nothing(void **state) {
    static const struct {
        const char *method, *path, *body, *words;
    } CASES[] = {
        {"POST", "/pause", "{\"for_s\":0}", "for_s is 1 to"},
        {"POST", "/pause", "{\"for_s\":\"2h\"}", "for_s is 1 to"},
        {"POST", "/pause", "{\"for_s\":99999999999}", "for_s is 1 to"},
        {"POST", "/pause", "{", "invalid JSON"},
        {"GET", "/pause", "", "there are GET /status"},
        {"GET", "/other", "", "there are GET /status"},
    };
    struct fixture *fixture = *state;
    start(fixture);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_int_equal(call(fixture, CASES[i].method, CASES[i].path, CASES[i].body), SOCKET_FAILED);
        assert_non_null(strstr(fixture->err.message, CASES[i].words));
    }
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_ANSWERED);
    expect(fixture, "pause", "limit", "none");
}

static void nobody_there(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_NOBODY);
    start(fixture);
    stop(fixture);
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_NOBODY);
}

static void durations(void **state) {
    static const struct {
        const char *text;
        uint64_t seconds; /* 0: refused */
    } CASES[] = {{"90s", 90}, {"30m", 1800}, {"2h", 7200}, {"3d", 259200}, {"366d", 31622400},
                 {"367d", 0}, {"2", 0},      {"h", 0},     {"", 0},        {"-2h", 0},
                 {"0h", 0},   {"2 h", 0},    {"2w", 0},    {"1.5h", 0}};
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        uint64_t seconds = 0;
        assert_int_equal(control_parse_duration(str_from(CASES[i].text), &seconds, &err), CASES[i].seconds > 0);
        assert_true(CASES[i].seconds == 0 || seconds == CASES[i].seconds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_of_a_provider, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_of_the_device_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(pause_and_resume, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_understood_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_there, setup, teardown),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
