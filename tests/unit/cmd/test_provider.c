/* nataris provider: its options, and providers that cannot start. test_up.c has one that runs. */
#include "cmd/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "support/command_fixture.h"
#include "support/parsed_options.h"

#include <math.h>

static void the_defaults(void **state) {
    struct parsed_options parsed;
    struct provider_options options, defaults;
    char folder[FILE_PATH_MAX];
    struct provider_upstream upstream;
    struct err err = {0};
    (void)state;
    setenv("NATARIS_MODELS", "/from/the/environment", 1);
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER, "--data", "here", "--gateway", "https://g");
    assert_true(cmd_provider_fill(parsed.config, &options, folder, &upstream, &err));
    provider_options_init(&defaults);
    assert_string_equal(options.gateway_url, "https://g");
    assert_string_equal(options.data_folder, "here");
    assert_string_equal(options.model_folder, "/from/the/environment");
    assert_string_equal(options.engine, "llama");
    assert_null(options.join_token);
    assert_int_equal(options.model_count, 1);
    assert_string_equal(options.models[0], CATALOG_BUILT_IN_MODEL);
    assert_int_equal(options.offer_count, 0);
    assert_false(options.auto_models);
    assert_int_equal(options.keep_warm_ms, 1800 * 1000);
    assert_int_equal(options.reconnect_ms, defaults.reconnect_ms);
    assert_string_equal(options.device_root, "/");
    assert_false(options.quiet);
    parsed_options_clear(&parsed);
    unsetenv("NATARIS_MODELS");
}

static void each_option_has_its_place(void **state) {
    struct parsed_options parsed;
    struct provider_options options;
    char folder[FILE_PATH_MAX];
    struct provider_upstream upstream;
    struct err err = {0};
    (void)state;
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER, "--data", "here", "--gateway", "https://g", "--join", "t",
                        "--model", "a", "--model", "b", "--offer", "all", "--auto-models", "--keep-warm-s", "2",
                        "--model-quota", "3K", "--models", "m", "--engine", "scripted", "--slots", "4", "--context",
                        "5", "--threads", "6", "--name", "shed", "--region", "DE", "--ca-file", "ca", "--reconnect-ms",
                        "7", "--script-rate", "1.5", "--script", "lie=3", "--script-load-ms", "8",
                        "--script-prefill-ms", "9", "--quiet", "--device-root", "root", "--max-jobs", "10");
    assert_true(cmd_provider_fill(parsed.config, &options, folder, &upstream, &err));
    assert_string_equal(options.join_token, "t");
    assert_int_equal(options.model_count, 2);
    assert_string_equal(options.models[1], "b");
    assert_int_equal(options.offer_count, 1);
    assert_string_equal(options.offers[0], "all");
    assert_true(options.auto_models);
    assert_int_equal(options.keep_warm_ms, 2000);
    assert_int_equal(options.model_quota_bytes, 3000);
    assert_string_equal(options.model_folder, "m");
    assert_string_equal(options.engine, "scripted");
    assert_int_equal(options.slots, 4);
    assert_int_equal(options.context_length, 5);
    assert_int_equal(options.threads, 6);
    assert_string_equal(options.name, "shed");
    assert_string_equal(options.region, "DE");
    assert_string_equal(options.ca_file, "ca");
    assert_int_equal(options.reconnect_ms, 7);
    assert_true(fabs(options.script_rate - 1.5) < 1e-9);
    assert_string_equal(options.script, "lie=3");
    assert_int_equal(options.script_load_ms, 8);
    assert_int_equal(options.script_prefill_ms, 9);
    assert_true(options.quiet);
    assert_string_equal(options.device_root, "root");
    assert_int_equal(options.limits.max_jobs, 10);
    parsed_options_clear(&parsed);
}

/* The built-in model is for those who ask for nothing. */
static void who_offers_models_needs_to_keep_none(void **state) {
    struct parsed_options parsed;
    struct provider_options options;
    char folder[FILE_PATH_MAX];
    struct provider_upstream upstream;
    struct err err = {0};
    (void)state;
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER, "--data", "here", "--gateway", "https://g", "--offer", "a");
    assert_true(cmd_provider_fill(parsed.config, &options, folder, &upstream, &err));
    assert_int_equal(options.model_count, 0);
    parsed_options_clear(&parsed);
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER, "--data", "here", "--gateway", "https://g", "--auto-models");
    assert_true(cmd_provider_fill(parsed.config, &options, folder, &upstream, &err));
    assert_int_equal(options.model_count, 0);
    parsed_options_clear(&parsed);
}

static void an_upstream_and_its_key(void **state) {
    struct command_fixture *fixture = *state;
    struct parsed_options parsed;
    struct provider_options options;
    char folder[FILE_PATH_MAX], key[FILE_PATH_MAX];
    struct provider_upstream upstream;
    struct err err = {0};
    temp_tree_write(&fixture->tree, "key", "  sk-1\n");
    str_copy(key, sizeof(key), str_from(temp_tree_path(&fixture->tree, "key")));
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_PROVIDER, "--data", "here", "--gateway", "https://g", "--engine", "upstream",
                        "--url", "https://h/v1", "--upstream-key-file", key);
    assert_true(cmd_provider_fill(parsed.config, &options, folder, &upstream, &err));
    assert_string_equal(options.upstream_url, "https://h/v1");
    assert_string_equal(options.upstream_key, "sk-1");
    assert_int_equal(options.model_count, 0); /* all that it lists */
    parsed_options_clear(&parsed);
    temp_tree_write(&fixture->tree, "key", "a key\n");
    command_fixture_refuse(fixture, COMMAND_USAGE, "visible ASCII",
                           "provider|--gateway|https://g|--data|@|--engine|upstream|--url|http://h/v1|"
                           "--upstream-key-file|@/key");
}

static void what_cannot_be_is_named(void **state) {
    struct command_fixture *fixture = *state;
    static const struct {
        const char *words, *complaint;
    } CASES[] = {{"--engine|steam", "--engine is llama, scripted or upstream, not 'steam'"},
                 {"--engine|upstream", "--engine upstream needs --url"},
                 {"--url|http://h/v1", "--url and --upstream-key-file are for --engine upstream"},
                 {"--upstream-key-file|x", "--url and --upstream-key-file are for --engine upstream"},
                 {"--engine|upstream|--url|http://h/v1/", "ends with what its paths stand below"},
                 {"--engine|upstream|--url|http://h/v1|--upstream-key-file|/absent", "there is no file /absent"},
                 {"--engine|upstream|--url|http://h/v1|--auto-models", "are for engines with files"},
                 {"--engine|upstream|--url|http://h/v1|--offer|all", "are for engines with files"},
                 {"--keep-warm-s|604801", "--keep-warm-s is at most a week"},
                 {"--reconnect-ms|0", "--reconnect-ms is 1 to 60000"},
                 {"--reconnect-ms|60001", "--reconnect-ms is 1 to 60000"},
                 {"--hours|late", "late"},
                 {"--log-level|loud", "--log-level wants"}};
    command_fixture_refuse(fixture, COMMAND_USAGE, "--gateway URL and --data DIR are needed ('nataris provider invite'",
                           "provider|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--gateway URL and --data DIR are needed",
                           "provider|--gateway|https://g");
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        command_fixture_expect(fixture, COMMAND_USAGE, "provider|--gateway|https://g|--data|@|%s", CASES[i].words);
        assert_complains(fixture, CASES[i].complaint);
    }
    assert_false(file_exists(temp_tree_path(&fixture->tree, "provider.lock")));
}

static void one_that_cannot_start(void **state) {
    struct command_fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "plain", "");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/plain",
                           "provider|--gateway|http://127.0.0.1:1|--data|@/plain|--engine|scripted");
    command_fixture_refuse(fixture, COMMAND_FAILED, "gpt-4o",
                           "provider|--gateway|http://127.0.0.1:1|--data|@/p1|--model|gpt-4o|--quiet");
    command_fixture_refuse(fixture, COMMAND_FAILED, "another provider runs in /",
                           "provider|--gateway|http://127.0.0.1:1|--data|@/p1|--engine|scripted");
    command_fixture_refuse(fixture, COMMAND_FAILED, "the upstream does not answer",
                           "provider|--gateway|http://127.0.0.1:1|--data|@/p2|--engine|upstream|--url|"
                           "http://127.0.0.1:1/v1");
}

/* In a process of its own, for it lowers its priority: the owner of the device comes first. */
static void one_that_the_gateway_refuses(void **state) {
    struct command_fixture *fixture = *state;
    struct command_process gateway, provider;
    char line[1024], origin[256], words[512];
    command_process_start(&gateway, fixture, "gateway|--data|@|--listen|127.0.0.1:0|--json|--log-level|error");
    command_process_line(&gateway, line, sizeof(line));
    buf_reset(&fixture->output);
    buf_append_cstr(&fixture->output, line);
    command_fixture_member(fixture, "base_url", origin, sizeof(origin));
    *strstr(origin, "/v1") = '\0';
    snprintf(words, sizeof(words),
             "provider|--gateway|%s|--data|@/p1|--engine|scripted|--model|nataris-fast|--join|nonsense|--cpu-percent|"
             "50|--log-level|error|--quiet",
             origin);
    command_process_start(&provider, fixture, words);
    assert_int_equal(command_process_end(&provider, fixture), COMMAND_FAILED);
    assert_complains(fixture, "token");
    assert_int_equal(kill(gateway.pid, SIGTERM), 0);
    assert_int_equal(command_process_end(&gateway, fixture), COMMAND_OK);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults),
        cmocka_unit_test(each_option_has_its_place),
        cmocka_unit_test(who_offers_models_needs_to_keep_none),
        COMMAND_TEST(an_upstream_and_its_key),
        COMMAND_TEST(what_cannot_be_is_named),
        COMMAND_TEST(one_that_cannot_start),
        COMMAND_TEST(one_that_the_gateway_refuses),
    };
    return argc > 1 ? commands_dispatch(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
