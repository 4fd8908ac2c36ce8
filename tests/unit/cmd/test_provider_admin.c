/* The operator's view of all devices, as a gateway tells it and from the store alone. */
#include "cmd/provider_admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static void a_row_for_each_device(void **state) {
    struct admin_socket *socket = *state;
    admin_socket_expect(
        socket, "provider|list|--limit|2|--after|prov_0", "GET /admin/providers?limit=2&after=prov_0 ",
        "{\"data\":[{\"id\":\"prov_1\",\"name\":\"laptop\",\"state\":\"idle\",\"heat\":\"nominal\",\"active_jobs\":0,"
        "\"verified\":true,\"record\":{\"jobs\":4,\"success_permille\":990,\"uptime_permille\":980}},"
        "{\"id\":\"prov_2\",\"name\":\"a name that is longer than its column is "
        "wide\",\"state\":\"away\",\"heat\":null,"
        "\"active_jobs\":0,\"verified\":false}],\"has_more\":true}",
        "ID                         NAME               STATE        HEAT      ACTIVE VERIFIED RECORD\n"
        "prov_1                     laptop             idle         nominal   0      yes      4 jobs, success "
        "990/1000, "
        "up 980/1000\n"
        "prov_2                     a name that is longer than its  away         -         0      no       - jobs, "
        "success -/1000, up -/1000\n"
        "There are more: --after prov_2\n");
    admin_socket_run(socket, "provider|list|--json", "{\"data\":[]}");
    assert_printed(socket->fixture, "{\"data\":[]}\n");
    assert_string_equal(socket->server.seen, "GET /admin/providers?limit=100 ");
}

static void verified_or_not(void **state) {
    admin_socket_expect(*state, "provider|verify|prov_1", "PATCH /admin/providers/prov_1 {\"verified\":true}",
                        "{\"id\":\"prov_1\",\"verified\":true}", "prov_1 is verified\n");
    admin_socket_expect(*state, "provider|unverify|prov_1", "PATCH /admin/providers/prov_1 {\"verified\":false}",
                        "{\"id\":\"prov_1\",\"verified\":false}", "prov_1 is not verified\n");
}

static void the_review_list(void **state) {
    admin_socket_expect(
        *state, "provider|review|--before|9|--limit|1", "GET /admin/reviews?limit=1&before=9 ",
        "{\"data\":[{\"number\":8,\"at\":\"2026-01-31T23:59:59.123Z\",\"provider_id\":\"prov_1\","
        "\"name\":\"laptop\",\"reason\":\"too_fast\",\"job_id\":null}],\"has_more\":true}",
        "NUMBER AT                       ID                         NAME               REASON       FOUND\n"
        "8      2026-01-31T23:59:59.123Z prov_1                     laptop             too_fast     -\n"
        "There are more: --before 8\n");
    admin_socket_expect(*state, "provider|review|--clear|prov_1", "DELETE /admin/providers/prov_1/reviews ",
                        "{\"id\":\"prov_1\"}", "prov_1 has no lines on the review list any more\n");
    admin_socket_expect(*state, "provider|review|--accept|prov_1|--note|slow",
                        "POST /admin/providers/prov_1/reviews "
                        "{\"action\":\"accept\",\"remove\":false,\"escrow\":\"return\",\"note\":\"slow\"}",
                        "{\"id\":\"prov_1\",\"standing\":\"quarantined\",\"amount_usd\":0.5,\"given_usd\":0.25}",
                        "prov_1: quarantined; $0.5 that it earned is out of escrow ($0.25 of it given credit)\n");
    admin_socket_expect(*state, "provider|review|--dismiss|prov_1",
                        "POST /admin/providers/prov_1/reviews {\"action\":\"dismiss\",\"note\":null}",
                        "{\"id\":\"prov_1\",\"standing\":\"serving\",\"amount_usd\":0,\"given_usd\":0}",
                        "prov_1: serving; $0 that it earned is out of escrow ($0 of it given credit)\n");
}

static void from_the_store_alone(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "provider|list|--data|@");
    assert_printed(fixture,
                   "ID                         NAME               STATE        HEAT      ACTIVE VERIFIED RECORD\n");
    command_fixture_expect(fixture, COMMAND_OK, "provider|review|--data|@");
    assert_printed(
        fixture, "NUMBER AT                       ID                         NAME               REASON       FOUND\n");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|verify|prov_none|--data|@");
    assert_complains(fixture, "prov_none");
}

static void ids_that_are_none(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|verify|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|list|--after|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|review|--before|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|review|--clear|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|review|--accept|a/b|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "The gateway does not run",
                           "provider|review|--accept|prov_1|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "give one of --show, --accept, --dismiss and --clear",
                           "provider|review|--accept|prov_1|--clear|prov_1|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "go with --accept", "provider|review|--remove|--data|@");
    command_fixture_refuse(fixture, COMMAND_USAGE, "ID is missing: the device", "provider|unverify|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_SOCKET_TEST(a_row_for_each_device),
        ADMIN_SOCKET_TEST(verified_or_not),
        ADMIN_SOCKET_TEST(the_review_list),
        DATA_TEST(from_the_store_alone),
        DATA_TEST(ids_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
