/* The join tokens that were made, from the command line. */
#include "cmd/invite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static void a_row_for_each_token(void **state) {
    admin_socket_expect(*state, "provider|invite|list|--limit|2|--after|invite_0",
                        "GET /admin/join-tokens?limit=2&after=invite_0 ",
                        "{\"data\":[{\"id\":\"invite_0123456789abcdef\",\"account_id\":\"acct_ada\",\"state\":\"good\","
                        "\"uses_left\":2,\"expires_at\":\"2026-01-31T23:59:59.123Z\",\"replaces_key_of\":null}],"
                        "\"has_more\":true}",
                        "ID                      ACCOUNT                   STATE             LEFT EXPIRES              "
                        "    NEW KEY OF\n"
                        "invite_0123456789abcdef acct_ada                  good              2    "
                        "2026-01-31T23:59:59.123Z -\n"
                        "There are more: --after invite_0123456789abcdef\n");
}

static void revocation(void **state) {
    admin_socket_expect(*state, "provider|invite|revoke|invite_1", "DELETE /admin/join-tokens/invite_1 ",
                        "{\"id\":\"invite_1\"}",
                        "invite_1 is revoked: no device joins with it any more. Those that have joined stay.\n");
}

static void from_the_store_alone(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_expect(fixture, COMMAND_OK, "provider|invite|list|--json|--data|@");
    assert_printed(fixture, "{\"object\":\"list\",\"data\":[],\"has_more\":false}\n");
    command_fixture_refuse(fixture, COMMAND_FAILED, "There is no join token invite_none",
                           "provider|invite|revoke|invite_none|--data|@");
    command_fixture_refuse(fixture, COMMAND_FAILED, "'a/b' is no id", "provider|invite|revoke|a/b|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_SOCKET_TEST(a_row_for_each_token),
        ADMIN_SOCKET_TEST(revocation),
        DATA_TEST(from_the_store_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
