/* Claims: who may run beside whom, what lingers, and how long answers are kept. */
#include "call/claim.h"

#include "support/call_fixture.h"

static struct idempotency asked(enum idempotency_kind kind, char key, char body) {
    struct idempotency of = {.kind = kind};
    memset(of.scope_sha256, key, sizeof(of.scope_sha256));
    memset(of.body_sha256, body, sizeof(of.body_sha256));
    return of;
}

static struct claim *take(struct call_fixture *fixture, enum idempotency_kind kind, char key, char body) {
    const struct idempotency of = asked(kind, key, body);
    struct claim *claim;
    struct fault fault;
    assert_true(claim_take(fixture->calls->claims, &of, &claim, &fault));
    return claim;
}

static void assert_refused(struct call_fixture *fixture, enum idempotency_kind kind, char key, char body, bool retry) {
    const struct idempotency of = asked(kind, key, body);
    struct claim *claim = NULL;
    struct fault fault;
    assert_false(claim_take(fixture->calls->claims, &of, &claim, &fault));
    assert_int_equal(fault.code, FAULT_CONFLICT);
    assert_int_equal(fault_is_retryable(&fault), retry);
    assert_string_equal(fault.param, retry ? "" : "Idempotency-Key");
}

static void test_one_call_of_a_scope(void **state) {
    struct call_fixture *fixture = *state;
    struct claim *claim = take(fixture, IDEMPOTENCY_KEY, 'a', 1), *other = take(fixture, IDEMPOTENCY_KEY, 'b', 1);
    assert_refused(fixture, IDEMPOTENCY_KEY, 'a', 1, true);
    assert_refused(fixture, IDEMPOTENCY_KEY, 'a', 2, false); /* another body comes to nothing, however long it waits */
    claim_release(claim);
    claim = take(fixture, IDEMPOTENCY_KEY, 'a', 2);
    claim_release(claim);
    claim_release(other);
    claim_release(NULL);
}

/* Of an SDK two first tries may be equal by chance; a retry is of one of them. */
static void test_first_tries_beside_each_other(void **state) {
    struct call_fixture *fixture = *state;
    struct claim *first = take(fixture, IDEMPOTENCY_SDK_FIRST, 'a', 1);
    struct claim *second = take(fixture, IDEMPOTENCY_SDK_FIRST, 'a', 1);
    assert_ptr_equal(first, second);
    assert_refused(fixture, IDEMPOTENCY_SDK_RETRY, 'a', 1, true);
    claim_release(first);
    assert_refused(fixture, IDEMPOTENCY_SDK_RETRY, 'a', 1, true);
    claim_release(second);
    claim_release(take(fixture, IDEMPOTENCY_SDK_RETRY, 'a', 1));
}

static void test_lingers_for_a_while(void **state) {
    struct call_fixture *fixture = *state;
    struct claims *claims = fixture->calls->claims;
    const uint64_t now_ms = loop_now_ms(fixture->net.loop);
    struct claim *claim = take(fixture, IDEMPOTENCY_KEY, 'a', 1);
    assert_false(claim_lingers(claim));
    claim_linger(claim);
    claim_linger(claim); /* from now on; not twice */
    assert_true(claim_lingers(claim));
    claim_release(claim);
    /* Its answer may be there by now: the next one may look, but not with another body. */
    assert_refused(fixture, IDEMPOTENCY_KEY, 'a', 2, false);
    assert_ptr_equal(take(fixture, IDEMPOTENCY_KEY, 'a', 1), claim);
    assert_true(claim_lingers(claim));
    claims_sweep(claims, now_ms + IDEMPOTENCY_LINGER_MS - 1);
    assert_true(claim_lingers(claim));
    claims_sweep(claims, now_ms + IDEMPOTENCY_LINGER_MS + 1000);
    assert_false(claim_lingers(claim)); /* but it is still held */
    assert_refused(fixture, IDEMPOTENCY_KEY, 'a', 1, true);
    claim_release(claim);
    claim_release(take(fixture, IDEMPOTENCY_KEY, 'a', 2));
}

static void test_what_lingers_goes_when_its_time_is_over(void **state) {
    enum { COUNT = 3 };
    struct call_fixture *fixture = *state;
    const uint64_t now_ms = loop_now_ms(fixture->net.loop);
    for (int i = 0; i < COUNT; i++) {
        struct claim *claim = take(fixture, IDEMPOTENCY_KEY, (char)('a' + i), 1);
        claim_linger(claim);
        claim_release(claim);
    }
    assert_refused(fixture, IDEMPOTENCY_KEY, 'c', 2, false);
    claims_sweep(fixture->calls->claims, now_ms + IDEMPOTENCY_LINGER_MS + 1000);
    for (int i = 0; i < COUNT; i++) {
        claim_release(take(fixture, IDEMPOTENCY_KEY, (char)('a' + i), 2));
    }
}

/* Freed with the claims. */
static void test_those_that_linger_at_the_end(void **state) {
    struct call_fixture *fixture = *state;
    struct claims *claims = claims_new(fixture->net.loop);
    const struct idempotency of = asked(IDEMPOTENCY_KEY, 'a', 1), other = asked(IDEMPOTENCY_KEY, 'b', 1);
    struct claim *claim;
    struct fault fault;
    assert_true(claim_take(claims, &of, &claim, &fault));
    claim_linger(claim);
    claim_release(claim);
    assert_true(claim_take(claims, &other, &claim, &fault));
    claim_linger(claim);
    claim_release(claim);
    claims_free(claims);
    claims_free(NULL);
}

static void test_answers(void **state) {
    static const struct {
        enum idempotency_kind kind;
        bool replaces;
        int64_t kept_ms;
    } cases[] = {{IDEMPOTENCY_KEY, false, IDEMPOTENCY_KEY_KEPT_MS},
                 {IDEMPOTENCY_SDK_FIRST, true, IDEMPOTENCY_SDK_KEPT_MS},
                 {IDEMPOTENCY_SDK_RETRY, true, IDEMPOTENCY_SDK_KEPT_MS}};
    struct call_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct claim *claim = take(fixture, cases[i].kind, 'a', 3);
        const struct store_answer answer = claim_answer(claim, i == 1, STR("text"), 1000);
        const struct idempotency of = asked(cases[i].kind, 'a', 3);
        assert_int_equal(answer.stream, i == 1);
        assert_int_equal(answer.replaces, cases[i].replaces);
        assert_int_equal(answer.expires_ms, 1000 + cases[i].kept_ms);
        assert_true(str_equal_cstr(answer.content, "text"));
        assert_memory_equal(answer.scope_sha256, of.scope_sha256, DIGEST_SHA256_SIZE);
        assert_memory_equal(answer.body_sha256, of.body_sha256, DIGEST_SHA256_SIZE);
        claim_release(claim);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, call_fixture_setup, call_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_one_call_of_a_scope),          TEST(test_first_tries_beside_each_other),
        TEST(test_lingers_for_a_while),          TEST(test_what_lingers_goes_when_its_time_is_over),
        TEST(test_those_that_linger_at_the_end), TEST(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
