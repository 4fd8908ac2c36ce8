/* Stored answers: two of one settlement, what each may take of the quota, and their deletion. */
#include "store/answers.h"
#include "store/kept.h"
#include "support/store_workflows_fixture.h"

#include <string.h>

static int setup_stopped(void **state) {
    store_fixture_setup(state);
    create_account(*state, "acct_1", "key_1");
    return 0;
}

static void start(struct store_fixture *fixture, int64_t rows) {
    struct store_quotas quotas = {0};
    quotas.of[STORE_TIER_FREE][STORE_KEPT_ANSWERS] = (struct store_amount){rows, 0};
    store_set_quotas(fixture->store, &quotas);
    store_fixture_start(fixture);
}

static void on_settled(void *context, const struct err *err) {
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

/* One that is promised, and beside it another one, which may be spare. */
static void answers_keep(struct store_fixture *fixture, uint32_t number, uint8_t scope, bool spare) {
    enum err_code code = ERR_INTERNAL;
    const struct store_answer also = {.scope_sha256 = {(uint8_t)(scope + 100)},
                                      .expires_ms = NOW + 1000,
                                      .spare = spare,
                                      .half = spare,
                                      .content = STR("kept beside it")};
    const struct store_answer answer = {
        .scope_sha256 = {scope}, .expires_ms = NOW + 1000, .content = STR("what was said"), .also = &also};
    struct store_settlement settlement = {.answer = &answer, .generation = store_fixture_job(number)};
    settlement.generation.created_ms = NOW;
    store_settle(fixture->store, &settlement, on_settled, &code);
    turn(fixture);
    assert_int_equal(code, ERR_NONE);
}

static void on_found(void *context, const struct store_answer *answer, const struct err *err) {
    assert_null(err);
    *(bool *)context = answer != NULL;
}

static bool is_there(struct store_fixture *fixture, uint8_t scope) {
    const uint8_t scope_sha256[DIGEST_SHA256_SIZE] = {scope};
    bool found = false;
    store_answer_find(fixture->store, scope_sha256, NULL, NOW, on_found, &found);
    turn(fixture);
    return found;
}

static void on_deleted(void *context, bool found, const struct err *err) {
    assert_null(err);
    *(bool *)context = found;
}

static bool answer_delete(struct store_fixture *fixture, uint8_t scope, int64_t now_ms) {
    const uint8_t scope_sha256[DIGEST_SHA256_SIZE] = {scope};
    bool found = false;
    store_answer_delete(fixture->store, scope_sha256, now_ms, on_deleted, &found);
    turn(fixture);
    return found;
}

static void on_report(void *context, const struct store_kept_report *report, const struct err *err) {
    assert_null(err);
    *(int64_t *)context = report->kept[STORE_KEPT_ANSWERS].rows;
}

static int64_t count(struct store_fixture *fixture) {
    int64_t rows = -1;
    store_kept_read(fixture->store, "acct_1", on_report, &rows);
    turn(fixture);
    return rows;
}

/* What nobody asked for takes no more than half of the quota; what was asked for is kept as it was promised. */
static void test_half_of_the_quota(void **state) {
    struct store_fixture *fixture = *state;
    start(fixture, 6);
    answers_keep(fixture, 1, 1, true);
    assert_true(is_there(fixture, 1) && is_there(fixture, 101));
    answers_keep(fixture, 2, 2, true);
    assert_true(is_there(fixture, 2) && is_there(fixture, 102)); /* the third one of six */
    answers_keep(fixture, 3, 3, true);
    assert_true(is_there(fixture, 3));
    assert_false(is_there(fixture, 103));
    answers_keep(fixture, 4, 4, false);
    assert_true(is_there(fixture, 4) && is_there(fixture, 104));
    assert_int_equal(count(fixture), 7);
}

static void test_deletion(void **state) {
    struct store_fixture *fixture = *state;
    start(fixture, 0);
    answers_keep(fixture, 1, 1, true);
    answers_keep(fixture, 2, 2, true);
    assert_true(answer_delete(fixture, 101, NOW));
    assert_false(answer_delete(fixture, 101, NOW));
    assert_false(is_there(fixture, 101));
    assert_true(is_there(fixture, 1));
    assert_false(
        answer_delete(fixture, 102, NOW + 2000)); /* it had expired: gone, but nobody is told that it was there */
    assert_false(is_there(fixture, 102));
    assert_int_equal(count(fixture), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_half_of_the_quota, setup_stopped, store_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_deletion, setup_stopped, store_fixture_teardown),
    };
    return STORE_CONTRACT_RUN(tests);
}
