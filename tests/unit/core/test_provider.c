#include "unit/core/place_fixture.h"

static void a_bad_entry_of_a_status_is_passed_over(void **state) {
    struct fixture *f = fixture_start(state);
    char long_id[CORE_MODEL_ID_MAX + 1];
    memset(long_id, 'x', sizeof(long_id));
    const struct core_offer offers[] = {
        {.model = {.data = long_id, .len = sizeof(long_id)}, .state = CORE_MODEL_WARM, .slots = 1},
        {.model = STR(""), .state = CORE_MODEL_WARM, .slots = 1},
        {.model = STR("m"), .state = CORE_MODEL_WARM, .slots = 1},
        {.model = STR("m"), .state = CORE_MODEL_FAILED, .slots = 7},
        {.model = STR("n"), .state = CORE_MODEL_LOADING, .slots = 1},
    };
    fixture_status(f, fixture_join(f, 0), offers, COUNT_OF(offers));
    assert_int_equal(core_counts(f->core).models, 2);
    assert_int_equal(core_model_availability(f->core, STR("m"), NULL), CORE_MODEL_AVAILABLE);
    assert_int_equal(core_model_availability(f->core, STR("n"), NULL), CORE_MODEL_COMING);
}

static void a_status_has_a_bound(void **state) {
    struct fixture *f = fixture_start(state);
    struct core_offer offers[CORE_OFFERS_MAX + 10];
    char ids[COUNT_OF(offers)][8];
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "m%zu", i);
        offers[i] = (struct core_offer){.model = str_from(ids[i]), .state = CORE_MODEL_WARM, .slots = 1};
    }
    uint64_t provider = fixture_join(f, 0);
    fixture_status(f, provider, offers, COUNT_OF(offers));
    assert_int_equal(core_counts(f->core).models, CORE_OFFERS_MAX);
    fixture_status(f, provider, offers + 10, CORE_OFFERS_MAX); /* others in their place */
    assert_int_equal(core_counts(f->core).models, CORE_OFFERS_MAX);
    fixture_status(f, provider, NULL, 0);
    assert_int_equal(core_counts(f->core).models, 0);
    assert_null(f->core->models);
}

static void a_vanished_offering_stays_while_it_is_used(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2), generation = fixture_request(f, 0);
    fixture_status(f, provider, NULL, 0);
    assert_int_equal(fixture_provider_of(f, provider)->offerings.count, 1);
    fixture_plain(f, CORE_EVENT_DONE, generation, provider);
    assert_non_null(fixture_effect(f, CORE_EFFECT_SETTLE));
    assert_int_equal(fixture_provider_of(f, provider)->offerings.count, 0);
}

static void a_second_failure_starts_the_cooldown_anew(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2), first = fixture_request(f, 0), second = fixture_request(f, 1);
    fixture_error(f, first, provider, CORE_ATTEMPT_ENGINE);
    f->now_ms = 1000;
    fixture_error(f, second, provider, CORE_ATTEMPT_ENGINE);
    fixture_at(f, f->config.cooldown_ms);
    assert_true(core_deadline_is_set(&fixture_provider_of(f, provider)->cooldown));
    fixture_at(f, f->config.cooldown_ms + 1000);
    assert_false(core_deadline_is_set(&fixture_provider_of(f, provider)->cooldown));
}

static void without_cooldown_ms_there_is_no_cooldown(void **state) {
    ((struct fixture *)*state)->config.cooldown_ms = 0;
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2);
    fixture_error(f, fixture_request(f, 0), provider, CORE_ATTEMPT_ENGINE);
    fixture_request(f, 1);
    assert_true(fixture_dispatched(f) == provider);
}

static void a_provider_may_leave_in_its_cooldown_with_ghosts(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 3);
    fixture_request(f, 0);
    fixture_request(f, 1);
    fixture_at(f, f->config.accept_ms);
    assert_int_equal(fixture_provider_of(f, provider)->ghosts.count, 2);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider);
    assert_int_equal(core_counts(f->core).providers, 0);
    assert_int_equal(f->core->ghosts, 0);
    assert_int_equal(core_counts(f->core).queued, 2);
    fixture_plain(f, CORE_EVENT_PROVIDER_LEFT, 0, provider); /* twice: nothing */
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1);     /* nor has it a status any more */
    assert_int_equal(core_counts(f->core).models, 0);
}

static void an_idle_provider_costs_below_1_kb(void **state UNUSED) {
    /* With one model, its places in the table and in the heap (both may be half empty), and allocator overhead. */
    size_t bytes = sizeof(struct core_provider) + sizeof(struct core_offering) +
                   2 * (sizeof(struct core_handle_entry) + sizeof(struct core_deadline_entry)) + 2 * 16;
    bytes += CORE_POOLS_PER_OFFERING * 2 * sizeof(struct core_offering *); /* classes may be half empty, too */
    assert_in_range(bytes, 1, 1023);
}

static void a_fresh_engine_ends_the_cooldown(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1);
    struct core_provider *object = fixture_provider_of(f, provider);
    fixture_error(f, fixture_request(f, 0), provider, CORE_ATTEMPT_ENGINE);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1); /* the same engine, for all that is known */
    assert_true(core_deadline_is_set(&object->cooldown));
    fixture_offer(f, provider, "m", CORE_MODEL_LOADING, 1);
    assert_true(core_deadline_is_set(&object->cooldown));
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1);
    assert_false(core_deadline_is_set(&object->cooldown));
    assert_int_equal(device_offering(f, provider)->gate,
                     device_offering(f, provider)->active > 0 ? CORE_GATE_SLOTS : CORE_GATE_NONE);
}

static void another_reason_for_the_cooldown_stays(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1);
    struct core_provider *object = fixture_provider_of(f, provider);
    fixture_error(f, fixture_request(f, 0), provider, CORE_ATTEMPT_ENGINE);
    fixture_step(f, (struct core_event){
                        .kind = CORE_EVENT_REVIEW, .provider = provider, .review = {.review = CORE_REVIEW_CANARY}});
    fixture_offer(f, provider, "m", CORE_MODEL_LOADING, 1);
    fixture_offer(f, provider, "m", CORE_MODEL_WARM, 1);
    assert_true(core_deadline_is_set(&object->cooldown));
}

static void who_answers_again_is_ready_at_once(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 2);
    fixture_plain(f, CORE_EVENT_PROVIDER_ALIVE, 0, provider); /* it always was */
    (void)fixture_request(f, 0);
    fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, provider);
    assert_int_equal(device_offering(f, provider)->gate, CORE_GATE_SILENT);
    assert_non_null(fixture_effect(f, CORE_EFFECT_CANCEL));
    assert_int_equal(fixture_provider_of(f, provider)->attempts.count, 0);
    f->now_ms = 500;
    fixture_plain(f, CORE_EVENT_PROVIDER_ALIVE, 0, provider);
    assert_int_equal(device_offering(f, provider)->gate, CORE_GATE_NONE);
    (void)fixture_request(f, 1);
    assert_true(fixture_dispatched(f) == provider);
}

static void an_older_cooldown_outlasts_a_silence(void **state) {
    struct fixture *f = fixture_start(state);
    uint64_t provider = fixture_provider(f, 1);
    fixture_error(f, fixture_request(f, 0), provider, CORE_ATTEMPT_ENGINE);
    f->now_ms = 100;
    fixture_plain(f, CORE_EVENT_PROVIDER_SILENT, 0, provider);
    f->now_ms = 200;
    fixture_plain(f, CORE_EVENT_PROVIDER_ALIVE, 0, provider);
    assert_int_equal(device_offering(f, provider)->gate, CORE_GATE_COOLDOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_bad_entry_of_a_status_is_passed_over),
        FIXTURE_TEST(a_status_has_a_bound),
        FIXTURE_TEST(a_vanished_offering_stays_while_it_is_used),
        FIXTURE_TEST(a_second_failure_starts_the_cooldown_anew),
        FIXTURE_TEST(without_cooldown_ms_there_is_no_cooldown),
        FIXTURE_TEST(a_provider_may_leave_in_its_cooldown_with_ghosts),
        FIXTURE_TEST(a_fresh_engine_ends_the_cooldown),
        FIXTURE_TEST(another_reason_for_the_cooldown_stays),
        FIXTURE_TEST(who_answers_again_is_ready_at_once),
        FIXTURE_TEST(an_older_cooldown_outlasts_a_silence),
        cmocka_unit_test(an_idle_provider_costs_below_1_kb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
