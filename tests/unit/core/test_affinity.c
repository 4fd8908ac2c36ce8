#include "unit/core/place_fixture.h"

static struct core_attempt attempt_of_20 = {.delivered = {.bytes = 60, .tokens = 20, .spelled = 20}};
static struct core_attempt attempt_of_none;

struct world {
    struct core_model *model;
    struct core_provider *provider;
    uint64_t handle; /* the provider's */
};

static struct world world_start(struct fixture *f) {
    uint64_t provider = device_join(f, 0, &(struct device){0});
    return (struct world){core_model_find(f->core, STR("m")), fixture_provider_of(f, provider), provider};
}

static void what_was_left_is_found(void **state) {
    struct fixture *f = fixture_start(state);
    struct world w = world_start(f);
    struct core_generation generation = {
        .model = w.model, .leaves_prefix = 5, .prompt_tokens = 100, .attempt = &attempt_of_20};
    uint32_t tokens = 1;
    generation.prefix = 5;
    assert_null(core_affinity_find(f->core, &generation, &tokens));
    core_affinity_store(f->core, &generation, w.provider);
    assert_ptr_equal(core_affinity_find(f->core, &generation, &tokens), device_offering(f, w.handle));
    assert_int_equal(tokens, 120);
    generation.prefix = 6;
    assert_null(core_affinity_find(f->core, &generation, &tokens));
    assert_int_equal(tokens, 0);
}

static void no_name_is_no_entry(void **state) {
    struct fixture *f = fixture_start(state);
    struct world w = world_start(f);
    struct core_generation generation = {.model = w.model, .prompt_tokens = 100, .attempt = &attempt_of_none};
    uint32_t tokens;
    core_affinity_store(f->core, &generation, w.provider);
    assert_null(f->core->affinity);
    assert_null(core_affinity_find(f->core, &generation, &tokens));
}

static void a_device_that_left_is_not_found(void **state) {
    struct fixture *f = fixture_start(state);
    struct world w = world_start(f);
    struct core_generation generation = {
        .model = w.model, .prefix = 9, .leaves_prefix = 9, .prompt_tokens = 100, .attempt = &attempt_of_none};
    uint32_t tokens;
    core_affinity_store(f->core, &generation, w.provider);
    uint64_t other = device_join(f, 1, &(struct device){0}); /* keeps the model alive */
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, w.handle);
    assert_null(core_affinity_find(f->core, &generation, &tokens));
    assert_true(other != CORE_NO_HANDLE);
}

/* A table that is full forgets the oldest, and hardly anything that is new. */
static void the_table_has_a_fixed_size(void **state) {
    struct fixture *f = fixture_start(state);
    struct world w = world_start(f);
    struct core_generation generation = {.model = w.model, .prompt_tokens = 1, .attempt = &attempt_of_none};
    enum { ENTRIES = 100000, NEW = 4000 };
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        generation.leaves_prefix = i;
        core_affinity_store(f->core, &generation, w.provider);
    }
    size_t old_ones = 0, new_ones = 0;
    uint32_t tokens;
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        generation.prefix = i;
        bool found = core_affinity_find(f->core, &generation, &tokens) != NULL;
        old_ones += found && i <= ENTRIES / 2;
        new_ones += found && i > ENTRIES - NEW;
    }
    assert_in_range(old_ones, 0, 100); /* of 50000: in sets that happen to see few others */
    assert_in_range(new_ones, NEW * 9 / 10, NEW);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_was_left_is_found),
        FIXTURE_TEST(no_name_is_no_entry),
        FIXTURE_TEST(a_device_that_left_is_not_found),
        FIXTURE_TEST(the_table_has_a_fixed_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
