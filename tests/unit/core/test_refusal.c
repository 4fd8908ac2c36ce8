#include "unit/core/core_fixture.h"

static uint64_t provider_in(struct fixture *f, uint64_t owner, uint32_t context, const char *region) {
    struct core_event event = {.kind = CORE_EVENT_PROVIDER_JOINED, .joined = {.owner = owner}};
    memcpy(event.joined.region, region, strlen(region));
    core_record_init(&event.joined.record);
    fixture_step(f, event);
    const uint64_t provider = fixture_effect(f, CORE_EFFECT_PROVIDER_ADMITTED)->provider;
    const struct core_offer offer = {
        .model = STR("m"), .state = CORE_MODEL_WARM, .slots = 1, .context_length = context};
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                        .provider = provider,
                                        .status = {.offers = &offer, .offer_count = 1}});
    return provider;
}

static uint64_t owned_provider(struct fixture *f, uint64_t owner, uint32_t context) {
    return provider_in(f, owner, context, "");
}

/* A liar that calls every request bad reaches no client however many devices it has, while one of another owner is
 * there. */
static void many_devices_of_a_liar_are_one_voice(void **state) {
    struct fixture *f = fixture_start(state);
    enum { LIARS = 50, REQUESTS = 40 };
    const uint64_t honest = owned_provider(f, 1, 4096);
    for (size_t i = 0; i < LIARS; i++) {
        (void)owned_provider(f, 2, 4096);
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        uint64_t generation = fixture_request(f, 0), at = fixture_dispatched(f);
        assert_true(at != CORE_NO_HANDLE);
        for (unsigned asked = 0; at != honest; asked++) {
            assert_true(asked < 2);
            fixture_error(f, generation, at, CORE_ATTEMPT_BAD_REQUEST);
            assert_null(fixture_effect(f, CORE_EFFECT_FAIL));
            at = fixture_dispatched(f);
        }
        fixture_done(f, generation, honest, 5, 1);
        fixture_committed(f, generation, true);
        assert_non_null(fixture_effect(f, CORE_EFFECT_FINISH));
        f->now_ms += 60000;
    }
    assert_int_equal(fixture_provider_of(f, honest)->record.reviews, 0);
}

/* Three false refusals are too many; good answers make up for single ones. */
static void false_refusals_are_reviewed(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t one = owned_provider(f, 1, 4096), generation = 0;
    const struct core_provider *provider = fixture_provider_of(f, one);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(provider->record.reviews, 0);
        generation = fixture_request(f, 0);
        assert_true(fixture_dispatched(f) == one);
        uint64_t other = owned_provider(f, 2, 4096);
        fixture_error(f, generation, one, CORE_ATTEMPT_BAD_REQUEST);
        assert_true(fixture_dispatched(f) == other);
        fixture_done(f, generation, other, 5, 1);
        fixture_committed(f, generation, true);
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, other);
        assert_int_equal(provider->record.failures, i + 1);
    }
    assert_int_equal(provider->record.reviews, 1);
}

/* The same from the other one: nothing is held against either. */
static void a_refusal_that_is_confirmed_is_none_of_the_devices_fault(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t one = owned_provider(f, 1, 4096);
    for (unsigned i = 0; i < 5; i++) {
        uint64_t generation = fixture_request(f, 0);
        uint64_t other = owned_provider(f, 2, 4096);
        fixture_error(f, generation, one, CORE_ATTEMPT_BAD_REQUEST);
        assert_true(fixture_dispatched(f) == other);
        fixture_error(f, generation, other, CORE_ATTEMPT_BAD_REQUEST);
        assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_BAD_REQUEST);
        assert_int_equal(fixture_provider_of(f, other)->record.failures, 0);
        fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, other);
    }
    assert_int_equal(fixture_provider_of(f, one)->record.failures, 0);
    assert_int_equal(fixture_provider_of(f, one)->record.reviews, 0);
}

/* One says bad, the other too long: that is not the same, so a third one is asked. */
static void two_different_refusals_do_not_agree(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t one = owned_provider(f, 1, 4096), generation = fixture_request(f, 0);
    uint64_t other = owned_provider(f, 2, 4096);
    fixture_error(f, generation, one, CORE_ATTEMPT_BAD_REQUEST);
    assert_true(fixture_dispatched(f) == other);
    uint64_t third = owned_provider(f, 3, 4096);
    fixture_error(f, generation, other, CORE_ATTEMPT_CONTEXT_LENGTH);
    assert_null(fixture_effect(f, CORE_EFFECT_FAIL));
    f->now_ms += f->config.backoff_step_ms;
    fixture_plain(f, CORE_EVENT_TIMER, 0, 0);
    assert_true(fixture_dispatched(f) == third);
}

/* The shell's own refusal is no device's word: nobody else is asked. */
static void what_cannot_be_sent_is_refused_at_once(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t one = owned_provider(f, 1, 4096), generation = fixture_request(f, 0);
    (void)owned_provider(f, 2, 4096);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ERROR,
                                        .generation = generation,
                                        .provider = one,
                                        .error = {.failure = CORE_ATTEMPT_BAD_REQUEST, .by_gateway = true}});
    const struct core_effect *fail = fixture_effect(f, CORE_EFFECT_FAIL);
    assert_int_equal(fail->fail.failure, CORE_FAILURE_BAD_REQUEST);
    assert_true(fail->fail.by_gateway);
}

/* More than one decision looks at: whoever is not of the liar's crowd is found all the same. */
static void a_crowd_hides_nobody(void **state) {
    struct fixture *f = fixture_start(state);
    enum { CROWD = 1500 };
    for (size_t i = 0; i < CROWD; i++) {
        (void)owned_provider(f, 2, 4096);
    }
    const uint64_t honest = owned_provider(f, 1, 4096);
    const uint64_t generation = fixture_request(f, 0);
    uint64_t at = fixture_dispatched(f);
    for (unsigned asked = 0; at != honest; asked++) {
        assert_true(asked < 2);
        fixture_error(f, generation, at, CORE_ATTEMPT_BAD_REQUEST);
        assert_null(fixture_effect(f, CORE_EFFECT_FAIL));
        at = fixture_dispatched(f);
    }
}

/* In a crowd that may not have the request a refusal is known at once to be all that can be had. */
static void of_one_alone_in_its_region_it_is_told_at_once(void **state) {
    struct fixture *f = fixture_start(state);
    enum { CROWD = 1500 };
    for (size_t i = 0; i < CROWD; i++) {
        (void)provider_in(f, 2 + i, 4096, "FR");
    }
    const uint64_t alone = provider_in(f, 1, 4096, "DE");
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                        .request = {.model = STR("m"), .max_tokens = 16, .region = "DE"}});
    const uint64_t generation = fixture_effect(f, CORE_EFFECT_DISPATCH)->generation;
    fixture_error(f, generation, alone, CORE_ATTEMPT_BAD_REQUEST);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_BAD_REQUEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(many_devices_of_a_liar_are_one_voice),
        FIXTURE_TEST(false_refusals_are_reviewed),
        FIXTURE_TEST(a_refusal_that_is_confirmed_is_none_of_the_devices_fault),
        FIXTURE_TEST(two_different_refusals_do_not_agree),
        FIXTURE_TEST(what_cannot_be_sent_is_refused_at_once),
        FIXTURE_TEST(a_crowd_hides_nobody),
        FIXTURE_TEST(of_one_alone_in_its_region_it_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
