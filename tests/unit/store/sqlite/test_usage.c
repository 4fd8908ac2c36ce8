/* Whose key it is that usage is asked of, and which stored answer stays. */
#include "store/usage.h"
#include "support/store_fixture.h"

static struct store_usage seen_usage;
static struct err seen_err;
static bool seen_answer;
static char seen_content[64];
static int seen;

static void note_err(const struct err *err) {
    seen_err = err != NULL ? *err : (struct err){.code = ERR_NONE};
    seen++;
}

static void on_usage(void *context, const struct store_usage *usage, const struct err *err) {
    (void)context;
    seen_usage = usage != NULL ? *usage : (struct store_usage){0};
    note_err(err);
}

static void on_durable(void *context, const struct err *err) {
    (void)context;
    note_err(err);
}

static void on_answer(void *context, const struct store_answer *answer, const struct err *err) {
    (void)context;
    seen_answer = answer != NULL;
    if (answer != NULL) {
        str_copy(seen_content, sizeof(seen_content), answer->content);
    }
    note_err(err);
}

static void await(struct store_fixture *fixture) {
    seen = 0;
    while (seen == 0) {
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void open_accounts(struct store_fixture *fixture) {
    static const char *const accounts[] = {"acct_1", "acct_2"}, *const keys[] = {"key_1", "key_2"};
    for (size_t i = 0; i < 2; i++) {
        const struct store_account account = store_fixture_account(accounts[i], i == 0);
        const struct store_key key = store_fixture_key(keys[i], accounts[i], STORE_KEY_LIVE);
        assert_true(store_account_add(fixture->store, &account, &fixture->err));
        assert_true(store_key_add(fixture->store, &key, &fixture->err));
    }
    store_fixture_start(fixture);
}

static void settle(struct store_fixture *fixture, uint32_t number, const struct store_answer *answer) {
    struct store_settlement settlement = {.generation = store_fixture_job(number), .answer = answer};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.completion_tokens = 1;
    store_settle(fixture->store, &settlement, on_durable, NULL);
    await(fixture);
}

static void test_keys_of_others(void **state) {
    struct store_fixture *fixture = *state;
    static const struct {
        const char *account, *key;
        bool found;
    } cases[] = {{"acct_1", "", true},
                 {"acct_1", "key_1", true},
                 {"acct_1", "key_2", false},
                 {"acct_2", "key_1", false},
                 {"acct_1", "key_9", false}};
    open_accounts(fixture);
    settle(fixture, 7, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        store_usage_read(fixture->store, cases[i].account, cases[i].key, 0, INT64_MAX, on_usage, NULL);
        await(fixture);
        assert_int_equal(seen_err.code, cases[i].found ? ERR_NONE : ERR_NOT_FOUND);
        assert_int_equal(seen_usage.requests, cases[i].found);
    }
}

/* Under a key of the client's the first answer stays and refuses the second; of an SDK's tries the last one stays. */
static void test_which_answer_stays(void **state) {
    struct store_fixture *fixture = *state;
    struct store_answer answer = {.scope_sha256 = {1}, .expires_ms = INT64_MAX, .content = STR("first")};
    open_accounts(fixture);
    settle(fixture, 1, &answer);
    assert_int_equal(seen_err.code, ERR_NONE);
    answer.content = STR("second");
    settle(fixture, 2, &answer);
    assert_int_equal(seen_err.code, ERR_CONFLICT);
    store_answer_find(fixture->store, answer.scope_sha256, NULL, 0, on_answer, NULL);
    await(fixture);
    assert_true(seen_answer);
    assert_string_equal(seen_content, "first");
    answer.replaces = true;
    answer.content = STR("third");
    settle(fixture, 3, &answer);
    assert_int_equal(seen_err.code, ERR_NONE);
    store_answer_find(fixture->store, answer.scope_sha256, NULL, 0, on_answer, NULL);
    await(fixture);
    assert_string_equal(seen_content, "third");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_keys_of_others),
        TEST(test_which_answer_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
