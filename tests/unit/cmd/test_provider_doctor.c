/* The self-test as a command: its options, and what it prints. What it finds is tested with the provider. */
#include "cmd/provider_doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"
#include "support/control_fixture.h"
#include "support/parsed_options.h"

static void each_option_has_its_place(void **state) {
    struct parsed_options parsed;
    struct provider_options options;
    char folder[FILE_PATH_MAX];
    struct provider_upstream upstream;
    struct err err = {0};
    (void)state;
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER_DOCTOR, "--data", "here", "--gateway", "https://g", "--models", "m",
                        "--engine", "scripted", "--script", "rate=5", "--model", "a", "--model", "b", "--ca-file", "ca",
                        "--context", "1024", "--threads", "2", "--device-root", "root", "--max-jobs", "3");
    assert_true(cmd_doctor_fill(parsed.config, &options, folder, &upstream, &err));
    assert_string_equal(options.data_folder, "here");
    assert_string_equal(options.gateway_url, "https://g");
    assert_string_equal(options.model_folder, "m");
    assert_string_equal(options.engine, "scripted");
    assert_string_equal(options.script, "rate=5");
    assert_int_equal(options.model_count, 2);
    assert_string_equal(options.models[1], "b");
    assert_string_equal(options.ca_file, "ca");
    assert_int_equal(options.context_length, 1024);
    assert_int_equal(options.threads, 2);
    assert_string_equal(options.device_root, "root");
    assert_int_equal(options.limits.max_jobs, 3);
    parsed_options_clear(&parsed);
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER_DOCTOR, "--data", "here");
    assert_true(cmd_doctor_fill(parsed.config, &options, folder, &upstream, &err));
    assert_int_equal(options.model_count, 1);
    assert_string_equal(options.models[0], "nataris-demo-2m");
    assert_string_equal(options.engine, "llama");
    assert_null(options.gateway_url);
    parsed_options_clear(&parsed);
}

static void what_cannot_be_is_named(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_USAGE, "--data DIR is needed: the provider's data folder",
                           "provider|doctor");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--engine is llama, scripted or upstream, not 'steam'",
                           "provider|doctor|--data|@|--engine|steam");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--cpu-percent is 1 to 100",
                           "provider|doctor|--data|@|--cpu-percent|0");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--log-level wants", "provider|doctor|--data|@|--log-level|loud");
}

static void a_device_that_can_serve(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK,
                           "provider|doctor|--data|@|--engine|scripted|--model|tiny|--device-root|@");
    assert_prints(fixture, "ok    provider none runs on this folder now\n");
    assert_prints(fixture, "\nwarn  key      this device has no key yet");
    assert_prints(fixture, "\n               -> start it once with --join TOKEN");
    assert_prints(fixture, "\nok    job      tiny wrote ");
    assert_prints(fixture, "\nThis device can serve.\n");
}

static void a_device_that_cannot(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "provider|doctor|--data|@|--engine|scripted|--model|tiny|--device-root|@|--json|"
                           "--script|fail=1|--gateway|ftp://nowhere");
    assert_prints(fixture,
                  "{\"checks\":[{\"check\":\"provider\",\"level\":\"ok\",\"message\":\"none runs on this folder "
                  "now\",\"advice\":null},");
    assert_prints(fixture, "\"level\":\"fail\",");
    assert_prints(fixture, "],\"ok\":false}\n");
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "provider|doctor|--data|@|--engine|scripted|--model|tiny|--device-root|@|--gateway|ftp://x");
    assert_prints(fixture, "\nSomething is wrong: see the lines that begin with 'fail'.\n");
}

static void a_provider_that_runs_is_asked(void **state) {
    struct command_fixture *fixture = *state;
    struct control_fixture served = {.folder = fixture->tree.path};
    static const char WORDS[] = "provider|doctor|--data|@|--engine|scripted|--model|tiny|--device-root|@|"
                                "--gateway|ftp://nowhere";
    tally_init(&served.tally);
    control_fixture_start(&served);
    command_fixture_expect(fixture, COMMAND_FAILED, WORDS);
    assert_prints(fixture, "warn  provider it runs, but is not connected since ");
    control_fixture_stop(&served);
    tally_connected(&served.tally, "prov_1");
    control_fixture_start(&served);
    command_fixture_expect(fixture, COMMAND_OK, "provider|pause|--data|@");
    command_fixture_expect(fixture, COMMAND_FAILED, WORDS);
    assert_prints(fixture, "ok    provider it runs and is connected since ");
    assert_prints(fixture, "\nwarn  provider it is paused: ");
    control_fixture_stop(&served);
}

/* Without --gateway, the gateway is that of the provider that runs. */
static void its_gateway_is_tried(void **state) {
    struct command_fixture *fixture = *state;
    struct control_fixture served = {.folder = fixture->tree.path, .gateway = "ftp://told-by-it"};
    tally_init(&served.tally);
    control_fixture_start(&served);
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "provider|doctor|--data|@|--engine|scripted|--model|tiny|--device-root|@");
    assert_prints(fixture, "\nfail  gateway  ");
    control_fixture_stop(&served);
}

static void a_provider_that_cannot_be_asked(void **state) {
    struct command_fixture *fixture = *state;
    char folder[FILE_PATH_MAX + 1];
    memset(folder, 'a', sizeof(folder));
    folder[sizeof(folder) - 1] = '\0';
    command_fixture_expect(fixture, COMMAND_FAILED,
                           "provider|doctor|--data|%s|--engine|scripted|--model|tiny|--device-root|@", folder);
    assert_prints(fixture, "fail  provider a path is longer than ");
    assert_prints(fixture, "\n               -> stop it and start it again\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_has_its_place),   COMMAND_TEST(what_cannot_be_is_named),
        COMMAND_TEST(a_device_that_can_serve),         COMMAND_TEST(a_device_that_cannot),
        COMMAND_TEST(a_provider_that_runs_is_asked),   COMMAND_TEST(its_gateway_is_tried),
        COMMAND_TEST(a_provider_that_cannot_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
