/* Answers that several devices made: one charge, an entry and a line for each owner, and a ledger that proves it. */
#include "store/admin.h"
#include "store/ledger.h"
#include "store/usage.h"
#include "support/store_fixture.h"

static const int64_t month_ms = INT64_C(1767225600000), next_month_ms = INT64_C(1769904000000);

static void add_account(struct store_fixture *fixture, const char *id, const char *key_id) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "test",
                                        .account = store_fixture_account(id, false),
                                        .keys = {store_fixture_key(key_id, "", STORE_KEY_LIVE)},
                                        .key_count = 1,
                                        .amount_nano = 1000000};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

static int setup(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_1", "key_1");
    add_account(fixture, "acct_ada", "key_ada");
    add_account(fixture, "acct_bob", "key_bob");
    store_fixture_start(fixture);
    return 0;
}

static struct store_part part_of(const char *device_id, const char *account_id, uint32_t tokens, int64_t amount_nano) {
    struct store_part part = {.tokens = tokens, .amount_nano = amount_nano};
    str_copy(part.device_id, sizeof(part.device_id), str_from(device_id));
    str_copy(part.account_id, sizeof(part.account_id), str_from(account_id));
    return part;
}

/* 10 + 30 tokens, of which Ada's two devices made 5 + 15 and Bob's, in between, 10. */
static struct store_settlement settlement_of(uint32_t number, struct store_part parts[3]) {
    struct store_settlement settlement = {.generation = store_fixture_job(number), .parts = parts, .part_count = 3};
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.prompt_tokens = 10;
    settlement.generation.completion_tokens = 30;
    settlement.generation.charge_nano = 100;
    settlement.generation.provider_nano = 85;
    settlement.generation.created_ms = month_ms + number;
    parts[0] = part_of("prov_a1", "acct_ada", 5, 11);
    parts[1] = part_of("prov_b", "acct_bob", 10, 21);
    parts[2] = part_of("prov_a2", "acct_ada", 15, 53);
    str_copy(settlement.generation.device_id, sizeof(settlement.generation.device_id), STR("prov_a2"));
    str_copy(settlement.provider_account_id, sizeof(settlement.provider_account_id), STR("acct_ada"));
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

static void on_earnings(void *context, const struct store_earnings *earnings, const struct err *err) {
    assert_null(err);
    *(struct store_earnings *)context = *earnings;
}

static void assert_earned(struct store_fixture *fixture, const char *account_id, int64_t jobs, int64_t nano,
                          int64_t tokens) {
    struct store_earnings earnings = {.generations = -1};
    store_earnings_read(fixture->store, account_id, month_ms, next_month_ms, on_earnings, &earnings);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(earnings.generations, jobs);
    assert_int_equal(earnings.earned_nano, nano);
    assert_int_equal(earnings.tokens, tokens);
}

struct line {
    struct store_generation job;
    size_t count;
};

static void on_page(void *context, const struct store_generation *jobs, size_t count, bool more,
                    const struct err *err) {
    struct line *line = context;
    (void)more;
    assert_null(err);
    line->count = count;
    if (count > 0) {
        line->job = jobs[0];
    }
}

static struct line read_line(struct store_fixture *fixture, const char *account_id, bool earned, const char *after) {
    struct line line = {.count = 99};
    store_generations_page(fixture->store, account_id, earned, after, 1, on_page, &line);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return line;
}

static void print_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static bool find_entry(void *context, const struct store_entry *entry) {
    struct store_entry *wanted = context;
    if (strcmp(entry->generation_id, wanted->generation_id) == 0 &&
        strcmp(entry->ledger_account, wanted->ledger_account) == 0) {
        wanted->amount_nano += entry->amount_nano;
        wanted->number++;
    }
    return true;
}

/* Exactly one entry of the job for this ledger account. */
static void assert_entry(struct store_fixture *fixture, const char *job_id, const char *ledger_account, int64_t nano) {
    struct store_entry entry = {0};
    str_copy(entry.generation_id, sizeof(entry.generation_id), str_from(job_id));
    str_copy(entry.ledger_account, sizeof(entry.ledger_account), str_from(ledger_account));
    assert_true(store_each_entry(fixture->store, find_entry, &entry, &fixture->err));
    assert_int_equal(entry.number, 1);
    assert_int_equal(entry.amount_nano, nano);
}

static void check_ledger(struct store_fixture *fixture) {
    struct store_ledger_report report;
    assert_true(store_ledger_check(fixture->store, print_problem, NULL, &report, &fixture->err));
    assert_int_equal(report.problems, 0);
}

static void test_each_owner_earns_its_part(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_part parts[3];
    struct store_settlement settlement = settlement_of(1, parts);
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    assert_earned(fixture, "acct_ada", 1, 64, 30); /* with the prompt: Ada's device finished */
    assert_earned(fixture, "acct_bob", 1, 21, 10);
    assert_earned(fixture, "acct_1", 0, 0, 0);

    struct line line = read_line(fixture, "acct_ada", true, "");
    assert_int_equal(line.job.provider_nano, 64);
    assert_int_equal(line.job.prompt_tokens, 10);
    assert_int_equal(line.job.completion_tokens, 20);
    assert_string_equal(line.job.device_id, "prov_a2");
    line = read_line(fixture, "acct_bob", true, "");
    assert_int_equal(line.job.provider_nano, 21);
    assert_int_equal(line.job.prompt_tokens, 0);
    assert_int_equal(line.job.completion_tokens, 10);
    assert_string_equal(line.job.device_id, "prov_b");
    assert_int_equal(read_line(fixture, "acct_bob", true, "job_00000001").count, 0); /* a cursor of its own */
    line = read_line(fixture, "acct_1", false, "");
    assert_int_equal(line.job.charge_nano, 100);
    assert_int_equal(line.job.completion_tokens, 30);

    store_fixture_reopen(fixture);
    check_ledger(fixture);
    assert_entry(fixture, "job_00000001", "wallet:acct_1", -100);
    assert_entry(fixture, "job_00000001", "earnings:acct_ada", 64);
    assert_entry(fixture, "job_00000001", "earnings:acct_bob", 21);
    assert_entry(fixture, "job_00000001", "revenue", 15);
}

/* Beside jobs of one device, and more of them than the backend lists for their earners at once. */
static void test_many_jobs_of_several_devices(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    enum { MANY = 1500 };
    static enum err_code codes[MANY];
    int64_t whole = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        struct store_part parts[3];
        struct store_settlement settlement = settlement_of(i, parts);
        if (i % 3 == 0) {
            settlement.part_count = 0;
            whole++;
        }
        store_settle(fixture->store, &settlement, on_settled, &codes[i]);
        memset(parts, 0, sizeof(parts)); /* copied by then */
        if (i % 200 == 199) {
            uv_run(&fixture->loop, UV_RUN_DEFAULT);
        }
    }
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(codes[i], ERR_NONE);
    }
    assert_earned(fixture, "acct_ada", MANY, (MANY - whole) * 64 + whole * 85, (MANY - whole) * 30 + whole * 40);
    assert_earned(fixture, "acct_bob", MANY - whole, (MANY - whole) * 21, (MANY - whole) * 10);
    store_fixture_reopen(fixture);
    check_ledger(fixture);
}

static void test_parts_that_do_not_add_up_are_refused(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_part parts[3];
    struct store_settlement settlement = settlement_of(1, parts);
    parts[1].amount_nano++;
    assert_int_equal(settle(fixture, &settlement), ERR_CONFLICT);
    settlement = settlement_of(1, parts);
    parts[1].tokens--;
    assert_int_equal(settle(fixture, &settlement), ERR_CONFLICT);
    settlement = settlement_of(1, parts);
    parts[0].amount_nano = -1;
    assert_int_equal(settle(fixture, &settlement), ERR_CONFLICT);
    settlement = settlement_of(1, parts);
    parts[1] = part_of("prov_b", "acct_nobody", 10, 21);
    assert_int_equal(settle(fixture, &settlement), ERR_CONFLICT);
    assert_earned(fixture, "acct_ada", 0, 0, 0);
    settlement = settlement_of(1, parts);
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
}

/* A job that cost nothing: who made it is kept, and nobody earns. */
static void test_a_free_job_has_parts_too(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_part parts[3];
    struct store_settlement settlement = settlement_of(1, parts);
    settlement.generation.charge_nano = settlement.generation.provider_nano = 0;
    parts[0].amount_nano = parts[1].amount_nano = parts[2].amount_nano = 0;
    assert_int_equal(settle(fixture, &settlement), ERR_NONE);
    assert_earned(fixture, "acct_ada", 0, 0, 0);
    assert_int_equal(read_line(fixture, "acct_ada", true, "").count, 0);
    store_fixture_reopen(fixture);
    check_ledger(fixture);
}

#define PARTS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PARTS_TEST(test_each_owner_earns_its_part),
        PARTS_TEST(test_many_jobs_of_several_devices),
        PARTS_TEST(test_parts_that_do_not_add_up_are_refused),
        PARTS_TEST(test_a_free_job_has_parts_too),
    };
    return STORE_CONTRACT_RUN(tests);
}
