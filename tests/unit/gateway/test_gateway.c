/* A gateway that serves: clients, devices and the operator at once. How it stops is in test_gateway_stop.c. */
#include "gateway/gateway.h"

#include "unit/gateway/gateway_fixture.h"

static const char *call(struct gateway_fixture *fixture, const char *line, enum store_key_kind kind) {
    return gateway_fixture_call(fixture, line, fixture->keys[kind], "");
}

static const char *chat(struct gateway_fixture *fixture, enum store_key_kind kind, const char *more) {
    gateway_fixture_send_chat(fixture, kind, "hello", more);
    return gateway_fixture_receive(fixture);
}

/* The id of the answer. */
static void read_id(const char *answer, char out[STORE_ID_MAX]) {
    const char *id = strstr(answer, "\"id\":\"chatcmpl-");
    assert_non_null(id);
    id += strlen("\"id\":\"");
    const size_t len = strcspn(id, "\"");
    assert_true(str_copy(out, STORE_ID_MAX, (struct str){.data = id, .len = len}));
}

static void test_ready_with_a_device(void **state) {
    struct gateway_fixture *fixture = *state;
    struct str model;
    bool available = true;
    assert_false(gateway_model_at(fixture->gateway, 0, &model, &available));
    assert_false(available);
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /readyz", "", ""), "HTTP/1.1 503 ");
    gateway_fixture_join(fixture);
    assert_true(gateway_model_at(fixture->gateway, 1, &model, &available)); /* it has two */
    assert_false(gateway_model_at(fixture->gateway, 2, &model, &available));
    assert_true(fixture->models_changed > 0);
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /readyz", "", ""), "HTTP/1.1 200 ");
    gateway_fixture_close_device(fixture);
    NET_UNTIL(&fixture->net, !gateway_fixture_available(fixture));
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /readyz", "", ""), "HTTP/1.1 503 ");
}

/* From the request to the device and back. The device is the client's own, so it is free and earns nothing. */
static void test_a_chat(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    const char *answer = chat(fixture, STORE_KEY_LIVE, "");
    gateway_fixture_assert_has(answer, "HTTP/1.1 200 OK");
    gateway_fixture_assert_has(answer, "\"content\":\"hi\"");
    gateway_fixture_assert_has(answer, fixture->device_id);
    assert_int_equal(fixture->generations, 1);
    gateway_fixture_assert_has(call(fixture, "GET /v1/usage", STORE_KEY_LIVE), "\"" GATEWAY_MODEL "\"");
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/accounts/acct_1/earnings", ""),
                               "\"jobs\":0,\"tokens\":0}");
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/accounts/acct_1", ""),
                               "\"held_usd\":0,\"active_requests\":0,");
}

static void test_a_stream(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    const char *answer = chat(fixture, STORE_KEY_LIVE, ",\"stream\":true");
    gateway_fixture_assert_has(answer, "text/event-stream");
    gateway_fixture_assert_has(answer, "\"content\":\"hi\"");
    gateway_fixture_assert_has(answer, "data: [DONE]");
}

/* The sandbox answers test keys without any device, from money of its own. */
static void test_the_sandbox(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_assert_has(chat(fixture, STORE_KEY_TEST, ""), "HTTP/1.1 200 OK");
    gateway_fixture_assert_has(call(fixture, "GET /v1/usage", STORE_KEY_TEST), "\"" GATEWAY_MODEL "\"");
    gateway_fixture_assert_has(call(fixture, "GET /v1/usage", STORE_KEY_LIVE), "\"by_model\":{}");
}

static void test_nobody_has_the_model(void **state) {
    struct gateway_fixture *fixture = *state;
    const char *answer = chat(fixture, STORE_KEY_LIVE, "");
    gateway_fixture_assert_has(answer, "HTTP/1.1 503 ");
    gateway_fixture_assert_has(answer, "\"code\":\"model_unavailable\"");
}

static void test_refused_before_any_route(void **state) {
    struct gateway_fixture *fixture = *state;
    net_peer_connect(&fixture->net, &fixture->client, gateway_port(fixture->gateway));
    conn_write(fixture->client.conn, STR("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
    gateway_fixture_assert_has(gateway_fixture_receive(fixture), "HTTP/1.1 400 ");
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /link", "", ""), "HTTP/1.1 426 ");
    gateway_fixture_assert_has(gateway_fixture_call(fixture, "GET /v1/usage", "nat_live_wrong", ""), "HTTP/1.1 401 ");
}

/* --- The operator --- */

static void test_metrics(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    (void)chat(fixture, STORE_KEY_LIVE, "");
    const char *metrics = gateway_fixture_admin(fixture, "GET /metrics", "");
    gateway_fixture_assert_has(metrics, "\nnataris_providers 1\n");
    gateway_fixture_assert_has(metrics, "\nnataris_placements_total 1\n");
    gateway_fixture_assert_has(metrics, "\nnataris_jobs_running 0\n");
    gateway_fixture_assert_has(metrics, "\nnataris_webhooks_running 0\n");
    assert_null(strstr(metrics, "\nnataris_store_records_total 0\n"));
}

static void test_devices_of_both_views(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/providers", ""), "\"connected\":true");
    gateway_fixture_assert_has(call(fixture, "GET /v1/provider/devices", STORE_KEY_LIVE), "\"connected\":true");
    gateway_fixture_close_device(fixture);
    NET_UNTIL(&fixture->net, !gateway_fixture_available(fixture));
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/providers", ""), "\"state\":\"away\"");
}

static void test_a_generation_explained(void **state) {
    struct gateway_fixture *fixture = *state;
    char id[STORE_ID_MAX], line[GATEWAY_URL_SIZE];
    gateway_fixture_join(fixture);
    read_id(chat(fixture, STORE_KEY_LIVE, ""), id);
    (void)snprintf(line, sizeof(line), "GET /admin/jobs/%s", id);
    const char *told = gateway_fixture_admin(fixture, line, "");
    gateway_fixture_assert_has(told, "\"outcome\":\"completed\"");
    gateway_fixture_assert_has(told, "\"name\":\"laptop\"");
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "GET /admin/jobs/chatcmpl-none", ""), "HTTP/1.1 404 ");
}

/* An action is known to the core and to auth before it is answered. */
static void test_an_action_holds_at_once(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "PATCH /admin/accounts/acct_1", "{\"suspended\":true}"),
                               "\"suspended\":true");
    gateway_fixture_assert_has(chat(fixture, STORE_KEY_LIVE, ""), "HTTP/1.1 403 ");
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "DELETE /admin/keys/key_0", ""), "HTTP/1.1 200 OK");
    gateway_fixture_assert_has(chat(fixture, STORE_KEY_LIVE, ""), "HTTP/1.1 401 ");
}

/* A key for a model that the network does not know gets a warning; one for a model that only a device knows does
 * not. */
static void test_models_that_are_offered(void **state) {
    struct gateway_fixture *fixture = *state;
    gateway_fixture_join(fixture);
    gateway_fixture_assert_has(gateway_fixture_admin(fixture, "POST /admin/accounts/acct_1/keys",
                                                     "{\"kind\":\"live\",\"models\":[\"" GATEWAY_OWN_MODEL
                                                     "\",\"nobodys-model\"]}"),
                               "\"warnings\":[\"Neither the catalog nor any provider that is connected has a model "
                               "'nobodys-model'.\"]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GATEWAY_TEST(test_ready_with_a_device),
        GATEWAY_TEST(test_a_chat),
        GATEWAY_TEST(test_a_stream),
        GATEWAY_TEST(test_the_sandbox),
        GATEWAY_TEST(test_nobody_has_the_model),
        GATEWAY_TEST(test_refused_before_any_route),
        GATEWAY_TEST(test_metrics),
        GATEWAY_TEST(test_devices_of_both_views),
        GATEWAY_TEST(test_a_generation_explained),
        GATEWAY_TEST(test_an_action_holds_at_once),
        GATEWAY_TEST(test_models_that_are_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
