/* What is connected to: only what was checked, whatever a name says. */
#include "webhook/http.h"

#include "webhook/lookup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct loop *loop;
    struct webhook_http *http;
    int listener; /* accepts nothing: whether somebody came is asked of it */
    unsigned port;
    struct webhook_answer answer;
    int answers;
    struct err err;
    char addresses[WEBHOOK_ADDRESSES_MAX];
};

static int setup(void **state) {
    struct world *world = (struct world *)calloc(1, sizeof *world);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    world->loop = loop_new();
    world->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(world->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(world->listener, 8), 0);
    assert_int_equal(getsockname(world->listener, (struct sockaddr *)&address, &len), 0);
    world->port = ntohs(address.sin_port);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = (struct world *)*state;
    webhook_http_free(world->http);
    loop_run(world->loop);
    loop_free(world->loop);
    close(world->listener);
    free(world);
    return 0;
}

static bool somebody_came(const struct world *world) {
    int fd = accept(world->listener, NULL, NULL);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void on_answer(void *context, const struct webhook_answer *answer) {
    struct world *world = (struct world *)context;
    world->answer = *answer;
    world->answers++;
    loop_stop(world->loop);
}

static void post(struct world *world, const char *url, bool lax) {
    const struct webhook_message message = {.url = url, .headers = {"a: b", "c: d", "e: f"}, .body = STR("{}")};
    assert_true(webhook_http_new(&world->http, world->loop, lax, &world->err));
    webhook_http_post(world->http, &message, on_answer, world);
    assert_int_equal(world->answers, 0);
    loop_run(world->loop);
    assert_int_equal(world->answers, 1);
    assert_int_equal(world->answer.status, 0);
}

static void on_addresses(void *context, const char *addresses, const struct err *err) {
    struct world *world = (struct world *)context;
    err_clear(&world->err);
    if (err != NULL) {
        world->err = *err;
    } else {
        str_copy(world->addresses, sizeof world->addresses, str_from(addresses));
    }
}

/* A name that passed for a public one when its webhook was made, and points inside now. */
static void test_a_name_that_points_inside(void **state) {
    struct world *world = (struct world *)*state;
    struct web_url url = {.host = "localhost", .port = 443};
    webhook_lookup_start(world->loop, &url, false, on_addresses, world);
    loop_run(world->loop);
    assert_int_equal(world->err.code, ERR_DENIED);
    webhook_lookup_start(world->loop, &url, true, on_addresses, world);
    loop_run(world->loop);
    assert_int_equal(world->err.code, ERR_NONE);
    assert_non_null(strstr(world->addresses, "127.0.0.1"));
}

static void test_cancelled(void **state) {
    struct world *world = (struct world *)*state;
    struct web_url url = {.host = "localhost", .port = 443};
    world->err.code = ERR_INTERNAL;
    webhook_lookup_cancel(webhook_lookup_start(world->loop, &url, false, on_addresses, world));
    loop_run(world->loop);
    assert_int_equal(world->err.code, ERR_INTERNAL); /* nothing was told */
}

static void test_an_address_inside(void **state) {
    struct world *world = (struct world *)*state;
    char url[64];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", world->port);
    post(world, url, false);
    assert_false(somebody_came(world));
}

/* The environment's proxy would connect to anything. */
static void test_no_proxy(void **state) {
    struct world *world = (struct world *)*state;
    char proxy[64];
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", world->port);
    setenv("http_proxy", proxy, 1);
    setenv("ALL_PROXY", proxy, 1);
    post(world, "http://[::1]:1/", true);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_false(somebody_came(world));
    assert_true(world->answer.note[0] != '\0');
}

static void test_it_would_come(void **state) {
    struct world *world = (struct world *)*state;
    char url[64];
    (void)snprintf(url, sizeof url, "http://localhost:%u/", world->port);
    const struct webhook_message message = {.url = url, .headers = {"a: b", "c: d", "e: f"}, .body = STR("{}")};
    assert_true(webhook_http_new(&world->http, world->loop, true, &world->err));
    webhook_http_post(world->http, &message, on_answer, world);
    while (!somebody_came(world)) {
        uv_run(loop_uv(world->loop), UV_RUN_ONCE);
    }
    const int answers = world->answers;
    webhook_http_free(world->http); /* what is under way gets no answer */
    world->http = NULL;
    loop_run(world->loop);
    assert_int_equal(world->answers, answers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_name_that_points_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancelled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_address_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_proxy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_would_come, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
