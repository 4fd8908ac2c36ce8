/* What is believed of a device, by what it says and shows and by what others reach. */
#include "core/belief.h"

#include "unit/core/place_fixture.h"

/* A device of nobody in particular that says what it likes, of the model "m". */
static void claim(struct fixture *f, uint64_t provider, uint32_t slots, uint32_t context, uint32_t load_ms, bool cold) {
    struct core_offer offer = {.model = STR("m"),
                               .state = cold ? CORE_MODEL_COLD : CORE_MODEL_WARM,
                               .slots = slots,
                               .context_length = context,
                               .load_ms = load_ms};
    fixture_status(f, provider, &offer, 1);
}

static uint64_t join_untrusted(struct fixture *f, uint32_t audits, uint32_t earned) {
    return device_join(f, 0, &(struct device){.untrusted = true, .audits = audits, .earned = earned});
}

static void audit(struct fixture *f, uint64_t provider, bool passed) {
    fixture_step(f,
                 (struct core_event){.kind = CORE_EVENT_AUDITED, .provider = provider, .audited = {.passed = passed}});
}

static void slots_are_earned(void **state) {
    static const struct {
        uint32_t audits, earned, claimed, believed;
    } rows[] = {
        {0, 0, 256, 1},  {0, 4000, 256, 1}, {9, 4000, 256, 1}, {10, 0, 256, 1},
        {10, 7, 256, 1}, {10, 8, 256, 2},   {10, 16, 2, 2},    {10, 4000, 256, 64},
        {10, 0, 0, 0},   {0, 0, 0, 0},      {11, 80, 256, 11}, {10, UINT32_MAX, UINT32_MAX, 64},
    };
    struct fixture *f = fixture_start(state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t provider = join_untrusted(f, rows[i].audits, rows[i].earned);
        claim(f, provider, rows[i].claimed, 4096, 0, false);
        assert_int_equal(device_offering(f, provider)->slots, rows[i].believed);
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    }
    uint64_t own = device_join(f, 0, &(struct device){0});
    claim(f, own, 256, 4096, 0, false);
    assert_int_equal(device_offering(f, own)->slots, 256); /* what it says is believed */
}

/* Beside trusted devices the others are bounded by twice as many slots as these have. */
static void trusted_slots_bound_those_of_others(void **state) {
    static const struct {
        uint32_t trusted, believed;
    } rows[] = {{1, 8}, {2, 8}, {4, 16}, {7, 16}, {16, 64}, {200, 64}};
    struct fixture *f = fixture_start(state);
    uint64_t own = device_join(f, 0, &(struct device){0}), other = join_untrusted(f, 10, 4000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        claim(f, own, rows[i].trusted, 4096, 0, false);
        claim(f, other, 256, 4096, 0, false);
        assert_int_equal(device_offering(f, other)->slots, rows[i].believed);
    }
}

static void contexts_are_those_of_the_catalog_and_of_others(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t fresh = join_untrusted(f, 0, 0), settled = join_untrusted(f, 10, 0);
    claim(f, fresh, 1, 1000000, 0, false);
    assert_int_equal(device_offering(f, fresh)->context_length, 4096); /* the settled one's, from its first status */
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_MODEL,
                                        .model = {.model = STR("m"), .file_bytes = 1, .context_length = 32768}});
    claim(f, settled, 1, 1000000, 0, false);
    assert_int_equal(device_offering(f, settled)->context_length, 32768);
    claim(f, settled, 1, 0, 0, false); /* which it does not know: elsewhere everything fits then */
    assert_int_equal(device_offering(f, settled)->context_length, 32768);
    claim(f, settled, 1, 8192, 0, false);
    claim(f, fresh, 1, 0, 0, false);
    assert_int_equal(device_offering(f, fresh)->context_length, 8192);
    claim(f, fresh, 1, 512, 0, false);
    assert_int_equal(device_offering(f, fresh)->context_length, 512);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, settled);
    claim(f, fresh, 1, 1000000, 0, false);
    assert_int_equal(device_offering(f, fresh)->context_length, 32768); /* nobody is left but the catalog */
}

/* What fits nowhere goes to whom most fits: that is not for a new device to say. */
static void a_long_prompt_does_not_go_to_a_new_device(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t own = device_join(f, 1, &(struct device){0}), liar = join_untrusted(f, 0, 0);
    claim(f, liar, 256, 1 << 30, 0, false);
    device_request(f, &(struct wish){.max_tokens = 100000});
    assert_int_equal(fixture_dispatched(f), own);
}

static void loading_is_not_quicker_than_elsewhere(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t own = device_join(f, 1, &(struct device){.cold = true, .load_ms = 9000});
    uint64_t liar = join_untrusted(f, 10, 0);
    claim(f, liar, 1, 4096, 1, true);
    assert_int_equal(core_place_load_ms(f->core, device_offering(f, liar)), 9000);
    claim(f, liar, 1, 4096, 60000, true);
    assert_int_equal(core_place_load_ms(f->core, device_offering(f, liar)), 60000); /* what speaks against it counts */
    claim(f, own, 1, 4096, 2000, true);
    assert_int_equal(core_place_load_ms(f->core, device_offering(f, own)), 2000);
}

/* Nine settled devices from 10 to 18 tokens a second, and one that answers before it was asked. */
static void speeds_are_those_that_others_reach(void **state) {
    struct fixture *f = fixture_start(state);
    for (unsigned i = 0; i < 9; i++) {
        device_join(f, 0,
                    &(struct device){.untrusted = true,
                                     .audits = 10,
                                     .decode_per_s = 10.0F + (float)i,
                                     .prefill_per_s = 100.0F + 10.0F * (float)i});
    }
    uint64_t settled = join_untrusted(f, 10, 0), fresh = join_untrusted(f, 0, 0);
    device_set_speed(f, settled, 1e6F, 1e6F);
    device_set_speed(f, fresh, 1e6F, 1e6F);
    const struct core_offering *fast = device_offering(f, settled), *new_one = device_offering(f, fresh);
    /* Classes are a quarter of an octave wide. */
    assert_true(core_place_decode_per_s(f->core, fast) >= 17.0F && core_place_decode_per_s(f->core, fast) <= 20.1F);
    assert_true(core_place_decode_per_s(f->core, new_one) >= 14.0F &&
                core_place_decode_per_s(f->core, new_one) <= 16.1F);
    assert_true(core_place_prefill_per_s(f->core, fast) <= 224.1F);
    assert_true(core_place_prefill_per_s(f->core, new_one) <= 192.1F);
    device_set_speed(f, fresh, 20, 2);
    assert_true(core_place_decode_per_s(f->core, new_one) <= 2.0F); /* a slow one is slow */
    uint64_t own = device_join(f, 0, &(struct device){.decode_per_s = 500});
    assert_true(core_place_decode_per_s(f->core, device_offering(f, own)) >= 500.0F);
}

/* Where nobody has settled, the others are the measure: one liar among three is as fast as they are. */
static void new_devices_measure_each_other(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t liar = join_untrusted(f, 0, 0);
    join_untrusted(f, 0, 0);
    join_untrusted(f, 0, 0);
    device_set_speed(f, liar, 1e6F, 1e6F);
    assert_true(core_place_decode_per_s(f->core, device_offering(f, liar)) <= 24.1F);
}

/* What a device brought along from elsewhere does not make a new one better than the average. */
static void a_new_device_has_no_factor_above_one(void **state) {
    struct fixture *f = fixture_start(state);
    struct core_provider fresh = {0}, settled = {.settled = true};
    assert_int_equal(core_belief_factor(&fresh, 5000), 1000);
    assert_int_equal(core_belief_factor(&fresh, 300), 300);
    assert_int_equal(core_belief_factor(&fresh, 0), 0); /* not known */
    assert_int_equal(core_belief_factor(&settled, 5000), 5000);
    assert_non_null(f->core);
}

/* Text that comes at once from a new device does not raise what is thought of its model. */
static void a_new_device_teaches_nothing_beside_settled_ones(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t own = device_join(f, 0, &(struct device){0}), fresh = join_untrusted(f, 0, 0);
    assert_true(core_belief_teaches(device_offering(f, own)));
    assert_false(core_belief_teaches(device_offering(f, fresh)));
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, own);
    assert_true(core_belief_teaches(device_offering(f, fresh)));
}

static void one_job_at_a_time_of_whatever_model(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t fresh = join_untrusted(f, 0, 0);
    const struct core_offer offers[] = {
        {.model = STR("m"), .state = CORE_MODEL_WARM, .slots = 8, .context_length = 4096},
        {.model = STR("n"), .state = CORE_MODEL_WARM, .slots = 8, .context_length = 4096}};
    fixture_status(f, fresh, offers, COUNT_OF(offers));
    uint64_t first = fixture_request(f, 1);
    assert_int_equal(fixture_dispatched(f), fresh);
    fixture_request(f, 2);
    assert_int_equal(fixture_dispatched(f), CORE_NO_HANDLE);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.user = 3, .model = STR("n"), .max_tokens = 16}});
    assert_int_equal(fixture_dispatched(f), CORE_NO_HANDLE);
    struct core_offer_view view;
    assert_true(core_provider_offer(f->core, fresh, 1, &view));
    assert_int_equal(view.gate, CORE_GATE_RAMP);
    fixture_plain(f, CORE_EVENT_ACCEPT, first, fresh);
    fixture_done(f, first, fresh, 1, 1);
    assert_int_equal(fixture_dispatched(f), fresh); /* the next one */
}

static void audits_end_the_ramp_and_a_failed_one_begins_it_again(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t fresh = device_join(f, 0, &(struct device){.untrusted = true, .earned = 80, .slots = 4});
    struct core_provider_view view;
    for (unsigned i = 0; i < CORE_AUDITS_FIRST; i++) {
        assert_true(core_provider_view(f->core, fresh, f->now_ms, &view) && !view.settled);
        assert_int_equal(device_offering(f, fresh)->slots, 1);
        audit(f, fresh, true);
    }
    assert_true(core_provider_view(f->core, fresh, f->now_ms, &view) && view.settled && !view.trusted);
    assert_int_equal(device_offering(f, fresh)->slots, 4); /* as many as it has, and has earned */
    fixture_request(f, 1);
    fixture_request(f, 2);
    assert_int_equal(fixture_dispatched(f), fresh);
    audit(f, fresh, false);
    assert_true(core_provider_view(f->core, fresh, f->now_ms, &view) && !view.settled);
    assert_int_equal(view.record.audits, 0);
    fixture_request(f, 3);
    assert_int_equal(fixture_dispatched(f), CORE_NO_HANDLE);
}

static void good_answers_earn_and_bad_ones_cost(void **state) {
    struct fixture *f = fixture_start(state);
    struct core_record record = {0};
    assert_non_null(f->core);
    core_belief_earn(&record, false);
    assert_int_equal(record.earned, 0);
    for (int i = 0; i < 20; i++) {
        core_belief_earn(&record, true);
    }
    core_belief_earn(&record, false);
    assert_int_equal(record.earned, 4);
    for (int i = 0; i < 100000; i++) {
        core_belief_earn(&record, true);
    }
    assert_true(record.earned < 20000); /* bounded: who turns bad is not believed for long */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(slots_are_earned),
        FIXTURE_TEST(trusted_slots_bound_those_of_others),
        FIXTURE_TEST(contexts_are_those_of_the_catalog_and_of_others),
        FIXTURE_TEST(a_long_prompt_does_not_go_to_a_new_device),
        FIXTURE_TEST(loading_is_not_quicker_than_elsewhere),
        FIXTURE_TEST(speeds_are_those_that_others_reach),
        FIXTURE_TEST(new_devices_measure_each_other),
        FIXTURE_TEST(a_new_device_has_no_factor_above_one),
        FIXTURE_TEST(a_new_device_teaches_nothing_beside_settled_ones),
        FIXTURE_TEST(one_job_at_a_time_of_whatever_model),
        FIXTURE_TEST(audits_end_the_ramp_and_a_failed_one_begins_it_again),
        FIXTURE_TEST(good_answers_earn_and_bad_ones_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
