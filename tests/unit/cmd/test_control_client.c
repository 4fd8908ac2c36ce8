/* The control socket of a provider and the commands' side of it, each on a thread of its own. */
#include "cmd/control_client.h"
#include "cmd/table.h"

#include "base/log.h"
#include "unit/provider/temp_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/control_fixture.h"

struct fixture {
    struct temp_tree tree;
    struct control_fixture served;
    struct control_reply reply;
    struct err err;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){0};
    *state = &fixture;
    log_set_level(LOG_ERROR);
    fixture.served.folder = fixture.tree.path;
    return temp_tree_init(&fixture.tree);
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    control_fixture_stop(&fixture->served);
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
    assert_string_equal(table_cell(inner, member, text, sizeof(text)), value);
}

static void status_of_a_provider(void **state) {
    struct fixture *fixture = *state;
    const struct gen_done done = {.finish = GEN_FINISH_STOP, .usage = {.prompt_tokens = 10, .completion_tokens = 5}};
    struct stat facts;
    tally_init(&fixture->served.tally);
    tally_connected(&fixture->served.tally, "prov_1");
    tally_done(&fixture->served.tally, &done);
    tally_done(&fixture->served.tally, &done);
    tally_failed(&fixture->served.tally, GEN_FAILURE_BAD_REQUEST, "the client's fault");
    control_fixture_start(&fixture->served);
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
    tally_init(&fixture->served.tally);
    tally_failed(&fixture->served.tally, GEN_FAILURE_ENGINE, "the engine broke");
    tally_failed(&fixture->served.tally, GEN_FAILURE_OVERLOADED, "no slot");
    control_fixture_start(&fixture->served);
    assert_int_equal(call(fixture, "GET", "/status", ""), SOCKET_ANSWERED);
    expect(fixture, NULL, "connected", "no");
    expect(fixture, NULL, "provider_id", "-");
    expect(fixture, "last_error", "message", "the engine broke");
}

static void pause_and_resume(void **state) {
    struct fixture *fixture = *state;
    char until[64];
    struct json_value pause;
    control_fixture_start(&fixture->served);
    assert_int_equal(call(fixture, "POST", "/pause", ""), SOCKET_ANSWERED);
    expect(fixture, "pause", "limit", "owner");
    expect(fixture, "pause", "until", "-");
    assert_true(file_exists(temp_tree_path(&fixture->tree, "paused")));
    assert_int_equal(call(fixture, "POST", "/pause", "{\"for_s\":3600}"), SOCKET_ANSWERED);
    assert_true(json_get(fixture->reply.root, "pause", &pause));
    assert_int_equal(strlen(table_cell(pause, "until", until, sizeof(until))), 24);
    control_fixture_stop(&fixture->served);
    control_fixture_start(&fixture->served); /* a restart changes nothing */
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
    control_fixture_start(&fixture->served);
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
    control_fixture_start(&fixture->served);
    control_fixture_stop(&fixture->served);
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
