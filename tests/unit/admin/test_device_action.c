/* Devices and join tokens over the admin API: what each request becomes, and what is refused. */
#include "admin/device_action.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_fixture.h"
#include "wire/join_token.h"

static void test_quarantine_and_release(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "PATCH /admin/providers/prov_1",
                                        "{\"quarantined\":true,\"reason\":\"wrong answers\"}"),
                     200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_DEVICE_QUARANTINE);
    assert_string_equal(fixture->action.device.id, "prov_1");
    assert_string_equal(fixture->action.note, "wrong answers");
    assert_int_equal(admin_fixture_call(fixture, "PATCH /admin/providers/prov_1", "{\"quarantined\":false}"), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_DEVICE_RELEASE);
}

static void test_changes_that_are_none(void **state) {
    static const char *const BODIES[] = {
        "{}",
        "{\"verified\":true,\"quarantined\":true}",
        "{\"quarantined\":1}",
        "{\"quarantined\":null}",
        "{\"reason\":\"x\"}",
        "{\"verified\":true,\"reason\":\"x\"}",
        "{\"quarantined\":false,\"reason\":\"x\"}",
        "{\"quarantined\":true,\"reason\":\"two\\nlines\"}",
        "{\"quarantined\":true,\"reason\":7}",
        "[]",
        "",
    };
    struct admin_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        assert_int_equal(admin_fixture_call(fixture, "PATCH /admin/providers/prov_1", BODIES[i]), 400);
    }
    assert_int_equal(fixture->executed, 0);
}

static void test_removal(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/providers/prov_1", ""), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_DEVICE_REMOVE);
    assert_string_equal(fixture->action.note, "");
    assert_string_equal(fixture->action.account.id, ""); /* whoever's it is */
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/providers/prov_1", "{\"reason\":\"it lied\"}"), 200);
    assert_string_equal(fixture->action.note, "it lied");
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/providers/prov_1", "{\"reason\":1}"), 400);
    assert_int_equal(fixture->executed, 2);
}

/* The token is shown once; the store gets its hash. */
static void test_a_token_for_another_key(void **state) {
    struct admin_fixture *fixture = *state;
    uint8_t sha256[DIGEST_SHA256_SIZE];
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/providers/prov_1/key", "{\"hours\":2}"), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_DEVICE_KEY);
    assert_int_equal(fixture->action.token.uses, 1);
    assert_int_equal(fixture->action.token.expires_ms - fixture->action.token.created_ms, 2 * 3600 * 1000);
    const char *at = strstr(admin_fixture_body(fixture), "\"token\":\"join_");
    assert_non_null(at);
    const struct str token = {at + strlen("\"token\":\""), JOIN_TOKEN_SIZE - 1};
    assert_true(join_token_check(token));
    join_token_hash(token, sha256);
    assert_memory_equal(sha256, fixture->action.token.sha256, sizeof(sha256));
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/providers/prov_1/key", "{}"), 200);
    assert_int_equal(fixture->action.token.expires_ms - fixture->action.token.created_ms, 24 * 3600 * 1000);
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/providers/prov_1/key", "{\"hours\":0}"), 400);
    assert_int_equal(admin_fixture_call(fixture, "POST /admin/providers/prov_1/key", "{\"hours\":9999999}"), 400);
}

static void test_tokens(void **state) {
    struct admin_fixture *fixture = *state;
    assert_int_equal(admin_fixture_call(fixture, "GET /admin/join-tokens?limit=3&after=invite_0", ""), 200);
    assert_int_equal(fixture->limit, 3);
    assert_string_equal(fixture->after, "invite_0");
    assert_non_null(strstr(admin_fixture_body(fixture), "\"id\":\"invite_1\",\"account_id\":\"acct_ada\","
                                                        "\"replaces_key_of\":null,\"uses_left\":2,"
                                                        "\"state\":\"expired\""));
    assert_int_equal(admin_fixture_call(fixture, "DELETE /admin/join-tokens/invite_1", ""), 200);
    assert_int_equal(fixture->action.kind, STORE_ADMIN_TOKEN_REVOKE);
    assert_string_equal(fixture->action.token.id, "invite_1");
    fixture->reads_fail = true;
    assert_int_not_equal(admin_fixture_call(fixture, "GET /admin/join-tokens", ""), 200);
}

#define ACTION_TEST(test) cmocka_unit_test_setup_teardown(test, admin_fixture_setup, admin_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ACTION_TEST(test_quarantine_and_release),
        ACTION_TEST(test_changes_that_are_none),
        ACTION_TEST(test_removal),
        ACTION_TEST(test_a_token_for_another_key),
        ACTION_TEST(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
