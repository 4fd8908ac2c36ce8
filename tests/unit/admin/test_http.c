/* The admin API over HTTP on a Unix socket. What the routes do is in test_routes.c. */
#include "admin/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/admin_fixture.h"
#include "support/temp_folder.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 20 * 1000, ITERATIONS_MAX = 100 * 1000, RECEIVED_MAX = 64 * 1024 };

struct world {
    struct admin_fixture *fixture;
    struct temp_folder folder;
    char path[128];
    struct http_server *server;
    int client;
    char received[RECEIVED_MAX];
    size_t len;
};

static void open_client(struct world *world) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    str_copy(address.sun_path, sizeof(address.sun_path), str_from(world->path));
    world->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(world->client, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static int setup(void **state) {
    static const struct http_server_events EVENTS = {.on_request = admin_on_request, .on_refused = admin_on_refused};
    struct world *world = MEM_NEW(struct world);
    const struct http_server_config config = {.head_limits = {4096, 20, 512},
                                              .body_bytes = 4096,
                                              .pipeline_bytes = 4096,
                                              .head_timeout_ms = WAIT_MS,
                                              .body_pace.stretch_ms = WAIT_MS,
                                              .idle_timeout_ms = WAIT_MS};
    char address[160];
    struct err err;
    void *fixture;
    admin_fixture_setup(&fixture);
    world->fixture = fixture;
    temp_folder_init(&world->folder);
    temp_folder_file(&world->folder, "admin.sock", world->path);
    snprintf(address, sizeof(address), "unix:%s", world->path);
    const struct listener_options options = {.address = address, .max_connections = 4};
    assert_true(http_server_open(&world->server, world->fixture->loop, &options, &config, &EVENTS,
                                 world->fixture->admin, &err));
    open_client(world);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *fixture = world->fixture;
    http_server_close(world->server, NULL, NULL);
    loop_run(world->fixture->loop);
    close(world->client);
    admin_fixture_teardown(&fixture);
    temp_folder_clear(&world->folder);
    free(world);
    return 0;
}

static void iterate(struct world *world) {
    uv_run(loop_uv(world->fixture->loop), UV_RUN_NOWAIT);
}

static void send_request(struct world *world, const char *line, const char *headers, const char *body) {
    char text[2048];
    const int len = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n%s",
                             line, headers, strlen(body), body);
    assert_int_equal(send(world->client, text, (size_t)len, 0), len);
}

/* Runs the loop until `words` were received. */
static void expect(struct world *world, const char *words) {
    for (unsigned iterations = 0; strstr(world->received, words) == NULL; iterations++) {
        iterate(world);
        const ssize_t got =
            recv(world->client, world->received + world->len, RECEIVED_MAX - 1 - world->len, MSG_DONTWAIT);
        if (got > 0) {
            world->len += (size_t)got;
        }
        if (iterations > ITERATIONS_MAX) {
            fail_msg("no %s in %s", words, world->received);
        }
    }
}

static void forget(struct world *world) {
    memset(world->received, 0, sizeof(world->received));
    world->len = 0;
}

static void test_an_account_is_made(void **state) {
    struct world *world = *state;
    send_request(world, "POST /admin/accounts", "x-admin-actor: cli\r\n", "{\"name\":\"Ada\"}");
    expect(world, "\"balance_usd\":5}");
    expect(world, "HTTP/1.1 200 OK\r\n");
    expect(world, "Content-Type: application/json\r\n");
    expect(world, "Cache-Control: no-store\r\n");
    assert_string_equal(world->fixture->actor, "cli");
    forget(world);
    send_request(world, "DELETE /admin/keys/key_1", "", ""); /* on the same connection */
    expect(world, "\"id\":\"key_1\"");
    assert_string_equal(world->fixture->actor, "api");
    forget(world);
    send_request(world, "GET /metrics", "", "");
    expect(world, "\r\n\r\nnataris_jobs_running 2\n");
    expect(world, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
}

static void test_errors_come_in_the_envelope(void **state) {
    struct world *world = *state;
    send_request(world, "POST /admin/accounts", "", "{\"name\":}");
    expect(world, "HTTP/1.1 400 ");
    expect(world, "{\"error\":{\"message\":\"invalid JSON: ");
    forget(world);
    send_request(world, "GET /admin/nothing", "", "");
    expect(world, "HTTP/1.1 404 ");
    expect(world, "\"code\":\"NOT_FOUND\"");
}

static void test_refusals_by_the_server_too(void **state) {
    struct world *world = *state;
    const struct str request = STR("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    assert_int_equal(send(world->client, request.data, request.len, 0), request.len);
    expect(world, "HTTP/1.1 400 ");
    expect(world, "{\"error\":{\"message\":\"The HTTP request was refused: ");
}

static void test_an_action_outlives_its_client(void **state) {
    struct world *world = *state;
    world->fixture->later = true;
    send_request(world, "DELETE /admin/keys/key_1", "", "");
    for (int i = 0; i < 1000 && world->fixture->executed == 0; i++) {
        iterate(world);
    }
    assert_int_equal(world->fixture->executed, 1);
    close(world->client);
    for (int i = 0; i < 1000 && http_server_connection_count(world->server) > 0; i++) {
        iterate(world);
    }
    assert_int_equal(http_server_connection_count(world->server), 0);
    admin_fixture_done(world->fixture);
    open_client(world); /* and the server goes on */
    world->fixture->later = false;
    send_request(world, "GET /metrics", "", "");
    expect(world, "nataris_jobs_running");
}

#define ADMIN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ADMIN_TEST(test_an_account_is_made),
        ADMIN_TEST(test_errors_come_in_the_envelope),
        ADMIN_TEST(test_refusals_by_the_server_too),
        ADMIN_TEST(test_an_action_outlives_its_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
