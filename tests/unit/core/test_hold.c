#include "unit/core/core_fixture.h"

static struct core_outcome price(const struct core_hold *hold, uint32_t prompt, uint32_t completion) {
    struct core_outcome outcome = {.prompt_tokens = prompt, .completion_tokens = completion};
    core_hold_price(hold, &outcome);
    assert_true(outcome.charge_nano <= hold->nano);
    assert_true(outcome.provider_nano + outcome.network_nano == outcome.charge_nano);
    return outcome;
}

static void the_parts_are_rounded_in_the_networks_favour(void **state UNUSED) {
    struct core_hold hold = {.prompt_tokens_max = 1, .nano = INT64_MAX};
    for (int64_t charge = 0; charge < 1000; charge++) {
        hold.prompt_price_nano = charge;
        struct core_outcome outcome = price(&hold, 1, 0);
        assert_int_equal(outcome.charge_nano, charge);
        assert_int_equal(outcome.provider_nano, charge * 85 / 100);
    }
    hold.prompt_price_nano = CORE_MONEY_MAX;
    assert_true(price(&hold, 1, 0).provider_nano == CORE_MONEY_MAX / 100 * 85 + 3); /* .04 * 85 = 3.4 */
}

static void counts_are_cut_to_the_request_and_the_charge_to_the_hold(void **state UNUSED) {
    struct core_hold hold = {.prompt_tokens_max = 10,
                             .completion_tokens_max = 5,
                             .prompt_price_nano = 10,
                             .completion_price_nano = 20,
                             .nano = FIXTURE_PAID_NANO};
    struct core_outcome outcome = price(&hold, UINT32_MAX, UINT32_MAX);
    assert_int_equal(outcome.prompt_tokens, 10);
    assert_int_equal(outcome.completion_tokens, 5);
    assert_int_equal(outcome.charge_nano, FIXTURE_PAID_NANO);
    hold.nano = 150; /* lowered when the device counted 5 */
    assert_int_equal(price(&hold, 10, 5).charge_nano, 150);
    assert_int_equal(price(&hold, 5, 5).charge_nano, 150);
    assert_int_equal(price(&hold, 5, 0).charge_nano, 50);
}

static void the_providers_share_is_divided_without_a_rest(void **state UNUSED) {
    struct core_hold hold = {.prompt_tokens_max = 100, .completion_tokens_max = 1000, .nano = INT64_MAX};
    struct random_source random = {.state = 3};
    for (int i = 0; i < 500; i++) {
        enum { PARTS = 5 };
        struct core_part parts[PARTS] = {0};
        uint32_t tokens = 0;
        hold.prompt_price_nano = (int64_t)random_below(&random, 50);
        hold.completion_price_nano = (int64_t)random_below(&random, 50);
        for (size_t p = 0; p < PARTS; p++) {
            parts[p].tokens = (uint32_t)random_below(&random, 20);
            tokens += parts[p].tokens;
        }
        struct core_outcome outcome = price(&hold, (uint32_t)random_below(&random, 100), tokens);
        core_hold_split(&hold, &outcome, parts, PARTS);
        int64_t sum = 0;
        for (size_t p = 0; p < PARTS; p++) {
            int64_t least = hold.completion_price_nano * parts[p].tokens * 85 / 100;
            assert_true(p + 1 < PARTS ? parts[p].nano == least : parts[p].nano >= least);
            sum += parts[p].nano;
        }
        assert_true(sum == outcome.provider_nano);
    }
}

static void a_charge_cut_to_its_hold_is_all_that_is_divided(void **state UNUSED) {
    struct core_hold hold = {.completion_tokens_max = 10, .completion_price_nano = 100, .nano = 450};
    struct core_part parts[] = {{.tokens = 4}, {.tokens = 4}, {.tokens = 2}};
    struct core_outcome outcome = price(&hold, 0, 10);
    core_hold_split(&hold, &outcome, parts, COUNT_OF(parts));
    assert_int_equal(parts[0].nano, 340);
    assert_int_equal(parts[1].nano, 42); /* what is left of 382 */
    assert_int_equal(parts[2].nano, 0);
}

/* What a device says of the prompt changes nothing of what is held: it may be gone before it has answered. */
static void a_hold_stays_what_it_was(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    uint64_t provider = fixture_provider(f, 1), generation = fixture_paid_request(f, 0);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCEPT,
                                        .generation = generation,
                                        .provider = provider,
                                        .accept = {.prompt_tokens = 4}});
    assert_int_equal(fixture_view(f, 1).held_nano, FIXTURE_PAID_NANO);
}

static bool fits(const struct fixture *f, uint32_t prompt, uint32_t completion, int64_t in, int64_t out) {
    struct core_event event = {.request = {.account = 1,
                                           .prompt_tokens_max = prompt,
                                           .max_tokens = completion,
                                           .prompt_price_nano = in,
                                           .completion_price_nano = out}};
    struct core_hold hold;
    return core_hold_init(f->core, &event, event.request.prompt_tokens_max, &hold) && core_hold_fits_account(&hold);
}

static void what_has_no_meaning_does_not_fit(void **state) {
    struct fixture *f = fixture_start(state);
    assert_false(fits(f, 0, 0, 0, 0)); /* nobody has made the account known */
    fixture_account(f, CORE_MONEY_MAX);
    assert_true(fits(f, 0, 0, 0, 0));
    assert_true(fits(f, 1, 0, CORE_MONEY_MAX, 0));
    assert_false(fits(f, 1, 1, CORE_MONEY_MAX, 1));
    assert_false(fits(f, 2, 0, CORE_MONEY_MAX, 0));
    assert_false(fits(f, 1, 1, CORE_MONEY_MAX, CORE_MONEY_MAX));
    assert_false(fits(f, UINT32_MAX, UINT32_MAX, INT64_MAX, INT64_MAX));
    assert_false(fits(f, 0, 0, -1, 0));
    assert_false(fits(f, 0, 0, 0, -1));
    assert_false(fits(f, 5, 5, 10, -1));
}

static void without_an_account_nothing_is_priced(void **state) {
    struct fixture *f = fixture_start(state);
    struct core_event event = {.request = {.key = 4, .max_tokens = 1, .prompt_price_nano = -5}};
    struct core_hold hold;
    assert_true(core_hold_init(f->core, &event, event.request.prompt_tokens_max, &hold));
    assert_true(core_hold_fits_account(&hold) && core_hold_fits_key(&hold) && hold.nano == 0);
    struct core_outcome outcome = price(&hold, 70, 80);
    assert_int_equal(outcome.prompt_tokens, 70);
    assert_int_equal(outcome.completion_tokens, 80);
    assert_int_equal(outcome.charge_nano, 0);
}

static void a_keys_room_is_what_it_has_neither_spent_nor_held(void **state UNUSED) {
    struct core_key key = {.cap_nano = 100, .spent_nano = 50, .held_nano = 20};
    struct core_hold hold = {.key = &key, .nano = 30};
    assert_true(core_hold_fits_key(&hold));
    hold.nano = 31;
    assert_false(core_hold_fits_key(&hold));
    key.cap_nano = -1;
    assert_true(core_hold_fits_key(&hold));
    key.spent_nano = INT64_MAX; /* a sum past all bounds is no room, cap or not */
    assert_false(core_hold_fits_key(&hold));
    key.held_nano = INT64_MAX;
    assert_false(core_hold_fits_key(&hold));
    key = (struct core_key){.cap_nano = 0};
    hold.nano = 0;
    assert_true(core_hold_fits_key(&hold));
}

static void a_settled_hold_moves_the_money_once(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_KEY, .key = {.key = 9, .cap_nano = -1, .spent_nano = 3}});
    uint64_t provider = fixture_provider(f, 2);
    uint64_t first = fixture_paid_request(f, 9), second = fixture_paid_request(f, 9);
    const struct core_key *key = core_key_find(f->core, 9);
    assert_int_equal(key->held_nano, 400);
    fixture_done(f, first, provider, 10, 1);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_SETTLE)->finish.charge_nano, 120);
    assert_int_equal(fixture_view(f, 1).balance_nano, 1000);
    fixture_committed(f, first, true);
    assert_int_equal(fixture_view(f, 1).balance_nano, 880);
    assert_int_equal(fixture_view(f, 1).held_nano, 200);
    assert_int_equal(fixture_view(f, 1).active, 1);
    assert_int_equal(key->spent_nano, 123);
    assert_int_equal(key->held_nano, 200);
    fixture_error(f, second, provider, CORE_ATTEMPT_BAD_REQUEST);
    assert_int_equal(fixture_view(f, 1).balance_nano, 880);
    assert_int_equal(key->held_nano, 0);
    assert_int_equal(key->spent_nano, 123);
}

static void parallel_requests_cannot_overdraw(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 10 * FIXTURE_PAID_NANO + 1);
    fixture_provider(f, 200);
    size_t admitted = 0;
    for (int i = 0; i < 200; i++) {
        admitted += fixture_paid_request(f, 0) != CORE_NO_HANDLE;
    }
    assert_int_equal(admitted, 10);
    assert_int_equal(fixture_effect(f, CORE_EFFECT_FAIL)->fail.failure, CORE_FAILURE_CREDITS);
    assert_int_equal(fixture_view(f, 1).held_nano, 10 * FIXTURE_PAID_NANO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_rounded_in_the_networks_favour),
        cmocka_unit_test(counts_are_cut_to_the_request_and_the_charge_to_the_hold),
        cmocka_unit_test(the_providers_share_is_divided_without_a_rest),
        cmocka_unit_test(a_charge_cut_to_its_hold_is_all_that_is_divided),
        FIXTURE_TEST(a_hold_stays_what_it_was),
        FIXTURE_TEST(what_has_no_meaning_does_not_fit),
        FIXTURE_TEST(without_an_account_nothing_is_priced),
        cmocka_unit_test(a_keys_room_is_what_it_has_neither_spent_nor_held),
        FIXTURE_TEST(a_settled_hold_moves_the_money_once),
        FIXTURE_TEST(parallel_requests_cannot_overdraw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
