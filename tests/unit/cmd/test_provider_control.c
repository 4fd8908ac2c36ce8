/* The owner's commands to the provider of a data folder: one that runs, and none. */
#include "cmd/provider_control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"
#include "support/control_fixture.h"

struct world {
    struct command_fixture *fixture;
    struct control_fixture served;
};

static int setup(void **state) {
    struct world *world = mem_calloc(1, sizeof(*world));
    void *fixture;
    command_fixture_setup(&fixture);
    world->fixture = fixture;
    world->served.folder = world->fixture->tree.path;
    tally_init(&world->served.tally);
    tally_connected(&world->served.tally, "prov_1");
    control_fixture_start(&world->served);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *fixture = world->fixture;
    control_fixture_stop(&world->served);
    free(world);
    return command_fixture_teardown(&fixture);
}

static void what_a_provider_does(void **state) {
    const struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    command_fixture_expect(fixture, COMMAND_OK, "provider|status|--data|@");
    assert_prints(fixture,
                  "Provider    prov_1 (shed)\nGateway     https://gateway.example\nLink        connected since ");
    assert_prints(fixture,
                  "\nTakes jobs  yes\nModels      tiny: warm, 2 slots of 4096 tokens\nJobs        1 running, ");
    command_fixture_expect(fixture, COMMAND_OK, "provider|status|--json|--data|@");
    assert_prints(fixture, "\"provider_id\":\"prov_1\"");
}

static void a_provider_is_paused_and_resumed(void **state) {
    const struct world *world = *state;
    struct command_fixture *fixture = world->fixture;
    command_fixture_expect(fixture, COMMAND_OK, "provider|pause|--data|@");
    assert_prints(fixture, "\nTakes jobs  no: ");
    assert_true(file_exists(temp_tree_path(&fixture->tree, "paused")));
    command_fixture_expect(fixture, COMMAND_OK, "provider|pause|--for|2h|--json|--data|@");
    assert_prints(fixture, "\"limit\":\"owner\"");
    assert_prints(fixture, "\"until\":\"20");
    command_fixture_expect(fixture, COMMAND_OK, "provider|resume|--data|@");
    assert_prints(fixture, "\nTakes jobs  yes\n");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "paused")));
}

static void none_runs(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|status|--data|@");
    assert_printed(fixture, "No provider runs on %s.\n", fixture->tree.path);
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|status|--json|--data|@");
    assert_printed(fixture, "{\"running\":false,\"paused\":false,\"until\":null}\n");
}

static void the_next_one_starts_paused(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "provider|pause|--data|@");
    assert_printed(fixture, "No provider runs on %s; paused until resumed.\n", fixture->tree.path);
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|status|--json|--data|@");
    assert_printed(fixture, "{\"running\":false,\"paused\":true,\"until\":null}\n");
    command_fixture_expect(fixture, COMMAND_OK, "provider|pause|--for|3d|--data|@");
    assert_prints(fixture, "; paused until 20");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|status|--json|--data|@");
    assert_prints(fixture, "{\"running\":false,\"paused\":true,\"until\":\"20");
    command_fixture_expect(fixture, COMMAND_OK, "provider|resume|--data|@");
    assert_printed(fixture, "No provider runs on %s.\n", fixture->tree.path);
}

static void what_cannot_be(void **state) {
    struct command_fixture *fixture = *state;
    static const char *const COMMANDS[] = {"provider|status", "provider|pause", "provider|resume"};
    char words[COMMAND_FIXTURE_TEXT];
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        command_fixture_refuse(fixture, COMMAND_USAGE, "--data DIR is needed: the provider's data folder", COMMANDS[i]);
    }
    command_fixture_refuse(fixture, COMMAND_USAGE, "a time is given as 90s, 30m, 2h or 3d, not '2 weeks'",
                           "provider|pause|--for|2 weeks|--data|@");
    temp_tree_write(&fixture->tree, "plain", "");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/plain", "provider|pause|--data|@/plain");
    assert_int_equal(mkdir(temp_tree_path(&fixture->tree, "paused"), 0700), 0);
    command_fixture_refuse(fixture, COMMAND_FAILED, "/paused", "provider|status|--data|@");
    memset(words, 'a', FILE_PATH_MAX);
    words[FILE_PATH_MAX] = '\0';
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        command_fixture_expect(fixture, COMMAND_FAILED, "%s|--data|%s", COMMANDS[i], words);
        assert_complains(fixture, "a path is longer than");
    }
}

#define CONTROL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CONTROL_TEST(what_a_provider_does),
        CONTROL_TEST(a_provider_is_paused_and_resumed),
        COMMAND_TEST(none_runs),
        COMMAND_TEST(the_next_one_starts_paused),
        COMMAND_TEST(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
