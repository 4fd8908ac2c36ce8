/* Scopes: who shares a cache with whom, and what is told of it. */
#include "gateway/scopes.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct scope_of ONE = {.device_id = "prov_1", .account_id = "acct_1", .model = STR("m")};

static void name(struct scopes *scopes, struct scope_of of, char out[SCOPE_SIZE]) {
    scopes_name(scopes, &of, out);
    assert_int_equal(strlen(out), SCOPE_SIZE - 1);
}

static void test_an_account_has_one_scope_for_each_model_and_device(void **state) {
    struct scopes scopes;
    char one[SCOPE_SIZE], other[SCOPE_SIZE];
    (void)state;
    scopes_init(&scopes);
    name(&scopes, ONE, one);
    name(&scopes, ONE, other);
    assert_string_equal(one, other);
    struct scope_of job = ONE;
    job.purpose = STORE_PURPOSE_JOB; /* the same account waits for it */
    name(&scopes, job, other);
    assert_string_equal(one, other);
    scopes_clear(&scopes);
}

/* None of these is the scope of another one. A part of a text that moves into its neighbour makes another one, too. */
static void test_everything_else_has_another_one(void **state) {
    const struct scope_of others[] = {
        ONE,
        {.device_id = "prov_2", .account_id = "acct_1", .model = STR("m")},
        {.device_id = "prov_1", .account_id = "acct_2", .model = STR("m")},
        {.device_id = "prov_1", .account_id = "acct_1", .model = STR("n")},
        {.device_id = "prov_1", .account_id = "acct_1m", .model = STR("")},
        {.device_id = "prov_1acct_1", .account_id = "", .model = STR("m")},
        {.device_id = "prov_1", .account_id = "acct_1", .model = STR("m"), .purpose = STORE_PURPOSE_STEP},
        {.device_id = "prov_1", .account_id = "acct_1", .model = STR("m"), .purpose = STORE_PURPOSE_TITLE},
        {.device_id = "prov_1", .account_id = "acct_1", .model = STR("m"), .purpose = STORE_PURPOSE_SUMMARY},
        {.device_id = "prov_1", .account_id = "", .model = STR("m"), .alone = "canary_1"},
        {.device_id = "prov_1", .account_id = "", .model = STR("m"), .alone = "canary_2"},
        {.device_id = "prov_1", .account_id = "", .model = STR("m"), .alone = "acct_1"},
    };
    char names[COUNT_OF(others)][SCOPE_SIZE];
    struct scopes scopes;
    (void)state;
    scopes_init(&scopes);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        name(&scopes, others[i], names[i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(names[i], names[j]);
        }
    }
    scopes_clear(&scopes);
}

static void test_they_are_of_one_process(void **state) {
    struct scopes scopes, later;
    char one[SCOPE_SIZE], other[SCOPE_SIZE];
    (void)state;
    scopes_init(&scopes);
    scopes_init(&later);
    name(&scopes, ONE, one);
    name(&later, ONE, other);
    assert_string_not_equal(one, other);
    scopes_clear(&scopes);
    scopes_clear(&later);
}

static void test_no_more_is_told_than_was_left(void **state) {
    struct scopes scopes;
    char one[SCOPE_SIZE], other[SCOPE_SIZE];
    struct scope_of of = ONE;
    (void)state;
    scopes_init(&scopes);
    name(&scopes, of, one);
    of.account_id = "acct_2";
    name(&scopes, of, other);
    assert_int_equal(scopes_told(&scopes, one, 500), 0); /* it has sent nothing there */
    scopes_leave(&scopes, one, 120);
    assert_int_equal(scopes_told(&scopes, one, 500), 120);
    assert_int_equal(scopes_told(&scopes, one, 7), 7);
    assert_int_equal(scopes_told(&scopes, other, 500), 0);
    scopes_leave(&scopes, one, 30); /* in another slot: the longer one may still be there */
    assert_int_equal(scopes_told(&scopes, one, 500), 120);
    scopes_clear(&scopes);
}

/* The table has a size: what was pushed out is told as nothing, and nobody gets a number of somebody else. */
static void test_many_scopes(void **state) {
    enum { MANY = 40000 };
    struct scopes scopes;
    char id[32], text[SCOPE_SIZE];
    uint32_t kept = 0;
    (void)state;
    scopes_init(&scopes);
    for (uint32_t i = 0; i < 2 * MANY; i++) {
        snprintf(id, sizeof(id), "acct_%u", i % MANY);
        scopes_name(&scopes, &(struct scope_of){.device_id = "prov_1", .account_id = id, .model = STR("m")}, text);
        if (i < MANY) {
            scopes_leave(&scopes, text, 1 + i);
        } else {
            const uint32_t told = scopes_told(&scopes, text, UINT32_MAX);
            assert_true(told == 0 || told == 1 + i % MANY);
            kept += told != 0;
        }
    }
    assert_true(kept > MANY / 10 && kept <= 4096 * 4);
    scopes_clear(&scopes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_account_has_one_scope_for_each_model_and_device),
        cmocka_unit_test(test_everything_else_has_another_one),
        cmocka_unit_test(test_they_are_of_one_process),
        cmocka_unit_test(test_no_more_is_told_than_was_left),
        cmocka_unit_test(test_many_scopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
