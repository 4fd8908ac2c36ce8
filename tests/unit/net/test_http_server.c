#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tls.h"
#include "support/http_fixture.h"
#include "support/names.h"
#include "support/temp_folder.h"
#include "support/tls_files.h"

#define HOST "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_whole_answer(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("/a/b?c=d"));
    http_fixture_expect(fixture, "GET /a/b c=d");
    const char *answer = buf_cstr(&fixture->client.received);
    assert_memory_equal(answer, "HTTP/1.1 200 OK\r\nDate: ", 23);
    assert_memory_equal(answer + 48, " GMT\r\nContent-Length: 12\r\n\r\nGET", 31);
}

static void test_keep_alive(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("/1"));
    http_fixture_expect(fixture, "GET /1");
    http_fixture_send(fixture, "\r\n" GET("/2"));
    http_fixture_expect(fixture, "GET /2");
    assert_int_equal(http_server_connection_count(fixture->server), 1);
    assert_false(net_peer_has(&fixture->client, "Connection:"));
}

static void test_connection_close(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET("/unheard"));
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "\r\nConnection: close\r\n"));
    assert_int_equal(fixture->requests, 1);
}

static void test_http_1_0(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    http_fixture_expect(fixture, "GET /1");
    assert_true(net_peer_has(&fixture->client, "\r\nConnection: keep-alive\r\n"));
    http_fixture_send(fixture, "GET /2 HTTP/1.0\r\n\r\n");
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "GET /2"));
    assert_true(net_peer_has(&fixture->client, "\r\nConnection: close\r\n"));
}

static void test_head_has_a_length_but_no_body(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "HEAD /12345 HTTP/1.1\r\n" HOST "\r\n" GET("/next"));
    http_fixture_expect(fixture, "GET /next");
    assert_true(net_peer_has(&fixture->client, "Content-Length: 12\r\n\r\nHTTP/1.1 200 OK\r\n"));
    assert_false(net_peer_has(&fixture->client, "HEAD"));
}

static void test_absolute_form(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("http://a.test:80/x?y=/z") GET("http://a.test") GET("http://a.test?q"));
    http_fixture_expect(fixture, "GET / q");
    assert_true(net_peer_has(&fixture->client, "GET /x y=/z"));
    assert_int_equal(net_peer_count(&fixture->client, "GET / "), 2);
    http_fixture_send(fixture, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
    http_fixture_expect(fixture, "OPTIONS *");
}

static void test_bodies(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
                               "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "3\r\nwor\r\n2;x=y\r\nld\r\n0\r\n\r\n"
                               "POST /echo HTTP/1.1\r\n" HOST "\r\n" GET("/end"));
    http_fixture_expect(fixture, "GET /end");
    assert_true(net_peer_has(&fixture->client, "Content-Length: 5\r\n\r\nhelloHTTP/1.1"));
    assert_true(net_peer_has(&fixture->client, "Content-Length: 5\r\n\r\nworldHTTP/1.1"));
    assert_true(net_peer_has(&fixture->client, "Content-Length: 0\r\n\r\nHTTP/1.1"));
}

static void test_large_body_arrives_whole(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    size_t len = fixture->config.body_bytes;
    char head[128];
    snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", len);
    char *body = mem_alloc(len);
    for (size_t i = 0; i < len; i++) {
        body[i] = (char)('a' + i % 23);
    }
    http_fixture_send(fixture, head);
    conn_write(fixture->client.conn, (struct str){.data = body, .len = len});
    NET_UNTIL(&fixture->net, fixture->client.received.len > len);
    assert_memory_equal(fixture->client.received.data + fixture->client.received.len - len, body, len);
    free(body);
}

/* Cut anywhere, a request is the same request. */
static void test_delivery_in_two_pieces(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    static const char *const REQUESTS[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" GET("/end"),
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" GET("/end"),
    };
    for (size_t r = 0; r < COUNT_OF(REQUESTS); r++) {
        struct str request = str_from(REQUESTS[r]);
        for (size_t cut = 1; cut < request.len; cut++) {
            buf_reset(&fixture->client.received);
            conn_write(fixture->client.conn, (struct str){.data = request.data, .len = cut});
            http_fixture_settle(fixture);
            conn_write(fixture->client.conn, (struct str){.data = request.data + cut, .len = request.len - cut});
            http_fixture_expect(fixture, "GET /end");
            assert_int_equal(net_peer_count(&fixture->client, "HTTP/1.1 200 OK"), 2);
            assert_true(net_peer_has(&fixture->client, "\r\n\r\nhelloHTTP/1.1"));
        }
    }
    assert_int_equal(fixture->refusals, 0);
}

static void test_delivery_byte_by_byte(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct str request = STR("\r\nPOST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                             "5\r\nhello\r\n0\r\n\r\n" GET("/end"));
    for (size_t i = 0; i < request.len; i++) {
        conn_write(fixture->client.conn, (struct str){.data = request.data + i, .len = 1});
        http_fixture_settle(fixture);
    }
    http_fixture_expect(fixture, "GET /end");
    assert_true(net_peer_has(&fixture->client, "\r\n\r\nhelloHTTP/1.1"));
}

static void test_expect_continue(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
    http_fixture_expect(fixture, "HTTP/1.1 100 Continue\r\n\r\n");
    http_fixture_send(fixture, "hello");
    http_fixture_expect(fixture, "\r\n\r\nhello");
}

static void test_pipelined_answers_stay_in_order(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("/hold") GET("/second") GET("/third"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    http_fixture_settle(fixture);
    assert_int_equal(fixture->client.received.len, 0);
    http_respond(fixture->held[0], 200, NULL, 0, STR("first"));
    http_fixture_expect(fixture, "/third");
    const char *all = buf_cstr(&fixture->client.received);
    assert_true(strstr(all, "first") < strstr(all, "/second"));
    assert_true(strstr(all, "/second") < strstr(all, "/third"));
}

/* What is read ahead is bounded; what is not read stays with the client, and none of it is lost. */
static void test_reading_ahead_is_bounded(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    enum { COUNT = 200000 };
    http_fixture_send(fixture, GET("/hold"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    for (int i = 0; i < COUNT; i++) {
        http_fixture_send(fixture, GET("/"));
    }
    http_fixture_settle(fixture);
    size_t unsent = conn_unsent(fixture->client.conn);
    assert_in_range(unsent, 1, COUNT * sizeof(GET("/")));
    http_fixture_settle(fixture);
    assert_int_equal(conn_unsent(fixture->client.conn), unsent);
    http_respond(fixture->held[0], 200, NULL, 0, STR(""));
    NET_UNTIL(&fixture->net, fixture->requests == COUNT + 1);
}

static void answer_at_length(struct http_fixture *fixture, struct http_exchange *exchange) {
    static char body[64 * 1024];
    memset(body, 'x', sizeof(body));
    (void)fixture;
    http_respond(exchange, 200, NULL, 0, (struct str){.data = body, .len = sizeof(body)});
}

/* Whoever asks without reading the answers is not asked for more: else its unread answers would fill our memory. */
static void test_unread_answers_are_bounded(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    enum { COUNT = 500 };
    fixture->on_request = answer_at_length;
    conn_read_pause(fixture->client.conn);
    for (int i = 0; i < COUNT; i++) {
        http_fixture_send(fixture, GET("/"));
    }
    http_fixture_settle(fixture);
    unsigned answered = fixture->requests;
    http_fixture_settle(fixture);
    assert_in_range(answered, 1, COUNT / 2);
    assert_int_equal(fixture->requests, answered);
    conn_read_resume(fixture->client.conn);
    NET_UNTIL(&fixture->net, fixture->requests == COUNT);
    http_fixture_send(fixture, "GET /echo HTTP/1.0\r\n\r\n");
    http_fixture_expect_close(fixture);
    assert_in_range(fixture->client.received.len, COUNT * 64 * 1024, SIZE_MAX);
}

static void answer_with_odd_headers(struct http_fixture *fixture, struct http_exchange *exchange) {
    const struct http_request *request = http_exchange_request(exchange);
    const struct http_response_header headers[] = {
        {"X-One", http_request_header(request, "x-ONE")},
        {"X-Missing", http_request_header(request, "x-missing")},
        {"X-Evil", STR("a\r\nX-Injected: yes")},
        {"X-Evil: x\r\nX-Injected", STR("yes")},
        {"X-Last", STR("z")},
    };
    assert_string_equal(http_exchange_peer(exchange), "127.0.0.1");
    assert_int_equal(http_exchange_unsent(exchange), 0);
    (void)fixture;
    http_respond(exchange, 499, headers, COUNT_OF(headers), STR("x"));
}

static void test_headers(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->on_request = answer_with_odd_headers;
    http_fixture_send(fixture, "GET / HTTP/1.1\r\n" HOST "X-One: \t 1 2 \r\n\r\n");
    http_fixture_expect(fixture, "\r\nX-Last: z\r\n\r\nx");
    assert_true(net_peer_has(&fixture->client, "HTTP/1.1 499 Other\r\n"));
    assert_true(net_peer_has(&fixture->client, "\r\nX-One: 1 2\r\nX-Missing: \r\nX-Last"));
}

static void test_no_content_has_no_length(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("/hold") GET("/end"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    http_respond(fixture->held[0], 204, NULL, 0, STR("ignored"));
    http_fixture_expect(fixture, "GET /end");
    assert_int_equal(net_peer_count(&fixture->client, "Content-Length"), 1);
    assert_false(net_peer_has(&fixture->client, "ignored"));
}

static void test_upgrade_hands_over_early_bytes(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("/first") "GET /upgrade HTTP/1.1\r\n" HOST
                                             "Connection: Upgrade\r\nUpgrade: test\r\n\r\nearly\r\n\r\n");
    http_fixture_expect(fixture, "HTTP/1.1 101 Switching Protocols\r\n");
    assert_true(net_peer_has(&fixture->client, "\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n"));
    assert_int_equal(http_server_connection_count(fixture->server), 0);
    http_fixture_send(fixture, "later");
    NET_UNTIL(&fixture->net, fixture->upgraded.received.len == 14);
    assert_string_equal(buf_cstr(&fixture->upgraded.received), "early\r\n\r\nlater");
    conn_write(fixture->upgraded.conn, STR("raw"));
    http_fixture_expect(fixture, "\r\n\r\nraw");
    http_fixture_close_server(fixture);
    assert_false(fixture->upgraded.closed); /* it is not the server's any more */
}

static void test_drain(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct net_peer idle;
    net_peer_connect(&fixture->net, &idle, http_server_port(fixture->server));
    http_fixture_send(fixture, GET("/hold"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1 && http_server_connection_count(fixture->server) == 2);
    http_server_drain(fixture->server);
    NET_UNTIL(&fixture->net, idle.closed);
    struct net_peer late;
    net_peer_connect_tls(&fixture->net, &late, http_server_port(fixture->server), "127.0.0.1", NULL);
    assert_true(late.failed);
    assert_false(fixture->client.closed);
    http_respond(fixture->held[0], 200, NULL, 0, STR("last"));
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "\r\nConnection: close\r\n\r\nlast"));
    NET_UNTIL(&fixture->net, http_server_connection_count(fixture->server) == 0);
    net_peer_clear(&fixture->net, &idle);
    net_peer_clear(&fixture->net, &late);
}

static void test_close_cuts_what_is_open(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, GET("/hold"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    http_fixture_close_server(fixture);
    assert_int_equal(fixture->gone, 1);
    NET_UNTIL(&fixture->net, fixture->client.closed);
}

static void test_close_sends_the_answers_given(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct net_peer second;
    net_peer_connect(&fixture->net, &second, http_server_port(fixture->server));
    http_fixture_send(fixture, GET("/hold"));
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    conn_write(second.conn, STR("GET /hold HTTP/1.0\r\n\r\n"));
    NET_UNTIL(&fixture->net, fixture->held_count == 2);
    http_respond(fixture->held[0], 200, NULL, 0, STR("kept alive"));
    http_respond(fixture->held[1], 200, NULL, 0, STR("closing"));
    http_fixture_close_server(fixture);
    NET_UNTIL(&fixture->net, fixture->client.closed && second.closed);
    assert_true(net_peer_has(&fixture->client, "kept alive"));
    assert_true(net_peer_has(&second, "closing"));
    assert_int_equal(fixture->gone, 0);
    net_peer_clear(&fixture->net, &second);
}

static void test_over_tls(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    struct temp_folder folder;
    char certificate[128];
    char key[128];
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    struct err err;
    names_clear();
    names_add("localhost", "127.0.0.1"); /* whatever this machine's /etc/hosts says */
    temp_folder_init(&folder);
    temp_folder_file(&folder, "cert.pem", certificate);
    temp_folder_file(&folder, "key.pem", key);
    tls_files_write(certificate, key, "DNS:localhost");
    assert_true(tls_context_new_server(&server_tls, certificate, key, &err));
    assert_true(tls_context_new_client(&client_tls, certificate, &err));
    http_fixture_close_server(fixture);
    http_fixture_open_server(fixture, server_tls);
    net_peer_clear(&fixture->net, &fixture->client);
    net_peer_connect_tls(&fixture->net, &fixture->client, http_server_port(fixture->server), "localhost", client_tls);
    http_fixture_send(fixture, GET("/1") GET("/2"));
    http_fixture_expect(fixture, "GET /2");
    http_fixture_send(fixture, "GET /3 HTTP/1.0\r\n\r\n");
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "GET /3"));
    http_fixture_close_server(fixture);
    tls_context_free(server_tls);
    tls_context_free(client_tls);
    temp_folder_clear(&folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_fixture_setup, http_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_whole_answer),
        TEST(test_keep_alive),
        TEST(test_connection_close),
        TEST(test_http_1_0),
        TEST(test_head_has_a_length_but_no_body),
        TEST(test_absolute_form),
        TEST(test_bodies),
        TEST(test_large_body_arrives_whole),
        TEST(test_delivery_in_two_pieces),
        TEST(test_delivery_byte_by_byte),
        TEST(test_expect_continue),
        TEST(test_pipelined_answers_stay_in_order),
        TEST(test_reading_ahead_is_bounded),
        TEST(test_unread_answers_are_bounded),
        TEST(test_headers),
        TEST(test_no_content_has_no_length),
        TEST(test_upgrade_hands_over_early_bytes),
        TEST(test_drain),
        TEST(test_close_cuts_what_is_open),
        TEST(test_close_sends_the_answers_given),
        TEST(test_over_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
