/* Models that are offered, and models that are in demand, as a gateway sees them. */
#include "base/digest.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "provider/model_added.h"
#include "unit/provider/provider_fixture.h"

static void offer(struct fixture *fixture, const char *const *offers, size_t count) {
    fixture->options.model_count = 0;
    fixture->options.offers = offers;
    fixture->options.offer_count = count;
}

static void job_loads_an_offered_model(void **state) {
    static const char *const OFFERS[] = {"tiny", "other"};
    struct fixture *fixture = *state;
    fixture->options.script_load_ms = 20;
    offer(fixture, OFFERS, COUNT_OF(OFFERS));
    open_provider(fixture);
    wait_for(fixture, "model tiny cold slots=0");
    wait_for(fixture, "model other cold slots=0");
    assert_false(fixture->takes_wants);
    forget(fixture);
    send_job(fixture, 1, "tiny", "[[script text=\"good day\"]]");
    wait_for(fixture, "model tiny loading");
    assert_int_equal(fixture->active_jobs, 1); /* it counts while it waits */
    wait_for(fixture, "done 1 stop tokens=2");
    assert_non_null(strstr(buf_cstr(&fixture->seen), "model tiny warm slots=2"));
    assert_null(strstr(buf_cstr(&fixture->seen), "model other warm"));
}

static void unused_offer_gets_cold_again(void **state) {
    static const char *const OFFERS[] = {"tiny"};
    struct fixture *fixture = *state;
    fixture->options.keep_warm_ms = 1;
    offer(fixture, OFFERS, COUNT_OF(OFFERS));
    open_provider(fixture);
    wait_for(fixture, "model tiny cold");
    for (unsigned i = 1; i <= 3; i++) {
        forget(fixture);
        send_job(fixture, i, "tiny", "[[script tokens=1]]");
        wait_for(fixture, "stop tokens=1");
        wait_for(fixture, "model tiny cold slots=2");
    }
}

static void waiting_job_is_cancelled(void **state) {
    static const char *const OFFERS[] = {"tiny"};
    struct fixture *fixture = *state;
    fixture->options.script_load_ms = 1000 * 1000;
    offer(fixture, OFFERS, COUNT_OF(OFFERS));
    open_provider(fixture);
    wait_for(fixture, "model tiny cold");
    send_job(fixture, 1, "tiny", "hello");
    wait_for(fixture, "model tiny loading");
    link_peer_send_cancel(fixture->peer, 1);
    wait_for(fixture, "done 1 cancelled tokens=0");
}

static void lost_link_voids_waiting_jobs(void **state) {
    static const char *const OFFERS[] = {"tiny"};
    struct fixture *fixture = *state;
    fixture->options.script_load_ms = 1000 * 1000;
    offer(fixture, OFFERS, COUNT_OF(OFFERS));
    open_provider(fixture);
    wait_for(fixture, "model tiny cold");
    send_job(fixture, 1, "tiny", "hello");
    wait_for(fixture, "model tiny loading");
    forget(fixture);
    link_peer_close(fixture->peer, "test");
    wait_for(fixture, "gone");
    wait_for(fixture, "model tiny loading");
    assert_int_equal(fixture->active_jobs, 0);
}

static void all_offers_what_the_folder_has(void **state) {
    static const char *const OFFERS[] = {"all"};
    struct fixture *fixture = *state;
    fixture->options.model_count = 1;
    fixture->options.offers = OFFERS;
    fixture->options.offer_count = 1;
    temp_tree_write(&fixture->tree, "nataris-demo-2m.gguf", "GGUF");
    const off_t bytes = (off_t)catalog_find(STR("nataris-demo-2m"))->file_bytes;
    assert_int_equal(truncate(temp_tree_path(&fixture->tree, "nataris-demo-2m.gguf"), bytes), 0);
    temp_tree_write(&fixture->tree, "smollm2-135m-instruct-q4_1.gguf.part", "GG"); /* not whole */
    temp_tree_write(&fixture->tree, "unheard-of.gguf", "GGUF");                    /* not in the catalog */
    open_provider(fixture);
    wait_for(fixture, "model nataris-demo-2m cold");
    wait_for(fixture, "model tiny warm");
    assert_null(strstr(buf_cstr(&fixture->seen), "smollm2"));
    assert_null(strstr(buf_cstr(&fixture->seen), "unheard"));
}

static void added_model_is_among_all(void **state) {
    static const char *const OFFERS[] = {"all"}, CONTENT[] = "GGUF and so on";
    const char *const urls[] = {"https://host.example/my-model.gguf"};
    struct fixture *fixture = *state;
    struct model_added added;
    uint8_t digest[DIGEST_SHA256_SIZE];
    char hash[DIGEST_HEX_SIZE];
    digest_sha256(CONTENT, strlen(CONTENT), digest);
    digest_hex(digest, sizeof(digest), hash);
    assert_true(model_added_init(&added, "my-model", hash, urls, 1, NULL));
    assert_true(model_added_write(&added, fixture->options.model_folder, NULL));
    temp_tree_write(&fixture->tree, "my-model.gguf", CONTENT);
    fixture->options.offers = OFFERS;
    fixture->options.offer_count = 1;
    open_provider(fixture);
    wait_for(fixture, "model my-model cold");
}

static void wanted_model_comes(void **state) {
    struct fixture *fixture = *state;
    fixture->options.model_count = 0;
    fixture->options.auto_models = true;
    open_provider(fixture);
    wait_for(fixture, "hello");
    while (!fixture->takes_wants) {
        uv_run(loop_uv(fixture->loop), UV_RUN_ONCE);
    }
    link_peer_send_want(fixture->peer, STR("no-such-model"));
    link_peer_send_want(fixture->peer, STR("nataris-demo-2m"));
    wait_for(fixture, "model nataris-demo-2m warm");
    assert_null(strstr(buf_cstr(&fixture->seen), "no-such-model"));
    send_job(fixture, 1, "nataris-demo-2m", "[[script tokens=1]]");
    wait_for(fixture, "done 1 stop");
}

static void paused_device_ignores_wants(void **state) {
    struct fixture *fixture = *state;
    fixture->options.auto_models = true;
    fixture->options.limits.only_charging = true; /* it has a battery, and no charger */
    fixture->options.device_root = fixture->tree.path;
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/type", "Battery\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/capacity", "50\n");
    temp_tree_write(&fixture->tree, "sys/class/power_supply/BAT0/status", "Discharging\n");
    temp_tree_write(&fixture->tree, "proc/cpuinfo", "processor : 0\n");
    temp_tree_write(&fixture->tree, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n");
    open_warm(fixture);
    link_peer_send_want(fixture->peer, STR("nataris-demo-2m"));
    send_job(fixture, 1, "tiny", "hello"); /* answered behind the want */
    wait_for(fixture, "error 1 overloaded");
    assert_null(strstr(buf_cstr(&fixture->seen), "nataris-demo-2m"));
    provider_stop(fixture->provider, 0);
    wait_for(fixture, "stopped well");
    assert_null(strstr(buf_cstr(&fixture->seen), "nataris-demo-2m"));
}

static void offers_at_fault(void **state) {
    static const char *const TWICE[] = {"tiny"};
    struct fixture *fixture = *state;
    struct err err = {0};
    fixture->options.offers = TWICE; /* named by --model, too */
    fixture->options.offer_count = 1;
    assert_false(provider_open(&fixture->provider, fixture->loop, &fixture->options, &EVENTS, fixture, &err));
    assert_string_equal(err.message, "model tiny is given twice");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(job_loads_an_offered_model),   TEST(unused_offer_gets_cold_again),   TEST(waiting_job_is_cancelled),
        TEST(lost_link_voids_waiting_jobs), TEST(all_offers_what_the_folder_has), TEST(wanted_model_comes),
        TEST(added_model_is_among_all),     TEST(paused_device_ignores_wants),    TEST(offers_at_fault)};
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
