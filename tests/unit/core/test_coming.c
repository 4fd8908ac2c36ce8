/* The bounds of core/coming.c that tests/replay/warming-stalled.replay does not go through. */
#include "unit/core/core_fixture.h"

enum { MINUTE_MS = 60 * 1000, STALL_MS = 5 * MINUTE_MS };

static enum core_model_state told(struct fixture *f, uint64_t provider, enum core_model_state state, uint64_t left,
                                  uint64_t total) {
    fixture_status(
        f, provider,
        &(struct core_offer){.model = STR("m"), .state = state, .slots = 1, .bytes_left = left, .bytes_total = total},
        1);
    return core_offering_find((struct core_provider *)core_handles_get(&f->core->providers, provider),
                              core_model_find(f->core, STR("m")))
        ->state;
}

/* Of a model that the catalog does not know, the size is what its device says. */
static void a_slow_download_counts_to_its_end(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0);
    for (uint64_t left = 1000; left > 0; left -= 20) {
        assert_int_equal(told(f, provider, CORE_MODEL_DOWNLOADING, left, 1000), CORE_MODEL_DOWNLOADING);
        f->now_ms += STALL_MS - 1;
    }
    assert_int_equal(told(f, provider, CORE_MODEL_LOADING, 0, 0), CORE_MODEL_LOADING);
    assert_int_equal(told(f, provider, CORE_MODEL_WARM, 0, 0), CORE_MODEL_WARM);
}

/* Bytes beyond the file are no progress, whatever size is claimed for it. */
static void more_than_the_file_does_not_count(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_MODEL, .model = {.model = STR("m"), .file_bytes = 1000}});
    assert_int_equal(told(f, provider, CORE_MODEL_DOWNLOADING, 1, 1001), CORE_MODEL_DOWNLOADING);
    for (int i = 1; i < 6; i++) {
        f->now_ms += MINUTE_MS;
        enum core_model_state expected = i < 5 ? CORE_MODEL_DOWNLOADING : CORE_MODEL_FAILED;
        assert_int_equal(told(f, provider, CORE_MODEL_DOWNLOADING, 1, UINT64_MAX >> (6 - i)), expected);
    }
}

/* To go back and forth between the two does not begin the time of either anew. */
static void loading_between_downloads_is_no_progress(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_join(f, 0);
    (void)told(f, provider, CORE_MODEL_DOWNLOADING, 500, 1000);
    uint64_t began_ms = f->now_ms;
    while (f->now_ms < began_ms + STALL_MS) {
        f->now_ms += MINUTE_MS;
        (void)told(f, provider, CORE_MODEL_LOADING, 0, 0);
        (void)told(f, provider, CORE_MODEL_DOWNLOADING, 500, 1000);
    }
    assert_int_equal(told(f, provider, CORE_MODEL_DOWNLOADING, 500, 1000), CORE_MODEL_FAILED);
    assert_int_equal(told(f, provider, CORE_MODEL_LOADING, 0, 0), CORE_MODEL_LOADING);
    f->now_ms += 10 * MINUTE_MS;
    assert_int_equal(told(f, provider, CORE_MODEL_DOWNLOADING, 500, 1000), CORE_MODEL_FAILED);
    assert_int_equal(told(f, provider, CORE_MODEL_LOADING, 0, 0), CORE_MODEL_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_slow_download_counts_to_its_end),
        FIXTURE_TEST(more_than_the_file_does_not_count),
        FIXTURE_TEST(loading_between_downloads_is_no_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
