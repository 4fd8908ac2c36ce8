/* Listening on a Unix socket. TCP is in test_conn.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/http_fixture.h"
#include "support/temp_folder.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct world {
    struct net_harness net;
    struct temp_folder folder;
    char path[128], address[160];
    struct listener *listener;
    struct net_peer server;
};

static void on_conn(void *context, struct conn *conn) {
    struct world *world = context;
    net_peer_init(&world->server, conn);
}

static const struct listener_events EVENTS = {.on_conn = on_conn};

static bool listen_at(struct world *world, const char *address, struct listener **out, struct err *err) {
    const struct listener_options options = {.address = address, .max_connections = 10};
    return listener_open(out, world->net.loop, &options, &EVENTS, world, err);
}

static int setup(void **state) {
    struct world *world = MEM_NEW(struct world);
    net_harness_init(&world->net);
    temp_folder_init(&world->folder);
    temp_folder_file(&world->folder, "admin.sock", world->path);
    snprintf(world->address, sizeof(world->address), "unix:%s", world->path);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = (struct world *)*state;
    net_peer_clear(&world->net, &world->server);
    listener_close(world->listener);
    net_harness_clear(&world->net);
    temp_folder_clear(&world->folder);
    free(world);
    return 0;
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(str_copy(address.sun_path, sizeof(address.sun_path), str_from(path)));
    return address;
}

static int connect_to(const char *path) {
    const struct sockaddr_un address = address_of(path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static void test_bytes_flow_and_the_mode_is_private(void **state) {
    struct world *world = (struct world *)*state;
    struct err err;
    struct stat facts;
    assert_true(listen_at(world, world->address, &world->listener, &err));
    assert_int_equal(listener_port(world->listener), 0);
    assert_int_equal(stat(world->path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    const int fd = connect_to(world->path);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "ping", 4, 0), 4);
    NET_UNTIL(&world->net, world->server.received.len == 4);
    assert_string_equal(conn_peer(world->server.conn), "unix");
    conn_write(world->server.conn, STR("pong"));
    uv_run(loop_uv(world->net.loop), UV_RUN_NOWAIT);
    char answer[8] = {0};
    assert_int_equal(recv(fd, answer, sizeof(answer), 0), 4);
    assert_string_equal(answer, "pong");
    close(fd);
    NET_UNTIL(&world->net, world->server.closed);
    assert_false(world->server.failed);
}

static void test_closing_removes_the_socket(void **state) {
    struct world *world = (struct world *)*state;
    struct err err;
    assert_true(listen_at(world, world->address, &world->listener, &err));
    listener_close(world->listener);
    world->listener = NULL;
    uv_run(loop_uv(world->net.loop), UV_RUN_NOWAIT);
    assert_int_equal(access(world->path, F_OK), -1);
    assert_int_equal(errno, ENOENT);
}

static void test_a_second_listener_is_refused_and_harms_nobody(void **state) {
    struct world *world = (struct world *)*state;
    struct listener *second;
    struct err err;
    assert_true(listen_at(world, world->address, &world->listener, &err));
    assert_false(listen_at(world, world->address, &second, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "address already in use"));
    for (int i = 0; i < 3; i++) {
        uv_run(loop_uv(world->net.loop), UV_RUN_NOWAIT);
    }
    const int fd = connect_to(world->path); /* closing the refused one must not have removed it */
    assert_true(fd >= 0);
    close(fd);
}

static void test_the_socket_of_a_dead_process_is_replaced(void **state) {
    struct world *world = (struct world *)*state;
    const struct sockaddr_un address = address_of(world->path);
    struct err err;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd); /* the file stays, as after kill -9 */
    assert_true(listen_at(world, world->address, &world->listener, &err));
    const int client = connect_to(world->path);
    assert_true(client >= 0);
    close(client);
}

static void test_a_file_is_left_alone(void **state) {
    struct world *world = (struct world *)*state;
    struct listener *listener;
    struct err err;
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    fclose(file);
    assert_false(listen_at(world, world->address, &listener, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "no socket"));
    assert_int_equal(access(world->path, F_OK), 0);
}

static void test_paths_that_do_not_fit_are_named(void **state) {
    struct world *world = (struct world *)*state;
    struct listener *listener;
    struct err err;
    char address[300] = "unix:/tmp/";
    memset(address + 10, 'x', 150);
    assert_false(listen_at(world, address, &listener, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.message, "107 bytes"));
    assert_false(listen_at(world, "unix:", &listener, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(listen_at(world, "unix:/nowhere/at/all.sock", &listener, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void test_http_is_served(void **state) {
    struct world *world = (struct world *)*state;
    struct http_fixture fixture = {.net = world->net};
    const struct listener_options options = {.address = world->address, .max_connections = 10};
    const struct http_server_config config = {
        .head_limits = {.head_bytes = 8192, .header_count = 50, .url_bytes = 1024},
        .body_bytes = 1024,
        .pipeline_bytes = 4096,
        .head_timeout_ms = NET_HANG_MS,
        .body_pace.stretch_ms = NET_HANG_MS,
        .idle_timeout_ms = NET_HANG_MS,
    };
    struct err err;
    assert_true(
        http_server_open(&fixture.server, world->net.loop, &options, &config, &HTTP_FIXTURE_EVENTS, &fixture, &err));
    assert_int_equal(http_server_port(fixture.server), 0);
    const int fd = connect_to(world->path);
    const struct str request = STR("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_int_equal(send(fd, request.data, request.len, 0), request.len);
    NET_UNTIL(&world->net, fixture.requests == 1);
    http_fixture_close_server(&fixture);
    char answer[512] = {0};
    assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
    assert_non_null(strstr(answer, "200 OK"));
    assert_non_null(strstr(answer, "GET /a"));
    close(fd);
    assert_int_equal(access(world->path, F_OK), -1);
}

#define LISTENER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        LISTENER_TEST(test_bytes_flow_and_the_mode_is_private),
        LISTENER_TEST(test_closing_removes_the_socket),
        LISTENER_TEST(test_a_second_listener_is_refused_and_harms_nobody),
        LISTENER_TEST(test_the_socket_of_a_dead_process_is_replaced),
        LISTENER_TEST(test_a_file_is_left_alone),
        LISTENER_TEST(test_paths_that_do_not_fit_are_named),
        LISTENER_TEST(test_http_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
