/* Requests that must not get through: ambiguous framing, limits, timeouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/http_fixture.h"

#define HOST "Host: a\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
#define BODY "{\"model\":\"m\",\"stream\":false,\"messages\":[]}"
#define CHUNKED "2a\r\n" BODY "\r\n0\r\n\r\n"
#define LENGTH "Content-Length: 42\r\n"
#define TE "Transfer-Encoding: chunked\r\n"

struct refusal {
    const char *name, *request;
    int status;
};

/* Each could be framed differently by two servers in a row. The status 401 is a good request without a key. */
static const struct refusal REFUSALS[] = {
    {"content-length", POST LENGTH "\r\n" BODY, 401},
    {"chunked", POST TE "\r\n" CHUNKED, 401},
    {"length and chunked", POST "Content-Length: 5\r\n" TE "\r\n" CHUNKED, 400},
    {"two different lengths", POST LENGTH "Content-Length: 0\r\n\r\n" BODY, 400},
    {"length with sign", POST "Content-Length: +42\r\n\r\n" BODY, 400},
    {"length in hex", POST "Content-Length: 0x10\r\n\r\n" BODY, 400},
    {"length over 64 bits", POST "Content-Length: 18446744073709551658\r\n\r\n" BODY, 400},
    {"space before colon", POST "Transfer-Encoding : chunked\r\n\r\n" CHUNKED, 400},
    {"folded header", POST "X: y\r\n " LENGTH "\r\n" BODY, 400},
    {"folded transfer-encoding", POST "Transfer-Encoding:\r\n chunked\r\n\r\n" CHUNKED, 501},
    {"unknown transfer-encoding", POST "Transfer-Encoding: xchunked\r\n\r\n" CHUNKED, 501},
    {"chunked not last", POST "Transfer-Encoding: chunked, identity\r\n\r\n" CHUNKED, 400},
    {"chunked twice", POST TE TE "\r\n" CHUNKED, 400},
    {"vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n" CHUNKED, 400},
    {"bare CR in header", POST "X-Abc: \rxTransfer-Encoding: chunked\r\n\r\n" CHUNKED, 400},
    {"empty header name", POST ": x\r\n" LENGTH "\r\n" BODY, 400},
    {"chunk size with 0x", POST TE "\r\n0x2a\r\n" BODY "\r\n0\r\n\r\n", 400},
    {"negative chunk size", POST TE "\r\n-1\r\n" BODY "\r\n0\r\n\r\n", 400},
    {"line feed in chunk extension", POST TE "\r\n2a;a\nb\r\n" BODY "\r\n0\r\n\r\n", 400},
    {"chunk data without CR LF", POST TE "\r\n2a\r\n" BODY "XX0\r\n\r\n", 400},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" HOST TE "\r\n" CHUNKED, 400},
    {"no Host", "POST / HTTP/1.1\r\n" LENGTH "\r\n" BODY, 400},
    {"two Hosts", POST "Host: b\r\n" LENGTH "\r\n" BODY, 400},
    {"odd method", "P@ST / HTTP/1.1\r\n" HOST LENGTH "\r\n" BODY, 400},
    {"trailer", POST TE "\r\n2a\r\n" BODY "\r\n0\r\nContent-Length: 9\r\n\r\n", 401},
    {"trailer with bare LF", POST TE "\r\n2a\r\n" BODY "\r\n0\r\nX: y\n\r\n", 400},

    {"bare LF, head not ended", "GET / HTTP/1.1\nHost: a", 400},
    {"only bare LFs", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"another protocol", "\x16\x03\x01\x02\n", 400},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", 405},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505},
    {"target without slash", "GET index.html HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form without host", "GET http:/// HTTP/1.1\r\n" HOST "\r\n", 400},
    {"unknown expectation", POST "Expect: tea\r\n" LENGTH "\r\n" BODY, 417},
};

static void check_refusal(struct http_fixture *fixture, const struct refusal *refusal) {
    char expected[32];
    http_fixture_connect(fixture);
    http_fixture_send(fixture, refusal->request);
    if (refusal->status == 401) {
        http_fixture_expect(fixture, "no key");
    } else {
        http_fixture_expect_close(fixture);
    }
    snprintf(expected, sizeof(expected), "HTTP/1.1 %d ", refusal->status);
    if (!net_peer_has(&fixture->client, expected) || net_peer_count(&fixture->client, "\r\nDate: ") != 1) {
        fail_msg("%s: %s", refusal->name, buf_cstr(&fixture->client.received));
    }
}

static void test_ambiguous_requests(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    assert_int_equal(strlen(BODY), 42);
    for (size_t i = 0; i < COUNT_OF(REFUSALS); i++) {
        check_refusal(fixture, &REFUSALS[i]);
    }
    assert_int_equal(fixture->requests, 3);
}

/* `head`, then `piece` as often as it takes to make `len` bytes. */
static void send_repeated(struct http_fixture *fixture, const char *head, const char *piece, size_t len) {
    struct buf bytes;
    buf_init(&bytes, SIZE_MAX);
    buf_append_cstr(&bytes, head);
    while (bytes.len < len) {
        buf_append_cstr(&bytes, piece);
    }
    conn_write(fixture->client.conn, buf_str(&bytes));
    buf_clear(&bytes);
}

static void check_limit(struct http_fixture *fixture, const char *head, const char *piece, size_t len, int status) {
    http_fixture_connect(fixture);
    send_repeated(fixture, head, piece, len);
    http_fixture_expect_close(fixture);
    assert_int_equal(fixture->refused_status, status);
    assert_memory_equal(fixture->client.received.data, "HTTP/1.1 ", 9);
}

static void test_limits(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    check_limit(fixture, "GET / HTTP/1.1\r\nX: ", "aaaaaaaa", 256 * 1024, 431);
    check_limit(fixture, "GET / HTTP/1.1\r\n", "X: a\r\n", 256 * 1024, 431);
    check_limit(fixture, "GET /", "aaaaaaaa", 256 * 1024, 414);
    check_limit(fixture, POST "Content-Length: 10485760\r\n\r\n", "aaaaaaaaaaaaaaaa", 10485760, 413);
    check_limit(fixture, POST TE "\r\n", "5\r\nhello\r\n", 10485760, 413);
    check_limit(fixture, POST TE "\r\nfffffffffffffff\r\n", "a", 100, 413);
    assert_int_equal(fixture->requests, 0);
}

/* The client asks before it sends 10 MB: it is told no, not "continue". */
static void test_expectation_of_a_large_body(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, POST "Expect: 100-continue\r\nContent-Length: 10485760\r\n\r\n");
    http_fixture_expect_close(fixture);
    assert_true(net_peer_has(&fixture->client, "HTTP/1.1 413 Content Too Large\r\n"));
    assert_false(net_peer_has(&fixture->client, "100 Continue"));
}

static void test_good_requests_before_a_bad_one_are_answered(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    http_fixture_send(fixture, "GET /hold HTTP/1.1\r\n" HOST "\r\nBAD\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    http_fixture_settle(fixture);
    assert_int_equal(fixture->refusals, 0);
    http_respond(fixture->held[0], 200, NULL, 0, STR("good"));
    http_fixture_expect_close(fixture);
    const char *all = buf_cstr(&fixture->client.received);
    assert_true(strstr(all, "good") < strstr(all, "HTTP/1.1 400 Bad Request"));
    assert_int_equal(net_peer_count(&fixture->client, "HTTP/1.1 "), 2);
}

static void test_slow_head(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->config.head_timeout_ms = 1;
    http_fixture_reopen(fixture);
    check_refusal(fixture, &(const struct refusal){"slow head", "GET / HT", 408});
}

static void test_slow_body(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->config.body_pace.stretch_ms = 1;
    http_fixture_reopen(fixture);
    check_refusal(fixture, &(const struct refusal){"slow body", POST LENGTH "\r\n{", 408});
    check_refusal(fixture, &(const struct refusal){"slow chunks", POST TE "\r\n2a\r\n{", 408});
}

static void test_idle_connections_close_silently(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->config.idle_timeout_ms = 1;
    http_fixture_reopen(fixture);
    http_fixture_connect(fixture);
    http_fixture_expect_close(fixture);
    assert_int_equal(fixture->client.received.len, 0);
    assert_int_equal(fixture->refusals, 0);
}

/* An answer may take longer than any timeout for reading. */
static void test_no_timeout_while_answering(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->config.idle_timeout_ms = 300;
    fixture->config.head_timeout_ms = 300;
    http_fixture_reopen(fixture);
    http_fixture_connect(fixture);
    struct net_peer idle;
    http_fixture_send(fixture, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    net_peer_connect(&fixture->net, &idle, http_server_port(fixture->server));
    NET_UNTIL(&fixture->net, idle.closed); /* its time was up after that of the other */
    assert_int_equal(fixture->gone, 0);
    http_respond(fixture->held[0], 200, NULL, 0, STR("late"));
    http_fixture_expect(fixture, "late");
    net_peer_clear(&fixture->net, &idle);
}

/* Of 30000 bytes of body the first `len` are sent. */
static void send_post(struct conn *conn, const char *path, bool chunked, size_t len) {
    char head[256];
    char *body = mem_alloc(len);
    memset(body, 'x', len);
    int size = snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n" HOST "%s\r\n%s", path,
                        chunked ? TE : "Content-Length: 30000\r\n", chunked ? "7530\r\n" : "");
    conn_write(conn, (struct str){.data = head, .len = (size_t)size});
    conn_write(conn, (struct str){.data = body, .len = len});
    free(body);
}

/* What all clients together make us keep is bounded, from the first byte of a body until its request is answered. */
static void test_bodies_of_all_are_bounded(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->config.bodies_bytes = 50 * 1000;
    http_fixture_reopen(fixture);
    http_fixture_connect(fixture);
    send_post(fixture->client.conn, "/hold", false, 30000);
    NET_UNTIL(&fixture->net, fixture->held_count == 1);
    for (int i = 0; i < 2; i++) {
        struct net_peer other;
        net_peer_connect(&fixture->net, &other, http_server_port(fixture->server));
        send_post(other.conn, "/echo", i == 1, 29000); /* not whole, but too much already */
        NET_UNTIL(&fixture->net, other.closed);
        assert_true(net_peer_has(&other, "HTTP/1.1 503 "));
        net_peer_clear(&fixture->net, &other);
    }
    http_respond(fixture->held[0], 200, NULL, 0, STR("done"));
    http_fixture_expect(fixture, "done");
    for (int i = 0; i < 3; i++) { /* room again, each time */
        buf_reset(&fixture->client.received);
        send_post(fixture->client.conn, "/echo", false, 30000);
        NET_UNTIL(&fixture->net, fixture->client.received.len > 30000);
    }
    http_fixture_connect(fixture); /* and when a client goes away, with half a body, with a whole one, or for good */
    send_post(fixture->client.conn, "/echo", false, 20000);
    http_fixture_settle(fixture);
    http_fixture_connect(fixture);
    send_post(fixture->client.conn, "/hold", false, 30000);
    NET_UNTIL(&fixture->net, fixture->held_count == 2);
    http_fixture_connect(fixture);
    NET_UNTIL(&fixture->net, fixture->gone == 1);
    send_post(fixture->client.conn, "/upgrade", false, 30000);
    http_fixture_expect(fixture, "HTTP/1.1 101 ");
    http_fixture_connect(fixture);
    send_post(fixture->client.conn, "/echo", false, 30000);
    NET_UNTIL(&fixture->net, fixture->client.received.len > 30000);
    assert_int_equal(fixture->refusals, 2);
}

/* A client that has been sending for long has to go when another one needs the room: it gets the 503, and what it had
 * sent counts no more. One that has just begun keeps its place. */
static void test_slow_uploads_keep_nobody_out(void **state) {
    struct http_fixture *fixture = (struct http_fixture *)*state;
    fixture->config.bodies_bytes = 50 * 1000;
    for (int overstays = 0; overstays < 2; overstays++) {
        fixture->config.body_pace.overstay_ms = overstays == 1 ? 0 : NET_HANG_MS;
        http_fixture_reopen(fixture);
        http_fixture_connect(fixture);
        struct net_peer slow;
        net_peer_connect(&fixture->net, &slow, http_server_port(fixture->server));
        send_post(slow.conn, "/echo", overstays == 1, 28000);
        http_fixture_settle(fixture);
        const uint64_t now_ms = loop_now_ms(fixture->net.loop);
        NET_UNTIL(&fixture->net, loop_now_ms(fixture->net.loop) > now_ms);
        send_post(fixture->client.conn, "/echo", false, 30000);
        if (overstays == 1) {
            NET_UNTIL(&fixture->net, slow.closed && fixture->client.received.len > 30000);
            assert_true(net_peer_has(&slow, "HTTP/1.1 503 "));
        } else {
            http_fixture_expect_close(fixture);
            assert_true(net_peer_has(&fixture->client, "HTTP/1.1 503 "));
            assert_int_equal(slow.received.len, 0);
        }
        net_peer_clear(&fixture->net, &slow);
    }
    assert_int_equal(fixture->refusals, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_fixture_setup, http_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_ambiguous_requests),
        TEST(test_limits),
        TEST(test_expectation_of_a_large_body),
        TEST(test_good_requests_before_a_bad_one_are_answered),
        TEST(test_slow_head),
        TEST(test_slow_body),
        TEST(test_idle_connections_close_silently),
        TEST(test_no_timeout_while_answering),
        TEST(test_bodies_of_all_are_bounded),
        TEST(test_slow_uploads_keep_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
