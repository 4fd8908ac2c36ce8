#include "unit/core/core_fixture.h"

enum { MANY = 500 };

/* The earliest time of the heap; walks nothing. */
static uint64_t earliest(const struct core *core) {
    return core->deadlines.entries[0].at_ms;
}

static void the_earliest_comes_first(void **state) {
    struct core *core = fixture_start(state)->core;
    struct core_deadline deadlines[MANY] = {0};
    struct random_source random = {.state = 7};
    for (size_t i = 0; i < MANY; i++) {
        core_deadline_set(core, &deadlines[i], 1 + random_below(&random, 100));
    }
    for (size_t i = 0; i < MANY; i += 3) { /* from the middle too */
        core_deadline_unset(core, &deadlines[i]);
        assert_false(core_deadline_is_set(&deadlines[i]));
    }
    uint64_t last = 0;
    core->deadlines.armed_ms = 0; /* the timer is no part of this test */
    while (core->deadlines.count > 0) {
        assert_true(core_deadlines_check(core));
        assert_true(earliest(core) >= last);
        last = earliest(core);
        core_deadline_unset(core, core->deadlines.entries[0].deadline);
    }
    core_deadline_unset(core, &deadlines[0]); /* not set: nothing happens */
}

static void postponing_leaves_the_heap_alone(void **state) {
    struct core *core = fixture_start(state)->core;
    struct core_deadline a = {0}, b = {0};
    core_deadline_set(core, &a, 10);
    core_deadline_set(core, &b, 20);
    core_deadline_set(core, &a, 1000);
    assert_int_equal(earliest(core), 10);
    assert_int_equal(a.due_ms, 1000);
    core_deadline_set(core, &b, 5); /* but an earlier time counts at once */
    assert_int_equal(earliest(core), 5);
    core_deadline_unset(core, &a);
    core_deadline_unset(core, &b);
}

static void what_comes_up_too_early_is_put_back(void **state) {
    struct fixture *f = (struct fixture *)*state;
    f->config.accept_ms = 100;
    f->config.silence_ms = 1000;
    f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_WAKE)->wake_at_ms, 100);
    fixture_delta(f, generation, provider, 1);
    fixture_at(f, 100);
    assert_int_equal(f->effects.count, 1);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_WAKE)->wake_at_ms, 1000);
    fixture_at(f, 1000);
    assert_non_null(fixture_effect(f, CORE_EFFECT_CANCEL));
}

static void deadlines_fire_in_any_step_not_only_the_timers(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_provider(f, 1);
    fixture_request(f, 0);
    f->now_ms = f->config.accept_ms;
    fixture_join(f, 9);
    assert_non_null(fixture_effect(f, CORE_EFFECT_CANCEL));
}

static void a_word_in_the_last_millisecond_is_in_time(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    f->now_ms = f->config.accept_ms;
    fixture_plain(f, CORE_EVENT_ACCEPT, generation, provider);
    assert_non_null(fixture_effect(f, CORE_EFFECT_ACCEPTED));
    assert_null(fixture_effect(f, CORE_EFFECT_CANCEL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_earliest_comes_first),
        FIXTURE_TEST(postponing_leaves_the_heap_alone),
        FIXTURE_TEST(what_comes_up_too_early_is_put_back),
        FIXTURE_TEST(deadlines_fire_in_any_step_not_only_the_timers),
        FIXTURE_TEST(a_word_in_the_last_millisecond_is_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
