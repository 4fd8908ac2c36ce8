/* What the operator's commands share: paths, pages, answers and warnings. */
#include "cmd/admin_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_socket.h"

static void ids_cannot_leave_their_place(void **state) {
    static const char *const IDS[] = {"", "a/b", "..", "a?b", "a b", "a%2f", "\xc3\xa9"};
    char path[ADMIN_PATH_MAX];
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(IDS); i++) {
        assert_false(admin_path(path, "/admin/accounts/", IDS[i], "", &err));
    }
    assert_true(admin_path(path, "/admin/accounts/", "acct_A-1", "/keys", &err));
    assert_string_equal(path, "/admin/accounts/acct_A-1/keys");
}

static void an_id_has_a_bound(void **state) {
    char path[ADMIN_PATH_MAX], id[ADMIN_PATH_MAX];
    struct err err;
    (void)state;
    memset(id, 'a', sizeof(id));
    id[sizeof(id) - 1] = '\0';
    assert_false(admin_path(path, "/admin/", id, "", &err));
    id[sizeof(id) - sizeof("/admin/")] = '\0';
    assert_true(admin_path(path, "/admin/", id, "", &err));
}

static void pages(void **state) {
    char path[ADMIN_PATH_MAX];
    struct err err;
    (void)state;
    assert_true(admin_page_path(path, "/admin/audit", 7, "before", NULL, &err));
    assert_string_equal(path, "/admin/audit?limit=7");
    assert_true(admin_page_path(path, "/admin/audit", 7, "before", "12", &err));
    assert_string_equal(path, "/admin/audit?limit=7&before=12");
    assert_false(admin_page_path(path, "/admin/audit", 7, "before", "1&limit=2", &err));
}

static void a_body_is_one_object(void **state) {
    struct buf body;
    struct json_writer writer;
    (void)state;
    admin_body_begin(&body, &writer);
    json_member_cstr(&writer, "name", "Ada");
    assert_true(str_equal_cstr(admin_body_end(&body, &writer), "{\"name\":\"Ada\"}"));
    buf_clear(&body);
}

static void json_comes_as_the_gateway_said_it(void **state) {
    struct admin_socket *socket = *state;
    static const char ANSWER[] = "{ \"id\" : \"acct_1\", \"new\" : [1] }";
    admin_socket_expect(socket, "account|show|acct_1|--json", "GET /admin/accounts/acct_1 ", ANSWER,
                        "{ \"id\" : \"acct_1\", \"new\" : [1] }\n");
}

static void warnings_go_to_stderr(void **state) {
    struct admin_socket *socket = *state;
    admin_socket_run(socket, "key|create|acct_1|--model|none",
                     "{\"id\":\"key_1\",\"key\":\"nat_live_1\",\"warnings\":[\"no device has none\",7,\"think\"]}");
    assert_prints(socket->fixture, "Secret    nat_live_1\n");
    assert_string_equal(buf_cstr(&socket->fixture->errors),
                        "nataris: warning: no device has none\nnataris: warning: think\n");
    assert_string_equal(socket->server.seen,
                        "POST /admin/accounts/acct_1/keys {\"kind\":\"live\",\"name\":null,\"cap_usd\":null,"
                        "\"models\":[\"none\"]}");
}

static void a_refusal_is_told_in_the_gateways_words(void **state) {
    struct admin_socket *socket = *state;
    socket->server.status = 409;
    socket->server.answer = "{\"error\":{\"message\":\"not now\"}}";
    command_fixture_refuse(socket->fixture, COMMAND_FAILED, "nataris: not now\n", "account|list|--data|@");
    socket->server.status = 500;
    socket->server.answer = "{}";
    command_fixture_refuse(socket->fixture, COMMAND_FAILED, "status 500", "account|list|--data|@");
    socket->server.answer = "<html>";
    command_fixture_refuse(socket->fixture, COMMAND_FAILED, "nataris: ", "account|list|--data|@");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_cannot_leave_their_place),
        cmocka_unit_test(an_id_has_a_bound),
        cmocka_unit_test(pages),
        cmocka_unit_test(a_body_is_one_object),
        ADMIN_SOCKET_TEST(json_comes_as_the_gateway_said_it),
        ADMIN_SOCKET_TEST(warnings_go_to_stderr),
        ADMIN_SOCKET_TEST(a_refusal_is_told_in_the_gateways_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
