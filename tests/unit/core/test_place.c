#include "unit/core/core_fixture.h"

enum { PROVIDERS = 4 };

static size_t index_of(const uint64_t *handles, uint64_t handle) {
    size_t i = 0;
    while (i < PROVIDERS && handles[i] != handle) {
        i++;
    }
    return i;
}

static void equals_share_the_jobs(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t providers[PROVIDERS];
    size_t chosen[PROVIDERS] = {0};
    for (size_t i = 0; i < PROVIDERS; i++) {
        providers[i] = fixture_provider(f, 2);
    }
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t job = fixture_request(f, i);
        size_t which = index_of(providers, fixture_dispatched(f));
        assert_in_range(which, 0, PROVIDERS - 1);
        chosen[which]++;
        fixture_plain(f, CORE_EVENT_DONE, job, providers[which]);
    }
    for (size_t i = 0; i < PROVIDERS; i++) {
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
        for (size_t i = 0; i < PROVIDERS; i++) {
            fixture_provider(f, 10);
        }
        for (size_t i = 0; i < COUNT_OF(chosen[0]); i++) {
            fixture_request(f, i);
            chosen[run][i] = fixture_dispatched(f);
        }
    }
    assert_memory_equal(chosen[0], chosen[1], sizeof(chosen[0]));
}

static void load_is_compared_by_parts_of_slots(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t large = fixture_provider(f, 100), small = CORE_NO_HANDLE;
    for (uint64_t i = 0; i < 49; i++) {
        fixture_request(f, i);
    }
    small = fixture_provider(f, 2);
    fixture_request(f, 49);
    assert_true(fixture_dispatched(f) == small); /* 0/2 before 49/100 */
    fixture_request(f, 50);
    assert_true(fixture_dispatched(f) == large); /* 49/100 before 1/2 */
}

static void a_provider_is_tried_once_for_a_job(void **state) {
    ((struct fixture *)*state)->config.max_attempts = CORE_ATTEMPTS_MAX;
    struct fixture *f = fixture_start(state);
    uint64_t providers[PROVIDERS];
    for (size_t i = 0; i < PROVIDERS; i++) {
        providers[i] = fixture_provider(f, 2);
    }
    bool tried[PROVIDERS] = {false};
    uint64_t job = fixture_request(f, 0), provider = fixture_dispatched(f);
    for (size_t i = 0; i < PROVIDERS; i++) {
        size_t which = index_of(providers, provider);
        assert_in_range(which, 0, PROVIDERS - 1);
        assert_false(tried[which]);
        tried[which] = true;
        fixture_error(f, job, provider, CORE_ATTEMPT_OVERLOADED);
        uint64_t next = fixture_dispatched(f);
        fixture_offer(f, provider, "m", CORE_MODEL_WARM, 2); /* free again at once */
        provider = next;
    }
    assert_true(provider == CORE_NO_HANDLE);
    assert_int_equal(core_counts(f->core).queued, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(equals_share_the_jobs),
        FIXTURE_TEST(a_seed_decides_the_same_way_again),
        FIXTURE_TEST(load_is_compared_by_parts_of_slots),
        FIXTURE_TEST(a_provider_is_tried_once_for_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
