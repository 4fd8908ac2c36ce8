/* The operator's requests: on the store when no gateway runs, through the socket when one does. */
#include "cmd/admin_client.h"
#include "cmd/admin_command.h"
#include "cmd/owner.h"

#include "admin/admin.h"
#include "admin/http.h"
#include "base/log.h"
#include "support/store_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

/* A data folder as a gateway leaves it. */
static int setup(void **state) {
    struct owner owner = {0};
    store_fixture_setup(state);
    struct store_fixture *fixture = *state;
    store_fixture_close(fixture);
    temp_folder_file(&fixture->folder, "nataris.db", fixture->path);
    assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
    assert_true(owner_ensure(fixture->store, fixture->folder.path, &owner, &fixture->err));
    store_fixture_close(fixture);
    return 0;
}

static bool call(struct store_fixture *fixture, const char *method, const char *path, const char *body,
                 struct admin_reply *reply) {
    *reply = (struct admin_reply){0};
    return admin_client_call(fixture->folder.path, method, path, str_from(body), reply, &fixture->err);
}

static void member(const struct admin_reply *reply, const char *name, char *out, size_t size) {
    table_cell(reply->root, name, out, size);
}

static void test_without_a_gateway_the_store_is_used(void **state) {
    struct store_fixture *fixture = *state;
    struct admin_reply reply;
    char id[64], path[ADMIN_PATH_MAX], text[64];
    assert_true(call(fixture, "POST", "/admin/accounts", "{\"name\":\"Ada\"}", &reply));
    member(&reply, "id", id, sizeof(id));
    member(&reply, "api_key", text, sizeof(text));
    assert_true(str_starts_with(str_from(text), STR("nat_live_")));
    admin_reply_clear(&reply);

    assert_true(admin_path(path, "/admin/accounts/", id, "/credits", &fixture->err));
    assert_true(call(fixture, "POST", path, "{\"type\":\"grant\",\"amount_usd\":\"0.000000001\"}", &reply));
    admin_reply_clear(&reply);
    assert_true(admin_path(path, "/admin/accounts/", id, "", &fixture->err));
    assert_true(call(fixture, "GET", path, "", &reply));
    member(&reply, "balance_usd", text, sizeof(text));
    assert_string_equal(text, "5.000000001");
    member(&reply, "held_usd", text, sizeof(text));
    assert_string_equal(text, "0");
    admin_reply_clear(&reply);
    assert_true(call(fixture, "GET", "/admin/audit?limit=1", "", &reply));
    assert_non_null(strstr(buf_cstr(&reply.text), "\"actor\":\"cli\",\"action\":\"credit.grant\""));
    assert_non_null(strstr(buf_cstr(&reply.text), "\"has_more\":true"));
    admin_reply_clear(&reply);
}

static void test_refusals_are_told_in_words(void **state) {
    struct store_fixture *fixture = *state;
    struct admin_reply reply;
    assert_false(call(fixture, "GET", "/admin/accounts/acct_none", "", &reply));
    assert_string_equal(fixture->err.message, "There is no such account.");
    admin_reply_clear(&reply);
    assert_false(call(fixture, "PATCH", "/admin/accounts/acct_none", "{\"tier\":\"gold\"}", &reply));
    assert_string_equal(fixture->err.message, "tier must be free, starter, pro or unlimited.");
    admin_reply_clear(&reply);
    assert_false(call(fixture, "DELETE", "/admin/keys/key_none", "", &reply));
    admin_reply_clear(&reply);
}

static void test_a_data_folder_must_exist(void **state) {
    struct store_fixture *fixture = *state;
    struct admin_reply reply = {0};
    assert_false(admin_client_call(NULL, "GET", "/admin/accounts", STR(""), &reply, &fixture->err));
    assert_non_null(strstr(fixture->err.message, "--data DIR is needed"));
    admin_reply_clear(&reply);
    assert_false(admin_client_call("/nowhere/at/all", "GET", "/admin/accounts", STR(""), &reply, &fixture->err));
    assert_non_null(strstr(fixture->err.message, "/nowhere/at/all is no data folder"));
    admin_reply_clear(&reply);
}

/* --- Through a socket --- */

struct gateway_thread {
    struct loop *loop;
    struct store_fixture *fixture;
    struct http_server *server;
    struct admin *admin;
    uv_thread_t thread;
    uv_async_t stop;
    int executed;
};

static void execute(void *context, const struct store_admin *action, admin_done *done, void *done_context) {
    struct gateway_thread *gateway = context;
    const struct err refusal = {.code = ERR_CONFLICT, .message = "the gateway itself says no"};
    gateway->executed++;
    (void)action;
    done(done_context, NULL, &refusal);
}

static void on_stop(uv_async_t *stop) {
    struct gateway_thread *gateway = stop->data;
    http_server_close(gateway->server, NULL, NULL);
    uv_close((uv_handle_t *)stop, NULL);
}

static void run_gateway(void *context) {
    const struct gateway_thread *gateway = context;
    loop_run(gateway->loop);
}

static void start_gateway(struct gateway_thread *gateway, struct store_fixture *fixture) {
    static const struct http_server_events EVENTS = {.on_request = admin_on_request, .on_refused = admin_on_refused};
    const struct admin_backend backend = {.context = gateway, .execute = execute};
    const struct http_server_config config = {.head_limits = {4096, 20, 512},
                                              .body_bytes = 4096,
                                              .pipeline_bytes = 4096,
                                              .head_timeout_ms = 10000,
                                              .body_pace.stretch_ms = 10000,
                                              .idle_timeout_ms = 10000};
    char address[160];
    snprintf(address, sizeof(address), "unix:%s/admin.sock", fixture->folder.path);
    const struct listener_options options = {.address = address, .max_connections = 4};
    gateway->loop = loop_new();
    gateway->admin = admin_new(gateway->loop, NULL, &backend);
    assert_true(
        http_server_open(&gateway->server, gateway->loop, &options, &config, &EVENTS, gateway->admin, &fixture->err));
    gateway->stop.data = gateway;
    uv_async_init(loop_uv(gateway->loop), &gateway->stop, on_stop);
    assert_int_equal(uv_thread_create(&gateway->thread, run_gateway, gateway), 0);
}

static void stop_gateway(struct gateway_thread *gateway) {
    uv_async_send(&gateway->stop);
    uv_thread_join(&gateway->thread);
    admin_free(gateway->admin);
    loop_free(gateway->loop);
}

static void test_a_running_gateway_is_asked(void **state) {
    struct store_fixture *fixture = *state;
    struct gateway_thread gateway = {0};
    struct admin_reply reply;
    log_set_level(LOG_ERROR);
    start_gateway(&gateway, fixture);
    assert_false(call(fixture, "POST", "/admin/accounts", "{\"name\":\"Ada\"}", &reply));
    assert_string_equal(fixture->err.message, "the gateway itself says no");
    admin_reply_clear(&reply);
    assert_false(call(fixture, "DELETE", "/admin/keys/key_1", "", &reply));
    admin_reply_clear(&reply);
    stop_gateway(&gateway);
    assert_int_equal(gateway.executed, 2);
}

static void test_the_socket_of_a_dead_gateway_is_passed_by(void **state) {
    struct store_fixture *fixture = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct admin_reply reply;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", fixture->folder.path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    assert_true(call(fixture, "GET", "/admin/accounts", "", &reply));
    admin_reply_clear(&reply);
}

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(test_without_a_gateway_the_store_is_used),
        CLIENT_TEST(test_refusals_are_told_in_words),
        CLIENT_TEST(test_a_data_folder_must_exist),
        CLIENT_TEST(test_a_running_gateway_is_asked),
        CLIENT_TEST(test_the_socket_of_a_dead_gateway_is_passed_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
