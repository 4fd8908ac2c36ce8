#include "unit/core/core_fixture.h"

static enum core_failure refused(const struct fixture *f) {
    const struct core_effect *fail = fixture_effect(f, CORE_EFFECT_FAIL);
    assert_non_null(fail);
    assert_true(fail->generation == CORE_NO_HANDLE);
    return fail->fail.failure;
}

static void limit(struct fixture *f, uint32_t rate, uint32_t concurrent, bool suspended) {
    fixture_step(
        f,
        (struct core_event){
            .kind = CORE_EVENT_ACCOUNT,
            .account = {.account = 1, .requests_per_minute = rate, .concurrent = concurrent, .suspended = suspended}});
}

/* tests/replay/refused-*.replay tell each refusal; here: what a refused request leaves behind is nothing. */
static void a_refusal_leaves_no_trace(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 399);
    limit(f, 9, 0, false);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_KEY, .key = {.key = 2, .cap_nano = 1}});
    uint64_t provider = fixture_provider(f, 9);
    fixture_paid_request(f, 0);
    struct core_account_view before = fixture_view(f, 1);

    fixture_paid_request(f, 0);
    assert_int_equal(refused(f), CORE_FAILURE_CREDITS);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_CREDIT, .credit = {.account = 1, .amount_nano = 1}});
    before.balance_nano++;
    fixture_paid_request(f, 2);
    assert_int_equal(refused(f), CORE_FAILURE_KEY_CAP);
    fixture_paid_request(f, 3);
    assert_int_equal(refused(f), CORE_FAILURE_KEY_CAP);
    limit(f, 9, 1, false);
    fixture_paid_request(f, 0);
    assert_int_equal(refused(f), CORE_FAILURE_CONCURRENCY);
    limit(f, 9, 1, true);
    fixture_paid_request(f, 0);
    assert_int_equal(refused(f), CORE_FAILURE_SUSPENDED);
    limit(f, 9, 0, false);
    fixture_offer(f, provider, "other", CORE_MODEL_WARM, 1);
    fixture_paid_request(f, 0);
    assert_int_equal(refused(f), CORE_FAILURE_UNSERVED);

    struct core_account_view after = fixture_view(f, 1);
    assert_int_equal(after.balance_nano, before.balance_nano);
    assert_int_equal(after.held_nano, before.held_nano);
    assert_int_equal(after.active, before.active);
    assert_int_equal(after.remaining, before.remaining);
    assert_int_equal(after.reset_ms, before.reset_ms);
    assert_int_equal(core_key_find(f->core, 2)->held_nano, 0);
    assert_int_equal(core_counts(f->core).generations, 1);
}

/* Where the most that a prompt can have is more than there is, what is enough for it is held; it then costs no more. */
static void an_account_that_has_less_holds_what_is_enough(void **state) {
    struct fixture *f = fixture_start(state);
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.model = STR("m"),
                                           .max_tokens = 5,
                                           .account = 1,
                                           .prompt_tokens_max = 100,
                                           .prompt_tokens_enough = 30,
                                           .prompt_price_nano = 10,
                                           .completion_price_nano = 20}};
    fixture_account(f, 1500);
    const uint64_t provider = fixture_provider(f, 9);
    fixture_step(f, event);
    assert_int_equal(fixture_view(f, 1).held_nano, 1100); /* of the whole prompt, while there is enough */
    fixture_step(f, event);
    const uint64_t generation = fixture_effect(f, CORE_EFFECT_ADMITTED)->generation;
    assert_int_equal(fixture_view(f, 1).held_nano, 1100 + 400);
    fixture_step(f, event);
    assert_int_equal(refused(f), CORE_FAILURE_CREDITS);
    fixture_done(f, generation, provider, 50, 5);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_SETTLE)->finish.prompt_tokens, 30);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_SETTLE)->finish.charge_nano, 400);
}

static void an_advised_wait_is_enough_and_no_shorter_one(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000000);
    limit(f, 7, 0, false);
    fixture_provider(f, 100);
    for (int i = 0; i < 7; i++) {
        assert_true(fixture_paid_request(f, 0) != CORE_NO_HANDLE);
    }
    assert_true(fixture_paid_request(f, 0) == CORE_NO_HANDLE);
    assert_int_equal(refused(f), CORE_FAILURE_RATE);
    uint64_t wait_ms = fixture_effect(f, CORE_EFFECT_FAIL)->fail.retry_after_ms;
    assert_int_equal(wait_ms, 8572); /* 60000 / 7 is 8571.4 */
    f->now_ms = wait_ms - 1;
    assert_true(fixture_paid_request(f, 0) == CORE_NO_HANDLE);
    f->now_ms = wait_ms;
    assert_true(fixture_paid_request(f, 0) != CORE_NO_HANDLE);
}

static void a_settling_generation_is_still_under_way(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    limit(f, 0, 1, false);
    uint64_t provider = fixture_provider(f, 9), generation = fixture_paid_request(f, 0);
    fixture_done(f, generation, provider, 1, 1);
    fixture_paid_request(f, 0);
    assert_int_equal(refused(f), CORE_FAILURE_CONCURRENCY);
    fixture_committed(f, generation, true);
    assert_true(fixture_paid_request(f, 0) != CORE_NO_HANDLE);
}

static void without_an_account_there_is_no_limit(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_provider(f, 500);
    for (uint64_t i = 0; i < 500; i++) {
        assert_true(fixture_request(f, i) != CORE_NO_HANDLE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_refusal_leaves_no_trace),
        FIXTURE_TEST(an_account_that_has_less_holds_what_is_enough),
        FIXTURE_TEST(an_advised_wait_is_enough_and_no_shorter_one),
        FIXTURE_TEST(a_settling_generation_is_still_under_way),
        FIXTURE_TEST(without_an_account_there_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
