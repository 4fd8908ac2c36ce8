/* nataris gateway: its options, and a gateway that runs until it is told to stop. */
#include "cmd/gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"
#include "support/parsed_options.h"

static void the_defaults_are_the_gateways_own(void **state) {
    struct parsed_options parsed;
    struct gateway_options options, defaults;
    struct err err = {0};
    (void)state;
    PARSED_OPTIONS_INIT(&parsed, &COMMAND_GATEWAY, "--data", "here");
    assert_true(cmd_gateway_fill(parsed.config, &options, &err));
    gateway_options_init(&defaults);
    assert_string_equal(options.listen, "127.0.0.1:8080");
    assert_null(options.tls_cert);
    assert_null(options.tls_key);
    assert_int_equal(options.drain_ms, defaults.drain_ms);
    assert_int_equal(options.heartbeat_ms, defaults.heartbeat_ms);
    assert_int_equal(options.canary_ms, defaults.canary_ms);
    assert_false(options.webhooks_lax);
    assert_false(options.titles_off);
    assert_false(options.summaries_off);
    assert_int_equal(options.keep_days, 0);
    assert_memory_equal(options.tiers, defaults.tiers, sizeof(options.tiers));
    assert_memory_equal(&options.quotas, &defaults.quotas, sizeof(options.quotas));
    assert_memory_equal(&options.addresses, &defaults.addresses, sizeof(options.addresses));
    assert_int_equal(options.disk_floor_bytes, defaults.disk_floor_bytes);
    assert_null(options.trusted_proxies);
    assert_memory_equal(&options.core, &defaults.core, sizeof(options.core));
    parsed_options_clear(&parsed);
}

static void each_option_has_its_place(void **state) {
    struct parsed_options parsed;
    struct gateway_options options;
    struct err err = {0};
    (void)state;
    PARSED_OPTIONS_INIT(
        &parsed, &COMMAND_GATEWAY, "--data", "here", "--listen", "[::]:1", "--tls-cert", "c.pem", "--tls-key", "k.pem",
        "--drain-s", "2", "--heartbeat-ms", "300", "--canary-s", "4", "--keep-jobs-days", "40",
        "--webhooks-allow-private", "--no-titles", "--no-summaries", "--tier-free", "5/6", "--tier-starter", "7/8",
        "--tier-pro", "0/9/12", "--max-jobs", "10", "--max-queue", "11", "--max-attempts", "3", "--queue-ms", "12",
        "--accept-ms", "13", "--first-token-ms", "14", "--silence-ms", "15", "--whole-ms", "16", "--whole-per-token-ms",
        "17", "--cooldown-ms", "18", "--address-connections", "21", "--address-rate", "22", "--address-failed-keys",
        "23", "--trusted-proxy", "127.0.0.1", "--disk-floor", "24", "--quota-free", "1/2,3/4,5/6,7/0");
    assert_true(cmd_gateway_fill(parsed.config, &options, &err));
    assert_int_equal(options.quotas.of[STORE_TIER_FREE][STORE_KEPT_JOBS].rows, 3);
    assert_int_equal(options.quotas.of[STORE_TIER_FREE][STORE_KEPT_JOBS].bytes, 4 * 1024 * 1024);
    assert_int_equal(options.quotas.of[STORE_TIER_FREE][STORE_KEPT_ANSWERS].bytes, 0);
    assert_string_equal(options.listen, "[::]:1");
    assert_string_equal(options.tls_cert, "c.pem");
    assert_string_equal(options.tls_key, "k.pem");
    assert_int_equal(options.drain_ms, 2000);
    assert_int_equal(options.heartbeat_ms, 300);
    assert_int_equal(options.canary_ms, 4000);
    assert_int_equal(options.keep_days, 40);
    assert_true(options.webhooks_lax);
    assert_true(options.titles_off);
    assert_true(options.summaries_off);
    assert_int_equal(options.tiers[STORE_TIER_FREE].requests_per_minute, 5);
    assert_int_equal(options.tiers[STORE_TIER_FREE].concurrent, 6);
    assert_int_equal(options.tiers[STORE_TIER_FREE].calls_per_minute, 600); /* it was not said */
    assert_int_equal(options.tiers[STORE_TIER_PRO].calls_per_minute, 12);
    assert_int_equal(options.addresses.connections, 21);
    assert_int_equal(options.addresses.new_connections, 22);
    assert_int_equal(options.addresses.failed_keys, 23);
    assert_string_equal(options.trusted_proxies, "127.0.0.1");
    assert_int_equal(options.disk_floor_bytes, 24 * 1024 * 1024);
    assert_int_equal(options.tiers[STORE_TIER_STARTER].requests_per_minute, 7);
    assert_int_equal(options.tiers[STORE_TIER_STARTER].concurrent, 8);
    assert_int_equal(options.tiers[STORE_TIER_PRO].requests_per_minute, 0);
    assert_int_equal(options.tiers[STORE_TIER_PRO].concurrent, 9);
    assert_int_equal(options.core.max_generations, 10);
    assert_int_equal(options.core.max_queue, 11);
    assert_int_equal(options.core.max_attempts, 3);
    assert_int_equal(options.core.queue_ms, 12);
    assert_int_equal(options.core.accept_ms, 13);
    assert_int_equal(options.core.first_token_ms, 14);
    assert_int_equal(options.core.silence_ms, 15);
    assert_int_equal(options.core.whole_ms, 16);
    assert_int_equal(options.core.whole_per_token_ms, 17);
    assert_int_equal(options.core.cooldown_ms, 18);
    parsed_options_clear(&parsed);
}

static void what_cannot_be_is_named(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_USAGE, "--data DIR is needed: the folder that keeps accounts and keys",
                           "gateway");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--tls-cert and --tls-key go together",
                           "gateway|--data|@|--tls-cert|c.pem");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--tls-cert and --tls-key go together",
                           "gateway|--data|@|--tls-key|k.pem");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--max-attempts is 1 to ", "gateway|--data|@|--max-attempts|0");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--max-attempts is 1 to ", "gateway|--data|@|--max-attempts|1000");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--canary-s is at most 2592000",
                           "gateway|--data|@|--canary-s|2592001");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--keep-jobs-days is at most 36500",
                           "gateway|--data|@|--keep-jobs-days|36501");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--heartbeat-ms is at least 100",
                           "gateway|--data|@|--heartbeat-ms|99");
    command_fixture_refuse(fixture, COMMAND_USAGE, "--log-level wants", "gateway|--data|@|--log-level|loud");
    assert_false(file_exists(temp_tree_path(&fixture->tree, "nataris.db")));
}

static void tiers_that_are_none(void **state) {
    struct command_fixture *fixture = *state;
    static const char *const TIERS[] = {"10",        "/",    "10/",   "/2",      "a/b", "1000001/2",
                                        "2/1000001", "1/2/", "1/2/x", "1/2/3/4", "-1/2"};
    static const char *const NAMES[] = {"free", "starter", "pro"};
    for (size_t i = 0; i < COUNT_OF(TIERS); i++) {
        command_fixture_expect(fixture, COMMAND_USAGE, "gateway|--data|@|--tier-%s|%s", NAMES[i % COUNT_OF(NAMES)],
                               TIERS[i]);
        assert_complains(
            fixture,
            "a tier is REQUESTS_PER_MINUTE/CONCURRENT/CALLS_PER_MINUTE such as 10/2/600, or without the last, not '");
    }
}

static void a_gateway_that_cannot_start(void **state) {
    struct command_fixture *fixture = *state;
    temp_tree_write(&fixture->tree, "plain", "");
    command_fixture_refuse(fixture, COMMAND_FAILED, "/plain", "gateway|--data|@/plain|--listen|127.0.0.1:0");
    command_fixture_refuse(fixture, COMMAND_FAILED, "nataris: ", "gateway|--data|@/data|--listen|127.0.0.1");
}

/* --- One that runs --- */

static void it_tells_where_it_is_and_stops_when_told(void **state) {
    struct command_fixture *fixture = *state;
    struct command_process process;
    char line[FILE_PATH_MAX], wanted[FILE_PATH_MAX + 128];
    command_process_start(&process, fixture, "gateway|--data|@/data|--listen|127.0.0.1:0|--log-level|error");
    command_process_line(&process, line, sizeof(line));
    assert_true(str_starts_with(str_from(line), STR("Gateway at http://127.0.0.1:")));
    snprintf(wanted, sizeof(wanted), "The owner's keys are in %s/data/owner.json", fixture->tree.path);
    assert_string_equal(command_process_line(&process, line, sizeof(line)), wanted);
    snprintf(wanted, sizeof(wanted), "Add a device: nataris provider invite --data %s/data", fixture->tree.path);
    assert_string_equal(command_process_line(&process, line, sizeof(line)), wanted);
    assert_int_equal(kill(process.pid, SIGTERM), 0);
    assert_int_equal(command_process_end(&process, fixture), COMMAND_OK);
    assert_string_equal(buf_cstr(&fixture->output), "");
    assert_string_equal(buf_cstr(&fixture->errors), "");
}

static void commands_reach_one_that_runs(void **state) {
    struct command_fixture *fixture = *state;
    struct command_process process;
    char line[1024], origin[256], key[128];
    command_process_start(&process, fixture, "gateway|--data|@|--listen|127.0.0.1:0|--json|--log-level|error");
    command_process_line(&process, line, sizeof(line));
    buf_reset(&fixture->output);
    buf_append_cstr(&fixture->output, line);
    command_fixture_member(fixture, "base_url", origin, sizeof(origin));
    command_fixture_member(fixture, "api_key", key, sizeof(key));
    *strstr(origin, "/v1") = '\0';
    command_fixture_expect(fixture, COMMAND_OK, "account|list|--data|@");
    assert_prints(fixture, " owner\n");
    command_fixture_expect(fixture, COMMAND_OK, "provider|why|--gateway|%s|--key|%s", origin, key);
    assert_printed(fixture, "There are no devices: nataris provider joins one.\n");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|why|--gateway|%s|--key|%sx", origin, key);
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|--data|@");
    assert_prints(fixture, "nataris provider --gateway %s --join ", origin);
    command_fixture_expect(fixture, COMMAND_FAILED, "gateway|--data|@|--listen|127.0.0.1:0");
    assert_complains(fixture, "another gateway runs in /");
    assert_int_equal(kill(process.pid, SIGINT), 0);
    assert_int_equal(command_process_end(&process, fixture), COMMAND_OK);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_gateways_own),
        cmocka_unit_test(each_option_has_its_place),
        COMMAND_TEST(what_cannot_be_is_named),
        COMMAND_TEST(tiers_that_are_none),
        COMMAND_TEST(a_gateway_that_cannot_start),
        COMMAND_TEST(it_tells_where_it_is_and_stops_when_told),
        COMMAND_TEST(commands_reach_one_that_runs),
    };
    return argc > 1 ? commands_dispatch(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
