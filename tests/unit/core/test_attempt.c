#include "unit/core/core_fixture.h"

static void a_ghost_keeps_its_slot_until_the_device_answers(void **state) {
    ((struct fixture *)*state)->config.cooldown_ms = 0;
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_request(f, 0);
    fixture_at(f, f->config.accept_ms);
    assert_true(fixture_effect(f, CORE_EFFECT_CANCEL)->provider == provider);
    assert_int_equal(f->core->ghosts, 1);
    uint64_t waiting = fixture_request(f, 1);
    fixture_delta(f, generation, provider, 1); /* not an answer */
    fixture_plain(f, CORE_EVENT_DONE, waiting, provider);
    assert_int_equal(f->core->ghosts, 1);
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    assert_int_equal(f->core->ghosts, 0);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == waiting);
}

static void a_ghost_goes_when_its_time_is_over(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_provider(f, 1);
    fixture_request(f, 0);
    fixture_at(f, f->config.accept_ms);
    fixture_at(f, f->config.accept_ms + f->config.cancel_ms - 1);
    assert_int_equal(f->core->ghosts, 1);
    fixture_at(f, f->config.accept_ms + f->config.cancel_ms);
    assert_int_equal(f->core->ghosts, 0);
}

static void ghosts_are_bounded(void **state) {
    struct fixture *f = (struct fixture *)*state;
    f->config.max_generations = 1;
    f->config.max_attempts = 1;
    f->config.cooldown_ms = 0;
    f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2);
    fixture_request(f, 0);
    fixture_at(f, f->config.accept_ms);
    assert_int_equal(f->core->ghosts, 1);
    fixture_request(f, 1);
    fixture_at(f, 2 * (uint64_t)f->config.accept_ms);
    assert_non_null(fixture_effect(f, CORE_EFFECT_CANCEL));
    assert_int_equal(f->core->ghosts, 1); /* the second is not remembered: its slot is free at once */
    fixture_request(f, 2);
    assert_true(fixture_dispatched(f) == provider);
}

static void a_ghosts_failure_is_no_penalty_but_its_facts_count(void **state) {
    struct fixture *f = fixture_start(state);
    f->core->config.cooldown_ms = 1;
    uint64_t provider = fixture_provider(f, 4), first = fixture_request(f, 0), second = fixture_request(f, 1);
    fixture_at(f, f->config.accept_ms);
    f->core->config.cooldown_ms = 10000;
    fixture_at(f, f->config.accept_ms + 1);
    fixture_error(f, first, provider, CORE_ATTEMPT_ENGINE);
    assert_false(core_deadline_is_set(&fixture_provider_of(f, provider)->cooldown));
    fixture_error(f, second, provider, CORE_ATTEMPT_DRAINING);
    assert_true(fixture_provider_of(f, provider)->draining);
}

static void the_same_generation_may_be_a_ghost_on_several(void **state) {
    ((struct fixture *)*state)->config.max_attempts = 3;
    ((struct fixture *)*state)->config.backoff_step_ms = 0;
    struct fixture *f = fixture_start(state);
    for (int i = 0; i < 3; i++) {
        fixture_provider(f, 1);
    }
    uint64_t generation = fixture_request(f, 0);
    uint64_t first = fixture_dispatched(f);
    fixture_at(f, f->config.accept_ms);
    uint64_t second = fixture_dispatched(f);
    fixture_at(f, 2 * (uint64_t)f->config.accept_ms);
    uint64_t third = fixture_dispatched(f);
    assert_int_equal(f->core->ghosts, 2);
    fixture_plain(f, CORE_EVENT_DONE, generation, first);
    assert_null(fixture_effect(f, CORE_EFFECT_FINISH));
    fixture_error(f, generation, second, CORE_ATTEMPT_BAD_REQUEST);
    assert_null(fixture_effect(f, CORE_EFFECT_FAIL));
    assert_int_equal(f->core->ghosts, 0);
    fixture_plain(f, CORE_EVENT_DONE, generation, third);
    fixture_committed(f, generation, true);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_FINISH)->finish.attempts, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_ghost_keeps_its_slot_until_the_device_answers),
        FIXTURE_TEST(a_ghost_goes_when_its_time_is_over),
        FIXTURE_TEST(ghosts_are_bounded),
        FIXTURE_TEST(a_ghosts_failure_is_no_penalty_but_its_facts_count),
        FIXTURE_TEST(the_same_generation_may_be_a_ghost_on_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
