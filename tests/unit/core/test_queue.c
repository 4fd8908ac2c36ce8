#include "unit/core/place_fixture.h"

static void first_come_first_served(void **state) {
    enum { GENERATIONS = 20 };
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0), generations[GENERATIONS];
    fixture_offer(f, provider, "m", CORE_MODEL_LOADING, GENERATIONS);
    for (size_t i = 0; i < GENERATIONS; i++) {
        generations[i] = fixture_request(f, i);
    }
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, GENERATIONS);
    size_t dispatched = 0;
    for (size_t i = 0; i < f->effects.count; i++) {
        if (f->effects.items[i].kind == CORE_EFFECT_DISPATCH) {
            assert_true(f->effects.items[i].generation == generations[dispatched++]);
        }
    }
    assert_int_equal(dispatched, GENERATIONS);
}

static void a_generation_that_comes_back_goes_in_front(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2), first = fixture_request(f, 0), second = fixture_request(f, 1);
    fixture_request(f, 2);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_int_equal(core_counts(f->core).queued, 3);
    fixture_provider(f, 1);
    assert_int_equal(fixture_count(f, CORE_EFFECT_DISPATCH), 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == first);
    fixture_provider(f, 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == second);
}

static void what_has_begun_goes_before_all_that_waited_longer(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2), first = fixture_request(f, 0), begun = fixture_request(f, 1);
    fixture_request(f, 2);
    fixture_delta(f, begun, provider, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    fixture_provider(f, 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == begun);
    fixture_provider(f, 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == first);
}

static void nobody_waits_behind_a_generation_that_cannot_go(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1), first = fixture_request(f, 0), second = fixture_request(f, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, provider); /* never again for the first */
    fixture_plain(f, CORE_EVENT_DONE, first, provider);        /* its ghost has gone */
    fixture_plain(f, CORE_EVENT_PROVIDER_ALIVE, 0, provider);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == second);
    assert_int_equal(core_counts(f->core).queued, 1);
    assert_true(fixture_generation_of(f, first)->looked);
}

/* A request of an account that is known, free of charge. */
static uint64_t request_of(struct fixture *f, uint64_t account) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.model = STR("m"), .max_tokens = 5, .account = account}});
    return fixture_effect(f, CORE_EFFECT_ADMITTED)->generation;
}

static void a_crowd_of_one_account_delays_another_by_one_generation(void **state) {
    enum { CROWD = 100 };
    struct fixture *f = fixture_start(state);
    for (uint64_t account = 1; account <= 2; account++) {
        fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCOUNT, .account = {.account = account}});
    }
    uint64_t provider = fixture_provider(f, 1), running = request_of(f, 1);
    for (int i = 0; i < CROWD; i++) {
        request_of(f, 1);
    }
    uint64_t single = request_of(f, 2);
    fixture_done(f, running, provider, 1, 1);
    uint64_t next = fixture_effect(f, CORE_EFFECT_DISPATCH)->generation;
    assert_true(next != single);
    fixture_done(f, next, provider, 1, 1);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == single);
}

static void the_retry_budget_grows_with_the_generations(void **state) {
    enum { GENERATIONS = 100 };
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, GENERATIONS);
    for (uint64_t i = 0; i < GENERATIONS; i++) {
        fixture_request(f, i);
    }
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    uint64_t other = fixture_provider(f, GENERATIONS);
    assert_int_equal(fixture_count(f, CORE_EFFECT_DISPATCH), GENERATIONS * f->config.retry_percent / 100);
    /* A first token frees one place, and takes away a fifth of one. */
    uint64_t generation = fixture_effect(f, CORE_EFFECT_DISPATCH)->generation;
    fixture_delta(f, generation, other, 1);
    assert_int_equal(f->core->fresh, GENERATIONS - 1);
    assert_int_equal(f->core->retrying, 19);
    fixture_request(f, GENERATIONS);
    assert_int_equal(fixture_count(f, CORE_EFFECT_DISPATCH), 2); /* itself, and one more of those that wait */
    assert_int_equal(f->core->retrying, 20);
}

static void what_has_begun_needs_no_retry_budget(void **state) {
    struct fixture *f = (struct fixture *)*state;
    f->config.retry_floor = 1;
    f->config.retry_percent = 0;
    f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2), begun = fixture_request(f, 0);
    fixture_delta(f, begun, provider, 1);
    fixture_request(f, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    uint64_t second = fixture_provider(f, 4);
    assert_int_equal(f->core->retrying, 1); /* the other one has taken all of it */
    uint64_t third = fixture_provider(f, 1);
    fixture_error(f, begun, second, CORE_ATTEMPT_ENGINE);
    assert_true(fixture_dispatched(f) == third);
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

enum { CROWD = 1000, PLACEMENTS_MOST = 17 /* of a step */ };

/* Its region's only device is busy. If each wants less than the one before, what is known of that says nothing. */
static uint64_t join_crowd(struct fixture *f, uint32_t shrinks_by) {
    uint64_t busy = device_join(f, 0, &(struct device){.region = "FR", .context_length = 100000});
    for (uint32_t i = 0; i < CROWD; i++) {
        (void)device_request(f, &(struct wish){.region = "FR", .max_tokens = 90000 - i * shrinks_by});
    }
    assert_int_equal(core_counts(f->core).queued, CROWD - 1);
    return busy;
}

static void a_crowd_that_wants_the_same_costs_one_placement(void **state) {
    struct fixture *f = fixture_start(state);
    (void)join_crowd(f, 0);
    for (uint64_t i = 0; i < 10; i++) {
        uint64_t before = f->core->placements;
        (void)device_join(f, 1 + i, &(struct device){.region = "DE", .context_length = 100000});
        assert_in_range(f->core->placements - before, 0, 3); /* for each of its three steps */
    }
    assert_int_equal(core_counts(f->core).queued, CROWD - 1);
}

/* The device that comes free is too small for all of the crowd, but not for the last one of the line. */
static void a_crowd_that_cannot_go_costs_a_step_so_much_and_no_more(void **state) {
    struct fixture *f = fixture_start(state);
    struct device small = {.region = "FR", .context_length = 80000, .paused = true};
    uint64_t provider = device_join(f, 0, &small);
    (void)join_crowd(f, 1);
    uint64_t last = device_request(f, &(struct wish){.region = "FR"});
    small.paused = false;
    uint64_t before = f->core->placements;
    device_report(f, provider, &small);
    size_t steps = 0;
    for (; fixture_dispatched(f) == CORE_NO_HANDLE && steps < CROWD / 8; steps++) {
        assert_in_range(f->core->placements - before, 1, PLACEMENTS_MOST);
        before = f->core->placements;
        f->now_ms++;
        fixture_plain(f, CORE_EVENT_TIMER, 0, 0);
    }
    assert_in_range(steps, CROWD / PLACEMENTS_MOST, CROWD / PLACEMENTS_MOST + 20);
    assert_true(fixture_dispatched(f) == provider);
    assert_true(fixture_effect(f, CORE_EFFECT_DISPATCH)->generation == last);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(first_come_first_served),
        FIXTURE_TEST(a_generation_that_comes_back_goes_in_front),
        FIXTURE_TEST(what_has_begun_goes_before_all_that_waited_longer),
        FIXTURE_TEST(nobody_waits_behind_a_generation_that_cannot_go),
        FIXTURE_TEST(a_crowd_of_one_account_delays_another_by_one_generation),
        FIXTURE_TEST(the_retry_budget_grows_with_the_generations),
        FIXTURE_TEST(what_has_begun_needs_no_retry_budget),
        FIXTURE_TEST(models_do_not_wait_for_each_other),
        FIXTURE_TEST(jobs_that_come_back_may_exceed_the_queue),
        FIXTURE_TEST(a_crowd_that_wants_the_same_costs_one_placement),
        FIXTURE_TEST(a_crowd_that_cannot_go_costs_a_step_so_much_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
