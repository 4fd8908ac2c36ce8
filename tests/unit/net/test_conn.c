#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/net_harness.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 8 * 1024 * 1024 };

struct world {
    struct net_harness net;
    struct listener *listener;
    struct net_peer server, client;
    void (*on_server_data)(struct net_peer *peer, struct str data);
    unsigned full;
};

static void on_conn(void *context, struct conn *conn) {
    struct world *world = context;
    net_peer_init(&world->server, conn);
    world->server.on_data = world->on_server_data;
}

static void on_full(void *context) {
    struct world *world = context;
    world->full++;
}

static const struct listener_events LISTENER_EVENTS = {.on_conn = on_conn, .on_full = on_full};

static void listen_on(struct world *world, size_t max_connections) {
    struct listener_options options = {.address = "127.0.0.1:0", .max_connections = max_connections};
    struct err err;
    assert_true(listener_open(&world->listener, world->net.loop, &options, &LISTENER_EVENTS, world, &err));
}

static int setup(void **state) {
    struct world *world = MEM_NEW(struct world);
    net_harness_init(&world->net);
    listen_on(world, 10);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = (struct world *)*state;
    net_peer_clear(&world->net, &world->client);
    net_peer_clear(&world->net, &world->server);
    listener_close(world->listener);
    net_harness_clear(&world->net);
    free(world);
    return 0;
}

static void connect_both(struct world *world) {
    net_peer_connect(&world->net, &world->client, listener_port(world->listener));
    NET_UNTIL(&world->net, world->server.conn != NULL);
}

static void echo(struct net_peer *peer, struct str data) {
    conn_write(peer->conn, data);
}

static void test_echo(void **state) {
    struct world *world = (struct world *)*state;
    world->on_server_data = echo;
    connect_both(world);
    assert_string_equal(conn_peer(world->client.conn), "127.0.0.1");
    assert_string_equal(conn_peer(world->server.conn), "127.0.0.1");
    assert_ptr_equal(conn_loop(world->client.conn), world->net.loop);
    conn_write(world->client.conn, STR("one "));
    conn_write(world->client.conn, STR("two"));
    assert_int_equal(conn_unsent(world->client.conn), 7);
    NET_UNTIL(&world->net, world->client.received.len == 7);
    assert_string_equal(buf_cstr(&world->client.received), "one two");
    assert_int_equal(conn_unsent(world->client.conn), 0);
}

static void test_compose_in_place(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    char *at = conn_reserve(world->client.conn, 100);
    at[0] = 'o';
    at[1] = 'k';
    conn_commit(world->client.conn, 2);
    NET_UNTIL(&world->net, world->server.received.len == 2);
    assert_string_equal(buf_cstr(&world->server.received), "ok");
    conn_close(world->client.conn, 0);
    assert_null(conn_reserve(world->client.conn, 100));
}

static void test_many_bytes_arrive_in_order(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    char *pattern = mem_alloc(BIG);
    for (size_t i = 0; i < BIG; i++) {
        pattern[i] = (char)(i * 2654435761U >> 13);
    }
    conn_write(world->server.conn, (struct str){.data = pattern, .len = BIG / 2});
    uv_run(loop_uv(world->net.loop), UV_RUN_NOWAIT);
    conn_write(world->server.conn, (struct str){.data = pattern + BIG / 2, .len = BIG / 2});
    NET_UNTIL(&world->net, world->client.received.len == BIG);
    assert_memory_equal(world->client.received.data, pattern, BIG);
    free(pattern);
}

static void test_slow_reader_shows_as_unsent_and_drains(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    conn_read_pause(world->client.conn);
    char *block = mem_calloc(1, BIG);
    conn_write(world->server.conn, (struct str){.data = block, .len = BIG});
    conn_write(world->client.conn, STR("x"));
    NET_UNTIL(&world->net, world->server.received.len == 1);
    size_t unsent = conn_unsent(world->server.conn);
    assert_in_range(unsent, 1, BIG);
    conn_write(world->server.conn, STR("12345"));
    assert_int_equal(conn_unsent(world->server.conn), unsent + 5);
    assert_int_equal(world->server.drains, 0);
    conn_read_resume(world->client.conn);
    NET_UNTIL(&world->net, world->server.drains > 0);
    assert_int_equal(conn_unsent(world->server.conn), 0);
    NET_UNTIL(&world->net, world->client.received.len == BIG + 5);
    assert_int_equal(world->server.drains, 1);
    free(block);
}

/* What counts as unsent is what the peer has not taken, not what one iteration of the loop has written. */
static void test_a_burst_leaves_before_the_turn_ends(void **state) {
    enum { PIECE = 8 * 1024, PIECES = 32 };
    struct world *world = (struct world *)*state;
    connect_both(world);
    char *piece = mem_calloc(1, PIECE);
    for (size_t i = 0; i < PIECES; i++) {
        conn_write(world->server.conn, (struct str){.data = piece, .len = PIECE});
    }
    assert_true(conn_unsent(world->server.conn) < (size_t)PIECE * PIECES);
    NET_UNTIL(&world->net, world->client.received.len == (size_t)PIECE * PIECES);
    assert_int_equal(conn_unsent(world->server.conn), 0);
    free(piece);
}

static void test_pause_holds_bytes_back(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    conn_read_pause(world->server.conn);
    conn_write(world->client.conn, STR("later"));
    conn_write(world->server.conn, STR("ping"));
    NET_UNTIL(&world->net, world->client.received.len == 4);
    assert_int_equal(world->server.received.len, 0);
    conn_read_resume(world->server.conn);
    NET_UNTIL(&world->net, world->server.received.len == 5);
}

static void test_close_sends_the_rest_first(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    char *block = mem_calloc(1, BIG);
    conn_write(world->server.conn, (struct str){.data = block, .len = BIG});
    conn_close(world->server.conn, NET_HANG_MS);
    conn_write(world->server.conn, STR("too late"));
    assert_false(world->server.closed);
    NET_UNTIL(&world->net, world->server.closed && world->client.closed);
    assert_int_equal(world->client.received.len, BIG);
    assert_false(world->client.failed);
    assert_false(world->server.failed);
    free(block);
}

/* Without lingering, the unread bytes would turn the close into a reset, which destroys the last words. */
static void test_last_words_reach_a_peer_that_is_still_sending(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    char *block = mem_calloc(1, BIG);
    conn_write(world->client.conn, (struct str){.data = block, .len = BIG});
    conn_write(world->server.conn, STR("enough"));
    conn_close(world->server.conn, NET_HANG_MS);
    NET_UNTIL(&world->net, world->client.closed && world->server.closed);
    assert_string_equal(buf_cstr(&world->client.received), "enough");
    assert_false(world->client.failed);
    assert_int_equal(world->server.received.len, 0);
    free(block);
}

static void test_close_gives_up_on_a_peer_that_does_not_end(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    conn_read_pause(world->client.conn);
    conn_close(world->server.conn, 1);
    NET_UNTIL(&world->net, world->server.closed);
    assert_false(world->server.failed);
}

static void test_second_close_ends_the_lingering(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    conn_read_pause(world->client.conn);
    conn_write(world->server.conn, STR("bye"));
    conn_close(world->server.conn, 3600000);
    conn_close(world->server.conn, 3600000); /* changes nothing */
    for (int i = 0; i < 4; i++) {
        uv_run(loop_uv(world->net.loop), UV_RUN_NOWAIT);
    }
    assert_false(world->server.closed);
    conn_close(world->server.conn, 0);
    NET_UNTIL(&world->net, world->server.closed);
    conn_read_resume(world->client.conn);
    NET_UNTIL(&world->net, world->client.closed);
    assert_string_equal(buf_cstr(&world->client.received), "bye");
}

static void test_abort_loses_what_is_unsent(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    conn_write(world->server.conn, STR("lost"));
    conn_abort(world->server.conn);
    assert_false(world->server.closed);
    NET_UNTIL(&world->net, world->server.closed && world->client.closed);
    assert_int_equal(world->client.received.len, 0);
}

static void test_answer_to_a_peer_that_half_closed_still_leaves(void **state) {
    struct world *world = (struct world *)*state;
    world->on_server_data = echo;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)listener_port(world->listener))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, "hello", 5), 5);
    shutdown(fd, SHUT_WR);
    NET_UNTIL(&world->net, world->server.closed);
    char answer[16];
    assert_int_equal(read(fd, answer, sizeof(answer)), 5);
    assert_int_equal(read(fd, answer, sizeof(answer)), 0);
    close(fd);
}

static void test_reset_is_reported_with_a_reason(void **state) {
    struct world *world = (struct world *)*state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)listener_port(world->listener))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    NET_UNTIL(&world->net, world->server.conn != NULL);
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
    NET_UNTIL(&world->net, world->server.closed);
    assert_true(world->server.failed);
    assert_int_equal(world->server.reason.code, ERR_CLOSED);
}

static void test_taken_port(void **state) {
    struct world *world = (struct world *)*state;
    char address[64];
    snprintf(address, sizeof(address), "127.0.0.1:%u", listener_port(world->listener));
    struct listener_options options = {.address = address, .max_connections = 1};
    struct listener *second;
    struct err err;
    assert_false(listener_open(&second, world->net.loop, &options, &LISTENER_EVENTS, world, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.message, "address already in use"));
}

static void test_bad_listen_addresses(void **state) {
    struct world *world = (struct world *)*state;
    static const char *const BAD[] = {"",       "8080", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536",
                                      "::1:80", "[::1]"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct listener_options options = {.address = BAD[i], .max_connections = 1};
        struct listener *listener;
        struct err err;
        assert_false(listener_open(&listener, world->net.loop, &options, &LISTENER_EVENTS, world, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

/* It is connected as far as the kernel goes, and is looked at when there is room. */
static void test_connections_over_the_limit_wait(void **state) {
    struct world *world = (struct world *)*state;
    listener_close(world->listener);
    listen_on(world, 1);
    connect_both(world);
    struct net_peer second;
    net_peer_connect(&world->net, &second, listener_port(world->listener));
    conn_write(second.conn, STR("patience"));
    NET_UNTIL(&world->net, world->full == 1);
    assert_int_equal(listener_connection_count(world->listener), 1);
    assert_int_equal(world->server.received.len, 0);
    net_peer_clear(&world->net, &world->client);
    NET_UNTIL(&world->net, world->server.closed);
    net_peer_clear(&world->net, &world->server);
    NET_UNTIL(&world->net, world->server.received.len == strlen("patience")); /* there is room again */
    assert_true(net_peer_has(&world->server, "patience"));
    assert_int_equal(listener_connection_count(world->listener), 1);
    net_peer_clear(&world->net, &second);
}

static void test_connections_outlive_their_listener(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world);
    listener_close(world->listener);
    world->listener = NULL;
    conn_write(world->client.conn, STR("still here"));
    NET_UNTIL(&world->net, world->server.received.len == 10);
}

static void test_connect_to_a_closed_port_fails(void **state) {
    struct world *world = (struct world *)*state;
    unsigned port = listener_port(world->listener);
    listener_close(world->listener);
    world->listener = NULL;
    net_peer_connect_tls(&world->net, &world->client, port, "127.0.0.1", NULL);
    assert_true(world->client.failed);
    assert_int_equal(world->client.reason.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(world->client.reason.message, "connection refused"));
}

static void test_cancelled_connect_is_silent(void **state) {
    struct world *world = (struct world *)*state;
    struct conn_connect_options options = {
        .host = "127.0.0.1", .port = listener_port(world->listener), .timeout_ms = NET_HANG_MS};
    struct net_peer silent = {0};
    conn_connect_cancel(conn_connect(world->net.loop, &options, net_peer_on_open, &silent));
    connect_both(world);
    assert_null(silent.conn);
    assert_false(silent.closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_echo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compose_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_bytes_arrive_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader_shows_as_unsent_and_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_burst_leaves_before_the_turn_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pause_holds_bytes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_sends_the_rest_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_words_reach_a_peer_that_is_still_sending, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_gives_up_on_a_peer_that_does_not_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_second_close_ends_the_lingering, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort_loses_what_is_unsent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answer_to_a_peer_that_half_closed_still_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset_is_reported_with_a_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(test_taken_port, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_listen_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connections_over_the_limit_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connections_outlive_their_listener, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connect_to_a_closed_port_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelled_connect_is_silent, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
