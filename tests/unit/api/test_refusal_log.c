/* A flood of refusals in the log; what a line says: tests/e2e/refusals.test.mjs. */
#include "api/refusal_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"

static struct refusal_log refusals;
static unsigned lines;

static int setup(void **state) {
    (void)state;
    refusals = (struct refusal_log){0};
    lines = 0;
    return 0;
}

static bool refuse(const char *address, const char *code, uint64_t now_ms) {
    static const struct auth_identity IDENTITY = {.account_id = "acct_ada", .key_id = "key_1"};
    const struct refusal refusal = {
        .request_id = "req_1", .code = code, .address = address, .identity = &IDENTITY, .status = 403};
    const bool written = refusal_log_write(&refusals, &refusal, now_ms);
    lines += written;
    return written;
}

static void test_one_address_does_not_drown_the_others(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)refuse("192.0.2.7", "FORBIDDEN", 1);
    }
    assert_int_equal(lines, REFUSAL_LOG_EACH_MAX);
    assert_true(refuse("192.0.2.8", "FORBIDDEN", 1));
    assert_true(refuse("192.0.2.7", "RATE_LIMIT_EXCEEDED", 1));
}

static void test_many_addresses_are_bounded_and_counted(void **state) {
    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        char address[32];
        snprintf(address, sizeof(address), "10.0.%u.%u", i / 256, i % 256);
        (void)refuse(address, "FORBIDDEN", 1);
    }
    assert_int_equal(lines, REFUSAL_LOG_ALL_MAX);
    assert_true(refuse("192.0.2.9", "FORBIDDEN", 1 + REFUSAL_LOG_MINUTE_MS));
    assert_int_equal(lines, REFUSAL_LOG_ALL_MAX + 1);
    assert_int_equal(refusals.unlogged, 0);
}

static void test_what_is_a_refusal(void **state) {
    (void)state;
    assert_true(refusal_log_is_for(401) && refusal_log_is_for(402) && refusal_log_is_for(403) &&
                refusal_log_is_for(429));
    assert_false(refusal_log_is_for(200) || refusal_log_is_for(400) || refusal_log_is_for(404) ||
                 refusal_log_is_for(503));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_address_does_not_drown_the_others, setup),
        cmocka_unit_test_setup(test_many_addresses_are_bounded_and_counted, setup),
        cmocka_unit_test(test_what_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
