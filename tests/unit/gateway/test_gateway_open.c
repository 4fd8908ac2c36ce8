/* Opening a gateway: where it listens, and that each step which fails leaves nothing behind. */
#include "gateway/gateway.h"

#include "net/tls.h"
#include "support/tls_files.h"
#include "unit/gateway/gateway_fixture.h"

static void test_the_defaults(void **state) {
    struct gateway_options options;
    (void)state;
    gateway_options_init(&options);
    assert_int_equal(options.drain_ms, 30000);
    assert_int_equal(options.heartbeat_ms, LIMIT_LINK_HEARTBEAT_MS);
    assert_int_equal(options.canary_ms, 30 * 60 * 1000);
    assert_int_equal(options.tiers[STORE_TIER_FREE].requests_per_minute, 10);
    assert_int_equal(options.core.max_attempts, 6);
    assert_null(options.store_path);
    assert_null(options.listen);
    assert_null(options.admin);
    assert_false(options.webhooks_lax || options.titles_off || options.summaries_off);
}

static void assert_cannot_open(struct gateway_fixture *fixture, enum err_code code) {
    struct err err = {0};
    assert_false(gateway_fixture_open(fixture, &err));
    if (err.code != code) {
        fail_msg("%s: %s", err_code_name(err.code), err.message);
    }
    assert_null(fixture->gateway);
    assert_int_equal(fixture->stopped, 0); /* it never ran */
}

static void test_no_store(void **state) {
    struct gateway_fixture *fixture = *state;
    fixture->options.store_path = "/nowhere/at/all/nataris.db";
    assert_cannot_open(fixture, ERR_IO);
}

static void test_no_certificate(void **state) {
    struct gateway_fixture *fixture = *state;
    fixture->options.tls_cert = fixture->options.tls_key = "/nowhere/at/all.pem";
    assert_cannot_open(fixture, ERR_IO);
    fixture->options.admin = NULL; /* without a socket that must be closed first */
    assert_cannot_open(fixture, ERR_IO);
}

static void test_an_address_that_is_none(void **state) {
    struct gateway_fixture *fixture = *state;
    fixture->options.listen = "nonsense";
    assert_cannot_open(fixture, ERR_INVALID);
    fixture->options.listen = "127.0.0.1:0";
    fixture->options.admin = "nonsense";
    assert_cannot_open(fixture, ERR_INVALID);
}

static void test_an_address_in_use(void **state) {
    struct gateway_fixture *fixture = *state;
    struct err err;
    char taken[GATEWAY_URL_SIZE], other_path[GATEWAY_PATH_SIZE];
    assert_true(gateway_fixture_open(fixture, &err));
    struct gateway *first = fixture->gateway;
    (void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", gateway_port(first));
    (void)temp_folder_file(&fixture->folder, "other.db", other_path);
    fixture->options.store_path = other_path;
    fixture->options.admin = NULL;
    fixture->options.listen = taken;
    fixture->gateway = NULL;
    assert_cannot_open(fixture, ERR_CONFLICT);
    fixture->gateway = first; /* and that one serves */
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /healthz", "", ""), "HTTP/1.1 200 OK");
}

/* Somebody listens on the operator's socket already: another gateway on the same folder. */
static void test_a_socket_in_use(void **state) {
    struct gateway_fixture *fixture = *state;
    struct err err;
    char other_path[GATEWAY_PATH_SIZE];
    assert_true(gateway_fixture_open(fixture, &err));
    struct gateway *first = fixture->gateway;
    (void)temp_folder_file(&fixture->folder, "other.db", other_path);
    fixture->options.store_path = other_path;
    fixture->gateway = NULL;
    assert_cannot_open(fixture, ERR_CONFLICT);
    fixture->gateway = first;
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /metrics", ""), "HTTP/1.1 200 OK");
}

/* What a failure left would stand in the way of the next attempt. */
static void test_it_opens_after_failures(void **state) {
    struct gateway_fixture *fixture = *state;
    struct err err;
    fixture->options.listen = "nonsense";
    for (int i = 0; i < 3; i++) {
        assert_cannot_open(fixture, ERR_INVALID);
    }
    fixture->options.listen = "127.0.0.1:0";
    assert_true(gateway_fixture_open(fixture, &err));
    assert_true(gateway_port(fixture->gateway) > 0);
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/accounts", ""), "\"id\":\"acct_1\"");
}

static void test_without_an_operators_socket(void **state) {
    struct gateway_fixture *fixture = *state;
    struct err err;
    fixture->options.admin = NULL;
    assert_true(gateway_fixture_open(fixture, &err));
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /healthz", "", ""), "HTTP/1.1 200 OK");
    gateway_fixture_stop(fixture);
    assert_int_equal(fixture->stopped, 1);
}

static void test_over_tls(void **state) {
    struct gateway_fixture *fixture = *state;
    char certificate[GATEWAY_PATH_SIZE], key[GATEWAY_PATH_SIZE];
    struct tls_context *tls;
    struct err err;
    fixture->options.tls_cert = temp_folder_file(&fixture->folder, "cert.pem", certificate);
    fixture->options.tls_key = temp_folder_file(&fixture->folder, "key.pem", key);
    tls_files_write(certificate, key, "DNS:localhost,IP:127.0.0.1");
    assert_true(gateway_fixture_open(fixture, &err));
    assert_true(tls_context_new_client(&tls, certificate, &err));
    net_peer_connect_tls(&fixture->net, &fixture->client, gateway_port(fixture->gateway), "127.0.0.1", tls);
    assert_non_null(fixture->client.conn);
    conn_write(fixture->client.conn, STR("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    gateway_fixture_assert_has(gateway_fixture_receive(fixture), "{\"status\":\"ok\"}");
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /metrics", ""), "nataris_providers 0");
    tls_context_free(tls);
}

#define OPEN_TEST(function) cmocka_unit_test_setup_teardown(function, gateway_fixture_setup, gateway_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_defaults),
        OPEN_TEST(test_no_store),
        OPEN_TEST(test_no_certificate),
        OPEN_TEST(test_an_address_that_is_none),
        OPEN_TEST(test_an_address_in_use),
        OPEN_TEST(test_a_socket_in_use),
        OPEN_TEST(test_it_opens_after_failures),
        OPEN_TEST(test_without_an_operators_socket),
        OPEN_TEST(test_over_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
