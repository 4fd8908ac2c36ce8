/* What a transfer brings, and how it fails. */
#include "net/http_client.h"

#include "net/tls.h"
#include "support/temp_folder.h"
#include "support/tls_files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

#include "unit/net/client_fixture.h"

/* --- Answers --- */

static void whole_answer(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/plain")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    assert_string_equal(buf_cstr(&fetched.body), "plain");
    assert_int_equal(fetched.result.answer.status, 200);
    assert_int_equal(fetched.result.answer.length, 5);
    assert_int_equal(fetched.first.length, 5);
    assert_int_equal(fetched.first.status, 200);
    assert_int_equal(fetched.result.body_bytes, 5);
    assert_true(fetched.result.answer.date_s > 1700000000);
    assert_int_equal(fetched.result.answer.retry_after_ms, 0);
    fetched_clear(&fetched);
}

static void chunked_answer(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "server.test", "/big")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    fetched_check_big(&fetched);
    assert_int_equal(fetched.first.length, -1);
    assert_true(fetched.pieces > 1);
    fetched_clear(&fetched);
}

static void body_is_sent_and_may_be_dropped(void **state) {
    static const struct http_transfer_events DEAF = {.on_end = fetched_on_end};
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0}, dropped = {.fixture = fixture};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/echo"),
                                                  .body = STR("hello"),
                                                  .whole_ms = NET_HANG_MS,
                                                  .body_max = 5,
                                                  .plain = true};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    assert_string_equal(buf_cstr(&fetched.body), "hello");
    (void)http_transfer_start(fixture->client, &options, &DEAF, &dropped);
    fetched_end(&dropped);
    assert_int_equal(dropped.result.body_bytes, 5);
    fetched_clear(&fetched);
}

static void head_of_the_request(void **state) {
    static const char *const HEADERS[] = {"X-Mine: yes", NULL};
    static const struct {
        const char *method, *agent;
        uint64_t from;
        const char *body, *expected;
    } CASES[] = {
        {NULL, NULL, 0, "", "GET||nataris/" NATARIS_VERSION "|yes"},
        {NULL, "me", 7, "", "GET|bytes=7-|me|yes"},
        {"DELETE", "me", 0, "", "DELETE||me|yes"},
        {"PATCH", "me", 0, "x", "PATCH||me|yes"},
    };
    struct client_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct fetched fetched = {0};
        const struct http_transfer_options options = {.method = CASES[i].method,
                                                      .url = client_url(fixture, "127.0.0.1", "/head"),
                                                      .headers = HEADERS,
                                                      .user_agent = CASES[i].agent,
                                                      .body = str_from(CASES[i].body),
                                                      .from = CASES[i].from};
        fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
        assert_string_equal(buf_cstr(&fetched.body), CASES[i].expected);
        fetched_clear(&fetched);
    }
}

static void empty_post_is_a_post(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.method = "POST", .url = client_url(fixture, "127.0.0.1", "/head")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    assert_memory_equal(buf_cstr(&fetched.body), "POST|", 5);
    fetched_clear(&fetched);
}

static void what_the_head_of_the_answer_says(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/patience")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    assert_int_equal(fetched.result.answer.status, 429);
    assert_int_equal(fetched.result.answer.retry_after_ms, 3000);
    fetched_clear(&fetched);
}

static void redirects(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched shown = {0}, followed = {0};
    struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/redirect")};
    fetch(fixture, &shown, &options, HTTP_FAILURE_NONE);
    assert_int_equal(shown.result.answer.status, 302);
    assert_string_equal(buf_cstr(&shown.body), "over there");
    options.redirects_max = 2;
    fetch(fixture, &followed, &options, HTTP_FAILURE_REQUEST); /* to http */
    assert_int_equal(followed.pieces, 0);
    assert_int_equal(fixture->http->requests, 2);
    fetched_clear(&shown);
    fetched_clear(&followed);
}

/* --- Bounds --- */

static void too_long_answer(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/big"),
                                                  .body_max = BIG_BYTES - 1};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_TOO_LARGE);
    assert_int_equal(fetched.result.answer.status, 200);
    assert_int_equal(fetched.result.body_bytes, fetched.body.len);
    assert_true(fetched.body.len < BIG_BYTES);
    fetched_clear(&fetched);
}

static void no_answer_in_time(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/hold"), .whole_ms = 20};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_TIME);
    assert_string_equal(fetched.result.detail, "there was no whole answer within 0.02 seconds");
    assert_int_equal(fetched.result.answer.status, 0);
    assert_true(fetched.result.took_ms >= 20);
    NET_UNTIL(fixture->net, fixture->http->gone == fixture->http->held_count);
    for (size_t i = 0; i < fixture->http->held_count; i++) {
        fixture->http->held[i] = NULL;
    }
    fetched_clear(&fetched);
}

static void too_many_at_once(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched held = {0}, surplus = {0}, later = {0};
    struct http_transfer *many[HTTP_CLIENT_TRANSFERS_MAX];
    const struct http_transfer_options options = {
        .url = client_url(fixture, "127.0.0.1", "/plain"), .whole_ms = NET_HANG_MS, .body_max = 5, .plain = true};
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = http_transfer_start(fixture->client, &options, &FETCHED_EVENTS, &held);
    }
    fetch(fixture, &surplus, &options, HTTP_FAILURE_OTHER);
    assert_string_equal(surplus.result.reason, "there are too many transfers at once");
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        http_transfer_cancel(many[i]);
    }
    client_settle(fixture);
    fetch(fixture, &later, &options, HTTP_FAILURE_NONE);
    assert_int_equal(held.ends, 0);
    fetched_clear(&surplus);
    fetched_clear(&later);
}

/* --- Servers that are none --- */

struct raw_server {
    struct listener *listener;
    struct net_peer peer;
    const char *says; /* to whoever comes; NULL: closes at once */
    bool silent;
    char url[64];
};

static void raw_on_conn(void *context, struct conn *conn) {
    struct raw_server *raw = context;
    net_peer_init(&raw->peer, conn);
    if (raw->silent) {
        return;
    }
    if (raw->says == NULL) {
        conn_close(conn, 0);
        return;
    }
    conn_write(conn, str_from(raw->says));
    for (int i = 0; i < 3000 && strstr(raw->says, "\r\n\r\n") == NULL; i++) {
        conn_write(conn, STR("X-More: and more and more and more\r\n"));
    }
}

static void raw_open(struct client_fixture *fixture, struct raw_server *raw, const char *scheme) {
    static const struct listener_events EVENTS = {.on_conn = raw_on_conn};
    const struct listener_options options = {
        .address = "127.0.0.1:0", .max_connections = 1, .handshake_ms = NET_HANG_MS};
    assert_true(listener_open(&raw->listener, fixture->net->loop, &options, &EVENTS, raw, NULL));
    snprintf(raw->url, sizeof(raw->url), "%s://127.0.0.1:%u/", scheme, listener_port(raw->listener));
}

static void raw_close(struct client_fixture *fixture, struct raw_server *raw) {
    net_peer_clear(fixture->net, &raw->peer);
    listener_close(raw->listener);
}

static void broken_connections(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched cut = {0}, wordless = {0};
    struct raw_server raw = {0};
    struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/cut")};
    fetch(fixture, &cut, &options, HTTP_FAILURE_BROKEN);
    assert_string_equal(buf_cstr(&cut.body), "half");
    raw_open(fixture, &raw, "http");
    options.url = raw.url;
    fetch(fixture, &wordless, &options, HTTP_FAILURE_BROKEN);
    assert_int_equal(wordless.result.answer.status, 0);
    raw_close(fixture, &raw);
    fetched_clear(&cut);
    fetched_clear(&wordless);
}

static void head_without_end(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    struct raw_server raw = {.says = "HTTP/1.1 200 OK\r\n"};
    raw_open(fixture, &raw, "http");
    const struct http_transfer_options options = {.url = raw.url};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_OTHER);
    assert_string_equal(fetched.result.detail, "the answer's head is too long");
    raw_close(fixture, &raw);
    fetched_clear(&fetched);
}

static void handshake_that_never_comes(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    struct raw_server raw = {.silent = true};
    raw_open(fixture, &raw, "https");
    const struct http_transfer_options options = {.url = raw.url, .connect_ms = 20};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_TIME);
    raw_close(fixture, &raw);
    fetched_clear(&fetched);
}

static void nobody_there(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched refused = {0}, unknown = {0}, nonsense = {0};
    struct raw_server raw = {0};
    raw_open(fixture, &raw, "http");
    listener_close(raw.listener);
    struct http_transfer_options options = {.url = raw.url};
    fetch(fixture, &refused, &options, HTTP_FAILURE_CONNECT);
    assert_int_equal(refused.result.os_error, ECONNREFUSED);
    assert_null(strstr(refused.result.reason, "127.0.0.1")); /* it names nothing */
    assert_non_null(strstr(refused.result.detail, "127.0.0.1"));
    options.url = "http://nowhere.test/";
    fetch(fixture, &unknown, &options, HTTP_FAILURE_NAME);
    options.url = "ftp://127.0.0.1/";
    fetch(fixture, &nonsense, &options, HTTP_FAILURE_REQUEST);
    fetched_clear(&refused);
    fetched_clear(&unknown);
    fetched_clear(&nonsense);
}

/* --- TLS --- */

static void certificates(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched trusted = {0}, unknown = {0};
    struct temp_folder folder;
    char certificate[128], key[128], url[64];
    struct tls_context *tls;
    temp_folder_init(&folder);
    tls_files_write(temp_folder_file(&folder, "cert.pem", certificate), temp_folder_file(&folder, "key.pem", key),
                    "DNS:server.test");
    assert_true(tls_context_new_server(&tls, certificate, key, NULL));
    http_fixture_close_server(fixture->http);
    http_fixture_open_server(fixture->http, tls);
    snprintf(url, sizeof(url), "https://server.test:%u/plain", http_server_port(fixture->http->server));
    struct http_transfer_options options = {.url = url};
    fetch(fixture, &unknown, &options, HTTP_FAILURE_TLS);
    options.ca_file = certificate;
    fetch(fixture, &trusted, &options, HTTP_FAILURE_NONE);
    assert_string_equal(buf_cstr(&trusted.body), "plain");
    client_open(fixture, NULL); /* closes the connection that is kept */
    http_fixture_close_server(fixture->http);
    tls_context_free(tls);
    temp_folder_clear(&folder);
    fetched_clear(&trusted);
    fetched_clear(&unknown);
}

/* --- Unix sockets --- */

static void unix_sockets(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched answered = {0}, missing = {0}, dead = {0};
    struct temp_folder folder;
    char path[128], address[160];
    struct http_server *server;
    temp_folder_init(&folder);
    snprintf(address, sizeof(address), "unix:%s", temp_folder_file(&folder, "socket", path));
    const struct listener_options listen = {.address = address, .max_connections = 4};
    struct http_transfer_options options = {.url = "http://localhost/plain", .unix_path = path};
    fetch(fixture, &missing, &options, HTTP_FAILURE_CONNECT);
    assert_int_equal(missing.result.os_error, ENOENT);
    assert_true(http_server_open(&server, fixture->net->loop, &listen, &fixture->http->config, &HTTP_FIXTURE_EVENTS,
                                 fixture->http, NULL));
    fetch(fixture, &answered, &options, HTTP_FAILURE_NONE);
    assert_string_equal(buf_cstr(&answered.body), "plain");
    http_server_close(server, http_fixture_on_closed, fixture->http);
    NET_UNTIL(fixture->net, fixture->http->server_closed);
    fixture->http->server_closed = false;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    str_copy(name.sun_path, sizeof(name.sun_path), str_from(path));
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    close(fd);
    fetch(fixture, &dead, &options, HTTP_FAILURE_CONNECT);
    assert_int_equal(dead.result.os_error, ECONNREFUSED);
    assert_int_equal(names_asked(), 0);
    temp_folder_clear(&folder);
    fetched_clear(&answered);
    fetched_clear(&missing);
    fetched_clear(&dead);
}

/* --- Proxies --- */

static void proxies_only_where_they_are_wanted(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched direct = {0}, through = {0};
    struct http_transfer_options options = {.url = "http://nowhere.test/"};
    setenv("http_proxy", client_url(fixture, "127.0.0.1", ""), 1);
    fetch(fixture, &direct, &options, HTTP_FAILURE_NAME);
    assert_int_equal(fixture->http->requests + fixture->http->refusals, 0);
    options.proxy = true;
    fetch(fixture, &through, &options, HTTP_FAILURE_NONE); /* whatever our server says to a request for a proxy */
    unsetenv("http_proxy");
    assert_int_equal(fixture->http->requests + fixture->http->refusals, 1);
    fetched_clear(&direct);
    fetched_clear(&through);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(whole_answer),
        CLIENT_TEST(chunked_answer),
        CLIENT_TEST(body_is_sent_and_may_be_dropped),
        CLIENT_TEST(head_of_the_request),
        CLIENT_TEST(empty_post_is_a_post),
        CLIENT_TEST(what_the_head_of_the_answer_says),
        CLIENT_TEST(redirects),
        CLIENT_TEST(too_long_answer),
        CLIENT_TEST(no_answer_in_time),
        CLIENT_TEST(too_many_at_once),
        CLIENT_TEST(broken_connections),
        CLIENT_TEST(head_without_end),
        CLIENT_TEST(handshake_that_never_comes),
        CLIENT_TEST(nobody_there),
        CLIENT_TEST(certificates),
        CLIENT_TEST(unix_sockets),
        CLIENT_TEST(proxies_only_where_they_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
