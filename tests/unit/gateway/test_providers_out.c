/* Who is thrown out while it is linked, and what follows for what it was doing. */
#include "gateway/providers.h"

#include "unit/gateway/shell_fixture.h"

/* A device of `owner` under the id that the store would have given it. */
static void join(struct shell_fixture *fixture, struct link_peer *peer, const char *name, const char *owner) {
    fake_store.owner = owner;
    shell_join(fixture, peer, name, LINK_MODEL_WARM, 4096);
}

static void stand(struct shell_fixture *fixture, const struct link_peer *peer, enum store_standing standing) {
    struct store_device device = {.standing = standing};
    (void)str_copy(device.id, sizeof(device.id), str_from(peer->admitted));
    providers_stands(&fixture->shell.providers, &device);
}

/* Its job goes to another device at once, and what it says after that is nobody's. */
static void test_a_removed_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    struct shell_call call = {0};
    join(fixture, &first, "first", "acct_1");
    shell_ask(fixture, &call, "chatcmpl-1");
    join(fixture, &second, "second", "acct_2");
    shell_accept(fixture, &first);
    shell_delta(fixture, &first, "one ", 1);
    stand(fixture, &first, STORE_STANDING_REMOVED);
    assert_non_null(strstr(first.denied, "removed from the network"));
    assert_int_equal(providers_connected(&fixture->shell.providers), 1);
    assert_int_equal(second.generations, 1);
    shell_delta(fixture, &first, "evil", 1);
    shell_answer(fixture, &second, "two");
    assert_int_equal(call.finished, 1);
    assert_string_equal(buf_cstr(&call.call.text), "one two");
    stand(fixture, &first, STORE_STANDING_REMOVED); /* again, while its link still closes */
    shell_call_clear(&call);
}

static void test_quarantine_and_release(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    join(fixture, &peer, "laptop", "acct_1");
    stand(fixture, &peer, STORE_STANDING_QUARANTINED);
    assert_string_equal(peer.denied, "");
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_int_equal(call.failed, 1);
    assert_int_equal(peer.generations, 0);
    shell_call_clear(&call);
    canaries_due(&fixture->canaries); /* that reaches it */
    assert_int_equal(peer.generations, 1);
    shell_error(fixture, &peer, GEN_FAILURE_OVERLOADED);
    shell_status(fixture, &peer, LINK_MODEL_WARM, 4096);
    stand(fixture, &peer, STORE_STANDING_SERVING);
    shell_ask(fixture, &call, "chatcmpl-2");
    assert_int_equal(peer.generations, 2);
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.finished, 1);
    shell_call_clear(&call);
}

/* The store says so when it comes back. */
static void test_it_comes_back_into_quarantine(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    fake_store.device = (struct store_device){.id = "prov_1", .standing = STORE_STANDING_QUARANTINED};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    assert_string_equal(peer.admitted, "prov_1");
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_int_equal(call.failed, 1);
    assert_int_equal(peer.generations, 0);
    shell_call_clear(&call);
}

static void test_a_suspended_account(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer own[2], other;
    struct shell_call call = {0};
    join(fixture, &own[0], "one", "acct_bad");
    shell_ask(fixture, &call, "chatcmpl-1");
    join(fixture, &own[1], "two", "acct_bad");
    join(fixture, &other, "other", "acct_badly"); /* its id only begins like it */
    providers_suspended(&fixture->shell.providers, "acct_bad");
    assert_non_null(strstr(own[0].denied, "suspended"));
    assert_non_null(strstr(own[1].denied, "suspended"));
    assert_string_equal(other.denied, "");
    assert_int_equal(own[1].generations, 0);
    assert_int_equal(other.generations, 1);
    shell_answer(fixture, &other, "hi");
    assert_int_equal(call.finished, 1);
    shell_call_clear(&call);
}

/* Its own key is its word for it. */
static void test_one_that_leaves_for_good(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    join(fixture, &peer, "laptop", "acct_1");
    PROVIDERS_LINK_EVENTS.on_leave(&fixture->shell.providers, &peer);
    assert_int_equal(fake_store.admin.kind, STORE_ADMIN_DEVICE_REMOVE);
    assert_string_equal(fake_store.admin.device.id, peer.admitted);
    assert_non_null(strstr(peer.denied, "removed from the network"));
    assert_int_equal(providers_connected(&fixture->shell.providers), 0);
}

/* The same device with a new key: whoever still has the old one is told for good. */
static void test_a_replaced_key(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer older, newer;
    fake_store.device = (struct store_device){.id = "prov_1", .public_key = {1}};
    shell_hello(fixture, &older, "laptop");
    fake_store.device.public_key[0] = 2;
    shell_hello(fixture, &newer, "laptop");
    assert_non_null(strstr(older.denied, "replaced"));
    assert_string_equal(newer.admitted, "prov_1");
    assert_int_equal(providers_connected(&fixture->shell.providers), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_a_removed_device),
        SHELL_TEST(test_quarantine_and_release),
        SHELL_TEST(test_it_comes_back_into_quarantine),
        SHELL_TEST(test_a_suspended_account),
        SHELL_TEST(test_one_that_leaves_for_good),
        SHELL_TEST(test_a_replaced_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
