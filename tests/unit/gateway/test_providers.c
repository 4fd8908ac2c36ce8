/* Links from hello to gone: who is admitted, denied or sent away, and what replaces what. What a link's messages are to
 * the core is in test_providers_events.c. */
#include "gateway/providers.h"

#include "core/explain.h"
#include "unit/gateway/shell_fixture.h"

static const struct gateway_provider *by_id(const struct shell_fixture *fixture, const char *id) {
    return providers_by_id(&fixture->shell.providers, id);
}

static void test_a_new_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_hello(fixture, &peer, "laptop");
    assert_int_equal(fake_store.enrolled, 1);
    assert_true(str_starts_with(str_from(peer.admitted), STR("prov_")));
    assert_string_equal(peer.admitted, fake_store.candidate.id);
    assert_string_equal(fake_store.candidate.name, "laptop");
    assert_string_equal(fake_store.candidate.region, "DE");
    assert_true(fake_store.candidate.created_ms > 0);
    const struct gateway_provider *provider = shell_provider(&peer);
    assert_ptr_equal(by_id(fixture, peer.admitted), provider);
    assert_ptr_equal(providers_find(&fixture->shell.providers, provider->handle), provider);
    assert_int_equal(providers_connected(&fixture->shell.providers), 1);
    assert_true(provider->joined_ms > 0);
    assert_null(by_id(fixture, "prov_other"));
    assert_null(providers_find(&fixture->shell.providers, provider->handle + 1));
}

/* It comes back with what was kept of it, under the id that the store has. */
static void test_a_known_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct core_provider_view view;
    fake_store.device = (struct store_device){.id = "prov_known",
                                              .region = "toolong",
                                              .verified = true,
                                              .record = {.generations = 40, .success = 900, .kept_ms = 1000}};
    shell_hello(fixture, &peer, "laptop");
    assert_string_equal(peer.admitted, "prov_known");
    assert_true(core_provider_view(fixture->shell.core.core, shell_provider(&peer)->handle,
                                   core_loop_now_ms(&fixture->shell.core), &view));
    assert_int_equal(view.record.generations, 40);
    assert_int_equal(view.record.success, 900);
}

/* For good: the device does not come back by itself. */
static void test_one_that_nobody_knows(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    (void)err_set(&fake_store.enrol_err, ERR_DENIED, "unknown device and no valid join token");
    shell_hello(fixture, &peer, "laptop");
    assert_string_equal(peer.denied, "unknown device and no valid join token");
    assert_string_equal(peer.closed, "");
    assert_int_equal(providers_connected(&fixture->shell.providers), 0);
}

/* For now: it tries again with back-off. */
static void test_the_store_cannot_say(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    (void)err_set(&fake_store.enrol_err, ERR_UNAVAILABLE, "busy");
    shell_hello(fixture, &peer, "laptop");
    assert_string_equal(peer.closed, "the gateway cannot enrol devices at the moment");
    assert_string_equal(peer.denied, "");
}

static void test_more_than_the_core_holds(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    struct core_config config;
    shell_fixture_config(&config);
    config.max_providers = 1;
    shell_fixture_reopen(fixture, &config);
    shell_hello(fixture, &first, "first");
    shell_hello(fixture, &second, "second");
    assert_string_equal(second.closed, "the gateway has as many providers as it can hold");
    assert_string_equal(second.admitted, "");
    assert_int_equal(providers_connected(&fixture->shell.providers), 1);
}

/* The link closes while the store is asked: the answer finds nobody. */
static void test_gone_while_the_store_is_asked(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    fake_store.enrols_later = true;
    shell_hello(fixture, &peer, "laptop");
    assert_non_null(fixture->shell.providers.list);
    shell_leave(&peer);
    assert_non_null(fixture->shell.providers.list);
    fake_store_enrol_now();
    assert_null(fixture->shell.providers.list);
    assert_string_equal(peer.admitted, "");
}

/* A device has one link: a new one replaces an older one that the network has not reported as broken yet, and goes on
 * with its record. */
static void test_a_newer_link(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer older, newer;
    fake_store.device = (struct store_device){.id = "prov_known"};
    shell_hello(fixture, &older, "laptop");
    const uint64_t handle = shell_provider(&older)->handle;
    shell_hello(fixture, &newer, "laptop");
    assert_string_equal(older.closed, "replaced by a newer link of this device");
    assert_string_equal(newer.admitted, "prov_known");
    assert_int_equal(providers_connected(&fixture->shell.providers), 1);
    assert_ptr_equal(by_id(fixture, "prov_known"), shell_provider(&newer));
    assert_int_not_equal(shell_provider(&newer)->handle, handle);
    assert_int_equal(fake_store.kept, 1);
    assert_int_equal(shell_provider(&newer)->device.record.kept_ms, fake_store.record.kept_ms);
    assert_string_equal(stories_find_device(fixture->shell.stories, handle)->id, "prov_known");
    shell_leave(&older); /* its own end changes nothing any more */
    assert_ptr_equal(by_id(fixture, "prov_known"), shell_provider(&newer));
    assert_int_equal(fake_store.kept, 1);
}

static void test_one_that_leaves(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    const uint64_t handle = shell_provider(&peer)->handle;
    const unsigned changed = fixture->models_changed;
    assert_int_equal(core_model_availability(fixture->shell.core.core, STR(SHELL_MODEL), NULL), CORE_MODEL_AVAILABLE);
    shell_leave(&peer);
    assert_int_equal(core_model_availability(fixture->shell.core.core, STR(SHELL_MODEL), NULL), CORE_MODEL_ABSENT);
    assert_int_equal(fixture->models_changed, changed + 1);
    assert_null(providers_find(&fixture->shell.providers, handle));
    assert_int_equal(fake_store.kept, 1);
    assert_string_equal(stories_find_device(fixture->shell.stories, handle)->name, "laptop");
}

/* --- What a device may do has changed --- */

static struct store_device marked(const struct link_peer *peer, bool verified) {
    struct store_device device = {.verified = verified};
    (void)str_copy(device.id, sizeof(device.id), str_from(shell_device_id(peer)));
    return device;
}

static void test_a_mark_for_an_idle_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    struct store_device device = marked(&peer, false);
    providers_verified(&fixture->shell.providers, &device); /* it has that already */
    assert_string_equal(peer.closed, "");
    device = marked(&peer, true);
    providers_verified(&fixture->shell.providers, &device);
    assert_string_equal(peer.closed, "the operator has changed what this device may do");
    providers_verified(&fixture->shell.providers, &(struct store_device){.id = "prov_away", .verified = true});
}

/* What it does is not cut off for it. */
static void test_a_mark_for_a_busy_device(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    const struct store_device device = marked(&peer, true);
    providers_verified(&fixture->shell.providers, &device);
    assert_string_equal(peer.closed, "");
    shell_answer(fixture, &peer, "hi");
    assert_int_equal(call.finished, 1);
    assert_string_equal(peer.closed, "the operator has changed what this device may do");
    shell_call_clear(&call);
}

/* --- Those who take one after the other --- */

static void test_rotation(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer first, second;
    assert_null(providers_rotate(&fixture->shell.providers));
    shell_hello(fixture, &first, "first");
    assert_ptr_equal(providers_rotate(&fixture->shell.providers), shell_provider(&first));
    shell_hello(fixture, &second, "second");
    assert_ptr_equal(providers_rotate(&fixture->shell.providers), shell_provider(&first));
    assert_ptr_equal(providers_rotate(&fixture->shell.providers), shell_provider(&second));
    assert_ptr_equal(providers_rotate(&fixture->shell.providers), shell_provider(&first));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_a_new_device),
        SHELL_TEST(test_a_known_device),
        SHELL_TEST(test_one_that_nobody_knows),
        SHELL_TEST(test_the_store_cannot_say),
        SHELL_TEST(test_more_than_the_core_holds),
        SHELL_TEST(test_gone_while_the_store_is_asked),
        SHELL_TEST(test_a_newer_link),
        SHELL_TEST(test_one_that_leaves),
        SHELL_TEST(test_a_mark_for_an_idle_device),
        SHELL_TEST(test_a_mark_for_a_busy_device),
        SHELL_TEST(test_rotation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
