#include "unit/core/place_fixture.h"

#include "core/pool.h"

enum { DEVICES_MAX = 4, NOBODY = DEVICES_MAX };

struct choice {
    const char *why;
    struct device devices[DEVICES_MAX];
    size_t count;
    struct wish generation;
    size_t winner; /* NOBODY: it waits */
};

/* Each line: what decides when all else is equal, or what outweighs what. */
static const struct choice choices[] = {
    {"the faster decoding", {{.decode_per_s = 20}, {.decode_per_s = 30}, {.decode_per_s = 10}}, 3, {0}, 1},
    {"a long prompt goes by the prefill",
     {{.decode_per_s = 22, .prefill_per_s = 100}, {.decode_per_s = 20, .prefill_per_s = 1000}},
     2,
     {.prompt_bytes = 6000},
     1},
    {"a warm one before a cold one", {{.cold = true, .load_ms = 5000}, {0}}, 2, {0}, 1},
    {"a cold one that is ten times as fast, and loads in a second",
     {{.cold = true, .load_ms = 1000, .decode_per_s = 200}, {.decode_per_s = 20}},
     2,
     {0},
     0},
    {"the cold one that loads sooner", {{.cold = true, .load_ms = 9000}, {.cold = true, .load_ms = 3000}}, 2, {0}, 1},
    {"an unknown time to load counts as the configured one",
     {{.cold = true}, {.cold = true, .load_ms = 60000}},
     2,
     {0},
     0},
    {"fair heat counts 0.3", {{.heat = CORE_HEAT_FAIR, .decode_per_s = 60}, {.decode_per_s = 20}}, 2, {0}, 1},
    {"... which much more speed outweighs",
     {{.heat = CORE_HEAT_FAIR, .decode_per_s = 80, .prefill_per_s = 800}, {.decode_per_s = 20}},
     2,
     {0},
     0},
    {"serious heat is a gate",
     {{.heat = CORE_HEAT_SERIOUS, .decode_per_s = 1000, .prefill_per_s = 9000}, {.decode_per_s = 1}},
     2,
     {0},
     1},
    {"a low battery counts 0.3",
     {{.on_battery = true, .battery_percent = 10, .decode_per_s = 40, .prefill_per_s = 400}, {0}},
     2,
     {0},
     1},
    {"half a battery counts 0.9",
     {{.on_battery = true, .battery_percent = 50, .decode_per_s = 23, .prefill_per_s = 230}, {0}},
     2,
     {0},
     0},
    {"the reliable one", {{.success = 700, .decode_per_s = 25, .prefill_per_s = 250}, {0}}, 2, {0}, 1},
    {"the region asked for", {{.region = "DE", .decode_per_s = 1}, {.region = "FR"}, {0}}, 3, {.region = "DE"}, 0},
    {"verified", {{0}, {.verified = true, .decode_per_s = 1}}, 2, {.verified = true}, 1},
    {"verified, and of the region",
     {{.verified = true}, {.region = "DE"}, {.verified = true, .region = "DE", .decode_per_s = 1}},
     3,
     {.verified = true, .region = "DE"},
     2},
    {"a context that holds prompt and answer",
     {{.context_length = 2048, .decode_per_s = 100}, {.context_length = 8192, .decode_per_s = 5}},
     2,
     {.max_tokens = 4000},
     1},
    {"a context that just holds them",
     {{.context_length = 2100, .decode_per_s = 100}, {.context_length = 5000, .decode_per_s = 5}},
     2,
     {.max_tokens = 4800},
     1},
    {"what fits nowhere goes where most fits",
     {{.context_length = 2048, .decode_per_s = 100}, {.context_length = 8192, .decode_per_s = 5}},
     2,
     {.max_tokens = 100000},
     1},
    {"paused", {{.paused = true, .decode_per_s = 100}, {0}}, 2, {0}, 1},
    {"draining", {{.draining = true, .decode_per_s = 100}, {0}}, 2, {0}, 1},
    {"too large for its memory", {{.cold = true, .too_large = true, .load_ms = 1}, {.decode_per_s = 1}}, 2, {0}, 1},
    {"loading", {{.state = CORE_MODEL_LOADING}, {.decode_per_s = 1}}, 2, {0}, 1},
};

static void the_best_device_wins(void **state) {
    struct fixture *f = (struct fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        const struct choice *choice = &choices[i];
        uint64_t devices[DEVICES_MAX] = {0};
        f->core = core_new(&f->config);
        for (size_t j = 0; j < choice->count; j++) {
            devices[j] = device_join(f, j, &choice->devices[j]);
        }
        (void)device_request(f, &choice->generation);
        uint64_t expected = choice->winner < choice->count ? devices[choice->winner] : CORE_NO_HANDLE;
        if (fixture_dispatched(f) != expected) {
            fail_msg("%s", choice->why);
        }
        core_free(f->core);
        f->core = NULL;
    }
}

static void a_dispatch_tells_who_was_weighed(void **state) {
    struct fixture *f = fixture_start(state);
    for (uint64_t i = 0; i < 3; i++) {
        (void)device_join(f, i, &(struct device){.decode_per_s = (float)(10 * (i + 1))});
    }
    (void)device_request(f, &(struct wish){0});
    const struct core_effect *dispatch = fixture_effect(f, CORE_EFFECT_DISPATCH);
    assert_int_equal(dispatch->dispatch.candidate_count, 3);
    const struct core_candidate *candidates = &f->effects.candidates[dispatch->dispatch.first_candidate];
    size_t chosen = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(candidates[i].gate, CORE_GATE_NONE);
        assert_int_equal(candidates[i].weight, 1000);
        assert_int_equal(candidates[i].prefill_ms, 500); /* 300 bytes, a third of it tokens, at 200 a second */
        assert_int_equal(candidates[i].finish_ms, candidates[i].prefill_ms + candidates[i].decode_ms);
        chosen += candidates[i].chosen;
        assert_int_equal(candidates[i].chosen, candidates[i].user == 2);
    }
    assert_int_equal(chosen, 1);
}

static void jobs_on_a_device_share_its_speed(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t fast = device_join(f, 0, &(struct device){.slots = 8, .decode_per_s = 50, .prefill_per_s = 200});
    uint64_t slow = device_join(f, 1, &(struct device){.slots = 8, .decode_per_s = 20, .prefill_per_s = 200});
    const uint64_t expected[] = {fast, fast, slow, fast}; /* 50, 25, then 16.7 against 20, then 16.7 against 10 */
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        (void)device_request(f, &(struct wish){0});
        assert_true(fixture_dispatched(f) == expected[i]);
    }
}

static void equals_share_the_generations(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t devices[DEVICES_MAX];
    size_t chosen[DEVICES_MAX] = {0};
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        devices[i] = device_join(f, i, &(struct device){.slots = 2});
    }
    for (size_t i = 0; i < 400; i++) {
        uint64_t generation = device_request(f, &(struct wish){0}), provider = fixture_dispatched(f);
        for (size_t j = 0; j < DEVICES_MAX; j++) {
            chosen[j] += devices[j] == provider;
        }
        device_answer(f, generation, provider);
    }
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        assert_in_range(chosen[i], 60, 140); /* 100 each, give or take 4.6 standard deviations; the seed is fixed */
    }
}

static void a_seed_decides_the_same_way_again(void **state) {
    struct fixture *f = (struct fixture *)*state;
    f->config.seed = 12345;
    uint64_t chosen[2][20];
    for (size_t run = 0; run < 2; run++) {
        core_free(f->core);
        f = fixture_start(state);
        for (size_t i = 0; i < 100; i++) {
            (void)device_join(f, i, &(struct device){.slots = 10});
        }
        for (size_t i = 0; i < COUNT_OF(chosen[0]); i++) {
            (void)device_request(f, &(struct wish){0});
            chosen[run][i] = fixture_dispatched(f);
        }
    }
    assert_memory_equal(chosen[0], chosen[1], sizeof(chosen[0]));
}

/* Slower by a class of speed at most, of those with the same speed in prefill: whatever the population is. */
static void a_sample_comes_close_to_the_best(void **state) {
    struct fixture *f = (struct fixture *)*state;
    struct random_source random = {.state = 7};
    for (size_t population = 0; population < 20; population++) {
        f->core = core_new(&f->config);
        uint64_t best_ms = UINT64_MAX, count = 1 + random_below(&random, 300);
        for (uint64_t i = 0; i < count; i++) {
            float decode = (float)(1 + random_below(&random, 1000)) / 10.0F;
            (void)device_join(f, i,
                              &(struct device){.decode_per_s = decode,
                                               .prefill_per_s = 20 * decode,
                                               .success = 500 + (uint32_t)random_below(&random, 501)});
        }
        uint64_t generation = device_request(f, &(struct wish){0});
        const struct core_effect *dispatch = fixture_effect(f, CORE_EFFECT_DISPATCH);
        assert_in_range(dispatch->dispatch.candidate_count, 1, CORE_CANDIDATES_MAX);
        uint64_t chosen_ms = UINT64_MAX;
        for (size_t i = 0; i < dispatch->dispatch.candidate_count; i++) {
            const struct core_candidate *candidate = &f->effects.candidates[dispatch->dispatch.first_candidate + i];
            chosen_ms = candidate->chosen ? candidate->finish_ms : chosen_ms;
        }
        struct core_candidate *all = mem_calloc(count, sizeof(*all));
        assert_int_equal(core_generation_explain(f->core, generation, all, count), count);
        for (uint64_t i = 0; i < count; i++) { /* but the chosen one, whose only slot is taken now */
            best_ms = all[i].gate == CORE_GATE_NONE && all[i].finish_ms < best_ms ? all[i].finish_ms : best_ms;
        }
        free(all);
        assert_true(best_ms == UINT64_MAX || chosen_ms <= best_ms + best_ms / 5 + 1);
        core_free(f->core);
        f->core = NULL;
    }
}

static void a_cached_prompt_is_not_computed_again(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t home = device_join(f, 0, &(struct device){.prefill_per_s = 100});
    uint64_t generation = device_request(f, &(struct wish){.prompt_bytes = 6000, .leaves_prefix = 77});
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = generation,
                                        .provider = home,
                                        .accept = {.prompt_tokens = 2000}});
    device_text(f, generation, home, "text", 1);
    fixture_done(f, generation, home, 2000, 1);
    (void)device_join(f, 1, &(struct device){.prefill_per_s = 200, .decode_per_s = 21});
    (void)device_request(f, &(struct wish){.prompt_bytes = 6300, .prefix = 77});
    assert_true(fixture_dispatched(f) == home);
    const struct core_candidate *first =
        &f->effects.candidates[fixture_effect(f, CORE_EFFECT_DISPATCH)->dispatch.first_candidate];
    assert_true(first->cached && first->chosen);
    assert_in_range(first->prefill_ms, 900, 1100); /* 100 of 2100 tokens, at 100 a second */
}

static void a_generation_rather_waits_than_loads_for_long(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t warm = device_join(f, 0, &(struct device){0});
    uint64_t first = device_request(f, &(struct wish){0});
    device_answer(f, first, warm); /* in no time at all: the next slot is near */
    first = device_request(f, &(struct wish){0});
    fixture_plain(f, CORE_EVENT_ACCEPT, first, warm);
    uint64_t cold = device_join(f, 1, &(struct device){.cold = true, .load_ms = 4000});
    uint64_t second = device_request(f, &(struct wish){0});
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
    fixture_at(f, 1000);
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
    uint64_t given = CORE_NO_HANDLE;
    for (uint64_t now = 2000; now <= 6000 && given == CORE_NO_HANDLE; now += 1000) {
        fixture_at(f, now); /* the estimate was wrong: patience ends when loading would have been done */
        given = fixture_dispatched(f);
    }
    assert_true(given == cold);
    assert_in_range(f->now_ms, 3000, 5000);
    assert_non_null(fixture_generation_of(f, first));
    assert_non_null(fixture_generation_of(f, second));
}

static void a_cold_device_loads_when_the_line_is_long(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t warm = device_join(f, 0, &(struct device){.decode_per_s = 1});
    (void)device_request(f, &(struct wish){0});
    assert_true(fixture_dispatched(f) == warm);
    uint64_t cold = device_join(f, 1, &(struct device){.cold = true, .load_ms = 4000});
    (void)device_request(f, &(struct wish){0}); /* 256 tokens at 20 a second take longer than loading */
    assert_true(fixture_dispatched(f) == cold);
}

static void a_canary_goes_to_its_device_or_nowhere(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t slow = device_join(f, 0, &(struct device){.decode_per_s = 1});
    (void)device_join(f, 1, &(struct device){.decode_per_s = 100});
    (void)device_request(f, &(struct wish){.only_provider = slow});
    assert_true(fixture_dispatched(f) == slow);
    (void)device_request(f, &(struct wish){.only_provider = slow});
    assert_true(fixture_dispatched(f) == CORE_NO_HANDLE);
}

static void another_device_each_time_and_a_tried_one_at_last(void **state) {
    ((struct fixture *)*state)->config.max_attempts = CORE_ATTEMPTS_MAX;
    ((struct fixture *)*state)->config.backoff_step_ms = 0;
    struct fixture *f = fixture_start(state);
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        (void)device_join(f, i, &(struct device){.slots = 2});
    }
    uint64_t generation = device_request(f, &(struct wish){0}), provider = fixture_dispatched(f), seen[DEVICES_MAX];
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        assert_true(provider != CORE_NO_HANDLE);
        for (size_t j = 0; j < i; j++) {
            assert_true(seen[j] != provider);
        }
        seen[i] = provider;
        fixture_error(f, generation, provider, CORE_ATTEMPT_OVERLOADED);
        provider = fixture_dispatched(f);
        device_report(f, seen[i], &(struct device){.slots = 2}); /* free again at once */
        if (provider == CORE_NO_HANDLE) {
            fixture_at(f, f->now_ms + 1);
            provider = fixture_dispatched(f);
        }
    }
    assert_true(provider != CORE_NO_HANDLE); /* nobody else is left */
}

static void a_region_that_nobody_has_is_no_hope(void **state) {
    struct fixture *f = fixture_start(state);
    (void)device_join(f, 0, &(struct device){.region = "DE"});
    struct core_model *model = core_model_find(f->core, STR("m"));
    struct core_generation generation = {.model = model, .demand = {.region = "FR"}};
    assert_false(core_place_has_hope(f->core, &generation));
    memcpy(generation.demand.region, "DE", sizeof(generation.demand.region));
    assert_true(core_place_has_hope(f->core, &generation));
    generation.demand.verified = true;
    assert_false(core_place_has_hope(f->core, &generation));
}

/* Cold ones that are large enough, warm ones of which some may be, and new ones of both kinds. */
static void no_crowd_makes_a_decision_look_at_more(void **state) {
    enum { CROWD = 2 * CORE_CANDIDATES_MAX, CONTEXT = 40000 };
    struct fixture *f = fixture_start(state);
    for (uint64_t i = 0; i < CROWD; i++) {
        const struct device large = {
            .cold = true, .load_ms = 1, .context_length = 2 * CONTEXT, .untrusted = i % 2 > 0, .owner = i};
        const struct device just = {.context_length = CONTEXT - 1, .untrusted = i % 2 > 0, .owner = i};
        (void)device_join(f, i, &large);
        (void)device_join(f, i, &just);
    }
    for (uint64_t i = 0; i < CROWD / 4; i++) {
        (void)device_request(f, &(struct wish){.max_tokens = CONTEXT});
        const struct core_effect *dispatch = fixture_effect(f, CORE_EFFECT_DISPATCH);
        assert_non_null(dispatch);
        assert_in_range(dispatch->dispatch.candidate_count, CORE_CANDIDATES_MAX / 2, CORE_CANDIDATES_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_best_device_wins),
        FIXTURE_TEST(a_dispatch_tells_who_was_weighed),
        FIXTURE_TEST(jobs_on_a_device_share_its_speed),
        FIXTURE_TEST(equals_share_the_generations),
        FIXTURE_TEST(a_seed_decides_the_same_way_again),
        FIXTURE_TEST(a_sample_comes_close_to_the_best),
        FIXTURE_TEST(a_cached_prompt_is_not_computed_again),
        FIXTURE_TEST(a_generation_rather_waits_than_loads_for_long),
        FIXTURE_TEST(a_cold_device_loads_when_the_line_is_long),
        FIXTURE_TEST(a_canary_goes_to_its_device_or_nowhere),
        FIXTURE_TEST(another_device_each_time_and_a_tried_one_at_last),
        FIXTURE_TEST(a_region_that_nobody_has_is_no_hope),
        FIXTURE_TEST(no_crowd_makes_a_decision_look_at_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
