/* Usage and earnings by month are what the generations' rows add up to, whatever was settled in whatever order, and
 * stay so when the rows are rolled up; the ledger proves both. */
#include "base/random_source.h"
#include "store/admin.h"
#include "store/jobs.h"
#include "store/ledger.h"
#include "store/usage.h"
#include "support/store_fixture.h"

/* 2025-12-01, 2026-01-01, 2026-02-01, 2026-03-01 in UTC. */
static const int64_t months_ms[] = {INT64_C(1764547200000), INT64_C(1767225600000), INT64_C(1769904000000),
                                    INT64_C(1772323200000)};
enum { MONTHS = 3, CLIENTS = 2, KEYS = 2, MODELS = 2, EARNERS = 2, SETTLED = 900, GROUP = 50 };

static const char *const client_ids[CLIENTS] = {"acct_a", "acct_b"};
static const char *const key_ids[CLIENTS][KEYS] = {{"key_a0", "key_a1"}, {"key_b0", "key_b1"}};
static const char *const model_ids[MODELS] = {"model-a", "model-b"};
static const char *const earner_ids[EARNERS] = {"acct_dev", "acct_a"}; /* the second is a client too */

struct sums {
    int64_t requests, prompt_tokens, completion_tokens, charge_nano;
};

/* What the test itself has counted. */
struct book {
    struct store_fixture *fixture;
    struct random_source random;
    uint32_t number, refused;
    char last_id[STORE_ID_MAX]; /* that was settled */
    struct sums usage[CLIENTS][KEYS][MODELS][MONTHS];
    struct store_earnings earned[EARNERS][MONTHS];
};

static void add_account(struct store_fixture *fixture, const char *id, const char *first_key, const char *second_key) {
    struct store_admin result, admin = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                        .actor = "test",
                                        .account = store_fixture_account(id, false),
                                        .keys = {store_fixture_key(first_key, "", STORE_KEY_LIVE),
                                                 store_fixture_key(second_key, "", STORE_KEY_LIVE)},
                                        .key_count = 2,
                                        .amount_nano = INT64_C(1000000000)};
    assert_true(store_admin_now(fixture->store, &admin, &result, &fixture->err));
}

static int setup(void **state) {
    void *base;
    store_fixture_setup(&base);
    struct book *book = calloc(1, sizeof(*book));
    book->fixture = base;
    book->random.state = 11;
    add_account(book->fixture, "acct_dev", "key_dev", "key_dev1");
    for (int i = 0; i < CLIENTS; i++) {
        add_account(book->fixture, client_ids[i], key_ids[i][0], key_ids[i][1]);
    }
    store_fixture_start(book->fixture);
    *state = book;
    return 0;
}

static int teardown(void **state) {
    struct book *book = *state;
    void *base = book->fixture;
    free(book);
    return store_fixture_teardown(&base);
}

static uint32_t below(struct book *book, uint32_t bound) {
    return (uint32_t)random_below(&book->random, bound);
}

static void turn(const struct book *book) {
    uv_run(&book->fixture->loop, UV_RUN_DEFAULT);
}

static void on_settled(void *context, const struct err *err) {
    struct book *book = context;
    assert_true(err == NULL || err->code == ERR_CONFLICT);
    book->refused += err != NULL;
}

/* Often at the very border of a month. */
static int64_t moment(struct book *book, uint32_t month) {
    const int64_t length = months_ms[month + 1] - months_ms[month];
    switch (below(book, 4)) {
    case 0:
        return months_ms[month];
    case 1:
        return months_ms[month + 1] - 1;
    default:
        return months_ms[month] + (int64_t)random_below(&book->random, (uint64_t)length);
    }
}

static void count_earned(struct book *book, uint32_t earner, uint32_t month, int64_t nano, int64_t tokens) {
    struct store_earnings *earned = &book->earned[earner][month];
    earned->generations++;
    earned->earned_nano += nano;
    earned->tokens += tokens;
}

/* One settlement of whatever kind, and some that are refused. */
static void settle_one(struct book *book) {
    const uint32_t client = below(book, CLIENTS), key = below(book, KEYS), model = below(book, MODELS);
    const uint32_t month = below(book, MONTHS), earner = below(book, EARNERS), what = below(book, 10);
    struct store_settlement settlement = {.generation = store_fixture_job(book->number++)};
    struct store_generation *job = &settlement.generation;
    struct store_part parts[2] = {{.device_id = "prov_1", .tokens = 5, .amount_nano = 30},
                                  {.device_id = "prov_2", .tokens = 15, .amount_nano = 55}};
    str_copy(job->account_id, STORE_ID_MAX, str_from(client_ids[client]));
    str_copy(job->key_id, STORE_ID_MAX, str_from(key_ids[client][key]));
    str_copy(job->model, STORE_MODEL_MAX, str_from(model_ids[model]));
    str_copy(settlement.provider_account_id, STORE_ID_MAX, str_from(earner_ids[earner]));
    job->created_ms = moment(book, month);
    job->kind = below(book, 2) == 0 ? STORE_GENERATION_CHAT : STORE_GENERATION_INFERENCE;
    job->prompt_tokens = below(book, 100);
    job->completion_tokens = 20;
    const bool free_one = what < 2, failed = what == 1, twice = what == 9;
    const bool refused = what == 8 && book->last_id[0] != '\0';
    job->outcome = failed ? STORE_OUTCOME_FAILED : what % 2 == 0 ? STORE_OUTCOME_CANCELLED : STORE_OUTCOME_COMPLETED;
    job->charge_nano = free_one ? 0 : 100;
    job->provider_nano = free_one ? 0 : 85;
    if (twice) {
        str_copy(parts[0].account_id, STORE_ID_MAX, str_from(earner_ids[0]));
        str_copy(parts[1].account_id, STORE_ID_MAX, str_from(earner_ids[1]));
        settlement.parts = parts;
        settlement.part_count = 2;
        count_earned(book, 0, month, 30, 5);
        count_earned(book, 1, month, 55, 15 + job->prompt_tokens);
    }
    if (refused) {
        str_copy(job->id, STORE_ID_MAX, str_from(book->last_id));
    } else if (!free_one && !twice) {
        count_earned(book, earner, month, 85, job->prompt_tokens + 20);
    }
    str_copy(book->last_id, STORE_ID_MAX, str_from(job->id));
    if (!refused && (job->outcome == STORE_OUTCOME_COMPLETED || job->charge_nano > 0)) {
        struct sums *sums = &book->usage[client][key][model][month];
        sums->requests++;
        sums->prompt_tokens += job->prompt_tokens;
        sums->completion_tokens += 20;
        sums->charge_nano += job->charge_nano;
    }
    store_settle(book->fixture->store, &settlement, on_settled, book);
}

static void settle_many(struct book *book, int count) {
    for (int i = 0; i < count; i++) {
        settle_one(book);
        if (i % GROUP == 0 || below(book, GROUP) == 0) {
            turn(book);
        }
    }
    turn(book);
}

/* --- What the store says --- */

static void on_usage(void *context, const struct store_usage *usage, const struct err *err) {
    struct sums *sums = context; /* by model, and behind them of all */
    assert_null(err);
    for (size_t i = 0; i < usage->model_count; i++) {
        const struct store_model_usage *model = &usage->models[i];
        sums[strcmp(model->model, model_ids[0]) == 0 ? 0 : 1] =
            (struct sums){model->requests, model->prompt_tokens, model->completion_tokens, model->charge_nano};
    }
    sums[MODELS] = (struct sums){usage->requests, usage->prompt_tokens, usage->completion_tokens, usage->charge_nano};
}

static void on_earnings(void *context, const struct store_earnings *earnings, const struct err *err) {
    assert_null(err);
    *(struct store_earnings *)context = *earnings;
}

static void expect_sums(const struct sums *found, const struct sums *expected) {
    assert_int_equal(found->requests, expected->requests);
    assert_int_equal(found->prompt_tokens, expected->prompt_tokens);
    assert_int_equal(found->completion_tokens, expected->completion_tokens);
    assert_int_equal(found->charge_nano, expected->charge_nano);
}

static void expect_usage(struct book *book, int client, int key, int month) {
    struct sums found[MODELS + 1] = {0}, expected;
    store_usage_read(book->fixture->store, client_ids[client], key_ids[client][key], months_ms[month],
                     months_ms[month + 1], on_usage, found);
    turn(book);
    for (int model = 0; model < MODELS; model++) {
        expect_sums(&found[model], &book->usage[client][key][model][month]);
    }
    expected = book->usage[client][key][0][month];
    expected.requests += book->usage[client][key][1][month].requests;
    expected.prompt_tokens += book->usage[client][key][1][month].prompt_tokens;
    expected.completion_tokens += book->usage[client][key][1][month].completion_tokens;
    expected.charge_nano += book->usage[client][key][1][month].charge_nano;
    expect_sums(&found[MODELS], &expected);
}

static void expect_book(struct book *book) {
    for (int month = 0; month < MONTHS; month++) {
        for (int client = 0; client < CLIENTS; client++) {
            expect_usage(book, client, 0, month);
            expect_usage(book, client, 1, month);
        }
        for (int earner = 0; earner < EARNERS; earner++) {
            const struct store_earnings *expected = &book->earned[earner][month];
            struct store_earnings found = {.generations = -1};
            store_earnings_read(book->fixture->store, earner_ids[earner], months_ms[month], months_ms[month + 1],
                                on_earnings, &found);
            turn(book);
            assert_int_equal(found.generations, expected->generations);
            assert_int_equal(found.earned_nano, expected->earned_nano);
            assert_int_equal(found.tokens, expected->tokens);
        }
    }
}

static void on_problem(void *context, const char *text) {
    (void)context;
    print_error("%s\n", text);
}

static void expect_sound(struct book *book) {
    struct store_ledger_report report;
    store_fixture_reopen(book->fixture);
    assert_true(store_ledger_check(book->fixture->store, on_problem, NULL, &report, &book->fixture->err));
    assert_int_equal(report.problems, 0);
    store_fixture_start(book->fixture);
}

struct rows {
    int count;
    int64_t oldest_ms, last_ms; /* the oldest but for the last, and the last */
};

static bool see_row(void *context, const struct store_generation *generation) {
    struct rows *rows = context;
    rows->count++;
    rows->oldest_ms = rows->last_ms < rows->oldest_ms ? rows->last_ms : rows->oldest_ms;
    rows->last_ms = generation->created_ms;
    return true;
}

static struct rows rows_left(struct book *book) {
    struct rows rows = {.oldest_ms = INT64_MAX, .last_ms = INT64_MAX};
    store_fixture_reopen(book->fixture);
    assert_true(store_each_generation(book->fixture->store, see_row, &rows, &book->fixture->err));
    store_fixture_start(book->fixture);
    return rows;
}

/* --- Rolling up --- */

struct told {
    int64_t next;
    int steps;
};

static void on_rolled(void *context, int64_t next, const struct err *err) {
    struct told *told = context;
    assert_null(err);
    told->next = next;
    told->steps++;
}

static int roll_up(struct book *book, int64_t before_ms) {
    struct told told = {0};
    do {
        const struct store_roll_up step = {.before_ms = before_ms, .now_ms = months_ms[MONTHS], .after = told.next};
        store_generations_roll_up(book->fixture->store, &step, on_rolled, &told);
        turn(book);
    } while (told.next != 0);
    return told.steps;
}

/* --- Tests --- */

static void test_totals_are_the_sums_of_the_rows(void **state) {
    struct book *book = *state;
    settle_many(book, SETTLED);
    assert_true(book->refused > 0);
    expect_book(book);
    expect_sound(book);
    expect_book(book); /* of a store that was opened again */
}

static void test_nothing_is_lost_when_rows_are_rolled_up(void **state) {
    struct book *book = *state;
    settle_many(book, SETTLED);
    const int before = rows_left(book).count;
    const int64_t bound_ms = months_ms[1] + 5 * INT64_C(86400000); /* in the middle of a month */
    /* The rows of all months lie mixed here, so there are old ones in each step: about as many as fit in. */
    assert_true(roll_up(book, bound_ms) >= before / 200);
    struct rows left = rows_left(book);
    assert_in_range(left.count, before / 3, before * 3 / 4);
    assert_true(left.oldest_ms >= bound_ms);
    expect_book(book);
    expect_sound(book);
    settle_many(book, SETTLED); /* also of the months that were rolled up */
    expect_book(book);
    roll_up(book, INT64_MAX);
    assert_int_equal(rows_left(book).count, 1);
    expect_book(book);
    expect_sound(book);
    settle_many(book, GROUP);
    expect_book(book);
    expect_sound(book);
}

static void on_page(void *context, const struct store_generation *generations, size_t count, bool more,
                    const struct err *err) {
    (void)generations, (void)more;
    assert_null(err);
    *(size_t *)context += count;
}

static void test_the_newest_row_stays(void **state) {
    struct book *book = *state;
    size_t listed = 0;
    settle_many(book, 20);
    roll_up(book, INT64_MAX);
    assert_int_equal(rows_left(book).count, 1);
    roll_up(book, INT64_MAX); /* again */
    assert_int_equal(rows_left(book).count, 1);
    settle_many(book, 20); /* no number comes twice: the ledger would have two settlements for one job */
    expect_sound(book);
    for (int i = 0; i < EARNERS; i++) { /* the lists go on with what is there */
        store_generations_page(book->fixture->store, earner_ids[i], true, "", 100, on_page, &listed);
    }
    turn(book);
    assert_true(listed > 5);
}

static void test_nothing_old_nothing_done(void **state) {
    struct book *book = *state;
    assert_int_equal(roll_up(book, INT64_MAX), 1); /* of an empty store */
    settle_many(book, 300);
    const int before = rows_left(book).count;
    assert_int_equal(roll_up(book, months_ms[0]), 1); /* one look, not one at every row */
    assert_int_equal(rows_left(book).count, before);
}

/* A clock that was wrong once has left rows of the future before all others. */
static void test_rows_of_the_future_are_stepped_over(void **state) {
    struct book *book = *state;
    for (uint32_t i = 0; i < 300; i++) {
        struct store_generation job = store_fixture_job(100000 + i);
        str_copy(job.account_id, STORE_ID_MAX, str_from(client_ids[0]));
        str_copy(job.key_id, STORE_ID_MAX, str_from(key_ids[0][0]));
        job.created_ms = months_ms[MONTHS] + INT64_C(1000000000000);
        store_fixture_settle(book->fixture->store, &job, on_settled, book);
    }
    turn(book);
    settle_many(book, 300);
    roll_up(book, months_ms[MONTHS]);
    const struct rows left = rows_left(book);
    assert_in_range(left.count, 300, 301);
    expect_sound(book);
}

static void on_job(void *context, const struct store_job *job, bool changed, const struct err *err) {
    (void)changed;
    assert_null(err);
    *(struct store_job *)context = *job;
}

static void add_job(struct book *book, const char *id, int64_t created_ms) {
    struct store_job_new asked = {.job = {.created_ms = created_ms, .body = STR("{}")}};
    struct store_job seen;
    str_copy(asked.job.id, STORE_ID_MAX, str_from(id));
    str_copy(asked.job.account_id, STORE_ID_MAX, str_from(client_ids[0]));
    str_copy(asked.job.key_id, STORE_ID_MAX, str_from(key_ids[0][0]));
    store_job_add(book->fixture->store, &asked, on_job, &seen);
    turn(book);
}

/* What POST /v1/jobs has made tells its charge for as long as it is there itself. */
static void test_a_job_keeps_its_charge(void **state) {
    struct book *book = *state;
    struct store_settlement settlement = {.generation = store_fixture_job(1), .provider_account_id = "acct_dev"};
    const struct store_job_end end = {
        .id = "job_00000001", .state = STORE_JOB_COMPLETED, .ended_ms = months_ms[1], .result = STR("{}")};
    struct store_job seen = {0};
    add_job(book, "job_00000001", months_ms[0]);
    str_copy(settlement.generation.account_id, STORE_ID_MAX, str_from(client_ids[0]));
    str_copy(settlement.generation.key_id, STORE_ID_MAX, str_from(key_ids[0][0]));
    settlement.generation.purpose = STORE_PURPOSE_JOB;
    settlement.generation.outcome = STORE_OUTCOME_COMPLETED;
    settlement.generation.charge_nano = 100;
    settlement.generation.provider_nano = 85;
    settlement.generation.prompt_tokens = 7;
    settlement.generation.completion_tokens = 8;
    settlement.generation.created_ms = months_ms[0];
    store_settle(book->fixture->store, &settlement, on_settled, book);
    store_job_end(book->fixture->store, &end, on_job, &seen);
    book->number = 2;
    settle_many(book, 10);
    roll_up(book, INT64_MAX);
    store_job_find(book->fixture->store, client_ids[0], false, "job_00000001", on_job, &seen);
    turn(book);
    assert_int_equal(seen.charge_nano, 100);
    assert_int_equal(seen.prompt_tokens, 7);
    assert_int_equal(seen.completion_tokens, 8);
    expect_sound(book);
}

/* A job that was interrupted may settle its run once more, which is refused because the first is there. */
static void test_what_an_unfinished_job_may_ask_for_stays(void **state) {
    struct book *book = *state;
    settle_many(book, 300);
    add_job(book, "job_unfinished", months_ms[1]);
    roll_up(book, INT64_MAX);
    assert_true(rows_left(book).oldest_ms >= months_ms[1]);
    assert_in_range(rows_left(book).count, 100, 250);
}

#define RETENTION_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        RETENTION_TEST(test_totals_are_the_sums_of_the_rows),
        RETENTION_TEST(test_nothing_is_lost_when_rows_are_rolled_up),
        RETENTION_TEST(test_the_newest_row_stays),
        RETENTION_TEST(test_nothing_old_nothing_done),
        RETENTION_TEST(test_rows_of_the_future_are_stepped_over),
        RETENTION_TEST(test_a_job_keeps_its_charge),
        RETENTION_TEST(test_what_an_unfinished_job_may_ask_for_stays),
    };
    return STORE_CONTRACT_RUN(tests);
}
