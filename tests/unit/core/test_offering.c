#include "unit/core/place_fixture.h"

static const struct core_model *the_model(const struct fixture *f) {
    return core_model_find(f->core, STR("m"));
}

static size_t ready(const struct fixture *f) {
    return the_model(f)->gated[CORE_GATE_NONE];
}

static void each_gate_has_its_reason(void **state) {
    static const struct {
        struct device device;
        enum core_gate gate;
    } rows[] = {
        {{0}, CORE_GATE_NONE},
        {{.cold = true}, CORE_GATE_NONE},
        {{.heat = CORE_HEAT_FAIR}, CORE_GATE_NONE},
        {{.state = CORE_MODEL_LOADING}, CORE_GATE_LOADING},
        {{.state = CORE_MODEL_FAILED}, CORE_GATE_FAILED},
        {{.cold = true, .too_large = true}, CORE_GATE_MEMORY},
        {{.heat = CORE_HEAT_SERIOUS}, CORE_GATE_HEAT},
        {{.heat = CORE_HEAT_CRITICAL}, CORE_GATE_HEAT},
        {{.paused = true}, CORE_GATE_PAUSED},
        {{.draining = true}, CORE_GATE_DRAINING},
        {{.draining = true, .paused = true, .heat = CORE_HEAT_SERIOUS}, CORE_GATE_DRAINING},
    };
    struct fixture *f = fixture_start(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t provider = device_join(f, i, &rows[i].device);
        assert_int_equal(device_offering(f, provider)->gate, rows[i].gate);
        assert_int_equal(ready(f), rows[i].gate == CORE_GATE_NONE);
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    }
    uint64_t provider = fixture_join(f, 0);
    fixture_offer(f, provider, "m", CORE_MODEL_DOWNLOADING, 1);
    assert_int_equal(device_offering(f, provider)->gate, CORE_GATE_MODEL);
}

static void a_full_one_is_gated_by_its_slots(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2);
    fixture_request(f, 0);
    assert_int_equal(ready(f), 1);
    uint64_t generation = fixture_request(f, 1);
    assert_int_equal(ready(f), 0);
    assert_int_equal(the_model(f)->gated[CORE_GATE_SLOTS], 1);
    assert_int_equal(the_model(f)->serving_slots, 2);
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    assert_int_equal(ready(f), 1);
}

static void a_cold_one_of_unknown_slots_has_one(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0);
    fixture_offer(f, provider, "m", CORE_MODEL_COLD, 0);
    fixture_request(f, 0);
    assert_true(fixture_dispatched(f) == provider);
    assert_int_equal(device_offering(f, provider)->gate, CORE_GATE_SLOTS);
}

static void a_draining_one_is_not_counted(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 4);
    fixture_plain(f, CORE_EVENT_PROVIDER_DRAINING, 0, provider);
    assert_int_equal(ready(f), 0);
    assert_int_equal(the_model(f)->counts[CORE_MODEL_WARM], 0);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 8); /* a status does not end it */
    assert_int_equal(ready(f), 0);
    assert_true(fixture_request(f, 0) == CORE_NO_HANDLE);
}

/* A request would wait in vain for its owner to end the pause. */
static void one_that_rests_serves_nobody(void **state) {
    static const struct device rows[] = {{.paused = true, .context_length = 8192},
                                         {.heat = CORE_HEAT_SERIOUS, .context_length = 8192},
                                         {.cold = true, .too_large = true, .paused = true, .context_length = 8192}};
    struct fixture *f = fixture_start(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t context = 1;
        uint64_t provider = device_join(f, i, &rows[i]);
        assert_int_equal(core_model_availability(f->core, STR("m"), &context), CORE_MODEL_RESTING);
        assert_int_equal(context, 0);
        assert_true(core_model_at(f->core, 0, NULL, NULL, NULL)); /* known all the same */
        assert_true(core_model_ready_in_ms(f->core, STR("m"), NULL) == UINT64_MAX);
        assert_true(fixture_request(f, 0) == CORE_NO_HANDLE);
        assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_RESTING);
        uint64_t other = device_join(f, 9, &(struct device){.cold = true, .context_length = 2048});
        assert_int_equal(core_model_availability(f->core, STR("m"), &context), CORE_MODEL_COMING);
        assert_int_equal(context, 2048); /* what fits nowhere now must not wait for the one that rests */
        uint64_t generation = fixture_request(f, 0);
        assert_true(fixture_dispatched(f) == other);
        fixture_plain(f, CORE_EVENT_DONE, generation, other);
        device_report(f, provider, &(struct device){0});
        assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_AVAILABLE);
        device_report(f, provider, &rows[i]);
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, other);
        assert_int_equal(the_model(f)->resting, 1);
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
        assert_false(core_model_at(f->core, 0, NULL, NULL, NULL));
    }
}

static void slots_may_shrink_below_what_runs(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 3);
    uint64_t first = fixture_request(f, 0), second = fixture_request(f, 1), third = fixture_request(f, 2);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1);
    fixture_request(f, 3);
    fixture_delta(f, third, provider, 1);
    fixture_plain(f, CORE_EVENT_DONE, first, provider);
    fixture_plain(f, CORE_EVENT_DONE, second, provider);
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
    fixture_plain(f, CORE_EVENT_DONE, third, provider);
    assert_true(fixture_dispatched(f) == provider);
}

static void the_first_and_the_last_generation_of_a_provider_are_told(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 7, &(struct device){.slots = 3});
    uint64_t first = fixture_request(f, 0);
    const struct core_effect *busy = fixture_effect(f, CORE_EFFECT_PROVIDER_BUSY);
    assert_true(busy != NULL && busy->provider == provider && busy->user == 7);
    uint64_t second = fixture_request(f, 1);
    assert_null(fixture_effect(f, CORE_EFFECT_PROVIDER_BUSY));
    fixture_plain(f, CORE_EVENT_DONE, first, provider);
    assert_null(fixture_effect(f, CORE_EFFECT_PROVIDER_IDLE));
    fixture_plain(f, CORE_EVENT_DONE, second, provider);
    assert_non_null(fixture_effect(f, CORE_EFFECT_PROVIDER_IDLE));
    fixture_request(f, 2);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_null(fixture_effect(f, CORE_EFFECT_PROVIDER_IDLE)); /* nobody is there to be told of */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_gate_has_its_reason),
        FIXTURE_TEST(a_full_one_is_gated_by_its_slots),
        FIXTURE_TEST(a_cold_one_of_unknown_slots_has_one),
        FIXTURE_TEST(a_draining_one_is_not_counted),
        FIXTURE_TEST(one_that_rests_serves_nobody),
        FIXTURE_TEST(slots_may_shrink_below_what_runs),
        FIXTURE_TEST(the_first_and_the_last_generation_of_a_provider_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
