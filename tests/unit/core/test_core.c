#include "unit/core/core_fixture.h"

static void the_defaults_are_the_documented_ones(void **state UNUSED) {
    struct core_config config;
    core_config_init(&config);
    assert_int_equal(config.max_generations, 8192);
    assert_int_equal(config.max_queue, 1024);
    assert_int_equal(config.max_providers, 20000);
    assert_int_equal(config.max_accounts, 1000000);
    assert_int_equal(config.max_attempts, 6);
    assert_int_equal(config.failover_ms, 15000);
    assert_int_equal(config.backoff_step_ms, 250);
    assert_int_equal(config.retry_percent, 20);
    assert_int_equal(config.retry_floor, 3);
    assert_int_equal(config.load_ms, 5000);
    assert_int_equal(config.queue_ms, 15000);
    assert_int_equal(config.accept_ms, 2000);
    assert_int_equal(config.first_token_ms, 15000);
    assert_int_equal(config.first_token_per_prompt_token_us, 20000);
    assert_int_equal(config.silence_ms, 15000);
    assert_int_equal(config.whole_ms, 60000);
    assert_int_equal(config.whole_per_token_ms, 250);
    assert_int_equal(config.cancel_ms, 5000);
    assert_int_equal(config.cooldown_ms, 10000);
    assert_int_equal(config.warming_retry_s, 300);
    assert_false(config.trace);
}

static void any_configuration_is_brought_within_bounds(void **state) {
    struct fixture *f = (struct fixture *)*state;
    f->config = (struct core_config){.max_generations = UINT32_MAX, .max_providers = UINT32_MAX, .max_attempts = 100};
    f = fixture_start(state);
    assert_int_equal(f->core->config.max_generations, CORE_HANDLE_LIMIT);
    assert_int_equal(f->core->config.max_attempts, CORE_ATTEMPTS_MAX);
    fixture_provider(f, 1);
    assert_true(fixture_request(f, 0) != CORE_NO_HANDLE); /* and no deadline of 0 ms ends it in its first step */
    assert_null(fixture_effect(f, CORE_EFFECT_FAIL));
}

static void the_clock_never_goes_back(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_at(f, 5000);
    fixture_provider(f, 1);
    f->now_ms = 10;
    fixture_request(f, 0);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_WAKE)->wake_at_ms, 5000 + f->config.accept_ms);
}

static void the_counts_tell_who_is_where(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 3);
    fixture_request(f, 0);
    uint64_t second = fixture_request(f, 1), third = fixture_request(f, 2);
    fixture_request(f, 3);
    fixture_plain(f, CORE_EVENT_ACCEPT, second, provider);
    fixture_plain(f, CORE_EVENT_CLIENT_GONE, second, 0);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 2);
    fixture_plain(f, CORE_EVENT_DONE, third, provider);
    struct core_counts counts = core_counts(f->core);
    assert_int_equal(counts.generations, 4);
    assert_int_equal(counts.queued, 1);
    assert_int_equal(counts.running, 1);
    assert_int_equal(counts.cancelling, 1);
    assert_int_equal(counts.settling, 1);
    assert_int_equal(counts.providers, 1);
    assert_int_equal(counts.models, 1);
}

static void a_core_is_freed_with_all_that_goes_on(void **state) {
    struct fixture *f = fixture_start(state); /* the teardown frees it; the address sanitizer would see a leak */
    uint64_t provider = fixture_provider(f, 3);
    fixture_request(f, 0);
    fixture_at(f, f->config.accept_ms); /* a ghost, and a generation that waits */
    fixture_at(f, f->config.accept_ms + f->config.cooldown_ms);
    fixture_delta(f, fixture_request(f, 1), provider, 1);
    uint64_t gone = fixture_request(f, 2);
    fixture_plain(f, CORE_EVENT_ACCEPT, gone, provider);
    fixture_plain(f, CORE_EVENT_CLIENT_GONE, gone, 0);
    fixture_plain(f, CORE_EVENT_DONE, gone, provider);
    fixture_account(f, 1000);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_KEY, .key = {.key = 1, .cap_nano = -1}});
    fixture_paid_request(f, 1);
    assert_int_equal(core_counts(f->core).generations, 4);
    assert_int_equal(core_counts(f->core).settling, 1);
    assert_int_equal(fixture_view(f, 1).held_nano, FIXTURE_PAID_NANO);
    core_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_the_documented_ones),
        FIXTURE_TEST(any_configuration_is_brought_within_bounds),
        FIXTURE_TEST(the_clock_never_goes_back),
        FIXTURE_TEST(the_counts_tell_who_is_where),
        FIXTURE_TEST(a_core_is_freed_with_all_that_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
