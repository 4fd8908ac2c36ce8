/* Bodies are asked about when their heads are there; who holds the room; who may connect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/http_fixture.h"

#define HOST "Host: a\r\n"
#define TE "Transfer-Encoding: chunked\r\n"

static void test_a_refused_head_needs_no_body(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    static const char *const heads[] = {
        "POST /head-no HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n",
        "POST /head-no HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\nsome of it",
        "POST /head-no HTTP/1.1\r\n" HOST "Content-Length: 200000\r\nExpect: 100-continue\r\n\r\n",
        "POST /head-no HTTP/1.1\r\n" HOST TE "\r\n",
        "POST /head-no HTTP/1.1\r\n" HOST TE "\r\n5\r\nhello\r\n",
    };
    fixture->asks = true;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        http_fixture_connect(fixture);
        http_fixture_send(fixture, heads[i]);
        http_fixture_expect_close(fixture);
        assert_true(net_peer_has(&fixture->client, "HTTP/1.1 401 "));
        assert_true(net_peer_has(&fixture->client, "Connection: close\r\n"));
        assert_int_equal(net_peer_count(&fixture->client, "HTTP/1.1 "), 1); /* no 100 Continue */
    }
    assert_int_equal(fixture->heads, COUNT_OF(heads));
    assert_int_equal(fixture->requests, 0);
}

static void test_bodies_that_came_with_their_heads_are_not_asked_about(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->asks = true;
    http_fixture_send(fixture, "POST /head-no HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}"
                               "POST /head-no HTTP/1.1\r\n" HOST TE "\r\n2\r\n{}\r\n0\r\n\r\n");
    NET_UNTIL(&fixture->net, fixture->requests == 2);
    assert_int_equal(fixture->heads, 0);
}

/* Admitted later, with what came meanwhile and what comes then; and the connection is kept. */
static void test_a_head_is_admitted_later(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    static const char *const sent[] = {
        "POST /head-later HTTP/1.1\r\n" HOST "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
        "POST /head-later HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc",
        "POST /head-later HTTP/1.1\r\n" HOST TE "\r\n3\r\nabc\r\n",
    };
    static const char *const rest[] = {"abcdefghij", "defghij", "7\r\ndefghij\r\n0\r\n\r\n"};
    fixture->asks = true;
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        fixture->held_count = 0;
        http_fixture_send(fixture, sent[i]);
        NET_UNTIL(&fixture->net, fixture->held_count == 1);
        http_exchange_on_gone(fixture->held[0], NULL, NULL);
        http_fixture_settle(fixture);
        http_exchange_admit(fixture->held[0], true);
        if (i == 0) {
            http_fixture_expect(fixture, "100 Continue");
        }
        http_fixture_send(fixture, rest[i]);
        NET_UNTIL(&fixture->net, fixture->requests == i + 1);
        http_fixture_settle(fixture);
        assert_false(fixture->client.closed);
    }
    assert_int_equal(net_peer_count(&fixture->client, "HTTP/1.1 401 "), 3); /* the fixture's answer to any POST */
    assert_int_equal(net_peer_count(&fixture->client, "100 Continue"), 1);
}

static void test_a_client_may_go_while_its_head_is_looked_at(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->asks = true;
    http_fixture_send(fixture, "POST /head-later HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    http_fixture_connect(fixture);
    NET_UNTIL(&fixture->net, fixture->gone == 1);
}

static void test_a_body_that_nobody_wants_is_dropped(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->asks = true;
    fixture->config.bodies_bytes = 1000;
    http_fixture_reopen(fixture);
    http_fixture_connect(fixture);
    for (unsigned i = 0; i < 3; i++) {
        http_fixture_send(fixture, i == 1 ? "PUT /head-drop HTTP/1.1\r\n" HOST TE "\r\n3\r\nabc\r\n7d0\r\n"
                                          : "PUT /head-drop HTTP/1.1\r\n" HOST "Content-Length: 2003\r\n\r\nabc");
        NET_UNTIL(&fixture->net, fixture->heads == i + 1);
        for (int k = 0; k < 20; k++) {
            char piece[101];
            memset(piece, 'x', sizeof(piece) - 1);
            piece[100] = '\0';
            http_fixture_send(fixture, piece);
        }
        http_fixture_send(fixture, i == 1 ? "\r\n0\r\n\r\n" : "");
        NET_UNTIL(&fixture->net, fixture->requests == i + 1);
    }
    http_fixture_expect(fixture, "PUT /head-drop");
    assert_int_equal(fixture->refusals, 0);
}

/* One owner gets half of the room at most, and another finds some. */
static void test_the_room_is_shared(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct net_peer greedy;
    char piece[60001];
    memset(piece, 'x', sizeof(piece) - 1);
    piece[60000] = '\0';
    fixture->config.bodies_bytes = 150 * 1000;
    http_fixture_reopen(fixture);
    net_peer_connect(&fixture->net, &greedy, http_server_port(fixture->server));
    conn_write(greedy.conn, STR("POST /hold HTTP/1.1\r\n" HOST "X-Owner: a\r\nContent-Length: 60000\r\n\r\n"));
    NET_UNTIL(&fixture->net, fixture->heads == 1);
    conn_write(greedy.conn, str_from(piece));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    for (int i = 0; i < 2; i++) {
        http_fixture_connect(fixture);
        http_fixture_send(fixture, i == 0 ? "POST /echo HTTP/1.1\r\n" HOST "X-Owner: a\r\nContent-Length: 40000\r\n\r\n"
                                          : "POST /echo HTTP/1.1\r\n" HOST
                                            "X-Owner: b\r\nContent-Length: 40000\r\n\r\n");
        NET_UNTIL(&fixture->net, fixture->heads == 2U + (unsigned)i);
        conn_write(fixture->client.conn, (struct str){.data = piece, .len = 40000});
        http_fixture_expect(fixture, i == 0 ? "HTTP/1.1 429 " : "HTTP/1.1 200 ");
    }
    net_peer_clear(&fixture->net, &greedy);
}

/* --- Who may connect --- */

static void open_limited(struct http_fixture *fixture, const struct address_limits *limits, size_t max_connections,
                         const char *proxies) {
    struct err err;
    assert_true(address_book_new(&fixture->addresses, limits, proxies, &err));
    fixture->max_connections = max_connections;
    http_fixture_reopen(fixture);
}

static void test_connections_of_an_address_are_limited(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    static const struct address_limits limits = {.connections = 2};
    struct net_peer second, third;
    open_limited(fixture, &limits, 100, NULL);
    http_fixture_connect(fixture);
    net_peer_connect(&fixture->net, &second, http_server_port(fixture->server));
    net_peer_connect(&fixture->net, &third, http_server_port(fixture->server));
    NET_UNTIL(&fixture->net, third.closed);
    assert_true(net_peer_has(&third, "429 Too Many"));
    net_peer_clear(&fixture->net, &third);
    /* The first one shows who it is, and is not counted any more. */
    http_fixture_send(fixture, "POST /echo HTTP/1.1\r\n" HOST "X-Owner: a\r\nContent-Length: 4\r\n\r\n");
    NET_UNTIL(&fixture->net, fixture->heads == 1);
    net_peer_connect(&fixture->net, &third, http_server_port(fixture->server));
    conn_write(third.conn, STR("GET /third HTTP/1.1\r\n" HOST "\r\n"));
    NET_UNTIL(&fixture->net, net_peer_has(&third, "GET /third"));
    net_peer_clear(&fixture->net, &second);
    net_peer_clear(&fixture->net, &third);
    address_book_free(fixture->addresses);
}

/* The house is full of idle ones: the longest idle goes for whoever comes. */
static void test_idle_connections_make_room(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct net_peer idle[3];
    fixture->max_connections = 3;
    http_fixture_reopen(fixture);
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        net_peer_connect(&fixture->net, &idle[i], http_server_port(fixture->server));
        NET_UNTIL(&fixture->net, http_server_connection_count(fixture->server) == i + 1);
    }
    conn_write(idle[0].conn, STR("GET /used HTTP/1.1\r\n" HOST "\r\n")); /* idle for shorter than the others now */
    NET_UNTIL(&fixture->net, net_peer_has(&idle[0], "GET /used"));
    for (unsigned i = 0; i < 2; i++) {
        http_fixture_connect(fixture);
        http_fixture_send(fixture, "GET /newcomer HTTP/1.1\r\n" HOST "\r\n");
        http_fixture_expect(fixture, "GET /newcomer");
    }
    assert_true(idle[1].closed);
    assert_false(idle[0].closed);
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        net_peer_clear(&fixture->net, &idle[i]);
    }
}

/* All are busy: whoever comes waits for the first that is answered. */
static void test_busy_connections_are_waited_for(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct net_peer busy;
    fixture->max_connections = 1;
    http_fixture_reopen(fixture);
    net_peer_connect(&fixture->net, &busy, http_server_port(fixture->server));
    conn_write(busy.conn, STR("GET /hold HTTP/1.1\r\n" HOST "\r\n"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    http_fixture_connect(fixture);
    http_fixture_send(fixture, "GET /newcomer HTTP/1.1\r\n" HOST "\r\n");
    http_fixture_settle(fixture);
    assert_int_equal(fixture->client.received.len, 0);
    http_respond(fixture->held[0], 200, NULL, 0, STR("done"));
    http_fixture_expect(fixture, "GET /newcomer");
    NET_UNTIL(&fixture->net, busy.closed);
    assert_true(net_peer_has(&busy, "done"));
    net_peer_clear(&fixture->net, &busy);
}

static void answer_peer(struct http_fixture *fixture, struct http_exchange *exchange) {
    char text[96];
    (void)fixture;
    if (str_equal_cstr(http_exchange_request(exchange)->path, "/wrong")) {
        http_exchange_key_failed(exchange);
    }
    snprintf(text, sizeof(text), "peer %s %s", http_exchange_peer(exchange),
             http_exchange_key_wait_ms(exchange) > 0 ? "waits" : "may");
    http_respond(exchange, 200, NULL, 0, str_from(text));
}

/* Behind a proxy each client has its own wrong keys; who is no proxy cannot say so. */
static void test_clients_of_a_proxy(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    static const struct address_limits limits = {.connections = 1, .failed_keys = 1};
    fixture->on_request = answer_peer;
    open_limited(fixture, &limits, 100, "127.0.0.1");
    http_fixture_connect(fixture);
    http_fixture_send(fixture, "GET /wrong HTTP/1.1\r\n" HOST "X-Forwarded-For: 10.9.9.9\r\nX-Forwarded-For: 1.1.1.1, "
                               "192.0.2.1\r\n\r\n");
    http_fixture_expect(fixture, "peer 192.0.2.1 waits");
    http_fixture_send(fixture, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.2\r\n\r\n");
    http_fixture_expect(fixture, "peer 192.0.2.2 may");
    http_fixture_send(fixture, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: nobody\r\n\r\n");
    http_fixture_expect(fixture, "peer 127.0.0.1 may");
    struct net_peer second; /* a proxy has as many connections as it wants */
    net_peer_connect(&fixture->net, &second, http_server_port(fixture->server));
    conn_write(second.conn, STR("GET / HTTP/1.1\r\n" HOST "\r\n"));
    NET_UNTIL(&fixture->net, net_peer_has(&second, "peer 127.0.0.1 may"));
    net_peer_clear(&fixture->net, &second);
    http_fixture_connect(fixture);
    address_book_free(fixture->addresses);
    open_limited(fixture, &limits, 100, NULL);
    http_fixture_connect(fixture);
    http_fixture_send(fixture, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.2\r\n\r\n");
    http_fixture_expect(fixture, "peer 127.0.0.1 may");
    address_book_free(fixture->addresses);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, http_fixture_setup, http_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_refused_head_needs_no_body),
        TEST(test_bodies_that_came_with_their_heads_are_not_asked_about),
        TEST(test_a_head_is_admitted_later),
        TEST(test_a_client_may_go_while_its_head_is_looked_at),
        TEST(test_a_body_that_nobody_wants_is_dropped),
        TEST(test_the_room_is_shared),
        TEST(test_connections_of_an_address_are_limited),
        TEST(test_idle_connections_make_room),
        TEST(test_busy_connections_are_waited_for),
        TEST(test_clients_of_a_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
