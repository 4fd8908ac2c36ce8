#include "unit/core/place_fixture.h"

static void every_gate_has_its_own_name(void **state UNUSED) {
    for (int i = 0; i < CORE_GATE_COUNT; i++) {
        assert_non_null(core_gate_name((enum core_gate)i));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(core_gate_name((enum core_gate)i), core_gate_name((enum core_gate)j));
        }
    }
}

static void a_generation_is_explained_fit_ones_first(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t busy = device_join(f, 0, &(struct device){.region = "DE"});
    uint64_t generation = device_request(f, &(struct wish){.region = "DE"});
    assert_true(fixture_dispatched(f) == busy);
    static const struct device others[] = {
        {.region = "DE", .decode_per_s = 10},    {.region = "FR"},
        {.region = "DE", .paused = true},        {.region = "DE", .decode_per_s = 30},
        {.region = "DE", .context_length = 200},
    };
    for (uint64_t i = 0; i < COUNT_OF(others); i++) {
        (void)device_join(f, i + 1, &others[i]);
    }
    struct core_candidate candidates[6];
    assert_int_equal(core_generation_explain(f->core, generation, candidates, COUNT_OF(candidates)), 6);
    assert_int_equal(candidates[0].user, 4);
    assert_int_equal(candidates[1].user, 1);
    assert_true(candidates[0].finish_ms < candidates[1].finish_ms);
    static const enum core_gate gates[] = {[0] = CORE_GATE_SLOTS,  [1] = CORE_GATE_NONE, [2] = CORE_GATE_REGION,
                                           [3] = CORE_GATE_PAUSED, [4] = CORE_GATE_NONE, [5] = CORE_GATE_CONTEXT};
    for (size_t i = 0; i < COUNT_OF(candidates); i++) {
        assert_int_equal(candidates[i].gate, gates[candidates[i].user]);
        assert_int_equal(candidates[i].chosen, candidates[i].user == 0);
        assert_int_equal(candidates[i].finish_ms == 0, candidates[i].gate != CORE_GATE_NONE);
    }
    struct core_candidate one;
    assert_int_equal(core_generation_explain(f->core, generation, &one, 1), 6);
    assert_int_equal(one.user, 4);
    assert_int_equal(core_generation_explain(f->core, generation, NULL, 0), 6);
    assert_int_equal(core_generation_explain(f->core, 12345, candidates, 6), 0);
}

static void a_provider_is_shown_as_it_is(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = device_join(f, 9, &(struct device){.slots = 2, .heat = CORE_HEAT_FAIR});
    uint64_t rival = device_join(f, 10, &(struct device){.slots = 2, .decode_per_s = 1});
    fixture_step(f, (struct core_event){
                        .kind = CORE_EVENT_REVIEW, .provider = provider, .review = {.review = CORE_REVIEW_CANARY}});
    struct core_provider_view view;
    assert_true(core_provider_view(f->core, provider, 4000, &view));
    assert_int_equal(view.user, 9);
    assert_int_equal(view.device.heat, CORE_HEAT_FAIR);
    assert_int_equal(view.cooldown_ms, f->config.cooldown_ms - 4000);
    assert_int_equal(view.record.reviews, 1);
    assert_int_equal(view.offer_count, 1);
    struct core_offer_view offer;
    assert_true(core_provider_offer(f->core, provider, 0, &offer));
    assert_int_equal(offer.gate, CORE_GATE_COOLDOWN);
    assert_int_equal(offer.rivals, 1);
    assert_int_equal(offer.offer.slots, 2);
    assert_true(str_equal_cstr(offer.offer.model, "m"));
    assert_true(core_provider_offer(f->core, rival, 0, &offer));
    assert_int_equal(offer.rivals, 0);
    assert_true(core_provider_rivals_per_s(f->core, rival, 0) == 0); /* the other one cools down */
    assert_true(core_provider_rivals_per_s(f->core, provider, 0) == 1);
    (void)device_join(f, 11, &(struct device){.decode_per_s = 7});
    assert_true(core_provider_rivals_per_s(f->core, provider, 0) == 4);
    (void)device_join(f, 12, &(struct device){.decode_per_s = 2});
    (void)device_join(f, 13, &(struct device){.decode_per_s = 90, .paused = true});
    assert_true(core_provider_rivals_per_s(f->core, provider, 0) == 2);
    assert_true(core_provider_rivals_per_s(f->core, provider, 1) == 0);
    assert_false(core_provider_offer(f->core, provider, 1, &offer));
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_false(core_provider_view(f->core, provider, 4000, &view));
    assert_false(core_provider_offer(f->core, provider, 0, &offer));
}

static void a_device_costs_less_than_a_kilobyte(void **state) {
    struct fixture *f = fixture_start(state);
    enum { DEVICES = 300 };
    for (uint64_t i = 0; i < DEVICES; i++) {
        (void)device_join(f, i, &(struct device){.decode_per_s = (float)(1 + i), .region = i % 2 == 0 ? "DE" : "FR"});
    }
    (void)device_request(f, &(struct wish){.region = "DE"});
    (void)device_request(f, &(struct wish){.region = "FR"});
    assert_in_range(core_provider_bytes(f->core) / DEVICES, sizeof(struct core_provider), 1023);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gate_has_its_own_name),
        FIXTURE_TEST(a_generation_is_explained_fit_ones_first),
        FIXTURE_TEST(a_provider_is_shown_as_it_is),
        FIXTURE_TEST(a_device_costs_less_than_a_kilobyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
