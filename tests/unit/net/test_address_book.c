#include "net/address_book.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct address_limits limits = {
    .connections = 3, .new_connections = 4, .body_bytes = 1000, .failed_keys = 2};

static struct address_book *book_of(const char *proxies) {
    struct address_book *book;
    struct err err;
    assert_true(address_book_new(&book, &limits, proxies, &err));
    return book;
}

static struct sockaddr_storage address_of(const char *text) {
    struct sockaddr_storage address = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&address, &v4, sizeof(v4));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        memcpy(&address, &v6, sizeof(v6));
    }
    return address;
}

static struct address_place *hold(struct address_book *book, const char *text) {
    const struct sockaddr_storage address = address_of(text);
    return address_book_hold(book, (const struct sockaddr *)&address);
}

static bool same(struct address_book *book, const char *a, const char *b) {
    struct address_place *first = hold(book, a), *second = hold(book, b);
    const bool equal = first == second;
    address_place_release(first, 0);
    address_place_release(second, 0);
    return equal;
}

static void test_who_counts_as_one(void **state) {
    (void)state;
    struct address_book *book = book_of(NULL);
    assert_true(same(book, "192.0.2.1", "192.0.2.1"));
    assert_true(same(book, "192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(same(book, "192.0.2.1", "192.0.2.2"));
    assert_false(same(book, "::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    assert_true(same(book, "2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(same(book, "2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_int_equal(address_book_count(book), 0); /* nothing to remember of any */
    address_book_free(book);
}

static void test_connections(void **state) {
    (void)state;
    struct address_book *book = book_of(NULL);
    struct address_place *place = hold(book, "192.0.2.1"), *other = hold(book, "192.0.2.2");
    for (int i = 0; i < 3; i++) {
        assert_true(address_place_open(place, 1000));
    }
    assert_false(address_place_open(place, 1000));
    assert_true(address_place_open(other, 1000));
    address_place_close(place, false);
    assert_true(address_place_open(place, 1000));
    address_place_close(place, true); /* it is somebody: another passer-by may come */
    assert_true(address_place_open(place, 1000));
    address_place_release(place, 1000);
    address_place_release(other, 1000);
    address_book_free(book);
}

/* Four a second, eight at once; those that prove themselves are not counted. */
static void test_new_connections(void **state) {
    (void)state;
    struct address_book *book = book_of(NULL);
    struct address_place *place = hold(book, "192.0.2.1");
    for (int i = 0; i < 100; i++) {
        assert_true(address_place_open(place, 1000));
        address_place_close(place, true);
    }
    for (int i = 0; i < 8; i++) {
        assert_true(address_place_open(place, 1000));
        address_place_close(place, false);
    }
    assert_false(address_place_open(place, 1000));
    assert_false(address_place_open(place, 1249));
    address_place_release(place, 1000);
    assert_int_equal(address_book_count(book), 1); /* remembered, or closing all would be the way around */
    place = hold(book, "192.0.2.1");
    assert_false(address_place_open(place, 1249));
    assert_true(address_place_open(place, 1250));
    address_place_close(place, false);
    address_place_release(place, 60000);
    assert_int_equal(address_book_count(book), 0);
    address_book_free(book);
}

static void test_bytes_and_keys(void **state) {
    (void)state;
    struct address_book *book = book_of(NULL);
    struct address_place *place = hold(book, "192.0.2.1");
    assert_true(address_place_take(place, 600));
    assert_false(address_place_take(place, 401));
    assert_true(address_place_take(place, 400));
    address_place_give(place, 600);
    assert_true(address_place_take(place, 600));
    address_place_give(place, 1000);
    assert_int_equal(address_place_key_wait_ms(place, 1000), 0);
    address_place_key_failed(place, 1000);
    address_place_key_failed(place, 1000);
    assert_int_equal(address_place_key_wait_ms(place, 1000), 30000);
    for (int i = 0; i < 1000; i++) {
        address_place_key_failed(place, 1000); /* insisting does not make it longer */
    }
    assert_int_equal(address_place_key_wait_ms(place, 31000), 0);
    address_place_release(place, 1000);
    address_book_free(book);
}

static void test_a_book_outlives_its_owner_while_it_is_used(void **state) {
    (void)state;
    struct address_book *book = book_of(NULL);
    struct address_place *first = hold(book, "192.0.2.1"), *second = hold(book, "192.0.2.2");
    address_book_free(book);
    address_place_release(first, 1000);
    address_place_release(second, 1000);
    address_book_free(NULL);
}

/* Whoever comes with ever new addresses does not fill the memory. */
static void test_addresses_are_forgotten(void **state) {
    (void)state;
    struct address_book *book = book_of(NULL);
    for (unsigned i = 0; i < 200 * 1000; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        address.sin_addr.s_addr = htonl(i);
        struct address_place *place = address_book_hold(book, (const struct sockaddr *)&address);
        assert_true(address_place_open(place, 1000));
        address_place_close(place, false);
        address_place_release(place, 1000);
    }
    assert_in_range(address_book_count(book), 1, 66 * 1000);
    address_book_free(book);
}

static void expect_client(const struct address_book *book, const char *forwarded, const char *client) {
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_SIZE];
    const bool found = address_book_forwarded(book, str_from(forwarded), &address, text);
    if (found != (client != NULL) || (found && strcmp(text, client) != 0)) {
        fail_msg("%s: %s", forwarded, found ? text : "none");
    }
}

static void test_proxies(void **state) {
    (void)state;
    struct address_book *book = book_of("10.0.0.1, ::1,10.0.0.2");
    const struct sockaddr_storage proxy = address_of("10.0.0.1"), mapped = address_of("::ffff:10.0.0.2"),
                                  client = address_of("10.0.0.3");
    assert_true(address_book_is_proxy(book, (const struct sockaddr *)&proxy));
    assert_true(address_book_is_proxy(book, (const struct sockaddr *)&mapped));
    assert_false(address_book_is_proxy(book, (const struct sockaddr *)&client));
    expect_client(book, "192.0.2.1", "192.0.2.1");
    expect_client(book, "192.0.2.1:4711", "192.0.2.1");
    expect_client(book, "[2001:db8::1]:4711", "2001:db8::1");
    expect_client(book, "2001:db8::1", "2001:db8::1");
    expect_client(book, "192.0.2.66, 192.0.2.1", "192.0.2.1"); /* what stands before is the client's own invention */
    expect_client(book, "192.0.2.1, 10.0.0.2, 10.0.0.1", "192.0.2.1");
    expect_client(book, "10.0.0.2", NULL);
    expect_client(book, "192.0.2.1, unknown", NULL);
    expect_client(book, "192.0.2.1,", NULL);
    expect_client(book, "", NULL);
    expect_client(book, "[", NULL);
    expect_client(book, "[]", NULL);
    expect_client(book, "1.2.3.4.5", NULL);
    expect_client(book, "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL);
    address_book_free(book);
}

static void test_bad_proxies_are_named(void **state) {
    (void)state;
    static const char *const bad[] = {"localhost", "10.0.0.1,", ",", "10.0.0.0/8"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct address_book *book;
        struct err err = {0};
        assert_false(address_book_new(&book, &limits, bad[i], &err));
        assert_non_null(strstr(err.message, "is no numeric address"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_counts_as_one),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_new_connections),
        cmocka_unit_test(test_bytes_and_keys),
        cmocka_unit_test(test_a_book_outlives_its_owner_while_it_is_used),
        cmocka_unit_test(test_addresses_are_forgotten),
        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_bad_proxies_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
