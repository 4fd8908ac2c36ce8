#include "unit/core/core_fixture.h"

static void the_timer_is_not_moved_for_what_comes_later(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_provider(f, 8);
    fixture_request(f, 0);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_WAKE)->wake_at_ms, f->config.accept_ms);
    f->now_ms = 10;
    fixture_request(f, 1);
    assert_null(fixture_effect(f, CORE_EFFECT_WAKE));
}

static void a_timer_that_came_too_early_is_armed_again(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_provider(f, 8);
    fixture_request(f, 0);
    fixture_at(f, f->config.accept_ms - 1);
    assert_int_equal(f->effects.count, 1);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_WAKE)->wake_at_ms, f->config.accept_ms);
}

static void effects_of_a_generation_name_its_user_and_provider(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 77);
    const struct core_effect *admitted = fixture_effect(f, CORE_EFFECT_ADMITTED);
    assert_int_equal(admitted->user, 77);
    assert_true(admitted->provider == CORE_NO_HANDLE);
    const struct core_effect *dispatch = fixture_effect(f, CORE_EFFECT_DISPATCH);
    assert_true(dispatch->generation == generation && dispatch->provider == provider && dispatch->user == 77);
}

static void a_step_may_have_many_effects(void **state) {
    enum { GENERATIONS = 300 };
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, GENERATIONS);
    for (uint64_t i = 0; i < GENERATIONS; i++) {
        fixture_delta(f, fixture_request(f, i), provider, 1);
    }
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    fixture_at(f, f->config.queue_ms); /* nobody continues them */
    assert_int_equal(fixture_count(f, CORE_EFFECT_FAIL), GENERATIONS);
    for (size_t i = 0; i < f->effects.count; i++) {
        assert_true(f->effects.items[i].provider == CORE_NO_HANDLE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_timer_is_not_moved_for_what_comes_later),
        FIXTURE_TEST(a_timer_that_came_too_early_is_armed_again),
        FIXTURE_TEST(effects_of_a_generation_name_its_user_and_provider),
        FIXTURE_TEST(a_step_may_have_many_effects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
