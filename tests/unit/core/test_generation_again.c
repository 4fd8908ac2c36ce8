#include "unit/core/core_fixture.h"

/* A device for one generation, in place of `lost`, which goes (CORE_NO_HANDLE: nobody). */
static uint64_t replace(struct fixture *f, uint64_t lost) {
    uint64_t next = fixture_provider(f, 1);
    if (lost != CORE_NO_HANDLE) {
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, lost);
    }
    return next;
}

static uint64_t long_request(struct fixture *f) {
    fixture_step(f,
                 (struct core_event){.kind = CORE_EVENT_REQUEST, .request = {.model = STR("m"), .max_tokens = 1000}});
    return fixture_effect(f, CORE_EFFECT_ADMITTED)->generation;
}

static void an_answer_has_a_bounded_number_of_devices(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = replace(f, CORE_NO_HANDLE), generation = long_request(f);
    for (uint32_t i = 1; i < CORE_PARTS_MAX; i++) {
        fixture_delta(f, generation, provider, 2);
        provider = replace(f, provider);
        const struct core_effect *dispatch = fixture_effect(f, CORE_EFFECT_DISPATCH);
        assert_true(dispatch->dispatch.continues);
        assert_int_equal(dispatch->dispatch.attempt, i + 1);
        assert_int_equal(dispatch->dispatch.max_tokens, 1000 - 2 * i);
    }
    struct core_generation *held = fixture_generation_of(f, generation);
    assert_int_equal(held->part_count, CORE_PARTS_MAX - 1);
    fixture_delta(f, generation, provider, 2);
    replace(f, provider);
    const struct core_effect *fail = fixture_effect(f, CORE_EFFECT_FAIL);
    assert_int_equal(fail->fail.failure, CORE_FAILURE_LOST);
    assert_int_equal(fail->fail.attempts, CORE_PARTS_MAX);
}

static void as_many_devices_as_allowed_can_finish_an_answer(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = replace(f, CORE_NO_HANDLE), generation = long_request(f);
    for (uint32_t i = 1; i < CORE_PARTS_MAX; i++) {
        fixture_delta(f, generation, provider, 1 + i % 2);
        provider = replace(f, provider);
    }
    fixture_done(f, generation, provider, 9, 7);
    fixture_committed(f, generation, true);
    const struct core_outcome *outcome = &fixture_effect(f, CORE_EFFECT_FINISH)->finish;
    assert_int_equal(outcome->part_count, CORE_PARTS_MAX);
    for (uint32_t i = 1; i < CORE_PARTS_MAX; i++) {
        assert_int_equal(outcome->parts[i - 1].tokens, 1 + i % 2);
        assert_int_equal(outcome->parts[i - 1].attempt, i);
    }
    assert_int_equal(outcome->parts[CORE_PARTS_MAX - 1].tokens, 7);
}

static void content_gives_new_attempts(void **state) {
    ((struct fixture *)*state)->config.max_attempts = 2;
    struct fixture *f = fixture_start(state);
    uint64_t provider = replace(f, CORE_NO_HANDLE), generation = long_request(f);
    provider = replace(f, provider); /* the last attempt of this round */
    fixture_delta(f, generation, provider, 1);
    assert_int_equal(fixture_generation_of(f, generation)->round, 0);
    assert_int_equal(fixture_generation_of(f, generation)->tried_count, 1);
    provider = replace(f, provider);
    provider = replace(f, provider);
    assert_int_equal(fixture_generation_of(f, generation)->attempts, 4);
    provider = replace(f, provider); /* a begun answer goes on while there is hope ... */
    assert_int_equal(fixture_generation_of(f, generation)->attempts, 5);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider); /* ... and ends with it */
    assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_LOST);
}

static void the_silent_are_remembered_beyond_content(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t silent = replace(f, CORE_NO_HANDLE), generation = long_request(f), other = replace(f, CORE_NO_HANDLE);
    fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, silent);
    fixture_plain(f, CORE_EVENT_DONE, generation, silent);
    fixture_plain(f, CORE_EVENT_PROVIDER_ALIVE, 0, silent);
    fixture_delta(f, generation, other, 1);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, other);
    assert_null(fixture_effect(f, CORE_EFFECT_DISPATCH));
    uint64_t third = replace(f, CORE_NO_HANDLE);
    assert_true(fixture_dispatched(f) == third);
}

static void count_prompt(struct fixture *f, uint64_t generation, uint64_t provider, uint32_t tokens) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = generation,
                                        .provider = provider,
                                        .accept = {.prompt_tokens = tokens}});
}

/* Neither one that gave up before any text nor one that was lost behind it binds the bill of the one that finished. */
static void the_prompt_counts_as_the_last_one_counted_it(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    uint64_t provider = replace(f, CORE_NO_HANDLE), generation = fixture_paid_request(f, 0);
    count_prompt(f, generation, provider, 1);
    provider = replace(f, provider);
    assert_int_equal(fixture_generation_of(f, generation)->prompt_tokens, 0);
    count_prompt(f, generation, provider, 4);
    fixture_delta(f, generation, provider, 1);
    provider = replace(f, provider);
    count_prompt(f, generation, provider, 7);
    fixture_delta(f, generation, provider, 3);
    fixture_done(f, generation, provider, 9, 3);
    const struct core_outcome *outcome = &fixture_effect(f, CORE_EFFECT_SETTLE)->finish;
    assert_int_equal(outcome->prompt_tokens, 7);
    assert_int_equal(outcome->charge_nano, 70 + 80);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_answer_has_a_bounded_number_of_devices),
        FIXTURE_TEST(as_many_devices_as_allowed_can_finish_an_answer),
        FIXTURE_TEST(content_gives_new_attempts),
        FIXTURE_TEST(the_silent_are_remembered_beyond_content),
        FIXTURE_TEST(the_prompt_counts_as_the_last_one_counted_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
