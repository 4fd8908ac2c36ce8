/* What a client and the core are told of a settlement. */
#include "unit/gateway/gateway_fixture.h"

enum { ACCOUNT = 7, BALANCE = 1000, CHARGE = 10 * 2 + 1 * 3 };

/* A client with money asks, and a device answers. */
static struct core_account_view ask(struct gateway *gateway, struct call *call) {
    static struct link_peer peer;
    static struct gen_message message;
    struct core_account_view view;
    noted.account = ACCOUNT;
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_ACCOUNT, .account = {.account = ACCOUNT}});
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_CREDIT,
                                               .credit = {.account = ACCOUNT, .amount_nano = BALANCE}});
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, call, &message, "chatcmpl-1");
    fixture_answer(gateway, &peer, "hi");
    assert_int_equal(noted.settled, 1);
    assert_null(gateway->jobs);
    assert_true(core_account_view(gateway->core, ACCOUNT, loop_now_ms(gateway->loop), &view));
    assert_int_equal(view.held_nano + view.active, 0);
    return view;
}

static void test_what_is_durable_is_answered_and_charged(void **state) {
    struct call call;
    assert_int_equal(ask(*state, &call).balance_nano, BALANCE - CHARGE);
    assert_int_equal(noted.finished, 1);
    assert_int_equal(noted.failed, 0);
    assert_int_equal(noted.generation.charge_nano, CHARGE);
    assert_int_equal(noted.generation.purpose, STORE_PURPOSE_REQUEST);
    assert_int_equal(noted.generation.kind, STORE_GENERATION_INFERENCE);
}

static void test_what_is_not_durable_is_free(void **state) {
    struct call call;
    noted.settles_with = ERR_UNAVAILABLE;
    assert_int_equal(ask(*state, &call).balance_nano, BALANCE);
    assert_int_equal(noted.finished, 0);
    assert_int_equal(noted.failed, 1);
    assert_non_null(strstr(noted.fault.message, "You were not charged"));
}

/* It may be charged: so nothing of it can be spent again, and nobody is told that it was free. */
static void test_what_is_in_doubt_is_neither(void **state) {
    struct call call;
    noted.settles_with = ERR_IN_DOUBT;
    assert_int_equal(ask(*state, &call).balance_nano, BALANCE - CHARGE);
    assert_int_equal(noted.finished, 0);
    assert_int_equal(noted.failed, 1);
    assert_int_equal(noted.settled, 1); /* nor is a record of a failure written */
    assert_int_equal(noted.fault.code, FAULT_UNAVAILABLE);
    assert_null(strstr(noted.fault.message, "not charged"));
    assert_non_null(strstr(noted.fault.message, "Idempotency-Key"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_what_is_durable_is_answered_and_charged),
        FIXTURE_TEST(test_what_is_not_durable_is_free),
        FIXTURE_TEST(test_what_is_in_doubt_is_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
