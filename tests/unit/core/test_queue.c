#include "unit/core/core_fixture.h"

static void first_come_first_served(void **state) {
    enum { JOBS = 20 };
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0), jobs[JOBS];
    fixture_offer(f, provider, "m", CORE_MODEL_LOADING, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = fixture_request(f, i);
    }
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, JOBS);
    size_t dispatched = 0;
    for (size_t i = 0; i < f->effects.count; i++) {
        if (f->effects.items[i].kind == CORE_EFFECT_DISPATCH) {
            assert_true(f->effects.items[i].job == jobs[dispatched++]);
        }
    }
    assert_int_equal(dispatched, JOBS);
}

static void a_job_that_comes_back_goes_in_front(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), first = fixture_request(f, 0);
    fixture_request(f, 1);
    fixture_error(f, first, provider, CORE_ATTEMPT_ENGINE);
    assert_int_equal(core_counts(f->core).queued, 2);
    fixture_provider(f, 1);
    assert_int_equal(fixture_count(f, CORE_EFFECT_DISPATCH), 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->job == first);
}

static void nobody_waits_behind_a_job_that_cannot_go(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), first = fixture_request(f, 0), second = fixture_request(f, 1);
    fixture_error(f, first, provider, CORE_ATTEMPT_OVERLOADED);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->job == second);
    assert_int_equal(core_counts(f->core).queued, 1);
}

static void models_do_not_wait_for_each_other(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t busy = fixture_provider(f, 1), other = fixture_join(f, 1);
    fixture_offer(f, other, "n", CORE_MODEL_WARM, 1);
    fixture_request(f, 0);
    fixture_request(f, 1);
    assert_int_equal(core_counts(f->core).queued, 1);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST, .request = {.user = 2, .model = STR("n")}});
    assert_true(fixture_dispatched(f) == other);
    assert_true(busy != other);
}

static void jobs_that_come_back_may_exceed_the_queue(void **state) {
    ((struct fixture *)*state)->config.max_queue = 1;
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2);
    fixture_request(f, 0);
    fixture_request(f, 1);
    fixture_request(f, 2);
    fixture_provider(f, 0);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_int_equal(core_counts(f->core).queued, 3);
    assert_true(fixture_request(f, 3) == CORE_NO_HANDLE);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_QUEUE_FULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(first_come_first_served),
        FIXTURE_TEST(a_job_that_comes_back_goes_in_front),
        FIXTURE_TEST(nobody_waits_behind_a_job_that_cannot_go),
        FIXTURE_TEST(models_do_not_wait_for_each_other),
        FIXTURE_TEST(jobs_that_come_back_may_exceed_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
