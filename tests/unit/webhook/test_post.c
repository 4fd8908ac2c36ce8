/* What of an answer is kept, and what a webhook's account is told when there was none. */
#include "webhook/post.h"

#include "net/address_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/http_fixture.h"
#include "support/names.h"

struct world {
    struct http_fixture *http;
    struct http_client *client;
    bool lax;
    char url[128];
    struct webhook_answer answer;
    unsigned answers;
};

static void on_request(struct http_fixture *http, struct http_exchange *exchange) {
    static char without_end[WEBHOOK_POST_ANSWER_MAX + 1];
    const struct http_request *request = http_exchange_request(exchange);
    const struct http_response_header patience = {"Retry-After", STR("120")};
    const struct http_response_header elsewhere = {"Location", STR("/echo")};
    (void)http;
    if (str_equal_cstr(request->path, "/long")) {
        memset(without_end, 'x', sizeof(without_end));
        http_respond(exchange, 202, NULL, 0, (struct str){without_end, sizeof(without_end)});
    } else if (str_equal_cstr(request->path, "/patience")) {
        http_respond(exchange, 429, &patience, 1, STR("later"));
    } else if (str_equal_cstr(request->path, "/redirect")) {
        http_respond(exchange, 307, &elsewhere, 1, STR(""));
    } else if (str_equal_cstr(request->path, "/cut")) {
        http_stream_begin(exchange, 200, NULL, 0);
        http_stream_write(exchange, STR("half"));
        http_stream_abort(exchange);
    } else {
        char text[512];
        const struct str type = http_request_header(request, "Content-Type"),
                         agent = http_request_header(request, "User-Agent"), mine = http_request_header(request, "a");
        const int len = snprintf(text, sizeof(text), "%.*s %.*s %.*s %.*s %.*s", STR_ARG(request->method),
                                 STR_ARG(type), STR_ARG(agent), STR_ARG(mine), STR_ARG(request->body));
        http_respond(exchange, 200, NULL, 0, (struct str){text, (size_t)len});
    }
}

static int setup(void **state) {
    struct world *world = MEM_NEW(struct world);
    void *http = NULL;
    if (http_fixture_setup(&http) != 0) {
        return -1;
    }
    world->http = http;
    world->http->on_request = on_request;
    world->lax = true;
    names_clear();
    names_add("inside.test", "127.0.0.1");
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    void *http = world->http;
    http_client_free(world->client);
    (void)http_fixture_teardown(&http);
    free(world);
    return 0;
}

static void on_answer(void *context, const struct webhook_answer *answer) {
    struct world *world = context;
    world->answer = *answer;
    world->answers++;
}

static const char *url_of(struct world *world, const char *scheme, const char *host, const char *path) {
    snprintf(world->url, sizeof(world->url), "%s://%s:%u%s", scheme, host, http_server_port(world->http->server), path);
    return world->url;
}

static struct webhook_post *start(struct world *world, const char *url, unsigned whole_ms) {
    const struct webhook_message message = {
        .url = url, .headers = {"a: b", "c: d", "e: f"}, .body = STR("{}"), .whole_ms = whole_ms};
    http_client_free(world->client);
    assert_true(http_client_new(&world->client, world->http->net.loop, world->lax ? NULL : address_is_global, NULL));
    return webhook_post_start(world->client, &message, world->lax, on_answer, world);
}

static void post(struct world *world, const char *url) {
    const unsigned before = world->answers;
    (void)start(world, url, 0);
    assert_int_equal(world->answers, before);
    NET_UNTIL(&world->http->net, world->answers > before);
}

static void message_and_answer(void **state) {
    struct world *world = *state;
    post(world, url_of(world, "http", "127.0.0.1", "/"));
    assert_int_equal(world->answer.status, 200);
    assert_memory_equal(world->answer.body, "POST application/json Nataris-Webhooks/1.0 b {}", world->answer.body_len);
    assert_string_equal(world->answer.note, "");
    assert_false(world->answer.timed_out);
}

static void beginning_of_a_long_answer(void **state) {
    struct world *world = *state;
    post(world, url_of(world, "http", "127.0.0.1", "/long"));
    assert_int_equal(world->answer.status, 202); /* it counts all the same */
    assert_int_equal(world->answer.body_len, sizeof(world->answer.body));
    assert_int_equal(world->answer.body[sizeof(world->answer.body) - 1], 'x');
}

static void patience_and_redirects(void **state) {
    struct world *world = *state;
    post(world, url_of(world, "http", "127.0.0.1", "/patience"));
    assert_int_equal(world->answer.status, 429);
    assert_int_equal(world->answer.retry_after_ms, 120000);
    post(world, url_of(world, "http", "127.0.0.1", "/redirect"));
    assert_int_equal(world->answer.status, 307);
    assert_int_equal(world->http->requests, 2);
}

static void no_whole_answer(void **state) {
    struct world *world = *state;
    post(world, url_of(world, "http", "127.0.0.1", "/cut"));
    assert_int_equal(world->answer.status, 0);
    assert_true(world->answer.note[0] != '\0');
    (void)start(world, url_of(world, "http", "127.0.0.1", "/hold"), 20);
    NET_UNTIL(&world->http->net, world->answers == 2);
    assert_true(world->answer.timed_out);
    assert_string_equal(world->answer.note, "there was no whole answer within 0.02 seconds");
}

static void nothing_inside_is_reached(void **state) {
    static const char *const URLS[] = {"http://example.com/", "https://example.com:22/", "https://127.0.0.1/"};
    struct world *world = *state;
    world->lax = false;
    post(world, url_of(world, "https", "inside.test", "/"));
    assert_string_equal(world->answer.note, "the host's address is not one of the public internet");
    post(world, url_of(world, "https", "nowhere.test", "/"));
    assert_string_equal(world->answer.note, "the host's name was not found");
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        post(world, URLS[i]);
        assert_int_equal(world->answer.status, 0);
        assert_true(str_starts_with(str_from(world->answer.note), STR("url ")));
    }
    assert_int_equal(world->http->requests, 0);
}

/* The environment's proxy would connect to anything. */
static void no_proxy(void **state) {
    struct world *world = *state;
    char proxy[64];
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", http_server_port(world->http->server));
    setenv("http_proxy", proxy, 1);
    setenv("ALL_PROXY", proxy, 1);
    post(world, "http://nowhere.test/");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(world->answer.status, 0);
    assert_int_equal(world->http->requests + world->http->refusals, 0);
}

static void cancelled(void **state) {
    struct world *world = *state;
    struct webhook_post *held = start(world, url_of(world, "http", "127.0.0.1", "/hold"), 0);
    NET_UNTIL(&world->http->net, world->http->held_count == 1);
    webhook_post_cancel(held);
    NET_UNTIL(&world->http->net, world->http->gone == 1);
    assert_int_equal(world->answers, 0);
}

#define POST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        POST_TEST(message_and_answer), POST_TEST(beginning_of_a_long_answer), POST_TEST(patience_and_redirects),
        POST_TEST(no_whole_answer),    POST_TEST(nothing_inside_is_reached),  POST_TEST(no_proxy),
        POST_TEST(cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
