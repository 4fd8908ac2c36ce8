/* The bounds of core/prefill.c that a story does not go through; the stories are tests/replay/first-token-*.replay. */
#include "core/prefill.h"
#include "unit/core/core_fixture.h"

static struct core_attempt *accepted(struct fixture *f, uint64_t *generation, uint64_t *provider, uint32_t tokens) {
    *provider = fixture_provider(f, 1);
    *generation = fixture_request(f, 0);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = *generation,
                                        .provider = *provider,
                                        .accept = {.prompt_tokens = tokens}});
    return fixture_generation_of(f, *generation)->attempt;
}

static void progress(struct fixture *f, uint64_t generation, uint64_t provider, uint32_t tokens) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_PROGRESS,
                                        .generation = generation,
                                        .provider = provider,
                                        .progress = {.done_tokens = tokens}});
}

static void a_claimed_prompt_is_no_longer_than_it_can_be(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t generation, provider;
    struct core_attempt *attempt = accepted(f, &generation, &provider, UINT32_MAX);
    assert_int_equal(core_prefill_tokens(attempt), 1 << 17); /* nobody has bounded it */
    attempt->generation->prompt_tokens_max = 900;
    attempt->generation->part_tokens = 50;
    assert_int_equal(core_prefill_tokens(attempt), 950);
    attempt->generation->prompt_tokens_max = attempt->generation->part_tokens = 0;
}

static void progress_goes_up_to_the_prompt_and_never_back(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t generation, provider;
    struct core_attempt *attempt = accepted(f, &generation, &provider, 1000);
    assert_true(core_prefill_left_ms(f->core, attempt) == UINT64_MAX);
    progress(f, generation, provider, 400);
    assert_int_equal(attempt->done_tokens, 400);
    progress(f, generation, provider, 300);
    assert_int_equal(attempt->done_tokens, 400);
    progress(f, generation, provider, UINT32_MAX);
    assert_int_equal(attempt->done_tokens, 1000);
    assert_int_equal(core_prefill_left_ms(f->core, attempt), 0);
}

static void another_device_s_progress_is_ignored(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t generation, provider;
    const struct core_attempt *attempt = accepted(f, &generation, &provider, 1000);
    uint64_t other = fixture_provider(f, 1);
    progress(f, generation, other, 400);
    assert_int_equal(attempt->done_tokens, 0);
    fixture_delta(f, generation, provider, 1);
    progress(f, generation, provider, 400); /* too late to say anything */
    assert_int_equal(attempt->done_tokens, 0);
}

static void the_least_speed_is_no_more_than_the_usual_one(void **state) {
    struct fixture *f = fixture_start(state);
    assert_int_equal(core_prefill_usual_ms(f->core, 1000), 20000);
    assert_int_equal(core_prefill_most_ms(f->core, 1000), 200000);
    f->core->config.prefill_least_per_s = 1000;
    assert_int_equal(core_prefill_most_ms(f->core, 1000), 20000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_claimed_prompt_is_no_longer_than_it_can_be),
        FIXTURE_TEST(progress_goes_up_to_the_prompt_and_never_back),
        FIXTURE_TEST(another_device_s_progress_is_ignored),
        FIXTURE_TEST(the_least_speed_is_no_more_than_the_usual_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
