#include "unit/core/place_fixture.h"

enum { FILE_BYTES = 1000, RAM_BYTES = 2000 };

static void facts(struct fixture *f) {
    fixture_step(f,
                 (struct core_event){.kind = CORE_EVENT_MODEL,
                                     .model = {.model = STR("m"), .file_bytes = FILE_BYTES, .ram_bytes = RAM_BYTES}});
}

/* Fit for a WANT. */
static const struct device idle = {
    .without = true, .takes_wants = true, .storage_free_bytes = FILE_BYTES, .ram_bytes = RAM_BYTES};

/* The device that a refused request makes the core ask; CORE_NO_HANDLE: none. */
static uint64_t wanted(struct fixture *f) {
    assert_true(device_request(f, &(struct wish){0}) == CORE_NO_HANDLE);
    const struct core_effect *want = fixture_effect(f, CORE_EFFECT_WANT);
    if (want != NULL) {
        assert_true(str_equal_cstr(want->want.model, "m"));
    }
    return want == NULL ? CORE_NO_HANDLE : want->provider;
}

static void only_a_fit_device_is_asked(void **state) {
    struct device rows[12];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rows[i] = idle;
    }
    rows[1].takes_wants = false;
    rows[2].storage_free_bytes = FILE_BYTES - 1;
    rows[3].ram_bytes = RAM_BYTES - 1;
    rows[4].heat = CORE_HEAT_FAIR;
    rows[5].on_battery = true;
    rows[5].battery_percent = 100;
    rows[6].paused = true;
    rows[7].success = 400;
    rows[8].draining = true;
    rows[9].without = false;
    rows[9].state = CORE_MODEL_FAILED;
    struct fixture *f = (struct fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->core = core_new(&f->config);
        facts(f);
        uint64_t provider = device_join(f, i, &rows[i]);
        uint64_t expected = i == 0 || i >= 10 ? provider : CORE_NO_HANDLE;
        if (i == 10) {
            fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, provider);
            expected = CORE_NO_HANDLE;
        } else if (i == 11) {
            fixture_step(f, (struct core_event){.kind = CORE_EVENT_REVIEW, .provider = provider});
            expected = CORE_NO_HANDLE;
        }
        if (wanted(f) != expected) {
            fail_msg("row %zu", i);
        }
        core_free(f->core);
        f->core = NULL;
    }
}

static void a_model_that_nobody_knows_is_not_remembered(void **state) {
    struct fixture *f = fixture_start(state);
    (void)device_join(f, 0, &idle);
    assert_true(wanted(f) == CORE_NO_HANDLE);
    assert_null(f->core->warm);
}

static void wants_come_sooner_as_demand_grows(void **state) {
    struct fixture *f = fixture_start(state);
    facts(f);
    for (uint64_t i = 0; i < 20; i++) {
        (void)device_join(f, i, &idle);
    }
    assert_true(wanted(f) != CORE_NO_HANDLE);
    size_t few = 0, many = 0;
    for (size_t i = 0; i < 10; i++) { /* one request in a second */
        f->now_ms += 1000;
        few += wanted(f) != CORE_NO_HANDLE;
    }
    for (size_t i = 0; i < 1000; i++) { /* a hundred */
        f->now_ms += 10;
        many += wanted(f) != CORE_NO_HANDLE;
    }
    assert_in_range(few, 1, 4);
    assert_in_range(many, few + 1, 10); /* never more than one in a second */
}

static void a_device_is_not_asked_again_soon(void **state) {
    struct fixture *f = fixture_start(state);
    facts(f);
    uint64_t provider = device_join(f, 0, &idle);
    assert_true(wanted(f) == provider);
    f->now_ms = 300000;
    assert_true(wanted(f) == CORE_NO_HANDLE);
    f->now_ms = 700000;
    assert_true(wanted(f) == provider);
}

static void who_has_it_cold_is_asked_to_load(void **state) {
    struct fixture *f = fixture_start(state);
    facts(f);
    uint64_t warm = device_join(f, 0, &(struct device){0});
    (void)device_request(f, &(struct wish){0});
    uint64_t cold = device_join(f, 1, &(struct device){.cold = true, .load_ms = 60000});
    (void)device_join(f, 2, &idle);
    (void)device_request(f, &(struct wish){0}); /* waits for the slot, which is sooner */
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
    const struct core_effect *want = fixture_effect(f, CORE_EFFECT_WANT);
    assert_true(want != NULL && want->provider == cold && want->user == 1);
    assert_true(warm != cold);
}

static void readiness_is_what_was_seen(void **state) {
    static const struct {
        struct core_offer offer;
        uint64_t after_ms, ready_ms;
        uint32_t percent;
    } rows[] = {
        {{.state = CORE_MODEL_WARM, .slots = 1}, 0, 0, 100},
        {{.state = CORE_MODEL_COLD, .load_ms = 7000}, 0, 7000, 0},
        {{.state = CORE_MODEL_COLD, .load_ms = 7000, .too_large = true}, 0, UINT64_MAX, 0},
        {{.state = CORE_MODEL_LOADING, .load_ms = 8000}, 2000, 6000, 25},
        {{.state = CORE_MODEL_LOADING, .load_ms = 8000}, 9000, 1, 99},
        {{.state = CORE_MODEL_DOWNLOADING, .load_ms = 2000, .bytes_left = 500, .bytes_per_s = 100}, 0, 7000, 45},
        {{.state = CORE_MODEL_DOWNLOADING, .load_ms = 2000, .bytes_left = 500}, 0, UINT64_MAX, 45},
        {{.state = CORE_MODEL_FAILED}, 0, UINT64_MAX, 0},
    };
    struct fixture *f = (struct fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t percent = 7;
        f->now_ms = 0;
        f->core = core_new(&f->config);
        facts(f);
        struct core_offer offer = rows[i].offer;
        offer.model = STR("m");
        fixture_status(f, fixture_join(f, 0), &offer, 1);
        fixture_at(f, rows[i].after_ms);
        assert_true(core_model_ready_in_ms(f->core, STR("m"), &percent) == rows[i].ready_ms);
        assert_int_equal(percent, rows[i].percent);
        core_free(f->core);
        f->core = NULL;
    }
    f = fixture_start(state);
    assert_true(core_model_ready_in_ms(f->core, STR("m"), NULL) == UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(only_a_fit_device_is_asked),        FIXTURE_TEST(a_model_that_nobody_knows_is_not_remembered),
        FIXTURE_TEST(wants_come_sooner_as_demand_grows), FIXTURE_TEST(a_device_is_not_asked_again_soon),
        FIXTURE_TEST(who_has_it_cold_is_asked_to_load),  FIXTURE_TEST(readiness_is_what_was_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
