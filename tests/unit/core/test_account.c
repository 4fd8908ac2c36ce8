#include "unit/core/core_fixture.h"

static void set_account(struct fixture *f, uint64_t number, uint32_t rate) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_ACCOUNT,
                                        .account = {.account = number, .requests_per_minute = rate}});
}

static void credit(struct fixture *f, uint64_t number, int64_t amount_nano) {
    fixture_step(
        f, (struct core_event){.kind = CORE_EVENT_CREDIT, .credit = {.account = number, .amount_nano = amount_nano}});
}

static void set_key(struct fixture *f, uint64_t number, int64_t cap_nano, int64_t spent_nano) {
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_KEY,
                                        .key = {.key = number, .cap_nano = cap_nano, .spent_nano = spent_nano}});
}

static void a_balance_moves_by_credits(void **state) {
    struct fixture *f = fixture_start(state);
    set_account(f, 7, 0);
    assert_int_equal(fixture_view(f, 7).balance_nano, 0);
    credit(f, 7, 500);
    credit(f, 7, -200);
    set_account(f, 7, 3); /* its limits change, its money does not */
    assert_int_equal(fixture_view(f, 7).balance_nano, 300);
    assert_int_equal(fixture_view(f, 7).requests_per_minute, 3);
    credit(f, 8, 500);
    struct core_account_view view;
    assert_false(core_account_view(f->core, 8, 0, &view));
    assert_false(core_account_view(f->core, 0, 0, &view));
}

static void a_balance_stays_within_its_bounds(void **state) {
    struct fixture *f = fixture_start(state);
    set_account(f, 1, 0);
    credit(f, 1, CORE_MONEY_MAX);
    credit(f, 1, 1);
    credit(f, 1, INT64_MAX);
    assert_true(fixture_view(f, 1).balance_nano == CORE_MONEY_MAX);
    credit(f, 1, INT64_MIN);
    assert_true(fixture_view(f, 1).balance_nano == -CORE_MONEY_MAX);
    credit(f, 1, -1);
    credit(f, 1, INT64_MIN);
    assert_true(fixture_view(f, 1).balance_nano == -CORE_MONEY_MAX);
}

static void number_0_is_nobody(void **state) {
    struct fixture *f = fixture_start(state);
    set_account(f, 0, 1);
    set_key(f, 0, 1, 0);
    assert_null(f->core->accounts);
    assert_null(f->core->keys);
}

static void accounts_and_keys_are_bounded_together(void **state) {
    ((struct fixture *)*state)->config.max_accounts = 3;
    struct fixture *f = fixture_start(state);
    set_account(f, 1, 0);
    set_key(f, 1, -1, 0);
    set_key(f, 2, -1, 0);
    set_account(f, 2, 0);
    set_key(f, 3, -1, 0);
    assert_null(core_account_find(f->core, 2));
    assert_null(core_key_find(f->core, 3));
    set_account(f, 1, 9);
    set_key(f, 2, 50, 0);
    assert_int_equal(fixture_view(f, 1).requests_per_minute, 9);
    assert_int_equal(core_key_find(f->core, 2)->cap_nano, 50);
}

static void a_known_keys_own_count_stays(void **state) {
    struct fixture *f = fixture_start(state);
    set_key(f, 1, 100, 40);
    set_key(f, 1, 200, 90);
    const struct core_key *key = core_key_find(f->core, 1);
    assert_int_equal(key->cap_nano, 200);
    assert_int_equal(key->spent_nano, 40);
    set_key(f, 2, 100, -5);
    assert_int_equal(core_key_find(f->core, 2)->spent_nano, 0);
}

static void the_view_takes_the_time_it_is_given(void **state) {
    struct fixture *f = fixture_start(state);
    set_account(f, 1, 60);
    fixture_provider(f, 1);
    f->now_ms = 1000;
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_REQUEST, .request = {.model = STR("m"), .account = 1}});
    assert_int_equal(fixture_view(f, 1).remaining, 59);
    assert_int_equal(fixture_view(f, 1).reset_ms, 1000);
    f->now_ms = 1600;
    assert_int_equal(fixture_view(f, 1).remaining, 59);
    assert_int_equal(fixture_view(f, 1).reset_ms, 400);
    f->now_ms = 2000;
    assert_int_equal(fixture_view(f, 1).remaining, 60);
    assert_int_equal(fixture_view(f, 1).active, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_balance_moves_by_credits),   FIXTURE_TEST(a_balance_stays_within_its_bounds),
        FIXTURE_TEST(number_0_is_nobody),           FIXTURE_TEST(accounts_and_keys_are_bounded_together),
        FIXTURE_TEST(a_known_keys_own_count_stays), FIXTURE_TEST(the_view_takes_the_time_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
