#include "unit/core/core_fixture.h"

#include <string.h>

static void a_model_is_made_once_and_lives_while_referred_to(void **state) {
    struct core *core = fixture_start(state)->core;
    struct core_model *model = core_model_acquire(core, STR("a"));
    assert_ptr_equal(core_model_acquire(core, STR("a")), model);
    assert_true(core_model_acquire(core, STR("aa")) != model);
    core_model_release(core, model);
    assert_ptr_equal(core_model_find(core, STR("a")), model);
    core_model_release(core, model);
    assert_null(core_model_find(core, STR("a")));
    core_model_release(core, core_model_find(core, STR("aa")));
}

static void ids_have_a_length(void **state) {
    struct core *core = fixture_start(state)->core;
    char id[CORE_MODEL_ID_MAX + 1];
    memset(id, 'x', sizeof(id));
    assert_true(core_model_id_is_valid((struct str){.data = id, .len = CORE_MODEL_ID_MAX}));
    assert_false(core_model_id_is_valid((struct str){.data = id, .len = CORE_MODEL_ID_MAX + 1}));
    assert_false(core_model_id_is_valid(STR("")));
    assert_null(core_model_find(core, (struct str){.data = id, .len = sizeof(id)}));
}

static void availability_is_the_best_of_all_offers(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t a = fixture_join(f, 0), b = fixture_join(f, 1);
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_ABSENT);
    fixture_offer(f, a, "m", CORE_MODEL_FAILED, 1);
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_ABSENT);
    fixture_offer(f, b, "m", CORE_MODEL_DOWNLOADING, 1);
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_COMING);
    fixture_offer(f, a, "m", CORE_MODEL_WARM, 1);
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_AVAILABLE);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, a);
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_COMING);
}

static void a_cold_model_can_serve_if_it_fits(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t a = fixture_join(f, 0);
    struct core_offer offer = {.model = STR("m"), .state = CORE_MODEL_COLD, .slots = 1, .too_large = true};
    fixture_status(f, a, &offer, 1);
    assert_false(core_model_is_servable(core_model_find(f->core, STR("m"))));
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_RESTING);
    offer.too_large = false;
    fixture_status(f, a, &offer, 1);
    assert_true(core_model_is_servable(core_model_find(f->core, STR("m"))));
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_COMING);
}

static uint32_t context_of(const struct core *core) {
    uint32_t context;
    (void)core_model_availability(core, STR("m"), &context);
    return context;
}

static void the_context_is_the_largest_offered(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t providers[3];
    const uint32_t contexts[] = {4096, 8192, 2048};
    assert_int_equal(context_of(f->core), 0);
    for (size_t i = 0; i < COUNT_OF(providers); i++) {
        providers[i] = fixture_join(f, i);
        fixture_status(f, providers[i],
                       &(struct core_offer){
                           .model = STR("m"), .state = CORE_MODEL_WARM, .slots = 1, .context_length = contexts[i]},
                       1);
    }
    assert_int_equal(context_of(f->core), 8192);
    fixture_plain(f, CORE_EVENT_PROVIDER_DRAINING, 0, providers[1]);
    assert_int_equal(context_of(f->core), 4096);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, providers[0]);
    assert_int_equal(context_of(f->core), 2048);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, providers[2]);
    assert_int_equal(context_of(f->core), 0);
}

static void what_is_offered_can_be_listed(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t a = fixture_join(f, 0);
    const struct core_offer offers[] = {
        {.model = STR("x"), .state = CORE_MODEL_WARM, .slots = 1, .context_length = 1},
        {.model = STR("y"), .state = CORE_MODEL_LOADING, .slots = 1, .context_length = 2},
        {.model = STR("z"), .state = CORE_MODEL_FAILED, .slots = 1, .context_length = 3},
    };
    fixture_status(f, a, offers, COUNT_OF(offers));
    bool seen[COUNT_OF(offers)] = {false};
    struct str model;
    enum core_availability availability;
    uint32_t context;
    size_t count = 0;
    while (core_model_at(f->core, count, &model, &availability, &context)) {
        size_t which = (size_t)(model.data[0] - 'x');
        seen[which] = true;
        assert_int_equal(context, which + 1);
        assert_int_equal(availability, which == 0   ? CORE_MODEL_AVAILABLE
                                       : which == 1 ? CORE_MODEL_COMING
                                                    : CORE_MODEL_ABSENT);
        count++;
    }
    assert_int_equal(count, COUNT_OF(offers));
    assert_true(seen[0] && seen[1] && seen[2]);
    assert_true(core_model_at(f->core, 0, NULL, NULL, NULL));
    fixture_status(f, a, &offers[1], 1);
    assert_true(core_model_at(f->core, 0, &model, NULL, NULL));
    assert_true(str_equal_cstr(model, "y"));
    assert_false(core_model_at(f->core, 1, NULL, NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_model_is_made_once_and_lives_while_referred_to),
        FIXTURE_TEST(ids_have_a_length),
        FIXTURE_TEST(availability_is_the_best_of_all_offers),
        FIXTURE_TEST(a_cold_model_can_serve_if_it_fits),
        FIXTURE_TEST(the_context_is_the_largest_offered),
        FIXTURE_TEST(what_is_offered_can_be_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
