#include "unit/core/core_fixture.h"

static const struct core_model *the_model(const struct fixture *f) {
    return core_model_find(f->core, STR("m"));
}

static void a_full_offering_is_among_the_busy(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2);
    assert_int_equal(the_model(f)->ready.count, 1);
    fixture_request(f, 0);
    assert_int_equal(the_model(f)->ready.count, 1);
    uint64_t job = fixture_request(f, 1);
    assert_int_equal(the_model(f)->ready.count, 0);
    assert_int_equal(the_model(f)->busy.count, 1);
    fixture_plain(f, CORE_EVENT_DONE, job, provider);
    assert_int_equal(the_model(f)->ready.count, 1);
}

static void only_a_warm_one_with_slots_is_ready(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0);
    const enum core_model_state states[] = {CORE_MODEL_DOWNLOADING, CORE_MODEL_LOADING, CORE_MODEL_FAILED,
                                            CORE_MODEL_WARM};
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        fixture_offer(f, provider, "m", states[i], 1);
        assert_int_equal(the_model(f)->ready.count, states[i] == CORE_MODEL_WARM);
    }
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 0);
    assert_int_equal(the_model(f)->ready.count, 0);
}

static void a_draining_one_is_neither_ready_nor_counted(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 4);
    fixture_plain(f, CORE_EVENT_PROVIDER_DRAINING, 0, provider);
    assert_int_equal(the_model(f)->ready.count, 0);
    assert_int_equal(the_model(f)->counts[CORE_MODEL_WARM], 0);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 8); /* a status does not end it */
    assert_int_equal(the_model(f)->ready.count, 0);
    assert_true(fixture_request(f, 0) == CORE_NO_HANDLE);
}

static void slots_may_shrink_below_what_runs(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 3);
    uint64_t first = fixture_request(f, 0), second = fixture_request(f, 1), third = fixture_request(f, 2);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1);
    fixture_request(f, 3);
    fixture_plain(f, CORE_EVENT_DONE, first, provider);
    fixture_plain(f, CORE_EVENT_DONE, second, provider);
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
    fixture_plain(f, CORE_EVENT_DONE, third, provider);
    assert_true(fixture_dispatched(f) == provider);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_full_offering_is_among_the_busy),
        FIXTURE_TEST(only_a_warm_one_with_slots_is_ready),
        FIXTURE_TEST(a_draining_one_is_neither_ready_nor_counted),
        FIXTURE_TEST(slots_may_shrink_below_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
