/* core_check sees damage to money and limits: each test breaks one thing and mends it again. */
#include "unit/core/core_fixture.h"

static void assert_broken(const struct fixture *f) {
    assert_non_null(core_check_money(f->core));
    assert_false(core_check(f->core, NULL));
}

static void assert_whole(const struct fixture *f) {
    assert_null(core_check_money(f->core));
}

/* One generation of account 1 and key 2 that runs, with 1000 to spend. */
static struct core_generation *start_paid(void **state) {
    struct fixture *f = fixture_start(state);
    fixture_account(f, 1000);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_KEY, .key = {.key = 2, .cap_nano = -1}});
    fixture_provider(f, 1);
    return fixture_generation_of(f, fixture_paid_request(f, 2));
}

static void it_sees_sums_that_do_not_hold(void **state) {
    struct core_generation *generation = start_paid(state);
    struct fixture *f = (struct fixture *)*state;
    int64_t *amounts[] = {&generation->hold.nano, &generation->hold.account->held_nano,
                          &generation->hold.key->held_nano, &generation->outcome.charge_nano,
                          &generation->outcome.provider_nano};
    for (size_t i = 0; i < COUNT_OF(amounts); i++) {
        ++*amounts[i];
        assert_broken(f);
        --*amounts[i];
        assert_whole(f);
    }
    generation->hold.account->active++;
    assert_broken(f);
    generation->hold.account->active--;
    generation->hold.key->spent_nano = -1;
    assert_broken(f);
    generation->hold.key->spent_nano = 0;
    assert_whole(f);
}

static void it_sees_a_generation_without_its_hold(void **state) {
    struct core_generation *generation = start_paid(state);
    struct fixture *f = (struct fixture *)*state;
    generation->hold.open = false;
    assert_broken(f);
    generation->hold.open = true;
    assert_whole(f);
}

static void it_sees_a_charge_before_its_time(void **state) {
    struct core_generation *generation = start_paid(state);
    struct fixture *f = (struct fixture *)*state;
    generation->outcome.charge_nano = generation->outcome.network_nano = 5;
    assert_broken(f);
    generation->outcome.charge_nano = generation->outcome.network_nano = 0;
    assert_whole(f);
    fixture_done(f, generation->handle, generation->attempt->provider_handle, 10, 5);
    assert_whole(f);
    generation->outcome.charge_nano++; /* past the hold */
    generation->outcome.network_nano++;
    assert_broken(f);
    generation->outcome.charge_nano--;
    generation->outcome.network_nano--;
    assert_whole(f);
}

static void it_sees_money_spent_that_was_not_there(void **state) {
    struct core_account *account = start_paid(state)->hold.account;
    struct fixture *f = (struct fixture *)*state;
    account->balance_nano = FIXTURE_PAID_NANO - 1;
    assert_broken(f);
    account->balance_nano = 1000;
    assert_whole(f);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_CREDIT, .credit = {.account = 1, .amount_nano = -900}});
    assert_whole(f); /* a correction may do it */
    assert_true(account->overdrawn);
    fixture_step(f, (struct core_event){.kind = CORE_EVENT_CREDIT, .credit = {.account = 1, .amount_nano = 100}});
    assert_false(account->overdrawn);
}

static void it_sees_a_rate_above_its_limit(void **state) {
    struct core_account *account = start_paid(state)->hold.account;
    struct fixture *f = (struct fixture *)*state;
    account->rate.used = 1;
    assert_broken(f);
    account->rate.used = 0;
    f->core->config.max_accounts = 1;
    assert_broken(f);
    f->core->config.max_accounts = 2;
    assert_whole(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(it_sees_sums_that_do_not_hold),    FIXTURE_TEST(it_sees_a_generation_without_its_hold),
        FIXTURE_TEST(it_sees_a_charge_before_its_time), FIXTURE_TEST(it_sees_money_spent_that_was_not_there),
        FIXTURE_TEST(it_sees_a_rate_above_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
