#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "net/tls.h"
#include "support/names.h"
#include "support/net_harness.h"
#include "support/temp_folder.h"
#include "support/tls_files.h"

#include <stdlib.h>

#define NAMES "DNS:localhost,IP:127.0.0.1"
enum { BIG = 3 * 1024 * 1024 };

struct world {
    struct net_harness net;
    struct temp_folder folder;
    char certificate[128], key[128];
    struct tls_context *server_tls, *client_tls;
    struct listener *listener;
    struct net_peer server, client;
};

static void on_conn(void *context, struct conn *conn) {
    net_peer_init(&((struct world *)context)->server, conn);
}

static const struct listener_events LISTENER_EVENTS = {.on_conn = on_conn};

static void listen_on(struct world *world, unsigned handshake_ms) {
    struct listener_options options = {
        .address = "127.0.0.1:0", .tls = world->server_tls, .max_connections = 10, .handshake_ms = handshake_ms};
    struct err err;
    assert_true(listener_open(&world->listener, world->net.loop, &options, &LISTENER_EVENTS, world, &err));
}

static int setup(void **state) {
    struct world *world = MEM_NEW(struct world);
    struct err err;
    names_clear();
    names_add("localhost", "127.0.0.1"); /* whatever this machine's /etc/hosts says */
    net_harness_init(&world->net);
    temp_folder_init(&world->folder);
    temp_folder_file(&world->folder, "cert.pem", world->certificate);
    temp_folder_file(&world->folder, "key.pem", world->key);
    tls_files_write(world->certificate, world->key, NAMES);
    assert_true(tls_context_new_server(&world->server_tls, world->certificate, world->key, &err));
    assert_true(tls_context_new_client(&world->client_tls, world->certificate, &err));
    listen_on(world, NET_HANG_MS);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = (struct world *)*state;
    net_peer_clear(&world->net, &world->client);
    net_peer_clear(&world->net, &world->server);
    listener_close(world->listener);
    net_harness_clear(&world->net);
    tls_context_free(world->server_tls);
    tls_context_free(world->client_tls);
    temp_folder_clear(&world->folder);
    free(world);
    return 0;
}

static void connect_both(struct world *world, const char *host) {
    net_peer_connect_tls(&world->net, &world->client, listener_port(world->listener), host, world->client_tls);
    assert_non_null(world->client.conn);
    NET_UNTIL(&world->net, world->server.conn != NULL);
}

static void check_round_trip(struct world *world, const char *host) {
    connect_both(world, host);
    conn_write(world->client.conn, STR("question"));
    NET_UNTIL(&world->net, world->server.received.len == 8);
    assert_string_equal(buf_cstr(&world->server.received), "question");
    conn_write(world->server.conn, STR("answer"));
    conn_close(world->server.conn, NET_HANG_MS);
    NET_UNTIL(&world->net, world->server.closed && world->client.closed);
    assert_string_equal(buf_cstr(&world->client.received), "answer");
    assert_false(world->client.failed);
    assert_false(world->server.failed);
}

static void test_round_trip_by_name(void **state) {
    check_round_trip((struct world *)*state, "localhost");
}

static void test_round_trip_by_address(void **state) {
    check_round_trip((struct world *)*state, "127.0.0.1");
}

static void test_many_bytes_with_pauses(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world, "localhost");
    char *pattern = mem_alloc(BIG);
    for (size_t i = 0; i < BIG; i++) {
        pattern[i] = (char)(i * 2654435761U >> 13);
    }
    conn_write(world->server.conn, (struct str){.data = pattern, .len = BIG});
    NET_UNTIL(&world->net, world->client.received.len > 0);
    while (world->client.received.len < BIG) {
        conn_read_pause(world->client.conn);
        size_t before = world->client.received.len;
        conn_write(world->client.conn, STR("x"));
        NET_UNTIL(&world->net, world->server.received.len > 0);
        assert_int_equal(world->client.received.len, before);
        world->server.received.len = 0;
        conn_read_resume(world->client.conn);
        NET_UNTIL(&world->net, world->client.received.len > before);
    }
    assert_memory_equal(world->client.received.data, pattern, BIG);
    free(pattern);
}

static void check_names_refused(struct world *world, const char *names, const char *host) {
    struct err err;
    tls_files_write(world->certificate, world->key, names);
    tls_context_free(world->server_tls);
    tls_context_free(world->client_tls);
    assert_true(tls_context_new_server(&world->server_tls, world->certificate, world->key, &err));
    assert_true(tls_context_new_client(&world->client_tls, world->certificate, &err));
    listener_close(world->listener);
    listen_on(world, NET_HANG_MS);
    net_peer_connect_tls(&world->net, &world->client, listener_port(world->listener), host, world->client_tls);
    assert_null(world->client.conn);
    assert_int_equal(world->client.reason.code, ERR_DENIED);
    assert_non_null(strstr(world->client.reason.message, "mismatch"));
    assert_null(world->server.conn);
}

static void test_certificate_for_another_name_is_refused(void **state) {
    check_names_refused((struct world *)*state, "DNS:elsewhere.test,IP:127.0.0.1", "localhost");
    check_names_refused((struct world *)*state, "DNS:localhost,IP:127.0.0.9", "127.0.0.1");
}

static void test_connections_outlive_their_contexts(void **state) {
    struct world *world = (struct world *)*state;
    connect_both(world, "localhost");
    listener_close(world->listener);
    tls_context_free(world->server_tls);
    tls_context_free(world->client_tls);
    world->listener = NULL;
    world->server_tls = world->client_tls = NULL;
    conn_write(world->client.conn, STR("still here"));
    NET_UNTIL(&world->net, world->server.received.len == 10);
}

static void test_unknown_authority_is_refused(void **state) {
    struct world *world = (struct world *)*state;
    char other_certificate[128];
    char other_key[128];
    struct err err;
    temp_folder_file(&world->folder, "other.pem", other_certificate);
    temp_folder_file(&world->folder, "other-key.pem", other_key);
    tls_files_write(other_certificate, other_key, NAMES);
    tls_context_free(world->client_tls);
    assert_true(tls_context_new_client(&world->client_tls, other_certificate, &err));
    net_peer_connect_tls(&world->net, &world->client, listener_port(world->listener), "localhost", world->client_tls);
    assert_null(world->client.conn);
    assert_int_equal(world->client.reason.code, ERR_DENIED);
}

static void test_plain_text_to_a_tls_port_is_closed(void **state) {
    struct world *world = (struct world *)*state;
    net_peer_connect(&world->net, &world->client, listener_port(world->listener));
    conn_write(world->client.conn, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    NET_UNTIL(&world->net, world->client.closed);
    assert_null(world->server.conn);
    NET_UNTIL(&world->net, listener_connection_count(world->listener) == 0);
}

static void test_silent_client_misses_the_handshake_deadline(void **state) {
    struct world *world = (struct world *)*state;
    listener_close(world->listener);
    listen_on(world, 1);
    net_peer_connect(&world->net, &world->client, listener_port(world->listener));
    NET_UNTIL(&world->net, world->client.closed);
    assert_null(world->server.conn);
}

/* As many as there is room for, and some more, begin a handshake and say no more: who means it comes in. */
static void test_a_house_full_of_handshakes_has_room(void **state) {
    enum { SILENT = 25 };
    struct world *world = (struct world *)*state;
    int silent[SILENT];
    for (int i = 0; i < SILENT; i++) {
        const struct sockaddr_in address = {.sin_family = AF_INET,
                                            .sin_port = htons((uint16_t)listener_port(world->listener)),
                                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
        silent[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(silent[i] >= 0);
        assert_int_equal(connect(silent[i], (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(send(silent[i], "\x16\x03\x01", (size_t)(i % 4), 0), i % 4); /* of a hello */
    }
    check_round_trip(world, "localhost");
    for (int i = 0; i < SILENT; i++) {
        close(silent[i]);
    }
}

static void test_listener_closes_under_a_handshake(void **state) {
    struct world *world = (struct world *)*state;
    net_peer_connect(&world->net, &world->client, listener_port(world->listener));
    NET_UNTIL(&world->net, listener_connection_count(world->listener) == 1);
    listener_close(world->listener);
    world->listener = NULL;
    NET_UNTIL(&world->net, world->client.closed);
}

static void test_connect_times_out_during_the_handshake(void **state) {
    struct world *world = (struct world *)*state;
    struct listener_options options = {.address = "127.0.0.1:0", .max_connections = 1};
    struct listener *silent;
    struct err err;
    assert_true(listener_open(&silent, world->net.loop, &options, &LISTENER_EVENTS, world, &err));
    struct conn_connect_options to = {
        .host = "127.0.0.1", .port = listener_port(silent), .tls = world->client_tls, .timeout_ms = 50};
    conn_connect(world->net.loop, &to, net_peer_on_open, &world->client);
    NET_UNTIL(&world->net, world->client.closed);
    assert_int_equal(world->client.reason.code, ERR_TIMEOUT);
    listener_close(silent);
}

static void check_files_refused(const char *certificate, const char *key, const char *message) {
    struct tls_context *context;
    struct err err;
    assert_false(tls_context_new_server(&context, certificate, key, &err));
    if (strstr(err.message, message) == NULL) {
        fail_msg("\"%s\" does not contain \"%s\"", err.message, message);
    }
}

static void test_errors_name_the_file(void **state) {
    struct world *world = (struct world *)*state;
    char other_certificate[128];
    char other_key[128];
    char expected[256];
    struct tls_context *context;
    struct err err;
    temp_folder_file(&world->folder, "other.pem", other_certificate);
    temp_folder_file(&world->folder, "other-key.pem", other_key);
    snprintf(expected, sizeof(expected), "certificate file %s: No such file", other_certificate);
    check_files_refused(other_certificate, world->key, expected);
    snprintf(expected, sizeof(expected), "private key file %s: No such file", other_key);
    check_files_refused(world->certificate, other_key, expected);
    tls_files_write(other_certificate, other_key, NAMES);
    check_files_refused(world->certificate, other_key, "does not belong to");
    assert_true(file_write_atomic(other_certificate, STR("not PEM"), 0600, &err));
    snprintf(expected, sizeof(expected), "certificate file %s: ", other_certificate);
    check_files_refused(other_certificate, world->key, expected);
    assert_false(tls_context_new_client(&context, other_certificate, &err));
    assert_false(tls_context_new_client(&context, "/nowhere/ca.pem", &err));
    assert_non_null(strstr(err.message, "/nowhere/ca.pem"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trip_by_address, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_bytes_with_pauses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificate_for_another_name_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connections_outlive_their_contexts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_authority_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain_text_to_a_tls_port_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent_client_misses_the_handshake_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_house_full_of_handshakes_has_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_listener_closes_under_a_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connect_times_out_during_the_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_name_the_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
