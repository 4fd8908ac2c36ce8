/* nataris up: its options, and a whole network that runs until it is told to stop. Its provider is this test's program
 * again. */
#include "cmd/up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "support/command_fixture.h"
#include "support/parsed_options.h"

static void the_gateway_of_a_network(void **state) {
    struct parsed_options parsed;
    struct gateway_options options, defaults;
    (void)state;
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_UP, "--listen", "127.0.0.1:1");
    cmd_up_fill(parsed.config, &options);
    gateway_options_init(&defaults);
    assert_string_equal(options.listen, "127.0.0.1:1");
    assert_int_equal(options.drain_ms, 5000);
    assert_int_equal(options.heartbeat_ms, defaults.heartbeat_ms);
    assert_int_equal(options.canary_ms, defaults.canary_ms);
    assert_null(options.tls_cert);
    assert_false(options.webhooks_lax);
    parsed_options_clear(&parsed);
}

static void its_models(void **state) {
    struct parsed_options parsed;
    struct option_list models;
    (void)state;
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_UP);
    models = cmd_up_models(parsed.config);
    assert_int_equal(models.count, 1); /* the default is chosen by what the machine has: test_up_choice.c */
    assert_string_equal(models.items[0], CATALOG_BUILT_IN_MODEL);
    parsed_options_clear(&parsed);
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_UP, "--model", "a", "--model", "b");
    models = cmd_up_models(parsed.config);
    assert_int_equal(models.count, 2);
    assert_string_equal(models.items[1], "b");
    parsed_options_clear(&parsed);
}

static void what_cannot_start(void **state) {
    struct command_fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "plain", "");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--log-level wants", "up|--data|@|--log-level|loud");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/plain", "up|--data|@/plain|--listen|127.0.0.1:0");
}

/* --- One that runs --- */

static void one_line_of_json_when_it_can_serve(void **state) {
    struct command_fixture *fixture = *state;
    struct command_process process;
    char line[1024], text[256];
    command_process_start(&process, fixture,
                          "up|--data|@/data|--listen|127.0.0.1:0|--engine|scripted|--model|qwen2.5-0.5b-instruct-q6_k|"
                          "--json|--log-level|error");
    command_process_line(&process, line, sizeof(line));
    buf_reset(&fixture->output);
    buf_append_cstr(&fixture->output, line);
    assert_true(str_starts_with(str_from(command_fixture_member(fixture, "base_url", text, sizeof(text))),
                                STR("http://127.0.0.1:")));
    assert_true(
        str_starts_with(str_from(command_fixture_member(fixture, "api_key", text, sizeof(text))), STR("nat_live_")));
    command_fixture_expect(fixture, COMMAND_OK, "provider|list|--data|@/data");
    assert_prints(fixture, " idle ");
    command_fixture_expect(fixture, COMMAND_OK, "provider|status|--data|@/data/provider");
    assert_prints(fixture, "Link        connected since ");
    assert_int_equal(kill(process.pid, SIGTERM), 0);
    assert_int_equal(command_process_end(&process, fixture), COMMAND_OK);
    assert_string_equal(buf_cstr(&fixture->output), "");
}

static void a_banner_to_paste_from(void **state) {
    struct command_fixture *fixture = *state;
    struct command_process process;
    char line[1024];
    command_process_start(&process, fixture,
                          "up|--data|@/data|--listen|127.0.0.1:0|--engine|scripted|--model|nataris-fast|"
                          "--model|nataris-balanced|--log-level|error");
    command_process_line(&process, line, sizeof(line));
    assert_true(str_starts_with(str_from(line), STR("Starting. Data in /")));
    do {
        command_process_line(&process, line, sizeof(line));
    } while (!str_starts_with(str_from(line), STR("The model ")));
    assert_non_null(strstr(line, " can be used now."));
    assert_int_equal(kill(process.pid, SIGINT), 0);
    assert_int_equal(command_process_end(&process, fixture), COMMAND_OK);
    assert_printed(fixture, "\nStopping...\n");
}

static void a_model_that_nobody_knows(void **state) {
    struct command_fixture *fixture = *state;
    struct command_process process;
    command_process_start(&process, fixture,
                          "up|--data|@/data|--listen|127.0.0.1:0|--model|gpt-4o|--json|--log-level|error");
    assert_int_equal(command_process_end(&process, fixture), COMMAND_FAILED);
    assert_complains(fixture, "gpt-4o");
    assert_string_equal(buf_cstr(&fixture->output), "");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gateway_of_a_network),
        cmocka_unit_test(its_models),
        COMMAND_TEST(what_cannot_start),
        COMMAND_TEST(one_line_of_json_when_it_can_serve),
        COMMAND_TEST(a_banner_to_paste_from),
        COMMAND_TEST(a_model_that_nobody_knows),
    };
    return argc > 1 ? commands_dispatch(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
