/* What a client for strangers' URLs connects to: only what was looked at, whatever a name says. */
#include "net/http_client.h"

#include "net/address_class.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/net/client_fixture.h"

static unsigned looked_at;   /* addresses that the rule was asked about */
static unsigned refuse_from; /* refused from this question on, counted from 1; 0: none */

static bool counted(const struct sockaddr *address) {
    (void)address;
    looked_at++;
    return refuse_from == 0 || looked_at < refuse_from;
}

static int setup(void **state) {
    looked_at = refuse_from = 0;
    return client_setup(state);
}

static void expect_refused(struct client_fixture *fixture, const char *url) {
    struct fetched fetched = {0};
    const struct http_transfer_options options = {.url = url};
    const unsigned before = fixture->http->requests;
    fetch(fixture, &fetched, &options, HTTP_FAILURE_ADDRESS);
    assert_string_equal(fetched.result.reason, "the host's address is not allowed");
    assert_int_equal(fixture->http->requests, before);
    fetched_clear(&fetched);
}

static void address_inside(void **state) {
    struct client_fixture *fixture = *state;
    client_open(fixture, address_is_global);
    expect_refused(fixture, client_url(fixture, "127.0.0.1", "/plain"));
    expect_refused(fixture, "http://[::1]:1/");
    expect_refused(fixture, "http://169.254.169.254/latest/");
}

static void name_that_points_inside(void **state) {
    struct client_fixture *fixture = *state;
    client_open(fixture, address_is_global);
    expect_refused(fixture, client_url(fixture, "server.test", "/plain"));
    names_add("mixed.test", "192.0.43.8");
    names_add("mixed.test", "127.0.0.1"); /* one of several is enough */
    expect_refused(fixture, client_url(fixture, "mixed.test", "/plain"));
}

static void name_is_looked_up_once_and_the_socket_looked_at_again(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    client_open(fixture, counted);
    const struct http_transfer_options options = {.url = client_url(fixture, "server.test", "/plain")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    assert_string_equal(buf_cstr(&fetched.body), "plain");
    assert_int_equal(names_asked(), 1);
    assert_int_equal(looked_at, 2);
    fetched_clear(&fetched);
}

/* The rule's last word is on the socket. */
static void socket_to_another_address(void **state) {
    struct client_fixture *fixture = *state;
    refuse_from = 2;
    client_open(fixture, counted);
    expect_refused(fixture, client_url(fixture, "server.test", "/plain"));
    assert_int_equal(looked_at, 2);
}

static void address_needs_no_lookup(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    client_open(fixture, counted);
    const struct http_transfer_options options = {.url = client_url(fixture, "127.0.0.1", "/plain")};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NONE);
    assert_int_equal(looked_at, 1);
    fetched_clear(&fetched);
}

static void name_that_is_not_found(void **state) {
    struct client_fixture *fixture = *state;
    struct fetched fetched = {0};
    client_open(fixture, counted);
    const struct http_transfer_options options = {.url = "http://nowhere.test/"};
    fetch(fixture, &fetched, &options, HTTP_FAILURE_NAME);
    assert_string_equal(fetched.result.reason, "the host's name was not found");
    fetched_clear(&fetched);
}

static void url_that_others_may_read_otherwise(void **state) {
    static const char *const URLS[] = {"http://a@server.test/", "http://server.test\\@elsewhere.test/",
                                       "http://127.1/",         "http://0x7f000001/",
                                       "//server.test/",        ""};
    struct client_fixture *fixture = *state;
    client_open(fixture, counted);
    for (size_t i = 0; i < COUNT_OF(URLS); i++) {
        struct fetched fetched = {0};
        const struct http_transfer_options options = {.url = URLS[i]};
        fetch(fixture, &fetched, &options, HTTP_FAILURE_REQUEST);
        assert_non_null(strstr(fetched.result.detail, "url "));
        fetched_clear(&fetched);
    }
    assert_int_equal(looked_at + names_asked(), 0);
}

#define ADDRESS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, client_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ADDRESS_TEST(address_inside),
        ADDRESS_TEST(name_that_points_inside),
        ADDRESS_TEST(name_is_looked_up_once_and_the_socket_looked_at_again),
        ADDRESS_TEST(socket_to_another_address),
        ADDRESS_TEST(address_needs_no_lookup),
        ADDRESS_TEST(name_that_is_not_found),
        ADDRESS_TEST(url_that_others_may_read_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
