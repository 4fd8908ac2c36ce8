/* Throwing devices out, from the command line. */
#include "cmd/provider_evict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static void quarantine_and_release(void **state) {
    admin_socket_expect(*state, "provider|quarantine|prov_1|--reason|a \"b\"",
                        "PATCH /admin/providers/prov_1 {\"quarantined\":true,\"reason\":\"a \\\"b\\\"\"}",
                        "{\"id\":\"prov_1\",\"standing\":\"quarantined\"}", "prov_1 is quarantined\n");
    admin_socket_expect(*state, "provider|release|prov_1", "PATCH /admin/providers/prov_1 {\"quarantined\":false}",
                        "{\"id\":\"prov_1\",\"standing\":\"serving\"}", "prov_1 is serving\n");
}

static void removal(void **state) {
    admin_socket_expect(*state, "provider|remove|prov_1|--yes", "DELETE /admin/providers/prov_1 {}",
                        "{\"id\":\"prov_1\",\"standing\":\"removed\"}",
                        "prov_1 is removed for good: its link is closed, its key is refused. Its record and what was "
                        "earned with it stay.\n");
}

static void another_key(void **state) {
    admin_socket_expect(*state, "provider|replace-key|prov_1|--hours|3",
                        "POST /admin/providers/prov_1/key {\"hours\":3}",
                        "{\"id\":\"prov_1\",\"token\":\"join_x\",\"expires_at\":\"2026-01-31T23:59:59.123Z\"}",
                        "On the device, with a new data folder (or its file device_key moved away), until "
                        "2026-01-31T23:59:59.123Z:\n\n"
                        "  nataris provider --gateway URL --join join_x --data DIR\n\n"
                        "It is prov_1 again with its new key then, and the former key is refused for good.\n");
}

/* Nothing is done without --yes, nor to what is not there. */
static void what_is_refused(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_USAGE, "provider|remove|prov_1|--data|@");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|remove|prov_1|--yes|--data|@");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|remove|pr ov|--yes|--data|@");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|release|prov_1|--data|@");
    command_fixture_expect(fixture, COMMAND_FAILED, "provider|replace-key|prov_1|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_SOCKET_TEST(quarantine_and_release),
        ADMIN_SOCKET_TEST(removal),
        ADMIN_SOCKET_TEST(another_key),
        DATA_TEST(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
