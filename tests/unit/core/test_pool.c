#include "core/pool.h"

#include "unit/core/place_fixture.h"

static void four_classes_make_an_octave(void **state UNUSED) {
    assert_int_equal(core_pool_class_of(0), 0);
    assert_int_equal(core_pool_class_of(-1), 0);
    assert_int_equal(core_pool_class_of(0.01F), 0);
    assert_int_equal(core_pool_class_of(1e30F), POOL_CLASSES - 1);
    for (unsigned octave = 0; octave < 14; octave++) {
        float speed = 0.125F * (float)(1U << octave);
        unsigned class = core_pool_class_of(speed);
        assert_int_equal(core_pool_class_of(speed * 1.2F), class);
        assert_int_equal(core_pool_class_of(speed * 1.26F), class + 1);
        assert_int_equal(core_pool_class_of(speed * 2), class + 4);
    }
}

static void a_shelf_holds_what_its_context_says(void **state UNUSED) {
    static const struct {
        uint32_t context;
        unsigned shelf;
    } rows[] = {{1, 0}, {2047, 0}, {2048, 1}, {4095, 1}, {4096, 2}, {131072, 7}, {UINT32_MAX, 7}, {0, 7}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct core_provider provider = {.settled = true};
        struct core_offering offering = {
            .provider = &provider, .state = CORE_MODEL_WARM, .context_length = rows[i].context};
        assert_int_equal(core_pool_shelf_of(&offering), rows[i].shelf);
        offering.state = CORE_MODEL_COLD;
        assert_int_equal(core_pool_shelf_of(&offering), POOL_CONTEXTS + rows[i].shelf);
        provider.settled = false;
        assert_int_equal(core_pool_shelf_of(&offering), 3 * POOL_CONTEXTS + rows[i].shelf);
        offering.state = CORE_MODEL_WARM;
        assert_int_equal(core_pool_shelf_of(&offering), 2 * POOL_CONTEXTS + rows[i].shelf);
    }
    assert_int_equal(core_pool_context_of(0), 0);
    assert_int_equal(core_pool_context_of(1), 1); /* shelf 0 promises nothing */
    assert_int_equal(core_pool_context_of(2048), 1);
    assert_int_equal(core_pool_context_of(2049), 2);
    assert_int_equal(core_pool_context_of(131072), 7);
    assert_int_equal(core_pool_context_of(131073), POOL_CONTEXTS);
}

enum { DEVICES = 50 };

static void a_sample_has_each_one_once_and_the_fast_ones_first(void **state) {
    struct fixture *f = fixture_start(state);
    for (uint64_t i = 0; i < DEVICES; i++) {
        (void)device_join(f, i, &(struct device){.decode_per_s = i < 5 ? 100.0F : 10.0F});
    }
    const struct core_pool *pool = core_pool_find(core_model_find(f->core, STR("m")), &CORE_DEMAND_ANY);
    struct random_source random = {.state = 1};
    size_t seen[DEVICES] = {0};
    for (size_t round = 0; round < 200; round++) {
        struct core_offering *out[20];
        size_t count = core_pool_sample(pool, POOL_WARM, 0, POOL_CONTEXTS, &random, out, COUNT_OF(out));
        assert_int_equal(count, COUNT_OF(out));
        size_t before[DEVICES];
        memcpy(before, seen, sizeof(seen));
        for (size_t i = 0; i < count; i++) {
            assert_true(out[i]->provider->user < 5 || i >= 5);
            assert_int_equal(seen[out[i]->provider->user]++, before[out[i]->provider->user]);
        }
    }
    for (size_t i = 0; i < DEVICES; i++) {
        assert_in_range(seen[i], i < 5 ? 200 : 40, 200); /* 15 of 45 each time: 67 on average */
    }
}

static void a_pool_is_made_when_a_generation_asks_for_it(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t german = device_join(f, 0, &(struct device){.region = "DE", .verified = true});
    struct core_model *model = core_model_find(f->core, STR("m"));
    assert_null(core_pool_find(model, &(struct core_demand){.region = "DE", .verified = true}));
    assert_int_equal(core_pool_of(model, &(struct core_demand){.region = "DE", .verified = true})->hopeful, 1);
    assert_int_equal(core_pool_of(model, &(struct core_demand){.region = "FR"})->hopeful, 0);
    assert_null(core_pool_of(model, &(struct core_demand){.region = "x1"}));
    (void)device_join(f, 1, &(struct device){.region = "FR"}); /* core_check follows each step */
    assert_int_equal(core_pool_of(model, &(struct core_demand){.region = "FR"})->hopeful, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, german);
    assert_int_equal(core_pool_of(model, &(struct core_demand){.region = "DE", .verified = true})->hopeful, 0);
}

/* All demands that one device can serve, asked for before it is there. */
static void a_device_is_in_the_pool_of_each_demand(void **state) {
    struct fixture *f = fixture_start(state);
    (void)device_join(f, 0, &(struct device){.region = "FR"}); /* the model is known by it */
    struct core_model *model = core_model_find(f->core, STR("m"));
    for (unsigned i = 0; i < CORE_POOLS_PER_OFFERING; i++) {
        const struct core_demand demand = {.region = {i % 2 == 0 ? 'D' : '\0', i % 2 == 0 ? 'E' : '\0'},
                                           .verified = i / 2 % 2 == 0,
                                           .abilities = (uint8_t)(i / 4)};
        assert_non_null(core_pool_of(model, &demand));
    }
    const uint64_t able = device_join(f, 1, &(struct device){.region = "DE", .verified = true, .abilities = 3});
    const struct core_offering *offering = device_offering(f, able);
    for (size_t i = 0; i < CORE_POOLS_PER_OFFERING; i++) {
        assert_true(offering->places[i].pool > 0);
    }
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, able); /* core_check follows each step */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_classes_make_an_octave),
        cmocka_unit_test(a_shelf_holds_what_its_context_says),
        FIXTURE_TEST(a_sample_has_each_one_once_and_the_fast_ones_first),
        FIXTURE_TEST(a_pool_is_made_when_a_generation_asks_for_it),
        FIXTURE_TEST(a_device_is_in_the_pool_of_each_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
