/* Why devices get no jobs: for the operator over the data folder, for an owner over the network. */
#include "cmd/provider_why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static const char DEVICE[] = "{\"id\":\"prov_1\",\"name\":\"laptop\",\"state\":\"paused\",\"since\":\"2026-01-31T23:59:"
                             "59.123Z\",\"heat\":\"fair\","
                             "\"record\":{\"jobs\":4,\"failures\":1,\"success_permille\":990,\"uptime_permille\":980},"
                             "\"why\":[\"It is paused.\",7,\"It is slow.\"]}";
static const char DEVICE_TEXT[] = "prov_1 laptop: paused since 2026-01-31T23:59:59.123Z, heat fair\n"
                                  "  4 jobs, 1 failed; success 990/1000, up 980/1000\n"
                                  "  It is paused.\n"
                                  "  It is slow.\n";

static void the_operator_asks_for_one(void **state) {
    admin_socket_expect(*state, "provider|why|prov_1", "GET /admin/providers/prov_1 ", DEVICE, DEVICE_TEXT);
}

static void the_operator_asks_for_all(void **state) {
    admin_socket_expect(*state, "provider|why|--after|prov_0", "GET /admin/providers?limit=100&after=prov_0 ",
                        "{\"data\":[{\"id\":\"prov_1\",\"name\":\"laptop\",\"state\":\"away\"}],\"has_more\":true}",
                        "prov_1 laptop: away since -, heat -\n"
                        "  - jobs, - failed; success -/1000, up -/1000\n"
                        "  The gateway is not running.\n"
                        "There are more: --after prov_1\n");
    admin_socket_expect(*state, "provider|why", "GET /admin/providers?limit=100 ", "{\"data\":[],\"has_more\":false}",
                        "There are no devices: nataris provider joins one.\n");
}

static void an_owner_asks_the_gateway(void **state) {
    struct command_fixture *fixture = *state;
    struct http_thread server = {.answer = DEVICE};
    http_thread_start(&server, "127.0.0.1:0");
    const unsigned port = http_thread_port(&server);
    command_fixture_expect(fixture, COMMAND_OK, "provider|why|prov_1|--gateway|http://127.0.0.1:%u|--key|nat_live_1",
                           port);
    assert_string_equal(server.seen, "GET /v1/provider/devices/prov_1 ");
    assert_string_equal(server.authorization, "Bearer nat_live_1");
    assert_printed(fixture, "%s", DEVICE_TEXT);
    server.answer = "{\"data\":[]}";
    command_fixture_expect(fixture, COMMAND_OK, "provider|why|--gateway|http://127.0.0.1:%u|--key|nat_live_1|--json",
                           port);
    assert_string_equal(server.seen, "GET /v1/provider/devices?limit=100 ");
    assert_printed(fixture, "{\"data\":[]}\n");
    server.status = 401;
    server.answer = "{\"error\":{\"message\":\"The API key is wrong.\"}}";
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|why|--gateway|http://127.0.0.1:%u|--key|nat_live_2",
                           port);
    assert_complains(fixture, "nataris: The API key is wrong.\n");
    http_thread_stop(&server);
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|why|--gateway|http://127.0.0.1:%u|--key|nat_live_1",
                           port);
    assert_complains(fixture, "nataris: http://127.0.0.1:");
}

static void the_key_may_come_from_the_environment(void **state) {
    struct command_fixture *fixture = *state;
    struct http_thread server = {.answer = "{\"data\":[]}"};
    http_thread_start(&server, "127.0.0.1:0");
    setenv("NATARIS_KEY", "nat_live_3", 1);
    command_fixture_expect(fixture, COMMAND_OK, "provider|why|--gateway|http://127.0.0.1:%u",
                           http_thread_port(&server));
    unsetenv("NATARIS_KEY");
    assert_string_equal(server.authorization, "Bearer nat_live_3");
    http_thread_stop(&server);
}

static void somebody_must_be_asked(void **state) {
    struct command_fixture *fixture = *state;
    static const char WORDS[] = "nataris: --gateway URL and --key KEY are needed (an owner's live key), or --data DIR";
    command_fixture_refuse(fixture, COMMAND_USAGE, WORDS, "provider|why");
    command_fixture_refuse(fixture, COMMAND_USAGE, WORDS, "provider|why|--gateway|http://127.0.0.1:1|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|why|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id",
                           "provider|why|a/b|--gateway|http://127.0.0.1:1|--key|k");
    command_fixture_refuse(fixture, COMMAND_FAILED, "--key is no API key",
                           "provider|why|--gateway|http://127.0.0.1:1|--key|a b");
    command_fixture_refuse(fixture, COMMAND_FAILED, "nataris: ", "provider|why|--gateway|ftp://x|--key|k");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_SOCKET_TEST(the_operator_asks_for_one), ADMIN_SOCKET_TEST(the_operator_asks_for_all),
        COMMAND_TEST(an_owner_asks_the_gateway),      COMMAND_TEST(the_key_may_come_from_the_environment),
        COMMAND_TEST(somebody_must_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
