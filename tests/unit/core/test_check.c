/* core_check sees damage: each test breaks one thing and mends it again. */
#include "unit/core/core_fixture.h"

static void assert_broken(const struct fixture *f) {
    const char *broken = NULL;
    assert_false(core_check(f->core, &broken));
    assert_non_null(broken);
}

static void assert_whole(const struct fixture *f) {
    const char *broken = NULL;
    assert_true(core_check(f->core, &broken));
    assert_null(broken);
    assert_true(core_check(f->core, NULL));
}

/* One generation running and one waiting on one provider. */
static struct fixture *start_busy(void **state, uint64_t *provider, uint64_t *generation) {
    struct fixture *f = fixture_start(state);
    *provider = fixture_provider(f, 1);
    *generation = fixture_request(f, 0);
    fixture_request(f, 1);
    return f;
}

static void it_sees_a_wrong_state(void **state) {
    uint64_t provider, handle;
    struct fixture *f = start_busy(state, &provider, &handle);
    struct core_generation *generation = fixture_generation_of(f, handle);
    generation->state = CORE_GENERATION_PREFILL;
    assert_broken(f);
    generation->state = CORE_GENERATION_SENT;
    assert_whole(f);
    generation->round = f->config.max_attempts + 1;
    assert_broken(f);
    generation->round = 1;
    assert_whole(f);
    generation->started = true; /* and then it is none of those that the retry budget counts */
    assert_broken(f);
    generation->started = false;
    assert_whole(f);
}

static void it_sees_wrong_counts(void **state) {
    uint64_t provider, handle;
    struct fixture *f = start_busy(state, &provider, &handle);
    struct core_offering *offering = fixture_generation_of(f, handle)->attempt->offering;
    uint32_t *numbers[] = {&offering->active, &offering->counted_context, &offering->model->counts[CORE_MODEL_WARM],
                           &offering->model->context.count};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        ++*numbers[i];
        assert_broken(f);
        --*numbers[i];
        assert_whole(f);
    }
    size_t *sizes[] = {&f->core->queued,
                       &f->core->ghosts,
                       &f->core->fresh,
                       &f->core->retrying,
                       &offering->model->references,
                       &offering->model->queue.count,
                       &f->core->offered_count};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ++*sizes[i];
        assert_broken(f);
        --*sizes[i];
        assert_whole(f);
    }
}

static void it_sees_a_broken_heap(void **state) {
    uint64_t provider, handle;
    struct fixture *f = start_busy(state, &provider, &handle);
    struct core_deadline_entry *entries = f->core->deadlines.entries;
    uint64_t at_ms = entries[0].at_ms;
    entries[0].at_ms = entries[1].at_ms + 1;
    assert_broken(f);
    entries[0].at_ms = at_ms;
    assert_whole(f);
    f->core->deadlines.armed_ms++; /* the shell's timer would come too late */
    assert_broken(f);
    f->core->deadlines.armed_ms--;
    assert_whole(f);
}

static void it_sees_a_generation_that_waits_for_nothing(void **state) {
    uint64_t provider, handle;
    struct fixture *f = start_busy(state, &provider, &handle);
    struct core_offering *offering = fixture_generation_of(f, handle)->attempt->offering;
    offering->slots = 2;
    core_offering_sort(f->core, offering);
    assert_broken(f); /* the queue should have moved */
    offering->slots = 1;
    core_offering_sort(f->core, offering);
    core_list_remove(&f->core->pending, &offering->model->pending_link);
    offering->model->queue.look_again = false;
    assert_whole(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(it_sees_a_wrong_state),
        FIXTURE_TEST(it_sees_wrong_counts),
        FIXTURE_TEST(it_sees_a_broken_heap),
        FIXTURE_TEST(it_sees_a_generation_that_waits_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
