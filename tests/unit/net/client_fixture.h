/* An HTTP server with answers of many kinds, a client on the same loop, and what became of its transfers. Include after
 * cmocka.h. */
#ifndef NATARIS_TESTS_UNIT_NET_CLIENT_FIXTURE_H
#define NATARIS_TESTS_UNIT_NET_CLIENT_FIXTURE_H

#include "net/http_client.h"
#include "support/http_fixture.h"
#include "support/names.h"

enum { BIG_PIECES = 64, BIG_PIECE = 16 * 1024, BIG_BYTES = BIG_PIECES * BIG_PIECE, URLS_MAX = 4 };

struct client_fixture {
    struct http_fixture *http;
    struct net_harness *net;
    struct http_client *client;
    char urls[URLS_MAX][128];
    unsigned urls_made;
};

/* One transfer and what came of it. */
struct fetched {
    struct client_fixture *fixture;
    struct http_transfer *transfer;
    struct buf body;
    struct http_answer first;  /* as the first piece came */
    enum http_verdict verdict; /* what on_body says next */
    unsigned pieces, ends;
    struct http_result result;
    void (*then)(struct fetched *fetched); /* called in on_body and on_end; NULL: nothing */
};

static char client_big_byte(size_t at) {
    return (char)('a' + at * 7 % 23);
}

static void client_answer_big(struct http_exchange *exchange) {
    char piece[BIG_PIECE];
    http_stream_begin(exchange, 200, NULL, 0);
    for (size_t i = 0; i < BIG_PIECES; i++) {
        for (size_t j = 0; j < sizeof(piece); j++) {
            piece[j] = client_big_byte(i * sizeof(piece) + j);
        }
        http_stream_write(exchange, (struct str){piece, sizeof(piece)});
    }
    http_stream_end(exchange);
}

static void client_on_request(struct http_fixture *http, struct http_exchange *exchange) {
    const struct http_request *request = http_exchange_request(exchange);
    const struct http_response_header elsewhere = {"Location", STR("/plain")};
    const struct http_response_header patience = {"Retry-After", STR("3")};
    (void)http;
    if (str_equal_cstr(request->path, "/big")) {
        client_answer_big(exchange);
    } else if (str_equal_cstr(request->path, "/redirect")) {
        http_respond(exchange, 302, &elsewhere, 1, STR("over there"));
    } else if (str_equal_cstr(request->path, "/patience")) {
        http_respond(exchange, 429, &patience, 1, STR(""));
    } else if (str_equal_cstr(request->path, "/cut")) {
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_write(exchange, STR("half"));
        http_stream_abort(exchange);
    } else if (str_equal_cstr(request->path, "/head")) {
        char text[256];
        const struct str range = http_request_header(request, "Range"),
                         agent = http_request_header(request, "User-Agent"),
                         mine = http_request_header(request, "X-Mine");
        const int len = snprintf(text, sizeof(text), "%.*s|%.*s|%.*s|%.*s", STR_ARG(request->method), STR_ARG(range),
                                 STR_ARG(agent), STR_ARG(mine));
        http_respond(exchange, 200, NULL, 0, (struct str){text, (size_t)len});
    } else {
        http_respond(exchange, 200, NULL, 0, STR("plain"));
    }
}

UNUSED static void client_open(struct client_fixture *fixture, address_allowed *allowed) {
    http_client_free(fixture->client);
    assert_true(http_client_new(&fixture->client, fixture->net->loop, allowed, NULL));
}

UNUSED static int client_setup(void **state) {
    struct client_fixture *fixture = MEM_NEW(struct client_fixture);
    void *http = NULL;
    if (http_fixture_setup(&http) != 0) {
        return -1;
    }
    fixture->http = http;
    fixture->http->on_request = client_on_request;
    fixture->net = &fixture->http->net;
    names_clear();
    names_add("server.test", "127.0.0.1");
    client_open(fixture, NULL);
    *state = fixture;
    return 0;
}

UNUSED static int client_teardown(void **state) {
    struct client_fixture *fixture = *state;
    void *http = fixture->http;
    http_client_free(fixture->client);
    (void)http_fixture_teardown(&http);
    free(fixture);
    return 0;
}

/* Of the server; good for this test. */
UNUSED static const char *client_url(struct client_fixture *fixture, const char *host, const char *path) {
    char *url = fixture->urls[fixture->urls_made++ % URLS_MAX];
    snprintf(url, sizeof(fixture->urls[0]), "http://%s:%u%s", host, http_server_port(fixture->http->server), path);
    return url;
}

static enum http_verdict fetched_on_body(void *context, const struct http_answer *answer, struct str piece) {
    struct fetched *fetched = context;
    const enum http_verdict verdict = fetched->verdict;
    fetched->pieces++;
    if (fetched->pieces == 1) {
        fetched->first = *answer;
    }
    if (verdict == HTTP_BODY_TAKEN) {
        assert_true(buf_append_str(&fetched->body, piece));
    }
    if (fetched->then != NULL) {
        fetched->then(fetched);
    }
    return verdict;
}

static void fetched_on_end(void *context, const struct http_result *result) {
    struct fetched *fetched = context;
    fetched->ends++;
    fetched->result = *result;
    fetched->transfer = NULL;
    if (fetched->then != NULL) {
        fetched->then(fetched);
    }
}

static const struct http_transfer_events FETCHED_EVENTS = {.on_body = fetched_on_body, .on_end = fetched_on_end};

UNUSED static void fetched_start(struct client_fixture *fixture, struct fetched *fetched,
                                 const struct http_transfer_options *options) {
    struct http_transfer_options bounded = *options;
    bounded.plain = true;
    bounded.body_max = bounded.body_max > 0 ? bounded.body_max : 2 * BIG_BYTES;
    bounded.whole_ms = bounded.whole_ms > 0 ? bounded.whole_ms : NET_HANG_MS;
    fetched->fixture = fixture;
    if (fetched->body.limit == 0) {
        buf_init(&fetched->body, 2 * BIG_BYTES);
    }
    fetched->transfer = http_transfer_start(fixture->client, &bounded, &FETCHED_EVENTS, fetched);
    assert_int_equal(fetched->pieces + fetched->ends, 0); /* nothing from inside */
}

UNUSED static void fetched_end(struct fetched *fetched) {
    NET_UNTIL(fetched->fixture->net, fetched->ends > 0);
    assert_int_equal(fetched->ends, 1);
}

UNUSED static void fetched_clear(struct fetched *fetched) {
    buf_clear(&fetched->body);
}

/* Starts, waits, and checks the failure. */
UNUSED static void fetch(struct client_fixture *fixture, struct fetched *fetched,
                         const struct http_transfer_options *options, enum http_failure failure) {
    fetched_start(fixture, fetched, options);
    fetched_end(fetched);
    if (fetched->result.failure != failure) {
        fail_msg("it ended with %d: %s", (int)fetched->result.failure, fetched->result.detail);
    }
    assert_true((failure == HTTP_FAILURE_NONE) == (fetched->result.reason[0] == '\0'));
    assert_true((failure == HTTP_FAILURE_NONE) == (fetched->result.detail[0] == '\0'));
}

UNUSED static void fetched_check_big(struct fetched *fetched) {
    assert_int_equal(fetched->body.len, BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++) {
        if (fetched->body.data[i] != client_big_byte(i)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
}

/* Turns the loop a few times: what had to happen has happened. */
UNUSED static void client_settle(struct client_fixture *fixture) {
    for (int i = 0; i < 20; i++) {
        uv_run(loop_uv(fixture->net->loop), UV_RUN_NOWAIT);
    }
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, client_setup, client_teardown)

#endif
