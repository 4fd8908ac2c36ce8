/* Reading beside the writer: stored answers, usage, pages of jobs, earnings. */
#include "store/admin.h"
#include "store/ledger.h"
#include "store/usage.h"
#include "support/store_fixture.h"

static const int64_t month_ms = INT64_C(1767225600000), next_month_ms = INT64_C(1769904000000);
enum { CHARGE_NANO = 100, PROVIDER_NANO = 85 };

static void add_account(struct store_fixture *fixture, const char *id, const char *key_id, const char *second_key_id) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "test",
                                        .account = store_fixture_account(id, false),
                                        .keys = {store_fixture_key(key_id, "", STORE_KEY_LIVE),
                                                 store_fixture_key(second_key_id, "", STORE_KEY_LIVE)},
                                        .key_count = 2,
                                        .amount_nano = 1000000};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_1", "key_1", "key_1b");
    add_account(fixture, "acct_2", "key_2", "key_2b");
    add_account(fixture, "acct_dev", "key_dev", "key_devb");
    store_fixture_start(fixture);
    return 0;
}

static struct store_settlement settlement_of(uint32_t number, int64_t created_ms) {
    struct store_settlement settlement = {.generation = store_fixture_job(number)};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.prompt_tokens = 10;
    settlement.generation.completion_tokens = 20;
    settlement.generation.charge_nano = CHARGE_NANO;
    settlement.generation.provider_nano = PROVIDER_NANO;
    settlement.generation.created_ms = created_ms;
    str_copy(settlement.provider_account_id, sizeof(settlement.provider_account_id), STR("acct_dev"));
    return settlement;
}

static void on_settled(void *context, const struct err *err) {
    *(enum err_code *)context = err == NULL ? ERR_NONE : err->code;
}

static enum err_code settle(struct store_fixture *fixture, const struct store_settlement *settlement) {
    enum err_code code = ERR_INTERNAL;
    store_settle(fixture->store, settlement, on_settled, &code);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return code;
}

/* --- Stored answers --- */

struct found {
    int calls;
    bool given;
    struct store_answer answer;
    char content[64];
};

static void on_answer(void *context, const struct store_answer *answer, const struct err *err) {
    struct found *found = context;
    assert_null(err);
    found->calls++;
    found->given = answer != NULL;
    if (answer != NULL) {
        found->answer = *answer;
        assert_true(answer->content.len < sizeof(found->content));
        memcpy(found->content, answer->content.data, answer->content.len);
        found->content[answer->content.len] = '\0';
    }
}

static struct found find_answer(struct store_fixture *fixture, const char *scope, int64_t now_ms) {
    struct found found = {0};
    uint8_t sha256[DIGEST_SHA256_SIZE];
    digest_sha256(scope, strlen(scope), sha256);
    store_answer_find(fixture->store, sha256, NULL, now_ms, on_answer, &found);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(found.calls, 1);
    return found;
}

static struct store_answer answer_of(const char *scope, const char *content, int64_t expires_ms) {
    struct store_answer answer = {.expires_ms = expires_ms, .stream = true, .content = str_from(content)};
    digest_sha256(scope, strlen(scope), answer.scope_sha256);
    digest_sha256("body", 4, answer.body_sha256);
    return answer;
}

static void test_an_answer_is_kept_until_it_expires(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_settlement settlement = settlement_of(1, 1000);
    char content[] = "data: {}\n\n";
    struct store_answer answer = answer_of("a", content, 2000);
    enum err_code code = ERR_INTERNAL;
    settlement.answer = &answer;
    assert_false(find_answer(fixture, "a", 900).given);
    store_settle(fixture->store, &settlement, on_settled, &code);
    memset(content, 'x', sizeof(content) - 1); /* copied by then */
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(code, ERR_NONE);

    struct found found = find_answer(fixture, "a", 1999);
    assert_true(found.given && found.answer.stream);
    assert_string_equal(found.content, "data: {}\n\n");
    assert_memory_equal(found.answer.body_sha256, answer.body_sha256, DIGEST_SHA256_SIZE);
    assert_int_equal(found.answer.expires_ms, 2000);
    assert_false(find_answer(fixture, "b", 1999).given);
    assert_false(find_answer(fixture, "a", 2000).given);
}

/* The last line against charging one request twice. */
static void test_a_scope_is_settled_once_in_its_time(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_answer first = answer_of("a", "first", 2000), second = answer_of("a", "", 9000);
    struct store_settlement settlement = settlement_of(1, 1000);
    settlement.answer = &first;
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    settlement = settlement_of(2, 1999);
    settlement.answer = &second;
    assert_int_equal(settle(fixture, &settlement), ERR_CONFLICT);
    assert_string_equal(find_answer(fixture, "a", 1999).content, "first");
    settlement.generation.created_ms = 2000;
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    struct found found = find_answer(fixture, "a", 2000);
    assert_true(found.given);
    assert_string_equal(found.content, "");
    settlement = settlement_of(3, 2001); /* without an answer there is nothing to contradict */
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
}

static void test_expired_answers_are_deleted_by_and_by(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    enum { MANY = 1000, LATER = 20000 };
    for (uint32_t i = 0; i < MANY; i++) {
        char scope[16];
        snprintf(scope, sizeof(scope), "s%u", i);
        struct store_answer answer = answer_of(scope, "old", 2000);
        struct store_settlement settlement = settlement_of(i, 1000);
        settlement.answer = &answer;
        store_settle(fixture->store, &settlement, NULL, NULL);
    }
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    for (uint32_t i = 0; i < 20; i++) { /* each group takes a bounded share of the old ones with it */
        struct store_settlement settlement = settlement_of(MANY + i, LATER);
        assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    }
    assert_false(find_answer(fixture, "s0", 1500).given); /* not even for somebody who lives in the past */
    assert_false(find_answer(fixture, "s999", 1500).given);
}

/* --- Usage --- */

struct usage {
    int calls;
    enum err_code code;
    struct store_usage total;
    struct store_model_usage models[4];
};

static void on_usage(void *context, const struct store_usage *usage, const struct err *err) {
    struct usage *out = context;
    out->calls++;
    if (err != NULL) {
        out->code = err->code;
        return;
    }
    out->total = *usage;
    for (size_t i = 0; i < usage->model_count; i++) {
        out->models[i % 4] = usage->models[i];
    }
}

static struct usage read_usage(struct store_fixture *fixture, const char *account_id, const char *key_id) {
    struct usage usage = {0};
    store_usage_read(fixture->store, account_id, key_id, month_ms, next_month_ms, on_usage, &usage);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(usage.calls, 1);
    return usage;
}

static void test_usage_by_model_and_key(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    enum { JOBS = 8 };
    struct store_settlement jobs[JOBS];
    for (uint32_t i = 0; i < JOBS; i++) {
        jobs[i] = settlement_of(i, month_ms + i);
    }
    str_copy(jobs[1].generation.model, STORE_MODEL_MAX, STR("another"));
    str_copy(jobs[2].generation.key_id, STORE_ID_MAX, STR("key_1b"));
    jobs[3].generation.outcome = STORE_OUTCOME_CANCELLED; /* charged */
    jobs[4].generation.outcome = STORE_OUTCOME_CANCELLED; /* free */
    jobs[4].generation.charge_nano = jobs[4].generation.provider_nano = 0;
    str_copy(jobs[5].generation.account_id, STORE_ID_MAX, STR("acct_2"));
    str_copy(jobs[5].generation.key_id, STORE_ID_MAX, STR("key_2"));
    jobs[6].generation.created_ms = month_ms - 1;
    jobs[7].generation.created_ms = next_month_ms;
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(settle(fixture, &jobs[i]), ERR_NONE);
    }
    struct usage usage = read_usage(fixture, "acct_1", "");
    assert_int_equal(usage.total.balance_nano, 1000000 - 6 * CHARGE_NANO);
    assert_int_equal(usage.total.requests, 4);
    assert_int_equal(usage.total.prompt_tokens, 40);
    assert_int_equal(usage.total.completion_tokens, 80);
    assert_int_equal(usage.total.charge_nano, 4 * CHARGE_NANO);
    assert_int_equal(usage.total.model_count, 2);
    assert_string_equal(usage.models[0].model, "another");
    assert_int_equal(usage.models[0].requests, 1);
    assert_string_equal(usage.models[1].model, "nataris-demo-2m");
    assert_int_equal(usage.models[1].requests, 3);
    assert_int_equal(usage.models[1].completion_tokens, 60);
    assert_int_equal(usage.models[1].charge_nano, 3 * CHARGE_NANO);

    usage = read_usage(fixture, "acct_1", "key_1b");
    assert_int_equal(usage.total.requests, 1);
    assert_int_equal(usage.total.balance_nano, 1000000 - 6 * CHARGE_NANO);
    assert_int_equal(read_usage(fixture, "acct_1", "key_2").code, ERR_NOT_FOUND); /* of somebody else */
    assert_int_equal(read_usage(fixture, "acct_1", "key_nobody").code, ERR_NOT_FOUND);
    usage = read_usage(fixture, "acct_nobody", "");
    assert_int_equal(usage.total.requests + usage.total.balance_nano, 0);
}

/* --- Pages --- */

struct page {
    int calls;
    size_t count;
    bool more;
    enum err_code code;
    struct store_generation jobs[16];
};

static void on_page(void *context, const struct store_generation *jobs, size_t count, bool more,
                    const struct err *err) {
    struct page *page = context;
    page->calls++;
    page->count = count;
    page->more = more;
    page->code = err == NULL ? ERR_NONE : err->code;
    for (size_t i = 0; i < count; i++) {
        page->jobs[i % 16] = jobs[i];
    }
}

static struct page read_page(struct store_fixture *fixture, const char *account_id, bool earned, const char *after,
                             unsigned limit) {
    struct page page = {0};
    store_generations_page(fixture->store, account_id, earned, after, limit, on_page, &page);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(page.calls, 1);
    return page;
}

static void settle_some(struct store_fixture *fixture, uint32_t from, uint32_t to, const char *account_id,
                        const char *key_id) {
    for (uint32_t i = from; i < to; i++) {
        struct store_settlement settlement = settlement_of(i, month_ms + i / 2); /* two in each millisecond */
        str_copy(settlement.generation.account_id, STORE_ID_MAX, str_from(account_id));
        str_copy(settlement.generation.key_id, STORE_ID_MAX, str_from(key_id));
        assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    }
}

static void check_pages(struct store_fixture *fixture, bool earned, const char *account_id, uint32_t newest,
                        uint32_t oldest) {
    char after[STORE_ID_MAX] = "";
    bool more = true;
    uint32_t next = newest;
    while (more) {
        struct page page = read_page(fixture, account_id, earned, after, 3);
        assert_int_equal(page.code, ERR_NONE);
        assert_in_range(page.count, 1, 3);
        for (size_t i = 0; i < page.count; i++) {
            char id[STORE_ID_MAX];
            snprintf(id, sizeof(id), "job_%08u", next--);
            assert_string_equal(page.jobs[i].id, id);
            assert_string_equal(page.jobs[i].account_id, earned ? "" : account_id);
            assert_string_equal(page.jobs[i].label, earned ? "" : "a label");
            assert_int_equal(page.jobs[i].charge_nano, CHARGE_NANO);
            assert_int_equal(page.jobs[i].provider_nano, PROVIDER_NANO);
            str_copy(after, sizeof(after), str_from(id));
        }
        more = page.more;
        if (!earned) { /* what comes meanwhile changes nothing behind the cursor */
            static uint32_t newer = 1000;
            settle_some(fixture, newer, newer + 1, account_id, "key_1");
            newer++;
        }
    }
    assert_int_equal(next + 1, oldest);
}

static void test_pages_of_jobs(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    settle_some(fixture, 0, 3, "acct_2", "key_2");
    settle_some(fixture, 3, 10, "acct_1", "key_1");
    check_pages(fixture, true, "acct_dev", 9, 0);
    check_pages(fixture, false, "acct_1", 9, 3);
    struct page page = read_page(fixture, "acct_2", false, "", 3); /* a full page that is the last */
    assert_int_equal(page.count, 3);
    assert_false(page.more);
    page = read_page(fixture, "acct_2", false, "job_00000000", 3);
    assert_int_equal(page.count, 0);
    assert_int_equal(page.code, ERR_NONE);
    assert_int_equal(read_page(fixture, "acct_1", true, "", 3).count, 0); /* has no devices */
}

static void test_a_foreign_cursor_is_like_a_missing_one(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    settle_some(fixture, 0, 1, "acct_2", "key_2");
    settle_some(fixture, 1, 2, "acct_1", "key_1");
    struct page foreign = read_page(fixture, "acct_1", false, "job_00000000", 3),
                missing = read_page(fixture, "acct_1", false, "job_nobody", 3),
                earned = read_page(fixture, "acct_1", true, "job_00000001", 3);
    assert_int_equal(foreign.code, ERR_NOT_FOUND);
    assert_int_equal(missing.code, ERR_NOT_FOUND);
    assert_int_equal(earned.code, ERR_NOT_FOUND);
    assert_int_equal(foreign.count + missing.count + earned.count, 0);
}

/* --- Earnings --- */

static void on_earnings(void *context, const struct store_earnings *earnings, const struct err *err) {
    assert_null(err);
    *(struct store_earnings *)context = *earnings;
}

static void on_admin(void *context, const struct store_admin *result, const struct err *err) {
    (void)result;
    assert_null(err);
    ++*(int *)context;
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static struct store_earnings read_earnings(struct store_fixture *fixture, const char *account_id) {
    struct store_earnings earnings = {.generations = -1};
    store_earnings_read(fixture->store, account_id, month_ms, next_month_ms, on_earnings, &earnings);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return earnings;
}

static void test_earnings_and_payouts(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    int paid = 0;
    struct store_admin payout = {.kind = STORE_ADMIN_PAYOUT,
                                 .actor = "cli",
                                 .account = store_fixture_account("acct_dev", false),
                                 .amount_nano = 2 * PROVIDER_NANO,
                                 .now_ms = month_ms};
    settle_some(fixture, 0, 3, "acct_1", "key_1");
    struct store_settlement early = settlement_of(10, month_ms - 1);
    assert_int_equal(settle(fixture, &early), ERR_NONE);
    store_admin(fixture->store, &payout, on_admin, &paid);
    payout.amount_nano = 1;
    payout.now_ms = next_month_ms;
    store_admin(fixture->store, &payout, on_admin, &paid);
    struct store_earnings earnings = read_earnings(fixture, "acct_1"); /* turns the loop for the payouts too */
    assert_int_equal(paid, 2);
    assert_int_equal(earnings.earned_nano + earnings.paid_nano + earnings.generations + earnings.tokens, 0);
    earnings = read_earnings(fixture, "acct_dev");
    assert_int_equal(earnings.earned_nano, 3 * PROVIDER_NANO);
    assert_int_equal(earnings.paid_nano, 2 * PROVIDER_NANO);
    assert_int_equal(earnings.generations, 3);
    assert_int_equal(earnings.tokens, 3 * 30);
}

/* More jobs than the backend lists for their earners at once: sums and pages go on across what it has listed and what
 * it has not, also of a job that came before the listed ones and was settled after them. */
static void test_earnings_of_many_jobs(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    enum { MANY = 2500, LATE = 1200 };
    enum err_code codes[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        struct store_settlement settlement = settlement_of(i == MANY - 1 ? LATE : i + (i >= LATE), month_ms + i);
        settlement.generation.created_ms = i == MANY - 1 ? month_ms + LATE - 1 : month_ms + i;
        if (i % 5 == 4) { /* somebody else's */
            str_copy(settlement.provider_account_id, STORE_ID_MAX, STR("acct_2"));
        }
        store_settle(fixture->store, &settlement, on_settled, &codes[i]);
        if (i % 100 == 99) { /* in some groups */
            uv_run(&fixture->loop, UV_RUN_DEFAULT);
        }
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(codes[i], ERR_NONE);
    }
    struct store_earnings earnings = read_earnings(fixture, "acct_2");
    assert_int_equal(earnings.generations, MANY / 5);
    assert_int_equal(earnings.earned_nano, MANY / 5 * PROVIDER_NANO);
    earnings = read_earnings(fixture, "acct_dev");
    assert_int_equal(earnings.generations, MANY / 5 * 4);
    assert_int_equal(earnings.tokens, MANY / 5 * 4 * 30);

    char after[STORE_ID_MAX] = "", last[STORE_ID_MAX] = "job_99999999";
    int64_t seen = 0, before_ms = INT64_MAX;
    for (bool more = true; more;) {
        struct page page = read_page(fixture, "acct_2", true, after, 16);
        for (size_t i = 0; i < page.count; i++, seen++) {
            assert_true(page.jobs[i].created_ms <= before_ms);
            assert_string_not_equal(page.jobs[i].id, last);
            before_ms = page.jobs[i].created_ms;
            str_copy(last, sizeof(last), str_from(page.jobs[i].id));
        }
        str_copy(after, sizeof(after), str_from(last));
        more = page.more;
    }
    assert_int_equal(seen, MANY / 5);
    store_fixture_reopen(fixture);
    struct store_ledger_report report;
    assert_true(store_ledger_check(fixture->store, on_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
}

/* --- The reader --- */

static void count_page(void *context, const struct store_generation *jobs, size_t count, bool more,
                       const struct err *err) {
    (void)jobs, (void)more, (void)count;
    int *counts = context;
    counts[err == NULL ? 0 : err->code == ERR_UNAVAILABLE ? 1 : 2]++;
}

static void test_too_many_questions_are_refused(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    int counts[3] = {0};
    for (int i = 0; i < 5000; i++) {
        store_generations_page(fixture->store, "acct_1", false, "", 1, count_page, counts);
    }
    struct store_settlement settlement = settlement_of(1, month_ms); /* the writer has its own queue */
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    assert_int_equal(counts[0], 4096);
    assert_int_equal(counts[1], 904);
    assert_int_equal(counts[2], 0);
    store_generations_page(fixture->store, "acct_1", false, "", 1, count_page, counts);
    store_fixture_close(fixture); /* answers what waits */
    assert_int_equal(counts[0], 4097);
}

#define USAGE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        USAGE_TEST(test_an_answer_is_kept_until_it_expires),
        USAGE_TEST(test_a_scope_is_settled_once_in_its_time),
        USAGE_TEST(test_expired_answers_are_deleted_by_and_by),
        USAGE_TEST(test_usage_by_model_and_key),
        USAGE_TEST(test_pages_of_jobs),
        USAGE_TEST(test_a_foreign_cursor_is_like_a_missing_one),
        USAGE_TEST(test_earnings_and_payouts),
        USAGE_TEST(test_earnings_of_many_jobs),
        USAGE_TEST(test_too_many_questions_are_refused),
    };
    return STORE_CONTRACT_RUN(tests);
}
